"""The reports of a bug as its page shows them."""

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from bugintake.core.db import ALL, rows
from bugintake.core.security import mask_address
from bugintake.intake import catalogue
from bugintake.intake.customers.models import NO_MASK, Account, Customer
from bugintake.intake.models import Bug, Question, Report, SettledBy
from bugintake.team.models import User
from bugintake.team.people import names


class Told(NamedTuple):
    """A report as the page of its bug shows it."""

    id: int
    filed_at: datetime
    actual: str
    steps: str
    expected: str
    source: str
    settled_at: datetime | None
    settled_by: SettledBy | None
    customer_id: int | None
    customer: str | None
    company: str | None
    email: str | None
    language: str | None
    version: str
    platform: str
    impact: str
    frequency: str
    filed_by: str

    @property
    def full_name(self) -> str:
        """Name and company: Hana Kovač, Brightline."""
        return f"{self.customer}, {self.company}" if self.company else self.customer or ""

    def email_for(self, viewer: User) -> str:
        """Return the address as this person may read it."""
        email = self.email or ""
        return email if not email or viewer.role in NO_MASK else mask_address(email)


def told_under(bug: Bug, *, limit: int | None) -> tuple[list[Told], int, bool]:
    """Read the first reports under a canonical bug, count them all, and tell whether a question was ever asked."""
    found = rows(_TOLD, bug=bug.id, most=ALL if limit is None else limit)
    [[count, questions]] = rows(_TOLD_COUNT, bug=bug.id)
    choices, people = catalogue.names().choices, names()
    told = [
        Told._make((*facts, *(choices[each].label for each in chosen), people[filed_by].name))
        for facts, chosen, filed_by in ((row[:-5], row[-5:-1], row[-1]) for row in found)
    ]
    return told, count, questions > 0


# What the catalogue and the team are called is known already: each of five joins less makes PostgreSQL plan faster.
_TOLD = (
    sa.select(
        Report.id,
        Report.filed_at,
        Report.actual,
        Report.steps,
        Report.expected,
        Report.source,
        Report.settled_at,
        Report.settled_by,
        Customer.id,
        Customer.name,
        Account.name,
        Customer.email,
        Customer.language,
        Report.version_id,
        Report.platform_id,
        Report.impact_id,
        Report.frequency_id,
        Report.filed_by_id,
    )
    .join(Bug, Bug.id == Report.bug_id)
    .outerjoin(Customer, Customer.id == Report.customer_id)
    .outerjoin(Account, Account.id == Customer.account_id)
    .where(Bug.canonical_id == sa.bindparam("bug"))
    .order_by(Report.filed_at, Report.id)
    .limit(sa.bindparam("most"))
)
_TOLD_COUNT = (
    sa.select(sa.func.count(sa.distinct(Report.id)), sa.func.count(Question.id))
    .select_from(Report)
    .outerjoin(Question, Question.report_id == Report.id)
    .join(Bug, Bug.id == Report.bug_id)
    .where(Bug.canonical_id == sa.bindparam("bug"))
)
