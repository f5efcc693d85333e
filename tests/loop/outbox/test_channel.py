"""A mail server, a sender or a database that is not there for a while."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bugintake.core.db import db
from bugintake.loop import attempts, circuit
from bugintake.loop.models import Delivery
from tests.faults.rig import states, work
from tests.faults.server import FaultServer
from tests.loop.rows import live

pytestmark = pytest.mark.long_on("postgres")


@pytest.mark.fault("F-S1")
def test_a_server_that_is_away_keeps_mail_waiting_and_the_channel_degraded(sink: FaultServer, clock: Any) -> None:
    live(*(f"hana{n}@example.com" for n in range(30)))
    sink.greeting = b"421 4.3.2 too busy"

    work()

    assert states() == {"pending": 30}
    assert set(db.session.scalars(sa.select(Delivery.attempts))) == {0}
    found = circuit.mail_circuit()
    assert found is not None
    assert found.reason == "hello: 4.3.2 too busy"
    assert work() == 0

    sink.greeting = b"220 ready"
    clock.advance(timedelta(minutes=2))
    work()
    assert circuit.mail_circuit() is None
    assert states() == {"sent": 30}


@pytest.mark.fault("F-S2")
def test_a_refused_sign_in_holds_all_mail_and_counts_no_attempt(app: Any, sink: FaultServer, clock: Any) -> None:
    url = f"smtp://bugintake:wr0ng@127.0.0.1:{sink.port}"
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url=url)
    sink.password = "right"
    live("hana@example.com", "sam@example.com")

    for _ in range(3):
        work()
        clock.advance(timedelta(minutes=20))

    assert states() == {"pending": 2}
    assert set(db.session.scalars(sa.select(Delivery.attempts))) == {0}
    found = circuit.mail_circuit()
    assert found is not None
    assert (found.failures, found.reason) == (3, "auth: 5.7.8 …: wrong password")

    sink.password = "wr0ng"
    clock.advance(timedelta(minutes=20))
    work()
    assert states() == {"sent": 2}


def test_a_sender_that_is_no_address_holds_all_mail(app: Any, sink: FaultServer, clock: Any) -> None:
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], mail_from="nobody")
    live("hana@example.com")

    work()

    assert states() == {"pending": 1}
    found = circuit.mail_circuit()
    assert found is not None
    assert found.reason.startswith("compose: The sender cannot be used.")


def test_an_address_of_the_server_that_says_nothing_holds_all_mail(app: Any, sink: FaultServer, clock: Any) -> None:
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url="smtp://mail.example.com/inbox")
    live("hana@example.com")

    work()

    found = circuit.mail_circuit()
    assert found is not None
    assert (states(), found.reason) == ({"pending": 1}, "connect: The address of the mail server ends after the port.")


@pytest.mark.fault("F-D2")
def test_nothing_is_handed_over_while_the_database_cannot_keep_that_it_will_be(
    sink: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    live("hana@example.com", "sam@example.com")
    begin_sending = attempts.begin_sending

    def disk_is_full(_claimed: Any) -> bool:
        monkeypatch.setattr(attempts, "begin_sending", begin_sending)
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    monkeypatch.setattr(attempts, "begin_sending", disk_is_full)

    with pytest.raises(OperationalError):
        work()
    assert (sink.accepted, states()) == ([], {"pending": 2})
    work()
    assert states() == {"sent": 2}


def test_what_the_server_took_is_kept_although_the_database_is_busy_for_a_moment(
    sink: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    live("hana@example.com")
    finish = attempts.finish

    def busy(*_: Any) -> None:
        monkeypatch.setattr(attempts, "finish", finish)
        raise OperationalError("BEGIN IMMEDIATE", {}, Exception("database is locked"))

    monkeypatch.setattr(attempts, "finish", busy)

    work()

    assert states() == {"sent": 1}
