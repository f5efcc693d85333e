"""What an engineer has not looked at yet: doing anything with a bug takes it out of the duty queue again."""

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import zone_or_utc
from bugintake.intake import catalogue
from bugintake.intake.models import Bug, News, Option, RaiseReason
from bugintake.team.models import Role, User

UNDO_WITHIN = timedelta(minutes=10)
KINDS = (
    EventKind.BUG_SNOOZED,
    EventKind.BUG_WOKEN,
    EventKind.BUG_RAISED,
    EventKind.BUG_LOOKED_AT,
    EventKind.BUG_TAKEN_BACK,
)


def _chosen(number: int) -> int:
    return catalogue.standing_for(db.session.get_one(Option, number)).id


READ: Mapping[str, Callable[[Any], Any]] = {
    "release_id": _chosen,
    "decline_reason_id": _chosen,
    "news": News,
    "news_at": datetime.fromisoformat,
    "snoozed_until": date.fromisoformat,
    "paused_at": datetime.fromisoformat,
    "came_back_at": datetime.fromisoformat,
    "status_since_at": datetime.fromisoformat,
    "raise_reason": RaiseReason,
    "raised_at": datetime.fromisoformat,
}


def today_of(viewer: User) -> date:
    """Tell which day it is where somebody looks from."""
    return clock.today(zone_or_utc(viewer.zone))


def put_off_until(bug: Bug, viewer: User) -> date | None:
    """Return the day on which a bug comes back, where it is snoozed on the viewer's day and open."""
    until = bug.snoozed_until
    return until if until is not None and until > today_of(viewer) and bug.is_open else None


def looked(bug: Bug, actor: User | None) -> dict[str, Any]:
    """Say which columns of a bug change because an engineer does something with it: what was new to them is not."""
    if actor is None or not actor.can(Role.ENGINEER):
        return {}
    values: dict[str, Any] = {"news": None, "news_at": None} if bug.news is not None else {}
    if bug.raised_at is not None:
        values |= {"raised_at": None, "raised_by_id": None, "raise_reason": None}
    if bug.snoozed_until is not None and bug.snoozed_until <= today_of(actor):
        values["snoozed_until"] = None
    return values


def touch(bug: Bug, actor: User | None) -> None:
    """Note that somebody changes a bug."""
    _write(bug, looked(bug, actor))


def look(bug: Bug, *, actor: User) -> Event | None:
    """Say that one has looked: what was raised, answered, came back or woke up leaves the queue. Records bug.looked_at.

    Where nothing was new, nothing changes.
    """
    hold(bug)
    values = looked(bug, actor)
    return put(bug, EventKind.BUG_LOOKED_AT, values, actor) if values else None


def put(
    bug: Bug,
    kind: EventKind,
    values: dict[str, Any],
    actor: User | None,
    *,
    before: str | None = None,
    after: str | None = None,
    **why: Any,
) -> Event:
    """Write columns of a bug and record an event that can be taken back."""
    was = plain({name: getattr(bug, name) for name in values})
    _write(bug, values)
    return events.record(kind, bug=bug, actor=actor, before=before, after=after, was=was, **why)


def undoable(bug: Bug, offered: int) -> Event:
    """Return what was snoozed, woken, raised or looked at last, where that is what was offered, and fresh.

    Raises Conflict with what happened instead.
    """
    hold(bug)
    last = last_of(bug, KINDS)
    if last is None or last.id != offered:
        raise Conflict("Somebody changed that since, so yours cannot be undone any more.")
    if clock.now() - last.at > UNDO_WITHIN:
        raise Conflict("That was more than ten minutes ago, so it cannot be undone any more.")
    return last


def last_of(bug: Bug, kinds: Collection[EventKind]) -> Event | None:
    """Return what happened last to a bug of some kinds."""
    of_it = sa.select(Event).where(Event.bug_id == bug.id, Event.kind.in_(kinds))
    return db.session.scalars(of_it.order_by(Event.id.desc()).limit(1)).first()


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Say what columns held as an event can keep it."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in values.items()}


def read(was: Mapping[str, Any]) -> dict[str, Any]:
    """Read back what plain() said; a choice that was merged since means the other one."""
    return {name: READ[name](value) if name in READ and value is not None else value for name, value in was.items()}


def _write(bug: Bug, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(bug, name, value)
    bug.changed_at = clock.now()
