"""Mail to people who want none yet: held until their day, then sent once, by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.forms import Seen
from bugintake.intake import waiting
from bugintake.intake.customers import changing
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Status
from bugintake.loop import envelopes, links, messages, outbox, post, queries, words
from bugintake.loop.models import CustomerLink, LinkPurpose, Message
from bugintake.team.models import Role
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.faults.rig import message_states, the_message, work
from tests.faults.server import FaultServer

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _monday(clock: Any) -> None:
    clock.set(MONDAY)
    make_workspace(zone="Europe/Zagreb")  # opens at nine, which is eight in UTC


def quiet(customer: Customer, until: str, company: str = "") -> None:
    with transaction():
        if company and customer.account is not None:
            changing.change_account(customer.account, {"quiet_until": until}, Seen(), actor=None)
        else:
            changing.change_customer(customer, {"quiet_until": until}, Seen(), actor=None)


@pytest.mark.parametrize("company", ["", "Brightline"])
def test_mail_waits_for_the_day_and_then_leaves_once_by_itself(sink: FaultServer, clock: Any, company: str) -> None:
    hana = make_customer("Hana", email="hana@example.com", company="Brightline")
    quiet(hana, "2026-03-04", company)
    make_bug(Status.LIVE, waiting=[hana, make_customer("Sam", email="sam@example.com")])

    work()
    assert message_states() == {"held": 1, "sent": 1}
    clock.set(datetime(2026, 3, 4, 7, 59, tzinfo=UTC))
    work()
    assert message_states() == {"held": 1, "sent": 1}
    clock.set(datetime(2026, 3, 4, 8, tzinfo=UTC))
    work()
    work()

    assert message_states() == {"sent": 2}
    assert sorted(sink.count.values()) == [1, 1]


@pytest.mark.parametrize("company", ["", "Brightline"])
def test_mail_in_its_envelope_comes_out_when_somebody_becomes_quiet(sink: FaultServer, company: str) -> None:
    hana = make_customer("Hana", email="hana@example.com", company="Brightline")
    make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()

    quiet(hana, "2026-03-04", company)

    assert words.why(the_message()) == "Quiet until Wed 4 Mar 2026: it leaves by itself then."
    work()
    assert sink.accepted == []
    assert message_states() == {"held": 1}


def test_mail_leaves_at_once_when_nobody_is_quiet_any_more(sink: FaultServer) -> None:
    hana = make_customer("Hana", email="hana@example.com")
    quiet(hana, "2026-03-04")
    make_bug(Status.LIVE, waiting=[hana])
    work()

    quiet(hana, "")
    work()

    assert message_states() == {"sent": 1}


def test_mail_that_is_claimed_does_not_leave_when_they_are_quiet_meanwhile(sink: FaultServer) -> None:
    hana = make_customer("Hana", email="hana@example.com")
    make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim()[0]
    with transaction():  # past the subscriber, which would have taken it out of the envelope
        db.session.execute(sa.update(Customer).values(quiet_until_on=date(2026, 3, 4)))
    channel = post.open_channel()

    outcome = post._send(claimed, channel, post.sender())

    channel.close()
    assert outcome.verdict == "withdrawn"
    work()
    assert (sink.accepted, message_states()) == ([], {"held": 1})


def test_two_workers_let_one_mail_go_once(sink: FaultServer, clock: Any, together: Any) -> None:
    hana = make_customer("Hana", email="hana@example.com")
    quiet(hana, "2026-03-04")
    make_bug(Status.LIVE, waiting=[hana])
    work()
    clock.set(datetime(2026, 3, 4, 9, tzinfo=UTC))

    together(lambda _number: work())
    work()

    assert (message_states(), sorted(sink.count.values())) == ({"sent": 1}, [1])


def test_nobody_lets_mail_go_to_somebody_who_is_quiet_but_may_tell_them_by_hand(sink: FaultServer) -> None:
    hana, lea = make_customer("Hana", email="hana@example.com"), make_user(Role.AGENT)
    quiet(hana, "2026-03-04")
    make_bug(Status.LIVE, waiting=[hana])

    with pytest.raises(Conflict) as refusal, transaction():
        messages.release_held(db.session.scalars(sa.select(Message)).one(), actor=lea)
    assert refusal.value.sentence == "Hana wants no mail until Wed 4 Mar 2026. Tell them by hand."
    with transaction():
        messages.tell_by_hand(db.session.scalars(sa.select(Message)).one(), actor=lea)

    assert message_states() == {"told_by_hand": 1}


def test_what_waits_for_its_day_is_nothing_to_do_for_anybody(sink: FaultServer) -> None:
    hana, lea = make_customer("Hana", email="hana@example.com"), make_user(Role.AGENT)
    quiet(hana, "2026-03-04")
    make_bug(Status.LIVE, waiting=[hana])
    work()

    assert queries.to_do_count(lea) == 0


def test_a_new_address_ends_the_links_that_were_sent_to_the_old_one(sink: FaultServer) -> None:
    hana = make_customer("Hana", email="hana@example.com")
    bug = make_bug(waiting=[hana])
    with transaction():
        links.make_links(db.session.scalars(waiting.reports_under(bug.id)).one(), "en")

    with transaction():
        changing.change_customer(hana, {"email": "hana@new.example.com"}, Seen(), actor=None)

    found = sa.select(CustomerLink.purpose, CustomerLink.revoked_at.is_not(None)).order_by(CustomerLink.id)
    assert [tuple(row) for row in db.session.execute(found)] == [
        (LinkPurpose.REPORT, True),
        (LinkPurpose.UNSUBSCRIBE, False),
    ]
