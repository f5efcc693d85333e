"""Erasing a person: their name, address and words go everywhere, the counts and what happened stay."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.intake import waiting, word_index
from bugintake.intake.attachments import keeping
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers import finding, link_templates
from bugintake.intake.customers.models import Customer, ExternalId, StaffNote
from bugintake.intake.customers.queries import records_of
from bugintake.intake.draft_models import Draft
from bugintake.intake.models import Bug, Question, Remark, Report, Status
from bugintake.intake.reports import TITLE_LENGTH, first_sentence
from bugintake.team.models import IdempotentAnswer, User
from bugintake.team.workspace import workspace

ERASED = "erased"
AT_ONCE = 200
SHORTEST_ID = 4
MONTH_DAYS = 30.44


@dataclass(frozen=True)
class Extent:
    """How much of a person there is to erase."""

    reports: int
    remarks: int
    answers: int
    files: int
    notes: int


def extent(customer: Customer) -> Extent:
    """Count what erasing a person takes away."""
    theirs = sa.select(Report.id).where(Report.customer_id.in_(records_of(customer)))

    def count(kind: type[Remark | Question | Attachment], *more: sa.ColumnElement[bool]) -> int:
        return db.session.scalar(sa.select(sa.func.count()).where(kind.report_id.in_(theirs), *more)) or 0

    notes = sa.select(sa.func.count()).where(StaffNote.customer_id.in_(records_of(customer)))
    return Extent(
        reports=db.session.scalar(sa.select(sa.func.count()).select_from(theirs.subquery())) or 0,
        remarks=count(Remark),
        answers=count(Question, Question.answered_at.is_not(None)),
        files=count(Attachment),
        notes=db.session.scalar(notes) or 0,
    )


Forgetter = Callable[[Collection[int], Collection[str], User | None], None]
_FORGETTERS: list[Forgetter] = []


def register(forget: Forgetter) -> None:
    """Let a later room take away what it keeps that names a person.

    Called with their records, the words they are called by and who erases, while all of it is still there.
    """
    if forget not in _FORGETTERS:
        _FORGETTERS.append(forget)


def called_by(records: Collection[int]) -> list[str]:
    """List the addresses of some records, and what other systems call them.

    Of what has less than four letters or digits, which stands in many places that have nothing to do with them, only
    the pages where another system shows them, as the links to it are made.
    """
    emails = sa.select(Customer.email).where(Customer.id.in_(records), Customer.email.is_not(None))
    ids = db.session.scalars(sa.select(ExternalId).where(ExternalId.customer_id.in_(records))).all()
    told = {each.value for each in ids if len(each.value) >= SHORTEST_ID}
    pages = link_templates.beginnings_of_pages([each for each in ids if each.value not in told])
    return sorted({*db.session.scalars(emails), *told, *pages})


def too_short(records: Collection[int]) -> list[str]:
    """List what other systems call some records that is too short to be looked for anywhere."""
    ids = sa.select(ExternalId.value).where(ExternalId.customer_id.in_(records)).distinct()
    return sorted(value for value in db.session.scalars(ids) if len(value) < SHORTEST_ID)


def erase(customer: Customer, *, actor: User | None) -> None:
    """Replace a person's name, address and words by "erased": in reports, remarks, answers, files, drafts and search.

    What was merged into their record goes too. Their company, choices and reports stay counted. Call
    `forget_words` after the transaction. Records customer.erased. Raises Conflict for one who was erased or merged.
    """
    theirs = sa.select(Report.bug_id).where(Report.customer_id.in_(records_of(customer)))

    def is_right() -> bool:
        told = waiting.trees_under(theirs)
        waiting.take(told)
        hold(customer, is_leaving=True)
        return waiting.trees_under(theirs) == told

    waiting.take_until(is_right)
    if customer.erased_at is not None or customer.merged_into_id is not None:
        raise Conflict("This person's record was erased or merged already.")
    records = list(db.session.scalars(records_of(customer)))
    mine = sa.select(Report).where(Report.customer_id.in_(records))
    reports = db.session.scalars(mine.order_by(Report.id)).all()
    people = db.session.scalars(sa.select(Customer).where(Customer.id.in_(records))).all()
    called = called_by(records)
    for forget in _FORGETTERS:
        forget(records, called, actor)
    _forget_answers(_retitle(reports), [each.email for each in people if each.email])
    _forget_drafts(records)
    for report in reports:
        report.steps, report.expected = (report.steps and ERASED), (report.expected and ERASED)
        report.actual, report.source, report.submission_hash = (report.actual and ERASED), "", None
    numbers = [report.id for report in reports]
    for remark in db.session.scalars(sa.select(Remark).where(Remark.report_id.in_(numbers))):
        remark.text = ERASED
    is_answered = (Question.report_id.in_(numbers), Question.answer != "")
    for question in db.session.scalars(sa.select(Question).where(*is_answered)):
        question.answer = ERASED
    for attachment in db.session.scalars(sa.select(Attachment).where(Attachment.report_id.in_(numbers))).all():
        keeping.remove(attachment)
    for each in people:
        each.name, each.name_key, each.email, each.zone = ERASED, "", None, None
        each.suppressed_because, each.quiet_until_on, each.erased_at = "", None, clock.now()
    for kind in (ExternalId, StaffNote):
        db.session.execute(sa.delete(kind).where(kind.customer_id.in_(records)))
    finding.learn(records)
    events.record(EventKind.CUSTOMER_ERASED, actor=actor, customer_id=customer.id, records=records)


def forget_words() -> None:
    """Take the words that are no longer found out of the files of SQLite's index; PostgreSQL does it by itself.

    In small transactions of its own, so that nobody waits for it.
    """
    if db.session.connection().dialect.name == "sqlite":
        first = True
        while word_index.tidy(first):
            first = False


def erase_the_forgotten() -> int:
    """Erase those whose every bug has been closed for as many months as the workspace says, and count them.

    Each in a transaction of its own. Somebody who waits, or told us of a bug since, stays.
    """
    months = workspace().retention_months
    if months is None:
        return 0
    forgotten = _forgotten(clock.now(), months)
    found = db.session.scalars(forgotten.limit(AT_ONCE)).all()
    for number in found:
        with transaction():
            if db.session.scalar(forgotten.where(Customer.id == number)) is not None:  # none told us of a bug since
                erase(db.session.get_one(Customer, number), actor=None)
    if found:
        forget_words()
    return len(found)


def _forgotten(now: datetime, months: int) -> sa.Select[int]:
    before = now - timedelta(days=months * MONTH_DAYS)
    whole = sa.orm.aliased(Bug)
    theirs = sa.select(Report.id).join(Bug, Bug.id == Report.bug_id).join(whole, whole.id == Bug.canonical_id)
    theirs = theirs.where(Report.customer_id == Customer.id).correlate(Customer)
    is_closed = sa.or_(whole.status.in_((Status.LIVE, Status.DECLINED)), whole.withdrawn_at.is_not(None))
    is_past = sa.and_(is_closed, whole.status_since_at < before, Report.filed_at < before, Report.settled_at < before)
    keeps = theirs.where(sa.or_(sa.not_(is_past), Report.settled_at.is_(None)))
    stands = (Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
    return sa.select(Customer.id).where(*stands, theirs.exists(), ~keeps.exists()).order_by(Customer.id)


def _retitle(reports: Sequence[Report]) -> dict[str, str]:
    """Name bugs by their choices that are still called as this person said it; what somebody here wrote stays."""
    renamed: dict[str, str] = {}
    for report in reports:
        bug, said = report.bug, first_sentence(report.actual)
        began = bug.title[: TITLE_LENGTH - 1].removesuffix("…").rstrip()
        if said and began and said.startswith(began):
            title = f"{bug.symptom.label}: {bug.area.label}"[:TITLE_LENGTH]
            renamed[bug.title], bug.title = title, title
    return renamed


def _forget_answers(renamed: dict[str, str], words_of_them: Sequence[str]) -> None:
    """Let what the API would repeat say the new titles, and none of these words."""
    sought = [json.dumps(word, ensure_ascii=False)[1:-1] for word in (*renamed, *words_of_them) if word]
    if not sought:
        return
    for answer in db.session.scalars(sa.select(IdempotentAnswer).execution_options(yield_per=500)):
        body = before = json.dumps(answer.body, ensure_ascii=False)
        for word in sought:
            body = body.replace(word, ERASED)
        if body != before:
            answer.body = json.loads(body)


def _forget_drafts(records: Sequence[int]) -> None:
    """Take away what somebody began to file for this person."""
    people = db.session.scalars(sa.select(Customer).where(Customer.id.in_(records))).all()
    called = {text for each in people for text in (each.full_name, each.name, each.email) if text}
    numbers = {str(number) for number in records}
    for draft in db.session.scalars(sa.select(Draft)).all():
        typed = draft.fields
        is_theirs = typed.get("customer_id") in numbers or typed.get("customer") in called
        if is_theirs or any(each.email and each.email in text for each in people for text in typed.values()):
            db.session.delete(draft)
