"""Reading bugs and reports: always only what the reader may see."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from bugintake.core.db import db
from bugintake.core.errors import NotFound
from bugintake.intake.models import Bug, Question, Report
from bugintake.team.models import Role, User

_REF = re.compile(r"(?:BUG-)?([1-9][0-9]{0,8})", re.IGNORECASE | re.ASCII)


def visible_to(actor: User) -> sa.ColumnElement[bool]:
    """Select the bugs that exist for a person: a restricted one only for its filer, owner, leads and admins.

    One that was merged exists only where also the bug that stands for it does.
    """
    return sa.true() if actor.can(Role.LEAD) else _visible_to_id(actor.id)


def _visible_to_id(reader: Any) -> sa.ColumnElement[bool]:
    whole = aliased(Bug)
    stands_for_it = sa.exists().where(whole.id == Bug.canonical_id, _is_in_sight(whole, reader))
    return sa.and_(_is_in_sight(Bug, reader), sa.or_(Bug.merged_into_id.is_(None), stands_for_it))


def _is_in_sight(bug: type[Bug], reader: Any) -> sa.ColumnElement[bool]:
    return sa.or_(bug.is_restricted.is_(False), bug.filed_by_id == reader, bug.owner_id == reader)


VISIBLE_TO_READER = _visible_to_id(sa.bindparam("reader", type_=sa.Integer()))
"""What visible_to selects for somebody who is no lead, for statements that are made once; `reader` is their id."""


def in_sight_of_reader(bug: type[Bug]) -> sa.ColumnElement[bool]:
    """Select as is_in_sight for somebody who is no lead, for statements that are made once."""
    return _is_in_sight(bug, sa.bindparam("reader", type_=sa.Integer()))


def is_in_sight(bug: type[Bug], actor: User) -> sa.ColumnElement[bool]:
    """Select the bugs that are not hidden from a person by themselves; what stands for them may be."""
    return sa.true() if actor.can(Role.LEAD) else _is_in_sight(bug, actor.id)


def is_visible(bug: Bug, actor: User) -> bool:
    """Tell for a bug in hand what visible_to selects."""
    if actor.can(Role.LEAD):
        return True
    is_in_sight = not bug.is_restricted or actor.id in (bug.filed_by_id, bug.owner_id)
    stands_alone = bug.merged_into_id is None
    return is_in_sight and (stands_alone or is_visible(db.session.get_one(Bug, bug.canonical_id), actor))


def number_of(ref: str) -> int:
    """Read `BUG-142` or `142`. Raises NotFound for anything else, and for numbers that no database holds."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise NotFound()
    return int(match[1])


def bug_or_404(ref: str, actor: User) -> Bug:
    """Load a bug by its reference. One that this person may not see raises NotFound like one that does not exist."""
    found = db.session.execute(_bug(actor.can(Role.LEAD)), {"number": number_of(ref), "reader": actor.id})
    bug: Bug | None = found.scalar()
    if bug is None:
        raise NotFound()
    return bug


@cache
def _bug(sees_all: bool) -> sa.Select[Bug]:
    seen = sa.true() if sees_all else VISIBLE_TO_READER
    parts = (joinedload(part) for part in (Bug.area, Bug.symptom, Bug.impact, Bug.release, Bug.owner))
    return sa.select(Bug).where(Bug.id == sa.bindparam("number", type_=sa.Integer()), seen).options(*parts)


def report_or_404(report_id: int, actor: User) -> Report:
    """Load a report of a bug that this person may see. Raises NotFound."""
    if not 0 < report_id < 2**31:
        raise NotFound()
    report = db.session.scalar(
        sa.select(Report).join(Bug, Bug.id == Report.bug_id).where(Report.id == report_id, visible_to(actor))
    )
    if report is None:
        raise NotFound()
    return report


def reports_of(bug: Bug) -> Sequence[Report]:
    """List the reports under a canonical bug with their customers and choices, the first one first."""
    under = sa.select(Bug.id).where(Bug.canonical_id == bug.id)
    parts = (Report.customer, Report.platform, Report.version, Report.impact, Report.frequency, Report.filed_by)
    query = sa.select(Report).where(Report.bug_id.in_(under)).options(*(joinedload(part) for part in parts))
    return db.session.scalars(query.order_by(Report.filed_at, Report.id)).all()


def open_question(bug: Bug) -> Question | None:
    """Return the question about a bug that nobody has answered yet, the latest of several."""
    return db.session.scalars(_OPEN_QUESTION, {"bug": bug.id}).first()


def answered_questions(bug: Bug) -> Sequence[Question]:
    """List the questions about a bug that were answered, the first one first."""
    return db.session.scalars(_ANSWERED, {"bug": bug.id}).all()


_OPEN_QUESTION = (
    sa.select(Question)
    .join(Report, Report.id == Question.report_id)
    .join(Bug, Bug.id == Report.bug_id)
    .where(Bug.canonical_id == sa.bindparam("bug"), Question.answered_at.is_(None))
    .order_by(Question.id.desc())
    .limit(1)
)
_ANSWERED = (
    sa.select(Question)
    .join(Report, Report.id == Question.report_id)
    .join(Bug, Bug.id == Report.bug_id)
    .where(Bug.canonical_id == sa.bindparam("bug"), Question.answered_at.is_not(None))
    .order_by(Question.id)
    .options(joinedload(Question.asked_by))
)


def report_of(bug: Bug, actor: User, report_id: int | None) -> Report | None:
    """Return one report under a canonical bug: the named one, else the latest this person filed, else the first."""
    under = sa.select(Bug.id).where(Bug.canonical_id == bug.id)
    parts = (joinedload(part) for part in (Report.bug, Report.customer, Report.area, Report.symptom))
    query = sa.select(Report).where(Report.bug_id.in_(under)).options(*parts)
    if report_id is not None:
        return db.session.scalar(query.where(Report.id == report_id))
    order = (sa.case((Report.filed_by_id == actor.id, 0), else_=1), Report.filed_at.desc(), Report.id.desc())
    return db.session.scalars(query.order_by(*order).limit(1)).first()


def opened_the_bug(report: Report) -> bool:
    """Whether a report is the one its bug was filed with; later ones were attached."""
    return db.session.scalar(sa.select(sa.func.min(Report.id)).where(Report.bug_id == report.bug_id)) == report.id
