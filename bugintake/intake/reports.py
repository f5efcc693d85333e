"""Reports: filing a bug, taking a report back, and which bug a report counts for."""

import hashlib
import json
import re
from dataclasses import dataclass, replace

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, one_at_a_time, rows
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.intake import further_lists, proposals, waiting
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Customer
from bugintake.intake.further_lists import Chosen
from bugintake.intake.models import Bug, Option, Report, SettledBy, Status
from bugintake.team.models import User

TITLE_LENGTH = 120
TEXT_LENGTH = 20_000
SOURCE_LENGTH = 200
NEEDED = {
    "steps": "Write the steps that lead to it.",
    "actual": "Write what happened instead.",
    "expected": "Write what should have happened.",
}
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")


@dataclass(frozen=True, kw_only=True)
class Telling:
    """What somebody told us: the choices, and three texts. Without a customer we found it ourselves."""

    customer: Customer | None
    area: Option
    symptom: Option
    impact: Option
    frequency: Option
    platform: Option
    version: Option
    steps: str
    actual: str
    expected: str
    source: str = ""
    took_seconds: int | None = None
    choices: Chosen = ()

    @property
    def options(self) -> list[Option]:
        """Everything that was chosen."""
        chosen = [self.area, self.symptom, self.impact, self.frequency, self.platform, self.version]
        return [*chosen, *(option for _list, option in self.choices)]

    def fingerprint(self, bug: Bug | None) -> str:
        """Tell one submission from another that reuses its key."""
        parts = [self.customer.id if self.customer else None, bug.id if bug else None]
        parts += [option.id for option in self.options]
        return hashlib.sha256(json.dumps([*parts, self.steps, self.actual, self.expected]).encode()).hexdigest()


def file_report(telling: Telling, *, actor: User, key: str | None = None) -> Report:
    """File a new bug with its first report.

    `key` names the submission: sent twice, it makes one report and both get the same answer. Records report.filed.
    Raises Invalid for an empty or overlong text, Conflict where the key was used for something else, and for a
    customer who was erased meanwhile.
    """
    for name, sentence in NEEDED.items():
        if not getattr(telling, name):
            raise Invalid(sentence, name)
    check_texts(telling)
    earlier = filed_before(telling, None, actor, key)
    if earlier is not None:
        return earlier
    telling = of_whoever_stands(telling)
    bug = Bug(
        title=title_from(telling),
        area_id=telling.area.id,
        symptom_id=telling.symptom.id,
        impact_id=telling.impact.id,
        impact_rank=telling.impact.position,
        filed_by_id=actor.id,
        waiting_count=1 if telling.customer else 0,
    )
    db.session.add(bug)
    report = add_report(telling, bug, None, actor, key)
    bug.canonical_id = bug.id
    events.record(EventKind.REPORT_FILED, actor=actor, bug=bug, report=report)
    proposals.note_use(telling.options, report, bug, actor=actor)
    return report


def withdraw(report: Report, *, actor: User) -> None:
    """Take a report back that was a test, spam or for the wrong customer: it settles without a word to anybody.

    A bug that is left without reports and without work goes with it. Records report.withdrawn, and bug.withdrawn where
    the bug goes too. Raises Conflict for a report that is settled already.
    """
    bug = hold_bug_of(report)
    if report.settled_at is not None:
        raise Conflict("This report is settled already, so it cannot be taken back.")
    report.settled_at, report.settled_by = clock.now(), SettledBy.WITHDRAWN
    bug.changed_at = clock.now()
    waiting.recount([bug.id])
    db.session.refresh(bug)
    events.record(EventKind.REPORT_WITHDRAWN, actor=actor, bug=bug, report=report)
    remaining = waiting.reports_under(bug.id).where(Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN))
    if bug.status == Status.NEW and bug.owner_id is None and db.session.scalars(remaining.limit(1)).first() is None:
        bug.withdrawn_at, bug.is_pinned = clock.now(), False
        events.record(EventKind.BUG_WITHDRAWN, actor=actor, bug=bug)


