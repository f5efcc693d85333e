"""How everything stands between two steps, read without the house's own queries."""

from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Question, Report, SettledBy
from bugintake.triage.moves import UNDOABLE

BY_OUTCOME = (SettledBy.TOLD, SettledBy.TOLD_BY_HAND, SettledBy.SUPPRESSED)
MOVES = {*UNDOABLE, EventKind.BUG_LIVE, EventKind.BUG_UNRELEASED, EventKind.BUG_CAME_BACK}
MOVES |= {EventKind.BUG_ANSWERED, EventKind.BUG_UNDONE}
PEOPLE_OF = (Report.id, Report.bug_id, Report.customer_id, Report.settled_at, Report.settled_by)
# Which events say that a column of a bug changed; each change has exactly one of them.
SAID_BY = {
    "merged_into_id": {EventKind.BUG_MERGED, EventKind.BUG_UNMERGED},
    "is_pinned": {EventKind.BUG_PINNED, EventKind.BUG_UNPINNED, EventKind.BUG_MERGED, EventKind.BUG_WITHDRAWN, *MOVES},
    "is_restricted": {EventKind.BUG_RESTRICTED, EventKind.BUG_UNRESTRICTED, EventKind.BUG_UNMERGED},
    "withdrawn_at": {EventKind.BUG_WITHDRAWN},
    "snoozed_until": {EventKind.BUG_SNOOZED, EventKind.BUG_WOKEN, *MOVES},
    "owner_id": {EventKind.BUG_ASSIGNED, *MOVES},
}
VERDICT = ("status", "generation", "owner_id", "release_id", "decline_reason_id", "customer_notes", "workarounds")
VERDICT += (
    "has_no_workaround",
    "news",
    "news_at",
    "snoozed_until",
    "paused_at",
    "raised_at",
    "raise_reason",
    "is_pinned",
)


@dataclass(frozen=True)
class Standing:
    """Some bugs and their reports as rows, the open questions, and the number of the last event."""

    bugs: dict
    reports: dict
    questions: dict
    last_event: int

    @classmethod
    def of(cls, ids):
        """Read it."""
        bugs = db.session.execute(sa.select(*Bug.__table__.columns).where(Bug.id.in_(ids)).order_by(Bug.id)).all()
        reports = db.session.execute(sa.select(*PEOPLE_OF).where(Report.bug_id.in_(ids)).order_by(Report.id)).all()
        asked = sa.select(Question.id, Question.report_id).where(Question.answered_at.is_(None))
        questions = db.session.execute(asked.join(Question.report).where(Report.bug_id.in_(ids))).all()
        last = db.session.scalar(sa.select(sa.func.max(Event.id)))
        return cls({row.id: row for row in bugs}, {row.id: row for row in reports}, dict(map(tuple, questions)), last)

    def root(self, number):
        """Follow the pointers to the bug that stands for one."""
        steps = [number]
        while self.bugs[steps[-1]].merged_into_id is not None:
            steps.append(self.bugs[steps[-1]].merged_into_id)
            assert len(steps) <= len(self.bugs), f"Bugs are parts of each other: {steps}"
        return steps[-1]

    def branch(self, number):
        """Name a bug and all that is a part of it."""
        found, seen = {number}, 0
        while len(found) > seen:
            seen = len(found)
            found |= {bug.id for bug in self.bugs.values() if bug.merged_into_id in found}
        return found

    def roots(self, *statuses):
        """Name the bugs that stand for themselves, of some statuses or of any."""
        stand = [bug for bug in self.bugs.values() if bug.merged_into_id is None and bug.withdrawn_at is None]
        return [bug.id for bug in stand if not statuses or bug.status in statuses]

    def parts(self):
        """Name the bugs that another one stands for."""
        return [bug.id for bug in self.bugs.values() if bug.merged_into_id is not None]

    def people(self, number):
        """Tell for each report under a bug and its parts who told us, and how they settled."""
        branch = self.branch(number)
        return {report.id: report for report in self.reports.values() if report.bug_id in branch}

    def waiting(self, number):
        """Name who waits for a bug and its parts."""
        return {who.customer_id for who in self.people(number).values() if who.customer_id and who.settled_at is None}

    def verdict(self, number):
        """Tell what a verdict may have written on a bug."""
        return {name: getattr(self.bugs[number], name) for name in VERDICT}

    def is_visible(self, number, reader, sees_all):
        """Tell whether a bug exists for a reader, as product.md says it."""
        chain = {number, self.root(number)}
        hidden = [bug for bug in map(self.bugs.get, chain) if bug.is_restricted]
        return sees_all or all(reader in (bug.filed_by_id, bug.owner_id) for bug in hidden)


def check_events(before, after, actor_id, at):
    """Every change since then is told by exactly one event, with who, when, before and after."""
    told = defaultdict(list)
    for event in db.session.scalars(sa.select(Event).where(Event.id > before.last_event).order_by(Event.id)):
        assert event.at == at
        assert event.actor_id in (actor_id, None)
        told[event.bug_id].append(event)
    for number, bug in after.bugs.items():
        if number not in before.bugs:
            assert [event.kind for event in told[number]][:1] in ([EventKind.REPORT_FILED], [EventKind.BUG_SPLIT_OFF])
            continue
        was = before.bugs[number]
        where = was.status
        for event in told[number]:
            if event.kind in MOVES:
                assert event.before == where
                where = event.after
        assert where == bug.status
        kinds = [event.kind for event in told[number]]
        for column, saying in SAID_BY.items():
            if getattr(was, column) != getattr(bug, column):
                said = [kind for kind in kinds if kind in saying]
                assert said, f"{column} of {number} changed and nothing says so"
                assert len(said) == 1 or saying & MOVES
    check_settled(before, after, [event for events in told.values() for event in events])


def check_settled(before, after, events):
    """Each report that settled has one event that says so; a rejoined one is as settled as it was before its split."""
    for number, report in after.reports.items():
        if report.settled_at is not None and number in before.reports and before.reports[number].settled_at is None:
            kinds = [event.kind for event in events if event.report_id == number]
            settled = [kind for kind in kinds if kind in (EventKind.REPORT_SETTLED, EventKind.REPORT_WITHDRAWN)]
            assert len(settled) == 1 or (not settled and kinds.count(EventKind.REPORT_REJOINED) == 1)


def waits_after_separation(standing, number, merged_at):
    """Name who waits once a bug stands for itself again: who was settled by the other's outcome waits for this one."""
    people = [who for who in standing.people(number).values() if who.customer_id]
    by_the_other = [who for who in people if who.settled_by in BY_OUTCOME and who.settled_at >= merged_at]
    return {who.customer_id for who in people if who.settled_at is None} | {who.customer_id for who in by_the_other}
