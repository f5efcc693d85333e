"""Reading bugs, reports and customers: always only what the reader may see."""

import re
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db
from bugintake.core.errors import NotFound
from bugintake.intake.models import Bug, Customer, Report
from bugintake.team.models import Role, User

_REF = re.compile(r"(?:BUG-)?([1-9][0-9]{0,8})", re.IGNORECASE | re.ASCII)


def visible_to(actor: User) -> sa.ColumnElement[bool]:
    """Select the bugs that exist for a person: a restricted one only for its filer, owner, leads and admins."""
    if actor.can(Role.LEAD):
        return sa.true()
    return sa.or_(Bug.is_restricted.is_(False), Bug.filed_by_id == actor.id, Bug.owner_id == actor.id)


def number_of(ref: str) -> int:
    """Read `BUG-142` or `142`. Raises NotFound for anything else, and for numbers that no database holds."""
    match = _REF.fullmatch(ref)
    if match is None:
        raise NotFound()
    return int(match[1])


def bug_or_404(ref: str, actor: User) -> Bug:
    """Load a bug by its reference. One that this person may not see raises NotFound like one that does not exist."""
    bug = db.session.scalar(
        sa.select(Bug)
        .where(Bug.id == number_of(ref), visible_to(actor))
        .options(*(joinedload(part) for part in (Bug.area, Bug.symptom, Bug.impact, Bug.release, Bug.owner)))
    )
    if bug is None:
        raise NotFound()
    return bug


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


def customer_or_404(customer_id: int) -> Customer:
    """Load a customer. Raises NotFound."""
    customer = db.session.get(Customer, customer_id) if 0 < customer_id < 2**31 else None
    if customer is None:
        raise NotFound()
    return customer


def reports_of(bug: Bug) -> Sequence[Report]:
    """List the reports under a canonical bug with their customers and choices, the first one first."""
    under = sa.select(Bug.id).where(Bug.canonical_id == bug.id)
    parts = (Report.customer, Report.platform, Report.version, Report.impact, Report.frequency, Report.filed_by)
    query = sa.select(Report).where(Report.bug_id.in_(under)).options(*(joinedload(part) for part in parts))
    return db.session.scalars(query.order_by(Report.filed_at, Report.id)).all()
