"""Mail that could not be delivered: what it means for the address, and for those in it who count as told."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import SettledBy
from bugintake.loop import owed
from bugintake.loop.models import OUTCOMES, Delivery, DeliveryState, Message, MessageState
from bugintake.loop.telling import take_bugs

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


def could_not_be_delivered(delivery: Delivery, because: str, code: str) -> None:
    """Note that a mail which had left came back, though its address may be fine: whom it was for waits again.

    Records delivery.failed for each.
    """
    messages = _told_by(delivery)
    known = f" ({code})" if code else ""
    reason = f"It came back: {because}{known}."
    delivery.state, delivery.last_error, delivery.last_enhanced_code = DeliveryState.FAILED, reason, code
    for message in messages:
        message.state, message.reason, message.state_at = MessageState.FAILED, reason, clock.now()
        _wait_again(message)
        bug, report = message.announcement.bug, message.report
        events.record(EventKind.DELIVERY_FAILED, actor=None, bug=bug, report=report, delivery_id=delivery.id)


def _told_by(delivery: Delivery) -> list[Message]:
    take_bugs(delivery.id)
    db.session.refresh(delivery, with_for_update={"key_share": True})
    inside = sa.select(Message).where(Message.delivery_id == delivery.id, Message.state.in_(ARRIVED_PERHAPS))
    return list(db.session.scalars(inside.order_by(Message.id).execution_options(populate_existing=True)).all())


def _wait_again(message: Message) -> None:
    """Let somebody wait again who counts as told only because of a message; a later answer of theirs stands."""
    bug = message.announcement.bug
    is_current = message.announcement.generation == bug.generation and bug.merged_into_id is None
    if message.announcement.kind in OUTCOMES and is_current:
        customer = sa.select(Message.customer_id).where(Message.id == message.id)
        waiting.unsettle_all(bug.id, customer, SettledBy.TOLD)
