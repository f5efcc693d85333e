"""Mail that could not be delivered: what it means for the address, and for those in it who count as told."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Report, SettledBy
from bugintake.intake.reports import canonical
from bugintake.loop import announcements, owed
from bugintake.loop.models import OUTCOMES, Announcement, Delivery, DeliveryState, Message, MessageState

TOLD = (MessageState.SENT, MessageState.TOLD_BY_HAND)
ARRIVED_PERHAPS = (MessageState.SENT, MessageState.UNCERTAIN)


def suppress(customer: Customer, delivery_id: int, code: str, messages: Iterable[Message]) -> None:
    """Let no more mail try an address that does not exist, and show whom it was for as not told.

    Records customer.address_suppressed, and message.suppressed for each.
    """
    known = f" ({code})" if code else ""
    reason = f"The address does not exist{known}: needs another way."
    customer.suppressed_at, customer.suppressed_because = clock.now(), reason
    events.record(EventKind.ADDRESS_SUPPRESSED, actor=None, customer_id=customer.id, delivery_id=delivery_id)
    for message in messages:
        message.state, message.reason, message.state_at = MessageState.SUPPRESSED, reason, clock.now()
        owed.suppressed(message)


def address_is_gone(delivery: Delivery, code: str) -> None:
    """Note that a mail which had left came back because its address does not exist. Records what suppress() does."""
    messages = _told_by(delivery)
    theirs = sa.select(Customer).where(Customer.id == delivery.customer_id).options(sa.orm.lazyload(Customer.account))
    customer = db.session.scalars(theirs.with_for_update(key_share=True)).one()
    for message in messages:
        _wait_again(message)
    suppress(customer, delivery.id, code, messages)
    for message in messages:
        _owe_what_is_so(message)


def could_not_be_delivered(delivery: Delivery, because: str, code: str) -> None:
    """Note that a mail which had left came back, though its address may be fine: whom it was for waits again.

    What is not so any more is owed nobody, nor is anything to who says that it works or waits for another bug by now.
    Records delivery.failed for each.
    """
    messages = _told_by(delivery)
    known = f" ({code})" if code else ""
    reason = f"It came back: {because}{known}."
    delivery.state, delivery.last_error, delivery.last_enhanced_code = DeliveryState.FAILED, reason, code
    for message in messages:
        _wait_again(message)
        message.state = MessageState.FAILED if _waits_for_it(message) else MessageState.CANCELLED
        message.reason, message.state_at = reason, clock.now()
        _owe_what_is_so(message)
        bug, report = message.announcement.bug, message.report
        events.record(EventKind.DELIVERY_FAILED, actor=None, bug=bug, report=report, delivery_id=delivery.id)


def _told_by(delivery: Delivery) -> list[Message]:
    """Read who counts as told by a mail, once their bugs and then its envelope are ours: core.db.hold says why."""
    inside = sa.select(Message).where(Message.delivery_id == delivery.id)
    about = inside.join(Message.announcement).with_only_columns(Announcement.bug_id)
    bugs = about.union(inside.join(Message.report).with_only_columns(Report.bug_id))

    def is_right() -> bool:
        found = waiting.trees_under(bugs)
        waiting.take(found)
        return waiting.trees_under(bugs) == found

    waiting.take_until(is_right)
    db.session.refresh(delivery, with_for_update={"key_share": True})
    told = inside.where(Message.state.in_(ARRIVED_PERHAPS)).order_by(Message.id)
    return list(db.session.scalars(told.execution_options(populate_existing=True)).all())


def _wait_again(message: Message) -> None:
    """Let somebody wait again who counts as told only because of a message; a later answer of theirs stands.

    So do those whose bug was opened again since, or is a part of another one: they never heard of it.
    """
    whole = canonical(message.report.bug)
    current = announcements.current(whole)
    others = sa.select(Message.id).join(Message.announcement).where(Message.customer_id == message.customer_id)
    others = others.where(Message.id != message.id, Message.state.in_(TOLD), Announcement.bug_id == whole.id)
    is_of_now = Message.announcement_id == (current.id if current is not None else None)
    others = others.where(Announcement.kind.in_(OUTCOMES), sa.or_(Message.id > message.id, is_of_now))
    if message.announcement.kind in OUTCOMES and db.session.scalar(others.limit(1)) is None:
        customer = sa.select(Message.customer_id).where(Message.id == message.id)
        waiting.unsettle_all(whole.id, customer, SettledBy.TOLD)


def _waits_for_it(message: Message) -> bool:
    report, announcement = message.report, message.announcement
    if announcement.kind not in OUTCOMES:
        return True
    is_so = announcement.generation == announcement.bug.generation
    return is_so and report.is_waiting and canonical(report.bug).id == announcement.bug_id


def _owe_what_is_so(message: Message) -> None:
    """Owe somebody how a bug ended by now where what came back told of something else."""
    current = announcements.current(canonical(message.report.bug))
    if current is not None and current.id != message.announcement_id:
        announcements.owe(current, message.customer)