def canonical(bug: Bug) -> Bug:
    """Return the bug that stands for this one: itself, or the one it was merged into."""
    if bug.canonical_id in (None, bug.id):
        return bug
    return db.session.get_one(Bug, bug.canonical_id)


def hold_canonical(bug: Bug) -> Bug:
    """Take the bug that stands for this one; which one that is may change while this waits for it."""

    def is_right() -> bool:
        whole = canonical(bug)
        hold(whole)
        if whole is not bug:
            db.session.refresh(bug)
        return canonical(bug) is whole

    waiting.take_until(is_right)
    return canonical(bug)


def hold_bug_of(report: Report) -> Bug:
    """Take the bug that a report counts for, and read the report again: either may have moved meanwhile."""

    def is_right() -> bool:
        bug = hold_canonical(report.bug)
        db.session.refresh(report)
        return canonical(report.bug) is bug

    waiting.take_until(is_right)
    return canonical(report.bug)


def title_from(telling: Telling | Report) -> str:
    """Make the team's title: the first sentence of what happened, else the choices in words."""
    title = first_sentence(telling.actual) or f"{telling.symptom.label}: {telling.area.label}"
    return title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1].rstrip() + "…"


def first_sentence(text: str) -> str:
    """Return how a text begins, up to its first full stop or line end."""
    return clean_line(_SENTENCE_END.split(text.strip(), maxsplit=1)[0]).rstrip(".")


def check_texts(telling: Telling) -> None:
    """Raise Invalid for a text that is too long."""
    for name in ("steps", "actual", "expected"):
        if len(getattr(telling, name)) > TEXT_LENGTH:
            raise Invalid(f"That is longer than {TEXT_LENGTH:,} characters. Keep what somebody needs to see it.", name)
    if len(telling.source) > SOURCE_LENGTH:
        raise Invalid(f"A link or number has at most {SOURCE_LENGTH} characters.", "source")


def filed_as(key: str) -> Report | None:
    """Find the report that a submission made; whoever sends the same one at the same time waits for the first."""
    one_at_a_time(f"submission {key}")
    found = rows(_FILED_AS, key=key)
    return db.session.get_one(Report, found[0].id) if found else None


_FILED_AS = sa.select(Report.id).where(Report.submission_key == sa.bindparam("key"))


def filed_before(telling: Telling, bug: Bug | None, actor: User, key: str | None) -> Report | None:
    """Return the report that the same submission made before. Raises Conflict where it was another one."""
    report = filed_as(key) if key is not None else None
    if report is None:
        return None
    if report.filed_by_id != actor.id or report.submission_hash != telling.fingerprint(bug):
        raise Conflict(f"This form was sent before, and made {report.bug.ref}. Send it again if this is another bug.")
    return report


def of_whoever_stands(telling: Telling) -> Telling:
    """Let the record tell it that the customer's was merged into meanwhile."""
    if telling.customer is None:
        return telling
    (customer,) = adding.hold_standing([telling.customer])
    return telling if customer is telling.customer else replace(telling, customer=customer)


def add_report(telling: Telling, bug: Bug, named: Bug | None, actor: User, key: str | None) -> Report:
    """Write down what was told about a bug; `named` is the known one that it was told of."""
    report = Report(
        bug=bug,
        customer_id=telling.customer.id if telling.customer else None,
        filed_by_id=actor.id,
        area_id=telling.area.id,
        symptom_id=telling.symptom.id,
        impact_id=telling.impact.id,
        frequency_id=telling.frequency.id,
        platform_id=telling.platform.id,
        version_id=telling.version.id,
        steps=telling.steps,
        actual=telling.actual,
        expected=telling.expected,
        source=telling.source,
        took_seconds=telling.took_seconds,
        submission_key=key,
        submission_hash=telling.fingerprint(named) if key else None,
    )
    db.session.add(report)
    db.session.flush()
    further_lists.keep(report, telling.choices)
    return report
