"""The reports of a bug as its page shows them."""

from collections import Counter
from collections.abc import Sequence
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
from bugintake.triage.elsewhere import is_link


class Told(NamedTuple):
    """A report as the page of its bug shows it."""

    id: int
    bug_id: int
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

    @property
    def has_page(self) -> bool:
        """Whether it came from a page that one can open; what else is written there is shown as it is."""
        return is_link(self.source, ("https", "http"))

    def email_for(self, viewer: User) -> str:
        """Return the address as this person may read it."""
        email = self.email or ""
        return email if not email or viewer.role in NO_MASK else mask_address(email)


class Common(NamedTuple):
    """A choice that at least half of the reports share which were neither taken back nor became a part of another."""

    choice: str
    shared_by: int
    total: int


class Reports(NamedTuple):
    """The first reports under a bug, how many there are, and what most share.

    Tells, too, whether a question was ever asked, and whether another bug was merged into this one.
    """

    told: Sequence[Told]
    total: int
    common: Sequence[Common]
    was_asked: bool
    has_parts: bool


def told_under(bug: Bug, *, limit: int | None) -> Reports:
    """Read the first reports under a canonical bug. Nothing is common to fewer than three."""
    found = rows(_TOLD, bug=bug.id, most=ALL if limit is None else limit)
    counted = rows(_COUNTED, bug=bug.id)
    choices, people = catalogue.names().choices, names()
    told = [
        Told._make((*facts, *(choices[each].label for each in chosen), people[filed_by].name))
        for facts, chosen, filed_by in ((row[:-5], row[-5:-1], row[-1]) for row in found)
    ]
    count, taken = sum(row.stand for row in counted), Counter[int]()
    for *chosen, stand, _reports, _questions, _parts in counted:
        taken.update(dict.fromkeys(chosen, stand))
    most = [(choices[option], n) for option, n in taken.most_common() if count > 2 and n * 2 >= count]
    common = [Common(choice.label, n, count) for choice, n in most if not choice.is_unsure]
    total = sum(row.reports for row in counted)
    return Reports(told, total, common, any(row.questions for row in counted), any(row.parts for row in counted))


# What the catalogue and the team are called is known already: each of five joins less makes PostgreSQL plan faster.
_TOLD = (
    sa.select(
        Report.id,
        Report.bug_id,
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
_part = sa.orm.aliased(Bug)
_PARTS = sa.select(sa.func.count(_part.id)).where(
    _part.canonical_id == sa.bindparam("bug"), _part.merged_into_id.is_not(None)
)
_STANDS = sa.or_(Report.settled_by.is_(None), Report.settled_by.not_in((SettledBy.WITHDRAWN, SettledBy.MERGED)))
_COUNTED = (
    sa.select(
        Report.platform_id,
        Report.version_id,
        Report.frequency_id,
        sa.func.count(sa.distinct(Report.id)).filter(_STANDS).label("stand"),
        sa.func.count(sa.distinct(Report.id)).label("reports"),
        sa.func.count(Question.id).label("questions"),
        _PARTS.scalar_subquery().label("parts"),
    )
    .outerjoin(Question, Question.report_id == Report.id)
    .join(Bug, Bug.id == Report.bug_id)
    .where(Bug.canonical_id == sa.bindparam("bug"))
    .group_by(Report.platform_id, Report.version_id, Report.frequency_id)
)
