"""Putting a bug off until a day or an answer, and waking it: by hand, or because a customer has something to say."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, update_one
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.core.templating import ago_in_words
from bugintake.intake.models import Bug, News, Status
from bugintake.team.models import User
from bugintake.triage import looking

LONGEST = timedelta(days=366)
KINDS = (EventKind.BUG_SNOOZED, EventKind.BUG_WOKEN)
UNSEEN = Seen()
WAKING = (
    EventKind.REPORT_ATTACHED,
    EventKind.REPORT_STILL_HAPPENING,
    EventKind.REPORT_REMARKED,
    EventKind.BUG_ANSWERED,
    EventKind.REPORT_ANSWERED,
    EventKind.BUG_TOOK_IN,
)


class Choice(NamedTuple):
    """A day that bugs are often put off to."""

    label: str
    until: date


def choices(today: date) -> list[Choice]:
    """Offer days by the names that people have for them."""
    monday = today + timedelta(days=7 - today.weekday())
    week = timedelta(weeks=1)
    tomorrow = Choice("Tomorrow", today + timedelta(days=1))
    return [
        tomorrow,
        Choice("Monday", monday),
        Choice("In a week", today + week),
        Choice("In two weeks", today + 2 * week),
    ]


def snooze(bug: Bug, until: date, *, actor: User, seen: Seen = UNSEEN) -> Event | None:
    """Put a bug off until a day where the actor is; whatever its status, it is in nobody's queue before.

    Records bug.snoozed. Raises Invalid for a day that is not after today or more than a year away, Conflict for a bug
    that is closed, Stale where somebody else snoozed it since it was `seen`. The same day once more changes nothing.
    """
    hold(bug)
    if not bug.is_open:
        raise Conflict(f"{bug.ref} is {bug.status.label} by now, so there is nothing to put off.")
    today = looking.today_of(actor)
    if until <= today:
        raise Invalid("Choose a day after today.", "until")
    if until > today + LONGEST:
        raise Invalid("Choose a day within a year.", "until")
    if not seen.changes({"until": bug.snoozed_until}, {"until": until}, lambda _name: _who(bug)):
        return None
    return _put(bug, EventKind.BUG_SNOOZED, {**looking.looked(bug, actor), "snoozed_until": until}, actor)


def wake(bug: Bug, *, actor: User) -> Event:
    """Let a snoozed bug be where it would be without. Records bug.woken. Raises Conflict for one that is awake."""
    hold(bug)
    if bug.snoozed_until is None:
        raise Conflict(f"{bug.ref} is awake already.")
    return _put(bug, EventKind.BUG_WOKEN, {**looking.looked(bug, actor), "snoozed_until": None}, actor)


def pause(bug: Bug) -> None:
    """Stop waiting for the answer that a bug needs, until one comes. Records bug.paused.

    Raises Conflict where it does not wait for one.
    """
    waits = (Bug.id == bug.id, Bug.status == Status.NEEDS_INFO, Bug.paused_at.is_(None))
    now = clock.now()
    change = sa.update(Bug).where(*waits).values(paused_at=now, changed_at=now)
    if not update_one(change.execution_options(synchronize_session="fetch")):
        raise Conflict(f"{bug.ref} does not wait for an answer.")
    events.record(EventKind.BUG_PAUSED, bug=bug, actor=None)


def wake_for_customer(event: Event) -> None:
    """Bring a snoozed or paused bug back into the duty queue because of what a customer did. Records bug.woken."""
    bug = db.session.get_one(Bug, event.bug_id)
    if bug.snoozed_until is not None or bug.paused_at is not None:
        news = {"news": bug.news or News.WOKEN, "news_at": bug.news_at or clock.now()}
        why = {"attached": event.id} if event.kind == EventKind.REPORT_ATTACHED else {}
        _put(bug, EventKind.BUG_WOKEN, {**news, "snoozed_until": None, "paused_at": None}, None, **why)


def take_back(bug: Bug, offered: int, *, actor: User) -> None:
    """Undo a snooze or a wake-up within ten minutes. Records bug.woken or bug.snoozed.

    Raises Conflict where it is too late, or where the day is another one by now.
    """
    last = looking.undoable(bug, offered)
    if last.after != _day(bug.snoozed_until):
        raise Conflict("A verdict ended the snooze, so there is nothing to undo.")
    _rest(bug, last, actor)


def sleep_again(bug: Bug, woken: Event) -> None:
    """Let a bug be put off or paused as before, because what woke it was taken back.

    Records bug.snoozed, or bug.taken_back of one that was only paused.
    """
    _rest(bug, woken, None)


def listen() -> None:
    """Wake what customers have something to say about."""
    for kind in WAKING:
        events.subscribe(kind, wake_for_customer)


def _rest(bug: Bug, ended: Event, actor: User | None) -> None:
    was = looking.read(ended.details["was"])
    if bug.status != Status.NEEDS_INFO:
        was.pop("paused_at", None)  # a verdict ended that for good
    kind = EventKind.BUG_TAKEN_BACK if was.get("paused_at") else EventKind.BUG_WOKEN
    _put(bug, EventKind.BUG_SNOOZED if was["snoozed_until"] else kind, was, actor)


def _put(bug: Bug, kind: EventKind, values: dict[str, Any], actor: User | None, **why: Any) -> Event:
    before, after = _day(bug.snoozed_until), _day(values["snoozed_until"])
    return looking.put(bug, kind, values, actor, before=before, after=after, **why)


def _who(bug: Bug) -> str:
    last = looking.last_of(bug, KINDS)
    if last is None:
        return ""
    who = db.session.get(User, last.actor_id) if last.actor_id else None
    did = "snoozed" if last.kind == EventKind.BUG_SNOOZED else "woke"
    return f"{who.first_name if who else 'bugintake'} {did} it {ago_in_words(last.at)}."


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None
