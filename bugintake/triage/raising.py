"""Raising: anybody here puts a bug on top of today's queue, until an engineer has looked."""

from bugintake.core import clock
from bugintake.core.db import hold
from bugintake.core.errors import Conflict, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.templating import ago_in_words
from bugintake.intake.models import Bug, RaiseReason
from bugintake.team.models import User
from bugintake.triage import looking


def raise_bug(bug: Bug, reason: RaiseReason, *, actor: User) -> Event:
    """Put a bug on top of today's queue, snoozed or not. Records bug.raised.

    Raises Conflict for a bug that is closed, or raised already.
    """
    hold(bug)
    if not bug.is_open:
        raise Conflict(f"{bug.ref} is {bug.status.label} by now. Attach a customer who still sees it.")
    if bug.raised_at is not None and bug.raised_by is not None:
        raise Conflict(f"{bug.raised_by.first_name} raised it {ago_in_words(bug.raised_at)}: it is on top already.")
    values = {"raised_at": clock.now(), "raised_by_id": actor.id, "raise_reason": reason}
    if bug.snoozed_until is not None:
        values["snoozed_until"] = None
    return looking.put(bug, EventKind.BUG_RAISED, values, actor, after=reason)


def take_back(bug: Bug, offered: int, *, actor: User) -> None:
    """Undo one's own raise, or one's own word that one has looked, within ten minutes.

    Records bug.taken_back. Raises Conflict where it is too late or somebody has looked, NotPermitted for what a
    colleague did.
    """
    last = looking.undoable(bug, offered)
    if last.actor_id != actor.id:
        raise NotPermitted("Only who did it can take it back.")
    if last.kind == EventKind.BUG_RAISED and bug.raised_at is None:
        raise Conflict(f"Somebody has looked at {bug.ref} already.")
    looking.put(bug, EventKind.BUG_TAKEN_BACK, looking.read(last.details["was"]), actor)
