"""Reading customers: what is told of them is always only what the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TypeVar

import sqlalchemy as sa
from babel import Locale, UnknownLocaleError
from sqlalchemy.orm import aliased, joinedload

from bugintake.core.db import ALL, db, rows
from bugintake.core.errors import NotFound
from bugintake.core.kept import kept
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers import finding
from bugintake.intake.customers.models import Account, Customer, ExternalId, StaffNote
from bugintake.intake.models import OPEN, Bug, Option, Question, Remark, Report
from bugintake.intake.queries import visible_to
from bugintake.team.models import User

SUGGESTED = 8
PEOPLE_SHOWN = 100
T = TypeVar("T", Customer, Account, StaffNote)


def customer_or_404(customer_id: int) -> Customer:
    """Load a customer. Raises NotFound."""
    return _or_404(Customer, customer_id)


def records_of(customer: Customer) -> sa.Select[int]:
    """Select the ids of a customer's record and of those that were merged into it."""
    return sa.select(Customer.id).where(sa.or_(Customer.id == customer.id, Customer.merged_into_id == customer.id))


def account_or_404(account_id: int) -> Account:
    """Load an account. Raises NotFound."""
    return _or_404(Account, account_id)


def note_or_404(note_id: int) -> StaffNote:
    """Load a note on a customer or an account. Raises NotFound."""
    return _or_404(StaffNote, note_id)


def _or_404(kind: type[T], number: int) -> T:
    found = db.session.get(kind, number) if 0 < number < 2**31 else None
    if found is None:
        raise NotFound()
    return found


def external_ids(owner: Customer | Account) -> Sequence[ExternalId]:
    """List what other systems call a customer or an account."""
    query = sa.select(ExternalId).where(_of(ExternalId, owner))
    return db.session.scalars(query.order_by(ExternalId.system, ExternalId.value)).all()


@kept
def plans() -> Sequence[str]:
    """List the plans that companies have, in order; jumps from one to the next, however many companies have it."""
    first = sa.select(sa.func.min(Account.plan).label("plan")).where(Account.plan > "").cte("plans", recursive=True)
    following = sa.select(sa.func.min(Account.plan)).where(Account.plan > first.c.plan).scalar_subquery()
    found = first.union_all(sa.select(following).where(first.c.plan.is_not(None)))
    return [plan for (plan,) in rows(sa.select(found.c.plan)) if plan is not None]


