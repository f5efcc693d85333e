"""What every answer of the mail server does to an envelope and the people in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.loop import attempts, envelopes, messages, outbox, post, telling
from bugintake.loop.models import CustomerLink, Delivery, DeliveryState, Message
from bugintake.team.models import Role
from tests.factories import make_user
from tests.faults.rig import message_states, states, the_delivery, the_message, work
from tests.faults.server import FaultServer
from tests.loop.rows import live

pytestmark = pytest.mark.long_on("postgres")


@pytest.mark.fault("F-S2")
@pytest.mark.parametrize(
    ("mode", "delivery", "message", "attempts_made", "phase", "code"),
    [
        ("rcpt450", "pending", "pending", 1, "rcpt", 450),
        ("rcpt421", "pending", "pending", 1, "rcpt", 421),
        ("data451", "pending", "pending", 1, "data", 451),
        ("dot451", "pending", "pending", 1, "data", 451),
        ("unknown", "suppressed", "suppressed", 1, "rcpt", 550),
        ("policy", "failed", "failed", 1, "rcpt", 550),
        ("bare550", "failed", "failed", 1, "rcpt", 550),
        ("noroute", "failed", "failed", 1, "rcpt", 554),
        ("data554", "failed", "failed", 1, "data", 554),
        ("dot554", "failed", "failed", 1, "data", 554),
        ("garbage", "uncertain", "uncertain", 1, "data", None),
        ("dropdata", "uncertain", "uncertain", 1, "data", None),
        ("dropdot", "uncertain", "uncertain", 1, "data", None),
        ("okdrop", "sent", "sent", 1, "data", 250),
    ],
)
def test_every_answer_puts_envelope_and_message_into_a_named_state(
    sink: FaultServer, mode: str, delivery: str, message: str, attempts_made: int, phase: str, code: int | None
) -> None:
    live(f"{mode}@example.com", "ok@example.com")

    work()

    found = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
    assert found is not None
    assert (found.state, found.attempts, found.last_phase, found.last_code) == (delivery, attempts_made, phase, code)
    told = db.session.scalars(sa.select(Message).where(Message.delivery_id == found.id)).one()
    assert told.state == message
    assert sink.recipients.count("ok@example.com") == 1


@pytest.mark.fault("F-S3")
def test_what_is_uncertain_is_never_sent_again_by_itself(sink: FaultServer, clock: Any) -> None:
    live("dropdot@example.com")

    for _ in range(5):
        work()
        clock.advance(timedelta(hours=2))

    assert [recipient for recipient, _ in sink.accepted].count("dropdot@example.com") == 1
    assert states() == {"uncertain": 1}


def test_an_uncertain_mail_that_arrived_settles_and_one_to_send_again_keeps_its_message_id(
    sink: FaultServer, app: Any
) -> None:
    live("dropdot@example.com")
    work()
    lea = make_user(Role.AGENT)
    before, message = the_delivery().message_id, the_message()

    with transaction():
        messages.judge_uncertain(message, arrived=False, actor=lea)
    work()
    assert [mail["Message-ID"] for _, mail in sink.accepted] == [before, before]
    sink.accepted.pop()
    with transaction():
        messages.judge_uncertain(message, arrived=True, actor=lea)

    assert (states(), message_states()) == ({"sent": 1}, {"sent": 1})


def test_a_hard_bounce_suppresses_the_address_and_says_so(sink: FaultServer) -> None:
    bug = live("unknown@example.com")

    work()

    customer = db.session.scalars(sa.select(Customer)).one()
    assert customer.suppressed_at is not None
    assert the_message().reason == "The address does not exist (5.1.1): needs another way."
    kinds = set(db.session.scalars(sa.select(Event.kind)))
    assert {EventKind.ADDRESS_SUPPRESSED, EventKind.MESSAGE_SUPPRESSED} <= kinds
    assert db.session.scalars(sa.select(Report)).one().settled_by is SettledBy.SUPPRESSED
    assert db.session.get_one(Bug, bug.id).waiting_count == 0


def test_a_32_a_policy_refusal_never_costs_the_customer_their_mail(sink: FaultServer) -> None:
    live("policy@example.com")

    work()

    assert db.session.scalars(sa.select(Customer.suppressed_at)).one() is None
    assert db.session.scalars(sa.select(Report.settled_at)).one() is None
    assert EventKind.DELIVERY_FAILED in set(db.session.scalars(sa.select(Event.kind)))


def test_retries_come_after_1_5_15_and_60_minutes_then_hourly_and_end_after_three_days(
    sink: FaultServer, clock: Any
) -> None:
    live("rcpt450@example.com")
    start, pauses = clock.now(), []
    for _ in range(80):
        before = clock.now()
        work()
        found = the_delivery()
        if found.state is not DeliveryState.PENDING:
            break
        pauses.append((found.not_before - before).total_seconds() / 60)
        clock.set(found.not_before)

    assert all(0.8 * wanted <= found <= 1.2 * wanted for wanted, found in zip([1, 5, 15, 60], pauses, strict=False))
    assert all(48 <= pause <= 72 for pause in pauses[3:])
    assert len({round(pause, 3) for pause in pauses[3:]}) > 60
    assert found.state is DeliveryState.FAILED
    assert timedelta(hours=65) < clock.now() - start < timedelta(hours=80)
    assert message_states() == {"failed": 1}


def test_a_retried_mail_carries_new_links_and_those_of_the_refused_one_are_gone(sink: FaultServer, clock: Any) -> None:
    live("rcpt450@example.com")

    for _ in range(3):
        work()
        clock.set(the_delivery().not_before)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(CustomerLink)) == 0


def test_a_slow_yes_of_the_server_turns_uncertain_into_sent(sink: FaultServer, clock: Any) -> None:
    live("hana@example.com")
    with transaction():
        envelopes.open_due()
    slow = outbox.claim()[0]
    channel = post.open_channel()

    def lease_ends() -> bool:
        assert attempts.begin_sending(slow)
        clock.advance(timedelta(minutes=16))
        assert attempts.recover() == 1
        assert (states(), message_states()) == ({"uncertain": 1}, {"uncertain": 1})
        return True

    content = post.compose(slow.letter, post.sender(), slow.message_id, clock.now())
    envelope = post.Envelope("a@b.example", "hana@example.com", content)
    attempts.finish(slow, channel.deliver(envelope, lease_ends))
    channel.close()
    telling.note_told([slow.id])

    assert (states(), message_states()) == ({"sent": 1}, {"sent": 1})
