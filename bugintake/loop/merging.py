"""What two records of one person are owed becomes one: nobody is told twice, and private links keep working."""

from collections.abc import Mapping

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, update_all
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.intake import waiting
from bugintake.intake.models import Bug, SettledBy
from bugintake.loop.announcements import current
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import (
    LEAVING,
    CustomerLink,
    Delivery,
    HeldBecause,
    Message,
    MessageState,
)

STILL_OWED = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)
OWED_NO_MORE = (MessageState.SUPPRESSED, MessageState.CANCELLED)
UNSENT = STILL_OWED + OWED_NO_MORE
TOLD = {MessageState.SENT: SettledBy.TOLD, MessageState.TOLD_BY_HAND: SettledBy.TOLD_BY_HAND}


def follow(event: Event) -> None:
    """Move what one record is owed, its envelopes and its links to the record that stands for it now.

    Of two messages of one announcement the one stays that was told, or may have been, else the one that is still
    owed. Raises Conflict while a mail to either is being handed over.
    """
    gone, into = event.details["customer_id"], event.details["into_id"]
    either = (gone, into)
    leaving = sa.select(Delivery.id).where(Delivery.customer_id.in_(either), Delivery.state.in_(LEAVING))
    theirs = Message.customer_id.in_(either)
    take_out(theirs, [MessageState.PENDING], state=MessageState.PENDING)
    is_restored = Message.held_because == HeldBecause.RESTORED
    restored = {"state": MessageState.HELD, "held_because": HeldBecause.RESTORED}
    take_out(sa.and_(theirs, is_restored), [MessageState.HELD], **restored)
    if db.session.scalar(leaving.limit(1)) is not None:
        raise Conflict("A mail to this person is being handed over right now. Try again in a minute.")
    _join_messages(gone, into)
    update_all(sa.update(Delivery).where(Delivery.customer_id == gone).values(customer_id=into))
    update_all(sa.update(CustomerLink).where(CustomerLink.customer_id == gone).values(customer_id=into))
    _point_to(event.details["reports"])
    _settle_the_told(event.details["bug_ids"], gone, into)


def _join_messages(gone: int, into: int) -> None:
    mine = {each.announcement_id: each for each in _messages_of(into)}
    for message in _messages_of(gone):
        other = mine.get(message.announcement_id)
        if other is not None:
            spare = max(message, other, key=lambda each: (_rank(each), each is message))
            if spare.state not in UNSENT:
                continue  # both were told: each stays the record of its own mail
            kept = message if spare is other else other
            kept.personal_line = kept.personal_line or spare.personal_line
            db.session.delete(spare)
            db.session.flush()
        if other is None or spare is other:
            message.customer_id = into
    free = sa.update(Message).where(Message.customer_id == into, Message.state == MessageState.HELD)
    address = Message.held_because == HeldBecause.NO_ADDRESS
    # Whether there is an address now is asked when the mail is written.
    update_all(free.where(address).values(state=MessageState.PENDING, held_because=None, state_at=clock.now()))


def _rank(message: Message) -> int:
    """Order by what must stay first: what was told, then what is still owed, because whoever waits must hear it."""
    return next((rank for rank, states in enumerate((STILL_OWED, OWED_NO_MORE), 1) if message.state in states), 0)


def _messages_of(customer_id: int) -> list[Message]:
    query = sa.select(Message).where(Message.customer_id == customer_id).order_by(Message.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def _point_to(reports: Mapping[str, int]) -> None:
    for number, other in reports.items():
        for kind in (Message, CustomerLink):
            update_all(sa.update(kind).where(kind.report_id == int(number)).values(report_id=other))


def _settle_the_told(bug_ids: list[int], gone: int, into: int) -> None:
    """Whoever one record of was told of the present outcome knows it, and waits no longer."""
    for number in bug_ids:
        announcement = current(db.session.get_one(Bug, number))
        if announcement is None:
            continue
        told = sa.select(Message.state).where(Message.announcement_id == announcement.id, Message.state.in_(TOLD))
        state = db.session.scalars(told.where(Message.customer_id.in_((gone, into))).limit(1)).first()
        if state is not None:
            waiting.recount([number])
            waiting.settle(announcement.bug, [into], TOLD[state], actor=None)
            spare = sa.and_(Message.announcement_id == announcement.id, Message.customer_id == into)
            take_out(spare, [MessageState.PENDING, MessageState.HELD], state=MessageState.CANCELLED)


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.CUSTOMER_MERGED, follow),
]


def listen() -> None:
    """Follow whose records become one."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
