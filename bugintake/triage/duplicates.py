"""Reading what a bug may be a duplicate of, what the two have in common, and what is part of a bug already."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from bugintake.core.db import db, rows
from bugintake.core.errors import Conflict
from bugintake.core.templating import ago
from bugintake.intake import similar, waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report, Status
from bugintake.intake.queries import is_in_sight
from bugintake.intake.reports import canonical
from bugintake.team.models import User
from bugintake.triage import merging, moves
from bugintake.triage.filters import Filters
from bugintake.triage.phrases import Phrases
from bugintake.triage.queries import listed

SHOWN = 5
SAID = "These words are in its title or reports."


class Proposal(NamedTuple):
    """A bug that another one may be a duplicate of, and why."""

    ref: str
    title: str
    status: Status
    waiting: int
    age: str
    why: str


def proposals(bug: Bug, words: str, actor: User) -> list[Proposal]:
    """Propose what a bug may be a duplicate of: what is found by some words, else what looks like it, best first."""
    if words:
        alike = similar.look_alikes(None, None, words, actor=actor, limit=SHOWN + 1)
    else:
        told = _first_report(bug)
        text = f"{bug.title}. {told.actual} {told.expected} {told.steps}" if told is not None else bug.title
        alike = similar.look_alikes(bug.area, bug.symptom, text, actor=actor, limit=SHOWN + 1)
    found = [
        Proposal(each.bug.ref, each.bug.title, each.bug.status, each.bug.waiting_count, each.age, each.why)
        for each in alike
    ]
    if Phrases.of(words).terms:
        cards = listed(Filters(text=words), actor)[: SHOWN + 1]
        found += [Proposal(c.ref, c.title, c.status, c.waiting, ago(c.filed_at), SAID) for c in cards]
    once = {each.ref: each for each in reversed(found) if each.ref != bug.ref}
    return list(reversed(once.values()))[: 2 * SHOWN]


@dataclass(frozen=True)
class Comparison:
    """Two bugs side by side, with what was reported first of each, before one becomes a part of the other."""

    bug: Bug
    into: Bug
    told: Report | None
    into_told: Report | None
    people: int
    companies: int

    @property
    def common(self) -> int:
        """How many people wait for both."""
        return self.bug.waiting_count + self.into.waiting_count - self.people

    @property
    def is_worse(self) -> bool:
        """Whether the duplicate is worse than what it becomes a part of."""
        return self.bug.impact_rank < self.into.impact_rank

    @property
    def restricts(self) -> str:
        """Name the bug that is restricted by merging, if one is."""
        return self.into.ref if self.bug.is_restricted and not self.into.is_restricted else ""


def compare(bug: Bug, into: Bug) -> Comparison:
    """Put two bugs side by side."""
    both = sa.select(Bug.id).where(Bug.canonical_id.in_((bug.id, into.id)))
    wait = sa.select(sa.func.count(sa.distinct(Customer.id)), sa.func.count(sa.distinct(Customer.account_id)))
    wait = wait.join(Report, Report.customer_id == Customer.id)
    wait = wait.where(Report.bug_id.in_(both), Report.settled_at.is_(None))
    return Comparison(bug, into, _first_report(bug), _first_report(into), *db.session.execute(wait).one())


class Joining(NamedTuple):
    """One of several bugs that become a part of another: why it cannot, or how many of its people wait for both."""

    bug: Bug
    refusal: str
    common: int
    is_worse: bool


@dataclass(frozen=True)
class Preview:
    """What making several bugs a part of another one is going to do; `people` then wait for that one."""

    into: Bug
    joining: Sequence[Joining]
    people: int

    @property
    def bugs(self) -> list[Bug]:
        """Those that can become a part of it."""
        return [each.bug for each in self.joining if not each.refusal]

    @property
    def restricting(self) -> list[Bug]:
        """Those that restrict it, as they are restricted themselves."""
        return [] if self.into.is_restricted else [bug for bug in self.bugs if bug.is_restricted]


def preview(chosen: Sequence[tuple[Bug, Status | None]], named: Bug) -> Preview:
    """Say of several bugs, each with the status that somebody saw, what becomes of each. Changes nothing.

    Asks the database the same number of questions for two and for a hundred.
    """
    into = canonical(named)
    refusals = {bug.id: _refusal(bug, named, seen) for bug, seen in chosen}
    joining = [number for number, refusal in refusals.items() if not refusal]
    wait = sa.select(Report.customer_id).join(Bug, Bug.id == Report.bug_id)
    wait = wait.where(Report.customer_id.is_not(None), Report.settled_at.is_(None))
    people = wait.where(Bug.canonical_id.in_([*joining, into.id])).distinct().subquery()
    both = wait.where(Bug.canonical_id.in_(joining), Report.customer_id.in_(wait.where(Bug.canonical_id == into.id)))
    counted = both.with_only_columns(Bug.canonical_id, sa.func.count(sa.distinct(Report.customer_id)))
    common = dict(db.session.execute(counted.group_by(Bug.canonical_id)).all())
    return Preview(
        into,
        [
            Joining(bug, refusals[bug.id], common.get(bug.id, 0), bug.impact_rank < into.impact_rank)
            for bug, _ in chosen
        ],
        db.session.scalar(sa.select(sa.func.count()).select_from(people)) or 0,
    )


def _refusal(bug: Bug, into: Bug, seen: Status | None) -> str:
    try:
        merging.refuse(bug, into)
        moves.refuse_unseen(bug, seen)
    except Conflict as refusal:
        return refusal.sentence
    return ""


def _first_report(bug: Bug) -> Report | None:
    return db.session.scalars(waiting.reports_under(bug.id).order_by(Report.filed_at, Report.id).limit(1)).first()


class Part(NamedTuple):
    """A bug that was merged into another one."""

    id: int
    title: str
    into_id: int

    @property
    def ref(self) -> str:
        """The name people use for it."""
        return f"BUG-{self.id}"


def parts_of(bug: Bug, actor: User) -> Sequence[Part]:
    """List what is part of a bug, also by way of another part, the first filed first."""
    under = sa.select(Bug.id, Bug.title, Bug.merged_into_id).where(Bug.canonical_id == bug.id, Bug.id != bug.id)
    return [Part._make(row) for row in rows(under.where(is_in_sight(Bug, actor)).order_by(Bug.id))]
