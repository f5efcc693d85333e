"""Reading customers: what is told of them is always only what the reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from babel import Locale, UnknownLocaleError
from sqlalchemy.orm import aliased, joinedload

from bugintake.core.db import db
from bugintake.core.errors import NotFound
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers.models import NO_MASK, Account, Customer
from bugintake.intake.models import OPEN, Bug, Option, Report
from bugintake.intake.queries import visible_to
from bugintake.team.models import User

SUGGESTED = 8


def customer_or_404(customer_id: int) -> Customer:
    """Load a customer. Raises NotFound."""
    customer = db.session.get(Customer, customer_id) if 0 < customer_id < 2**31 else None
    if customer is None:
        raise NotFound()
    return customer


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
        return line[0].upper() + line[1:] + (f". Last report from {used}, filled in below." if used else ".")


def language_name(code: str) -> str:
    """Say a language as the team does: German."""
    try:
        return Locale.parse(code).get_display_name("en") or code
    except (UnknownLocaleError, ValueError):
        return code


def customers_like(text: str, actor: User, limit: int = SUGGESTED) -> list[KnownCustomer]:
    """Find customers whose name, company or address begins with what was typed, in any order of the words.

    An engineer, who reads addresses masked, finds one only by the whole of it.
    """
    key = key_of(text, 200)
    if not key:
        return []
    is_address = Customer.email == key
    if actor.role in NO_MASK:
        is_address = sa.or_(is_address, Customer.email.startswith(key, autoescape=True))
    words = (sa.and_(*(_begins(word) for word in key.split())), is_address)
    query = (
        sa.select(Customer)
        .outerjoin(Account, Account.id == Customer.account_id)
        .where(sa.or_(*words), Customer.erased_at.is_(None))
        .order_by(sa.case((Customer.name_key.startswith(key, autoescape=True), 0), else_=1), Customer.name_key)
        .order_by(Customer.id)
        .limit(limit)
    )
    return _known(db.session.scalars(query).all(), actor)


def known_customer(customer: Customer, actor: User) -> KnownCustomer:
    """Say what the form shows about a customer."""
    return _known([customer], actor)[0]


def _begins(word: str) -> sa.ColumnElement[bool]:
    columns = (Customer.name_key, Account.name_key)
    starts = [column.startswith(word, autoescape=True) for column in columns]
    return sa.or_(*starts, *(column.contains(f" {word}", autoescape=True) for column in columns))


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


def reports_by(customer: Customer, actor: User) -> Sequence[Report]:
    """List what a customer told us, the latest first, with the bug of each; only what this person may see."""
    query = sa.select(Report).join(Report.bug).where(Report.customer_id == customer.id, visible_to(actor))
    parts = (joinedload(Report.area), joinedload(Report.symptom), joinedload(Report.filed_by))
    bug = sa.orm.contains_eager(Report.bug)
    return db.session.scalars(query.options(bug, *parts).order_by(Report.filed_at.desc(), Report.id.desc())).all()
