"""What happened: the append-only history that pages, figures and announcements are made from."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core import clock
from bugintake.core.db import Model, db
from bugintake.core.event_kinds import EventKind


class Row(Protocol):
    """Anything with a key."""

    @property
    def id(self) -> int:
        """The key."""


OF_THE_HOUSE = sa.text("bug_id IS NULL OR option_id IS NOT NULL")
"""What may change people, choices, settings and turns; a bug's own events change nothing of them."""
HOUSE_INDEX = "ix_events_of_the_house"
CONTACTS = (
    EventKind.REPORT_FILED,
    EventKind.REPORT_ATTACHED,
    EventKind.REPORT_REMARKED,
    EventKind.REPORT_STILL_HAPPENING,
    EventKind.REPORT_WORKS_NOW,
    EventKind.REPORT_ANSWERED,
    EventKind.BUG_ANSWERED,
    EventKind.BUG_SPLIT_OFF,
    EventKind.MESSAGE_SENT,
    EventKind.MESSAGE_TOLD_BY_HAND,
)
IS_CONTACT = sa.text(f"kind IN {tuple(map(str, CONTACTS))}")
"""A customer told us something, or was told or asked something that has left.

A bug that was split off begins with what its report told."""
CONTACT_INDEX = "ix_events_contacts"
ARRIVALS = (
    EventKind.REPORT_FILED,
    EventKind.REPORT_REMARKED,
    EventKind.BUG_CAME_BACK,
    EventKind.BUG_ANSWERED,
    EventKind.BUG_SPLIT_OFF,
    EventKind.BUG_WOKEN,
)
"""A bug comes into the duty queue."""
LOOKS = (
    EventKind.BUG_ACCEPTED,
    EventKind.BUG_STARTED,
    EventKind.BUG_ASKED,
    EventKind.BUG_FIXED,
    EventKind.BUG_DECLINED,
    EventKind.BUG_MERGED,
    EventKind.BUG_ASSIGNED,
    EventKind.BUG_SNOOZED,
    EventKind.BUG_LOOKED_AT,
)
"""Somebody decides about a bug, or says that they have looked."""
TOUCHES = (
    *LOOKS,
    EventKind.BUG_STOPPED,
    EventKind.BUG_UNFIXED,
    EventKind.BUG_RECONSIDERED,
    EventKind.BUG_REPRODUCED,
)
"""An engineer works on a bug."""


class Event(Model):
    """One thing that happened: who, when, to what, before and after. Never a customer's words or address."""

    __tablename__ = "events"
    __table_args__ = (
        sa.Index(HOUSE_INDEX, "id", sqlite_where=OF_THE_HOUSE, postgresql_where=OF_THE_HOUSE),
        sa.Index(CONTACT_INDEX, "bug_id", "id", sqlite_where=IS_CONTACT, postgresql_where=IS_CONTACT),
        sa.Index("ix_events_kind_at", "kind", "at"),
        {"sqlite_autoincrement": True},  # the last number names the state of the house, see core.kept
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EventKind]
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    bug_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    option_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    before: Mapped[str | None] = mapped_column(sa.Text)
    after: Mapped[str | None] = mapped_column(sa.Text)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


Subscriber = Callable[[Event], None]
_subscribers: dict[EventKind, list[Subscriber]] = defaultdict(list)


def subscribe(kind: EventKind, subscriber: Subscriber) -> None:
    """Call a function inside the same transaction each time something of this kind happens."""
    if subscriber not in _subscribers[kind]:
        _subscribers[kind].append(subscriber)


def record(
    kind: EventKind,
    *,
    actor: Row | None,
    bug: Row | None = None,
    report: Row | None = None,
    option: Row | None = None,
    user: Row | None = None,
    before: str | None = None,
    after: str | None = None,
    **details: Any,
) -> Event:
    """Write down what happened, and let those who listen add their rows to the same transaction.

    `actor` is None where the machine or a customer acted; `details` hold ids, choices and counts, JSON-ready.
    """
    event = Event(
        kind=kind,
        at=clock.now(),
        actor_id=_id(actor),
        bug_id=_id(bug),
        report_id=_id(report),
        option_id=_id(option),
        user_id=_id(user),
        before=before,
        after=after,
        details=details,
    )
    db.session.add(event)
    db.session.flush()
    for subscriber in _subscribers[kind]:
        subscriber(event)
    return event


def record_many(rows: list[dict[str, Any]]) -> None:
    """Write down much at once, of kinds that nobody listens to. Raises RuntimeError where somebody does."""
    if any(_subscribers[row["kind"]] for row in rows):
        raise RuntimeError("Somebody listens to this: record() it.")
    db.session.connection().execute(sa.insert(Event), rows)


def _id(row: Row | None) -> int | None:
    return row.id if row is not None else None
