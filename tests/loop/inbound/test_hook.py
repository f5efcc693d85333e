"""Mail by a signed hook: whole, once, and from nobody who does not know the secret."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import clock, config
from bugintake.core.db import db, transaction
from bugintake.intake.models import Remark
from bugintake.loop.inbound import roads
from bugintake.loop.inbound.parts import MOST_BYTES
from bugintake.loop.models import DeliveryState
from bugintake.loop.webhooks.signing import standard_headers
from tests.faults.rig import the_delivery
from tests.loop.inbound.conftest import SECRET
from tests.loop.inbound.mails import answered, returned
from tests.loop.inbound.sending import grace, told

pytestmark = [pytest.mark.usefixtures("holds"), pytest.mark.long_on("postgres")]
OTHER = "whsec_" + "B" * 32


@pytest.fixture
def settings(settings):
    return replace(settings, base_url="http://localhost")


def post(client, raw, *, secret=SECRET, name="msg_1", at=None, **headers):
    signed = standard_headers(name, at or clock.now(), raw, [secret])
    answer = client.post("/hooks/mail", data=raw, content_type="message/rfc822", headers={**signed, **headers})
    db.session.rollback()
    db.session.expire_all()
    return answer


def words():
    return list(db.session.scalars(sa.select(Remark.text)))


def test_a_signed_mail_is_taken_in(sink, client):
    sent = told(sink)

    answer = post(client, answered("It works.", sent.answers))
    assert (answer.status_code, answer.json, words()) == (200, {"did": "remarked"}, ["It works."])
    assert post(client, returned(sent.bounces), name="msg_2").json == {"did": "suppressed"}
    assert grace().suppressed_at is not None
    assert roads.roads()[0].sentence.startswith("Last used ")


def test_mail_that_is_not_ours_is_taken_and_does_nothing(sink, client):
    told(sink)

    assert post(client, answered("Buy this.")).json == {"did": "nothing"}
    assert post(client, b"\0\xff", name="msg_2").json == {"did": "nothing"}
    assert post(client, b"", name="msg_3").json == {"did": "nothing"}


@pytest.mark.fault("F-I1")
def test_whoever_does_not_sign_gets_in_by_no_way(sink, client, clock):
    sent = told(sink)
    raw, now = answered("It works.", sent.answers), clock.now()
    right = standard_headers("msg_1", now, raw, [SECRET])

    refused = [
        client.post("/hooks/mail", data=raw),
        post(client, raw, secret=OTHER),
        post(client, raw, **{"webhook-signature": ""}),
        post(client, raw, **{"webhook-signature": "v1,"}),
        post(client, raw, **{"webhook-id": "msg_2"}),
        post(client, raw, **{"webhook-timestamp": str(int(now.timestamp()) + 1)}),
        post(client, raw, at=now - timedelta(minutes=6)),
        post(client, raw, at=now + timedelta(minutes=6)),
        client.post("/hooks/mail", data=raw + b" ", headers=right),
    ]
    assert [answer.status_code for answer in refused] == [401] * 9
    assert {answer.content_type for answer in refused} == {"application/problem+json"}
    assert words() == []


def test_the_same_webhook_says_nothing_twice(sink, client):
    sent = told(sink)
    post(client, answered("It works.", sent.answers))

    assert post(client, answered("It works.", sent.answers)).json == {"did": "nothing"}
    assert post(client, answered("Other words.", sent.answers, number="2")).json == {"did": "nothing"}
    assert words() == ["It works."]


def test_a_mail_that_is_too_large_is_refused_before_it_is_read(sink, client):
    raw = b"x" * (MOST_BYTES + 1)

    assert post(client, raw).status_code == 413
    assert client.post("/hooks/mail", data=raw).status_code == 413
    assert post(client, answered("x" * 1000, "nobody@example.org") + b" " * 9_000_000, name="msg_2").status_code == 200


def test_what_is_faster_than_our_own_note_is_to_come_again(sink, client):
    sent, delivery = told(sink), the_delivery()
    with transaction():
        delivery.state = DeliveryState.SENDING

    assert post(client, returned(sent.bounces)).status_code == 503
    with transaction():
        delivery.state = DeliveryState.SENT
    assert post(client, returned(sent.bounces)).json == {"did": "suppressed"}


@pytest.mark.parametrize("values", [{"inbound_secret": None}, {"mail_from": None}])
def test_where_no_hook_is_set_up_there_is_none(sink, client, app, values):
    config.keep(app, replace(config.settings(), **values))

    assert client.post("/hooks/mail", data=b"x").status_code == 404
    assert client.get("/hooks/mail").status_code in (404, 405)
