"""Taking back what one did with a bug, within ten minutes, by the event that it left in the history."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bugintake.core import clock
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.templating import short_day
from bugintake.intake.models import Bug
from bugintake.team.models import Role, User
from bugintake.triage import comments, editing, looking, merging, moves, pinning, raising, snoozing, transitions
from bugintake.triage.comment_models import Comment
from bugintake.triage.history import Entry

OF_EVERYBODY = (EventKind.BUG_RAISED, EventKind.BUG_COMMENTED)
# Of each of these rows only what happened last can be taken back: it is what stands.
ROWS = (moves.MOVES, looking.KINDS, editing.WRITES["owner"], pinning.KINDS)


def take_back(bug: Bug, offered: int, *, actor: User) -> str:
    """Undo what an event of a bug tells, and say how the bug stands again.

    Raises Conflict where something came after it, where it is too late, and for what cannot be undone; NotPermitted for
    what the actor's role does not do, and for what a colleague did unless it is a verdict.
    """
    event = db.session.get(Event, offered) if 0 < offered < 2**31 else None
    if event is None or event.bug_id != bug.id:
        raise Conflict("There is nothing to undo.")
    if event.kind not in OF_EVERYBODY and not actor.can(Role.ENGINEER):
        raise NotPermitted("Engineers can undo this.")
    return UNDO.get(event.kind, _move)(bug, event, actor)


def last(bug: Bug, actor: User) -> Event | None:
    """Return what happened last to a bug that somebody could take back; what a lead decides only they can."""
    leads_alone = () if actor.can(Role.LEAD) else (EventKind.BUG_RESTRICTED,)
    return looking.last_of(bug, {*UNDO, *moves.UNDOABLE, EventKind.BUG_LIVE}.difference(leads_alone))


def offered_in(lines: Sequence[Entry], actor: User) -> set[int]:
    """Name the events among the last lines of a bug's history that somebody did just now and may take back."""
    found = set()
    for row in ROWS:
        told = [line for line in lines if line.kind in row]
        last = told[-1] if told else None
        if last is not None and last.kind == EventKind.BUG_LIVE:  # went live at once with the fix
            verdict = told[-2] if len(told) > 1 and told[-2].kind == EventKind.BUG_FIXED else None
        else:
            verdict = last
        if last is None or verdict is None or last.actor_id != actor.id:
            continue
        if last.kind in (*UNDO, *moves.UNDOABLE, EventKind.BUG_LIVE) and not _is_past(verdict.at):
            found.add(last.number)
    return found


def _move(bug: Bug, event: Event, actor: User) -> str:
    transitions.undo(bug, actor=actor, offered=event.id)
    return f"{bug.ref} is {bug.status.label} again."


def _snooze(bug: Bug, event: Event, actor: User) -> str:
    snoozing.take_back(bug, event.id, actor=actor)
    return f"{bug.ref} is " + (f"snoozed until {short_day(bug.snoozed_until)}." if bug.snoozed_until else "awake.")


def _raise(bug: Bug, event: Event, actor: User) -> str:
    raising.take_back(bug, event.id, actor=actor)
    return f"{bug.ref} is as it was."


def _assign(bug: Bug, event: Event, actor: User) -> str:
    _check(bug, event, actor)
    if bug.owner_id != event.details["owner_id"] or looking.last_of(bug, editing.WRITES["owner"]) is not event:
        raise Conflict(f"{editing.who_changed(bug, 'owner')} So yours cannot be undone any more.")
    before = event.details["was"]["owner_id"]
    editing.assign(bug, db.session.get_one(User, before) if before else None, actor=actor)
    asking = db.session.get(Comment, event.details.get("comment", 0))
    if asking is not None and asking.removed_at is None:
        comments.remove(asking, actor=actor)
    return f"{bug.ref} is with {bug.owner.name if bug.owner else 'whoever is on duty'}."


def _pin(bug: Bug, event: Event, actor: User) -> str:
    _check(bug, event, actor)
    if looking.last_of(bug, pinning.KINDS) is not event:
        raise Conflict("Somebody changed that since, so yours cannot be undone any more.")
    pinning.pin(bug, event.kind == EventKind.BUG_UNPINNED, actor=actor)
    return f"{bug.ref} is " + ("pinned." if bug.is_pinned else "unpinned.")


def _merge(bug: Bug, event: Event, actor: User) -> str:
    _check(bug, event, actor)
    merging.unmerge(bug, actor=actor, of=db.session.get_one(Bug, event.details["into"]))
    bug.is_pinned = event.details["was"]["is_pinned"] and bug.is_open
    return f"{bug.ref} stands for itself again."


def _restrict(bug: Bug, event: Event, actor: User) -> str:
    _check(bug, event, actor)
    editing.restrict(bug, event.kind == EventKind.BUG_UNRESTRICTED, actor=actor)
    return f"{bug.ref} is " + ("restricted." if bug.is_restricted else "in sight of everybody here.")


def _comment(bug: Bug, event: Event, actor: User) -> str:
    comments.remove(db.session.get_one(Comment, event.details["comment"]), actor=actor)
    return f"the comment on {bug.ref} is removed."


def _check(bug: Bug, event: Event, actor: User) -> None:
    hold(bug)
    if event.actor_id != actor.id:
        raise NotPermitted("Only who did it can take it back.")
    if _is_past(event.at):
        raise Conflict("That was more than ten minutes ago, so it cannot be undone any more.")


def _is_past(at: Any) -> bool:
    return bool(clock.now() - at > looking.UNDO_WITHIN)


UNDO: Mapping[EventKind, Callable[[Bug, Event, User], str]] = {
    EventKind.BUG_SNOOZED: _snooze,
    EventKind.BUG_WOKEN: _snooze,
    EventKind.BUG_RAISED: _raise,
    EventKind.BUG_LOOKED_AT: _raise,
    EventKind.BUG_ASSIGNED: _assign,
    EventKind.BUG_PINNED: _pin,
    EventKind.BUG_UNPINNED: _pin,
    EventKind.BUG_MERGED: _merge,
    EventKind.BUG_RESTRICTED: _restrict,
    EventKind.BUG_UNRESTRICTED: _restrict,
    EventKind.BUG_COMMENTED: _comment,
}
