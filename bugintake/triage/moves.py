"""What moved a bug, read from its history: the last move, who made it, and what was written since."""

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.templating import ago_in_words
from bugintake.intake.models import Bug, Question, Status
from bugintake.team.models import User
from bugintake.triage import looking

UNDOABLE = frozenset(
    {
        EventKind.BUG_ACCEPTED,
        EventKind.BUG_STARTED,
        EventKind.BUG_STOPPED,
        EventKind.BUG_ASKED,
        EventKind.BUG_FIXED,
        EventKind.BUG_UNFIXED,
        EventKind.BUG_DECLINED,
        EventKind.BUG_RECONSIDERED,
    }
)
MOVES = (
    *UNDOABLE,
    EventKind.BUG_LIVE,
    EventKind.BUG_UNRELEASED,
    EventKind.BUG_CAME_BACK,
    EventKind.BUG_ANSWERED,
    EventKind.BUG_UNDONE,
)
WRITTEN_BY_HAND = (EventKind.BUG_ASSIGNED, EventKind.BUG_EDITED, *looking.KINDS)


def last_move(bug: Bug) -> Event | None:
    """Return the event that brought a bug where it stands, or nothing for one that never moved."""
    return db.session.scalars(_moves(bug.id).limit(1)).first()


def move_before(event: Event) -> Event | None:
    """Return the move of a bug that came before another one."""
    return db.session.scalars(_moves(event.bug_id or 0).where(Event.id < event.id).limit(1)).first()


def _moves(bug_id: int) -> sa.Select[Event]:
    return sa.select(Event).where(Event.bug_id == bug_id, Event.kind.in_(MOVES)).order_by(Event.id.desc())


def written_since(verdict: Event) -> set[str]:
    """Name what somebody wrote by hand after a verdict had written it."""
    later = sa.select(Event).where(Event.bug_id == verdict.bug_id, Event.id > verdict.id)
    names: set[str] = set()
    for event in db.session.scalars(later.where(Event.kind.in_(WRITTEN_BY_HAND))):
        if event.kind == EventKind.BUG_ASSIGNED:
            names.add("owner_id")
        elif event.kind != EventKind.BUG_EDITED:
            names |= set(event.details["was"])
        elif event.details["field"] == "workaround":
            names |= {"workarounds", "has_no_workaround"}
    return names


def answered_question(bug: Bug) -> Question | None:
    """Return what was asked last about a bug, if it is answered: of one question to several, one answer is enough."""
    asked = looking.last_of(bug, [EventKind.BUG_ASKED])
    found = sa.select(Question).where(Question.id.in_(asked.details["questions"] if asked is not None else ()))
    return db.session.scalars(found.where(Question.answered_at.is_not(None)).limit(1)).first()


def what_happened(bug: Bug) -> str:
    """Say who moved a bug where it stands, and when."""
    last = last_move(bug)
    if last is None:
        return f"{bug.ref} is {bug.status.label} by now."
    who = db.session.get(User, last.actor_id) if last.actor_id else None
    name = who.first_name if who else "A customer"
    return f"{name} moved {bug.ref} to {bug.status.label} {ago_in_words(last.at)}."


class Moved(Conflict):
    """A bug is not where somebody saw it who wanted to move it; `can_still` says whether it may go there from now."""

    def __init__(self, bug: Bug, sentence: str, wanted: Status | None = None, *, can_still: bool = False) -> None:
        super().__init__(sentence)
        self.bug, self.wanted, self.can_still = bug, wanted, can_still


def refuse_unseen(bug: Bug, seen: Status | None, wanted: Status | None = None, *, can_still: bool = False) -> None:
    """Refuse what somebody decided who saw another status. Raises Moved with who moved the bug, and when."""
    if seen is not None and seen != bug.status:
        sentence = f"{what_happened(bug)} Nothing of yours was saved yet."
        raise Moved(bug, sentence, wanted, can_still=can_still)
