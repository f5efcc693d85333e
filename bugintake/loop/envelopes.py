"""Envelopes: which messages leave together, and how they are taken out again before they have left."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, update_all
from bugintake.core.event_kinds import EventKind
from bugintake.loop.mail import mail_domain
from bugintake.loop.models import (
    LEAVING,
    OUTCOMES,
    QUESTIONS,
    UPDATES,
    Announcement,
    AnnouncementKind,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Message,
    MessageState,
)

AT_ONCE = {"sqlite": 4000, "postgresql": 20_000}
"""How many envelopes are made in one transaction: on SQLite nobody else writes meanwhile, a tenth of a second."""
LOCK = 0x656E_7665  # "enve": one worker at a time fills envelopes on PostgreSQL; SQLite has one writer anyway

OWED = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED, MessageState.UNCERTAIN)
"""The states in which somebody has still not been told for certain."""

CARRIED: Mapping[DeliveryKind, Sequence[AnnouncementKind]] = {
    DeliveryKind.OUTCOME: OUTCOMES,
    DeliveryKind.QUESTION: QUESTIONS,
    DeliveryKind.UPDATE: UPDATES,
}
"""What goes into one envelope together: a question is never lost among outcomes."""


def open_due(now: datetime | None = None, *, at_most: int | None = None) -> int:
    """Release the announcements whose time has come, and put what is owed into envelopes: one for each customer.

    Returns how many envelopes were made. Each call makes at most so many, by default what leaves room for others: call
    it, each time in a transaction of its own and with a pause in between, until it returns 0.

    Records announcement.released.
    """
    now, database = now or clock.now(), db.session.connection().dialect.name
    if database == "postgresql":
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    _release_due(now)
    return sum(_fill_envelopes(kind, now, at_most or AT_ONCE[database]) for kind in CARRIED)


def is_ready(kinds: Sequence[AnnouncementKind] = tuple(AnnouncementKind)) -> sa.ColumnElement[bool]:
    """Select the messages of some kinds that may leave and are in no envelope yet.

    The state stands in the statement itself, because only then does SQLite use the index of just these.
    """
    pending = sa.bindparam(None, MessageState.PENDING, type_=Message.state.type, literal_execute=True)
    has_left = sa.exists().where(
        Announcement.id == Message.announcement_id,
        Announcement.kind.in_(kinds),
        Announcement.released_at.is_not(None),
        Announcement.held_at.is_(None),
        Announcement.cancelled_at.is_(None),
    )
    return sa.and_(Message.state == pending, Message.delivery_id.is_(None), has_left)


def _release_due(now: datetime) -> None:
    is_due = (Announcement.due_at <= now, Announcement.released_at.is_(None))
    stands = (Announcement.held_at.is_(None), Announcement.cancelled_at.is_(None))
    due = sa.select(Announcement).where(*is_due, *stands).order_by(Announcement.id).with_for_update(skip_locked=True)
    for announcement in db.session.scalars(due.execution_options(populate_existing=True)).all():
        announcement.released_at = now
        events.record(
            EventKind.ANNOUNCEMENT_RELEASED,
            actor=announcement.sent_by,
            bug=announcement.bug,
            announcement=announcement.id,
        )


def _fill_envelopes(kind: DeliveryKind, now: datetime, at_most: int) -> int:
    """Two statements, whatever the number of people: make the envelopes, then put the messages in."""
    ready = is_ready(CARRIED[kind])
    db.session.flush()
    last = db.session.scalar(sa.select(sa.func.max(Delivery.id))) or 0
    next_ones = sa.select(Message.customer_id).where(ready).order_by(Message.id).limit(at_most)
    chosen = (ready, Message.customer_id.in_(next_ones))
    first = sa.func.min(Message.id)
    earlier = (
        sa.select(sa.func.count())
        .where(Delivery.customer_id == Message.customer_id, Delivery.kind == kind)
        .correlate(Message)
        .scalar_subquery()
    )
    token, host = uuid4().hex, mail_domain()
    number = sa.cast(first, sa.String)
    envelopes = (
        sa.select(
            sa.literal(f"{kind}:") + number + ":" + sa.cast(earlier, sa.String),
            sa.literal(kind, Delivery.kind.type),
            Message.customer_id,
            sa.literal(f"<{token}.") + number + f"@{host}>",
            sa.literal(now, Delivery.not_before.type),
        )
        .where(*chosen)
        .group_by(Message.customer_id)
        .order_by(first)
    )
    columns = [Delivery.key, Delivery.kind, Delivery.customer_id, Delivery.message_id, Delivery.not_before]
    db.session.execute(sa.insert(Delivery).from_select(columns, envelopes))
    mine = sa.select(Delivery.id).where(Delivery.id > last, Delivery.customer_id == Message.customer_id)
    made = sa.select(Delivery.customer_id).where(Delivery.id > last, Delivery.kind == kind)
    is_mine = mine.where(Delivery.kind == kind).correlate(Message).scalar_subquery()
    update_all(sa.update(Message).where(ready, Message.customer_id.in_(made)).values(delivery_id=is_mine))
    return db.session.scalar(sa.select(sa.func.count()).select_from(made.subquery())) or 0


def write_anew(chosen: sa.ColumnElement[bool]) -> None:
    """Let the envelopes that some worker has written, and not handed over, be written again: what they say changed."""
    starts_over = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None}
    update_all(sa.update(Delivery).where(chosen, Delivery.state == DeliveryState.CLAIMED).values(**starts_over))


def take_out(chosen: sa.ColumnElement[bool], states: Collection[MessageState], **values: Any) -> int:
    """Take messages out of their envelopes, give them new values, and count them.

    `chosen` names messages by announcement, customer or id. A message whose envelope is being handed over at this
    moment stays as it is: nobody can call it back. An envelope that has begun but not that far starts over; one that
    holds nothing any more is cancelled.
    """
    theirs = Delivery.customer_id.in_(sa.select(Message.customer_id).where(chosen))
    starts_over = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None}
    has_begun = Delivery.state.in_((DeliveryState.PENDING, DeliveryState.CLAIMED))
    update_all(sa.update(Delivery).where(theirs, has_begun).values(**starts_over))  # and so nobody else moves it now
    leaving = sa.exists().where(Delivery.id == Message.delivery_id, Delivery.state.in_(LEAVING))
    values = {"held_because": None, "reason": "", **values, "delivery_id": None, "state_at": clock.now()}
    change = sa.update(Message).where(chosen, Message.state.in_(states), ~leaving).values(**values)
    count = update_all(change)
    holds = sa.exists().where(Message.delivery_id == Delivery.id, Message.state.in_(OWED))
    stands = Delivery.state.in_(
        (DeliveryState.PENDING, DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.UNCERTAIN)
    )
    update_all(sa.update(Delivery).where(theirs, stands, ~holds).values(state=DeliveryState.CANCELLED))
    return count
