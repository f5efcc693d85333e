"""What an erased person was told and is owed: the text goes, what had not left never does, no link opens anything."""

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, update_all
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import waiting
from bugintake.intake.models import Bug, SettledBy
from bugintake.loop.announcements import ERASED
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import CustomerLink, Delivery, Message, MessageState

UNSENT = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)


def forget(event: Event) -> None:
    """Take the words out of a person's messages and envelopes, leave what they are still owed untold, end the links.

    Records message.suppressed for each that had not left.
    """
    records = event.details["records"]
    theirs = Message.customer_id.in_(records)
    about = sa.select(Message).where(theirs, Message.state.in_(UNSENT)).options(sa.orm.joinedload(Message.announcement))
    owed = db.session.scalars(about.order_by(Message.id)).all()
    take_out(theirs, UNSENT, state=MessageState.SUPPRESSED, reason=ERASED)
    for message in owed:
        bug = db.session.get_one(Bug, message.announcement.bug_id)
        if message.state is MessageState.SUPPRESSED:
            if message.announcement.generation == bug.generation:
                waiting.settle(bug, [message.customer_id], SettledBy.SUPPRESSED, actor=None)
            report = message.report
            events.record(EventKind.MESSAGE_SUPPRESSED, actor=None, bug=bug, report=report, message_id=message.id)
    told = Message.state.in_((MessageState.SENT, MessageState.UNCERTAIN))
    update_all(sa.update(Message).where(theirs, told).values(reason=""))
    update_all(sa.update(Message).where(theirs).values(text="", personal_line=""))
    update_all(sa.update(Delivery).where(Delivery.customer_id.in_(records)).values(subject="", last_error=""))
    links = (CustomerLink.customer_id.in_(records), CustomerLink.revoked_at.is_(None))
    update_all(sa.update(CustomerLink).where(*links).values(revoked_at=clock.now()))


def count_messages(customer_ids: sa.Select[int]) -> tuple[int, int]:
    """Count what somebody was told or is owed, and what of it has not left."""
    theirs = sa.select(sa.func.count()).where(Message.customer_id.in_(customer_ids))
    every = db.session.scalar(theirs) or 0
    return every, db.session.scalar(theirs.where(Message.state.in_(UNSENT))) or 0


def listen() -> None:
    """Follow who is erased."""
    events.subscribe(EventKind.CUSTOMER_ERASED, forget)
