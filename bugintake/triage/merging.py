"""Two bugs become one, and are two again: whoever waits for either waits once, and nobody is told twice."""

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time, read_again, update_all
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import waiting
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.intake.reports import canonical
from bugintake.team.models import User
from bugintake.team.workspace import workspace
from bugintake.triage import editing, moves, transitions

BY_OUTCOME = (SettledBy.TOLD, SettledBy.TOLD_BY_HAND, SettledBy.SUPPRESSED)


def merge(bug: Bug, into: Bug, *, actor: User, seen: Status | None = None, into_seen: Status | None = None) -> Event:
    """Make a bug a part of another one: its people wait for that one from now on, each once.

    Acts on what stands for `into`, so that chains collapse. The bug keeps its status and its reports: unmerge gives
    back exactly its own people. A restricted one restricts the result. `seen` and `into_seen` are the statuses that
    somebody decided on. Records bug.merged, and bug.took_in of the other. Raises Conflict for what is one already,
    for a bug that was taken back, and where one of them was moved since it was seen.
    """
    _hold_trees(bug, into)
    refuse(bug, into)
    into = canonical(into)
    moves.refuse_unseen(bug, seen)
    moves.refuse_unseen(into, into_seen)
    if bug.is_restricted:
        editing.restrict(into, True, actor=actor)
    was = {"is_pinned": bug.is_pinned}
    bug.merged_into_id, bug.is_pinned = into.id, False
    bug.changed_at = into.changed_at = clock.now()
    db.session.flush()
    update_all(sa.update(Bug).where(Bug.canonical_id == bug.id).values(canonical_id=into.id))
    waiting.recount([bug.id, into.id])
    merged = events.record(EventKind.BUG_MERGED, actor=actor, bug=bug, after=into.ref, into=into.id, was=was)
    events.record(EventKind.BUG_TOOK_IN, actor=actor, bug=into, after=bug.ref, part=bug.id)
    return merged


def refuse(bug: Bug, into: Bug) -> None:
    """Refuse to make a bug a part of another one where that cannot be. Raises Conflict."""
    whole = canonical(into)
    if bug.id == into.id:
        raise Conflict(f"{bug.ref} is the same bug. Choose another one.")
    if bug.id == whole.id:
        raise Conflict(f"{into.ref} is part of {bug.ref} already.")
    if bug.merged_into_id is not None:
        raise Conflict(f"{bug.ref} is part of BUG-{bug.canonical_id} already. Merge that one.")
    for each in (bug, whole):
        if each.withdrawn_at is not None:
            raise Conflict(f"{each.ref} was taken back.")


def unmerge(bug: Bug, *, actor: User, of: Bug | None = None) -> Event:
    """Let a bug stand for itself again, with its own people and with what was merged into it before.

    Whoever was told meanwhile what became of the other one waits again, because that was another problem. It is live
    or fixed as its release is by now, and waits for no answer that came meanwhile; what was restricted since stays so.
    `of` is the bug that somebody wants it separated from. Records bug.unmerged, with how many were told, and
    bug.gave_back of the other. Raises Conflict for a bug that is no part, or a part of another.
    """
    _hold_trees(bug)
    whole = canonical(bug)
    if bug.merged_into_id is None:
        raise Conflict(f"{bug.ref} stands for itself already.")
    if of is not None and canonical(of) is not whole:
        raise Conflict(f"{bug.ref} is part of {whole.ref} now.")
    since = _last(bug, EventKind.BUG_MERGED)
    bug.is_restricted = bug.is_restricted or (whole.is_restricted and _last(whole, EventKind.BUG_RESTRICTED) > since)
    bug.merged_into_id = None
    bug.changed_at = whole.changed_at = clock.now()
    db.session.flush()
    update_all(sa.update(Bug).where(Bug.id.in_(_branch(bug, whole))).values(canonical_id=bug.id))
    own = waiting.reports_under(bug.id).with_only_columns(Report.id)
    settled = sa.exists().where(Event.report_id == Report.id, Event.kind == EventKind.REPORT_SETTLED, Event.id > since)
    by_another = (Report.id.in_(own), Report.settled_by.in_(BY_OUTCOME), settled)
    update_all(sa.update(Report).where(*by_another).values(settled_at=None, settled_by=None))
    waiting.recount([bug.id, whole.id])
    _follow_release(bug)
    transitions.go_on(bug, actor=None)
    told = db.session.scalar(
        sa.select(sa.func.count()).select_from(told_of_another(bug.id, whole.id, since).subquery())
    )
    unmerged = events.record(
        EventKind.BUG_UNMERGED, actor=actor, bug=bug, after=whole.ref, of=whole.id, since=since, told=told
    )
    events.record(EventKind.BUG_GAVE_BACK, actor=actor, bug=whole, after=bug.ref, part=bug.id)
    return unmerged


def told_of_another(bug_id: int, whole_id: int, since: int) -> sa.Select[int | None]:
    """Select who waits for a bug and was told, after an event, of another one that they never reported."""
    by_words = Event.after.in_((SettledBy.TOLD, SettledBy.TOLD_BY_HAND))
    told = sa.exists().where(
        Event.report_id == Report.id, Event.kind == EventKind.REPORT_SETTLED, Event.id > since, by_words
    )
    theirs = (
        waiting.reports_under(whole_id).with_only_columns(Report.customer_id).where(Report.customer_id.is_not(None))
    )
    wait = waiting.unsettled_under(bug_id).with_only_columns(Report.customer_id)
    return wait.where(told, Report.customer_id.not_in(theirs)).distinct()


def _hold_trees(*bugs: Bug) -> None:
    """Take every bug of some trees by its number, and read them all again; nobody else changes a tree meanwhile."""
    one_at_a_time("merging bugs")
    roots = sa.select(Bug.canonical_id).where(Bug.id.in_([bug.id for bug in bugs]))
    waiting.take(db.session.scalars(sa.select(Bug.id).where(Bug.canonical_id.in_(roots))).all())
    read_again(Bug)


def _follow_release(bug: Bug) -> None:
    """Let a bug be live or not as its release is, which went live or was withdrawn without it."""
    if bug.release is None or workspace().goes_live_at_once:
        return
    db.session.refresh(bug.release, with_for_update={"read": True})
    is_live = bug.release.live_since_at is not None
    if bug.status == Status.FIXED and is_live:
        transitions.go_live(bug, actor=None)
    elif bug.status == Status.LIVE and not is_live:
        transitions.unrelease(bug, actor=None)


def _branch(bug: Bug, whole: Bug) -> set[int]:
    """Find a bug and everything that became part of it, also by others."""
    parts = db.session.execute(sa.select(Bug.id, Bug.merged_into_id).where(Bug.canonical_id == whole.id)).all()
    branch, count = {bug.id}, 0
    while len(branch) > count:
        count = len(branch)
        branch |= {part for part, into in parts if into in branch}
    return branch


def _last(bug: Bug, kind: EventKind) -> int:
    """Return the number of the last event of a kind, or 0."""
    last = sa.select(sa.func.max(Event.id)).where(Event.bug_id == bug.id, Event.kind == kind)
    return db.session.scalar(last) or 0
