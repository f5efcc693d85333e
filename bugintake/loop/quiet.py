"""Mail to those who want none yet: it is held, says until when, and leaves by itself after that day."""

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.quiet import is_quiet, open_day
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import Announcement, HeldBecause, Message, MessageState
from bugintake.team.workspace import is_set_up

SETS_IT = {"quiet_until", "company"}


def hold_mail(event: Event) -> None:
    """Hold what has not left for a person, or for a company's people, who want no mail yet."""
    if not SETS_IT & set(event.details.get("fields", SETS_IT)):
        return
    if "account_id" in event.details:
        is_theirs = Customer.account_id == event.details["account_id"]
    else:
        is_theirs = Customer.id == event.details.get("into_id", event.details["customer_id"])
    quiet = Message.customer_id.in_(sa.select(Customer.id).where(is_theirs, is_quiet(open_day())))
    waits = sa.and_(quiet, Message.state == MessageState.PENDING)
    if db.session.scalar(sa.select(Message.id).where(waits).limit(1)) is not None:
        take_out(quiet, [MessageState.PENDING], state=MessageState.HELD, held_because=HeldBecause.QUIET)


def is_anything_over() -> bool:
    """Whether mail was held for somebody who wants it now, so that looking costs no write."""
    return is_set_up() and db.session.scalar(sa.select(Message.id).where(_is_over()).limit(1)) is not None


def let_go() -> int:
    """Let the mail go that was held until a day which has come, and count it.

    Whether it is still owed, and worded in their language, is asked again when it is written. Records
    message.released for each bug.
    """
    free = {"state": MessageState.PENDING, "held_because": None, "reason": "", "state_at": clock.now()}
    change = sa.update(Message).where(_is_over()).values(**free).returning(Message.announcement_id)
    released = db.session.scalars(change.execution_options(synchronize_session=False)).all()
    for announcement in db.session.scalars(sa.select(Announcement).where(Announcement.id.in_(set(released)))).all():
        people = released.count(announcement.id)
        events.record(EventKind.MESSAGE_RELEASED, actor=None, bug=announcement.bug, people=people)
    return len(released)


def _is_over() -> sa.ColumnElement[bool]:
    still = sa.exists().where(Customer.id == Message.customer_id, is_quiet(open_day()))
    return sa.and_(Message.state == MessageState.HELD, Message.held_because == HeldBecause.QUIET, ~still)


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.CUSTOMER_CHANGED, hold_mail),
    (EventKind.ACCOUNT_CHANGED, hold_mail),
    (EventKind.ACCOUNT_MERGED, hold_mail),
]


def listen() -> None:
    """Follow who wants no mail."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
