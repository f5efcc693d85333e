"""One report is about another problem: it becomes a bug of its own, and its customer waits for that one instead."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import further_lists, waiting
from bugintake.intake.filing import ASKED
from bugintake.intake.models import Bug, Question, Report, SettledBy, Status
from bugintake.intake.reports import Telling, canonical, file_report, hold_bug_of, withdraw
from bugintake.team.models import User
from bugintake.triage import editing
from bugintake.triage.merging import BY_OUTCOME


def split(report: Report, title: str, *, actor: User | None) -> Bug:
    """Make a bug of its own of a report, with the choices and words it has; its customer waits for that one.

    Whoever was told what became of the other bug waits again, because that was another problem. The new bug is as
    hidden as the one it comes from, for the same people. Records report.split of that one, and bug.split_off. Raises
    Invalid without a title, Conflict where the report is all there is, was taken back, or is being asked about.
    """
    editing.check_title(title)
    whole = hold_bug_of(report)
    hold(report)
    refuse(report)
    part = report.bug
    bug = Bug(
        title=title,
        area_id=report.area_id,
        symptom_id=report.symptom_id,
        impact_id=report.impact_id,
        impact_rank=report.impact.position,
        filed_by_id=report.filed_by_id,
        is_restricted=whole.is_restricted,
        owner_id=whole.owner_id if whole.is_restricted else None,
    )
    db.session.add(bug)
    db.session.flush()
    bug.canonical_id, report.bug = bug.id, bug
    settled: dict[str, Any] = {}
    if report.settled_by in BY_OUTCOME and report.settled_at is not None:
        settled = {"settled_at": report.settled_at.isoformat(), "settled_by": report.settled_by}
        report.settled_at = report.settled_by = None
    whole.changed_at = clock.now()
    waiting.recount([whole.id, bug.id])
    kind, details = EventKind.REPORT_SPLIT, {"into": bug.id, "part": part.id, **settled}
    events.record(kind, actor=actor, bug=whole, report=report, after=bug.ref, **details)
    events.record(EventKind.BUG_SPLIT_OFF, actor=actor, bug=bug, report=report, after=whole.ref)
    return bug


def file_apart(report: Report, title: str, *, actor: User) -> Bug:
    """File the other problem that a report tells of, with its choices and words: its customer waits for both bugs.

    The new bug is as hidden as the first, for the same people. Records report.filed_apart of the first, report.filed
    and bug.split_off. Raises Invalid without a title, Conflict where the report was taken back.
    """
    editing.check_title(title)
    whole = hold_bug_of(report)
    refuse_gone(report)
    told: dict[str, Any] = {name: getattr(report, name) for name in ("steps", "actual", "expected", "source")}
    told |= {kind.value: getattr(report, kind.value) for kind in ASKED}
    copy = file_report(Telling(customer=report.customer, choices=further_lists.kept_in(report), **told), actor=actor)
    copy.filed_by_id = copy.bug.filed_by_id = report.filed_by_id
    copy.bug.title, copy.bug.is_restricted = title, whole.is_restricted
    copy.bug.owner_id = whole.owner_id if whole.is_restricted else copy.bug.owner_id
    kind, into = EventKind.REPORT_FILED_APART, copy.bug_id
    events.record(kind, actor=actor, bug=whole, report=report, after=copy.bug.ref, into=into)
    events.record(EventKind.BUG_SPLIT_OFF, actor=actor, bug=copy.bug, report=report, after=whole.ref)
    return copy.bug


def refuse_gone(report: Report) -> None:
    """Raise Conflict for a report that nobody tells any more."""
    if report.settled_by in (SettledBy.WITHDRAWN, SettledBy.MERGED):
        raise Conflict("This report was taken back, or another one stands for it.")


def is_all(report: Report) -> bool:
    """Whether a report is all that its bug is about."""
    others = waiting.reports_under(canonical(report.bug).id).where(Report.id != report.id)
    return db.session.scalar(others.where(Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN)).limit(1)) is None


def refuse(report: Report) -> None:
    """Refuse to make a bug of its own of a report. Raises Conflict."""
    bug = canonical(report.bug)
    refuse_gone(report)
    if is_all(report):
        raise Conflict(f"This is all that {bug.ref} is about, so it stays one bug.")
    asked = sa.select(Question.id).where(Question.report_id == report.id, Question.answered_at.is_(None))
    if db.session.scalar(asked.limit(1)) is not None:
        raise Conflict("Somebody is being asked about this report. Take the answer down first.")


def rejoin(bug: Bug, *, actor: User) -> Bug:
    """Undo a split while nobody has worked on the bug it made: the report goes back, and the bug is taken back.

    Where the report stayed, what was filed apart is taken back. Records report.rejoined of the bug it goes back to (or
    report.withdrawn), and bug.withdrawn. Raises Conflict where there is more to the
    bug by now, and where its customer told us of the other one again.
    """
    event = db.session.scalars(_splits(bug)).first()
    if event is None:
        raise Conflict(f"{bug.ref} was not split off another bug.")
    if event.kind == EventKind.REPORT_FILED_APART:
        return _take_back(bug, canonical(db.session.get_one(Bug, event.bug_id)), actor)
    report = db.session.get_one(Report, event.report_id)
    part = db.session.get_one(Bug, event.details["part"])
    waiting.take(sorted({bug.id, part.id, canonical(part).id}))
    for row in (bug, part, report):
        db.session.refresh(row)
    whole = canonical(part)
    _refuse_more(bug, whole, has_gone=report.bug_id != bug.id or whole.withdrawn_at is not None)
    theirs = sa.select(Report.id).where(Report.bug_id == part.id, Report.customer_id == report.customer_id)
    if report.customer_id is not None and db.session.scalar(theirs) is not None:
        raise Conflict(f"They told us of {part.ref} again. Merge {bug.ref} into {whole.ref} instead.")
    report.bug = part
    if "settled_at" in event.details and report.settled_at is None:
        report.settled_at = datetime.fromisoformat(event.details["settled_at"])
        report.settled_by = SettledBy(event.details["settled_by"])
    bug.withdrawn_at = bug.changed_at = whole.changed_at = clock.now()
    bug.is_pinned = False
    waiting.recount([bug.id, whole.id])
    events.record(EventKind.REPORT_REJOINED, actor=actor, bug=whole, report=report, after=bug.ref)
    events.record(EventKind.BUG_WITHDRAWN, actor=actor, bug=bug)
    return whole


def _take_back(bug: Bug, whole: Bug, actor: User) -> Bug:
    waiting.take([bug.id])
    db.session.refresh(bug)
    _refuse_more(bug, whole, has_gone=bug.withdrawn_at is not None)
    withdraw(db.session.scalars(waiting.reports_under(bug.id)).one(), actor=actor)
    if bug.withdrawn_at is None:  # a rule had given it to somebody
        bug.withdrawn_at, bug.is_pinned = bug.changed_at, False
        events.record(EventKind.BUG_WITHDRAWN, actor=actor, bug=bug)
    return whole


def _refuse_more(bug: Bug, whole: Bug, *, has_gone: bool) -> None:
    alone = db.session.scalar(sa.select(sa.func.count()).select_from(waiting.reports_under(bug.id).subquery())) == 1
    given = sa.select(Event.id).where(Event.bug_id == bug.id, Event.kind == EventKind.BUG_ASSIGNED)
    by_somebody = db.session.scalar(given.where(Event.actor_id.is_not(None)).limit(1)) is not None
    is_new = bug.status == Status.NEW and not by_somebody
    if not alone or not is_new or has_gone or bug.merged_into_id is not None:
        raise Conflict(f"{bug.ref} is more than that report by now. Merge it into {whole.ref} instead.")


def _splits(bug: Bug) -> sa.Select[Event]:
    made_it = sa.select(Event.report_id).where(Event.bug_id == bug.id, Event.kind == EventKind.BUG_SPLIT_OFF)
    kinds = (EventKind.REPORT_SPLIT, EventKind.REPORT_FILED_APART)
    found = sa.select(Event).where(Event.kind.in_(kinds), Event.report_id.in_(made_it))
    return found.where(Event.details["into"].as_integer() == bug.id)