def companies(text: str, *, start: int, size: int) -> Sequence[tuple[Account, int]]:
    """List the companies, those with no people too, by name; with words those they find. Each with its people's count.

    One more than a page shows.
    """
    found = finding.companies(text) if text else sa.select(Account).order_by(Account.name_key, Account.id)
    if found is None:
        return []
    theirs = (Customer.account_id == Account.id, Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
    count = sa.select(sa.func.count(Customer.id)).where(*theirs).scalar_subquery()
    query = found.where(Account.merged_into_id.is_(None)).add_columns(count).offset(start).limit(size + 1)
    return [(account, people) for account, people in db.session.execute(query)]


def notes_on(owner: Customer | Account) -> Sequence[StaffNote]:
    """List the notes on a customer or an account, the latest first."""
    query = sa.select(StaffNote).where(_of(StaffNote, owner)).options(joinedload(StaffNote.written_by))
    return db.session.scalars(query.order_by(StaffNote.id.desc())).all()


def people_of(account: Account, limit: int = PEOPLE_SHOWN) -> Sequence[Customer]:
    """List an account's people by name, one more than a page shows."""
    query = sa.select(Customer).where(Customer.account_id == account.id, Customer.erased_at.is_(None))
    order = (Customer.name_key, Customer.id)
    return db.session.scalars(query.where(Customer.merged_into_id.is_(None)).order_by(*order).limit(limit + 1)).all()


def count_people(account: Account) -> int:
    """Count an account's people."""
    return db.session.scalar(sa.select(sa.func.count()).where(Customer.account_id == account.id)) or 0


def _of(kind: type[ExternalId] | type[StaffNote], owner: Customer | Account) -> sa.ColumnElement[bool]:
    return (kind.customer_id if isinstance(owner, Customer) else kind.account_id) == owner.id


@dataclass(frozen=True)
class KnownCustomer:
    """A customer as the form shows them: what they use and how many of their reports are open, as far as seen."""

    customer: Customer
    open_count: int
    platform: Option | None
    version: Option | None

    @property
    def about(self) -> str:
        """What is known about them, in one line."""
        account, customer = self.customer.account, self.customer
        parts = [f"{account.plan} plan"] if account is not None and account.plan else []
        if customer.email is None:
            parts.append("told by hand, no address")
        else:
            parts.append(f"writes in {language_name(customer.language)}")
        parts.append(f"{self.open_count} open report{'' if self.open_count == 1 else 's'}")
        used = " ".join(option.label for option in (self.platform, self.version) if option is not None)
        line = ", ".join(parts)
        return line[0].upper() + line[1:] + (f". Last report from {used}." if used else ".")


def language_name(code: str) -> str:
    """Say a language as the team does: German."""
    try:
        return Locale.parse(code).get_display_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code


def customers_like(text: str, actor: User, limit: int = SUGGESTED) -> list[KnownCustomer]:
    """Find customers by their name, company, address or a number of another system: each word of what was typed begins
    one of theirs, in any order.

    An engineer, who reads addresses masked, finds one only by the whole of it.
    """
    return _known(customers_called(text, actor, limit), actor)


def customers_called(text: str, actor: User | None, limit: int = SUGGESTED) -> Sequence[Customer]:
    """Find customers as customers_like, for those who need only their names; for nobody, as an engineer does."""
    asked = finding.asked(text, actor)
    if asked is None:
        return []
    what, values = asked
    return db.session.scalars(_called(what), {**values, "typed": key_of(text, 200), "most": limit}).all()


@cache
def _called(what: finding.Asked) -> sa.Select[Customer]:
    found, typed = finding.matches(what), sa.bindparam("typed", type_=sa.Text())
    begins = sa.func.substr(Customer.name_key, 1, sa.func.length(typed)) == typed
    query = sa.select(Customer).join(found, found.c.id == Customer.id).where(Customer.erased_at.is_(None))
    order = (sa.case((begins, 0), else_=1), Customer.name_key, Customer.id)
    return query.order_by(*order).limit(sa.bindparam("most"))


def companies_like(text: str, limit: int = SUGGESTED) -> Sequence[Account]:
    """Find companies by their name or a number of another system, as customers_like."""
    found = finding.companies(text)
    return db.session.scalars(found.limit(limit)).all() if found is not None else []


def known_customer(customer: Customer, actor: User) -> KnownCustomer:
    """Say what the form shows about a customer."""
    return _known([customer], actor)[0]


def _known(customers: Sequence[Customer], actor: User) -> list[KnownCustomer]:
    ids = [customer.id for customer in customers]
    platform, version = aliased(Option), aliased(Option)
    canonical = aliased(Bug)
    seen = sa.select(Report.id).join(Bug, Bug.id == Report.bug_id).where(visible_to(actor))
    mine = seen.where(Report.customer_id.in_(ids))
    latest = sa.select(sa.func.max(Report.id)).where(Report.id.in_(mine)).group_by(Report.customer_id)
    used = (
        sa.select(Report.customer_id, platform, version)
        .outerjoin(platform, sa.and_(platform.id == Report.platform_id, platform.retired_at.is_(None)))
        .outerjoin(version, sa.and_(version.id == Report.version_id, version.retired_at.is_(None)))
        .where(Report.id.in_(latest))
    )
    last = {customer_id: (one, other) for customer_id, one, other in db.session.execute(used)}
    counted = (
        sa.select(Report.customer_id, sa.func.count())
        .join(Bug, Bug.id == Report.bug_id)
        .join(canonical, canonical.id == Bug.canonical_id)
        .where(Report.customer_id.in_(ids), Report.settled_at.is_(None), canonical.status.in_(OPEN), visible_to(actor))
        .group_by(Report.customer_id)
    )
    counts = {row[0]: row[1] for row in db.session.execute(counted)}
    return [KnownCustomer(each, counts.get(each.id, 0), *last.get(each.id, (None, None))) for each in customers]


def reports_by(customer: Customer, actor: User, limit: int = ALL) -> Sequence[Report]:
    """List what a customer told us, the latest first, with the bug of each; only what this person may see."""
    query = sa.select(Report).join(Report.bug).where(Report.customer_id == customer.id, visible_to(actor))
    parts = (joinedload(Report.area), joinedload(Report.symptom), joinedload(Report.filed_by))
    bug = sa.orm.contains_eager(Report.bug)
    latest = query.options(bug, *parts).order_by(Report.filed_at.desc(), Report.id.desc())
    return db.session.scalars(latest.limit(limit)).all()


@dataclass(frozen=True)
class Said:
    """What was said about a report after it was filed: something told later, or a question and its answer."""

    at: datetime
    text: str
    question: str = ""


def said_later(reports: Sequence[Report]) -> dict[int, list[Said]]:
    """List what was said about reports later, by report, the earliest first; a question that waits has no text."""
    ids = [report.id for report in reports]
    found: dict[int, list[Said]] = {}
    for remark in db.session.scalars(sa.select(Remark).where(Remark.report_id.in_(ids))):
        found.setdefault(remark.report_id, []).append(Said(remark.said_at, remark.text))
    for asked in db.session.scalars(sa.select(Question).where(Question.report_id.in_(ids))):
        found.setdefault(asked.report_id, []).append(Said(asked.asked_at, asked.answer, asked.text))
    return {number: sorted(said, key=lambda each: each.at) for number, said in found.items()}
