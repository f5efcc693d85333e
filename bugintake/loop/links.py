"""A customer's private links: made when a mail is written, kept only as fingerprints."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db, update_all
from bugintake.core.errors import NotFound
from bugintake.core.security import hash_secret, new_secret
from bugintake.intake.models import Customer, Report, SettledBy
from bugintake.loop.models import CustomerLink, LinkPurpose

OPENS_FOR = timedelta(days=400)
PATHS = {LinkPurpose.REPORT: "r", LinkPurpose.UNSUBSCRIBE: "unsubscribe"}


@dataclass(frozen=True)
class Links:
    """The two addresses that one mail about one report carries, and the rows that let them in."""

    report_url: str
    unsubscribe_url: str
    rows: tuple[CustomerLink, ...] = field(default=(), repr=False)


def make_links(report: Report, language: str) -> Links:
    """Give a customer new ways to their report and out of mail about it; the ones they have keep working."""
    page, page_url = make_link(report, LinkPurpose.REPORT, language)
    stop, stop_url = make_link(report, LinkPurpose.UNSUBSCRIBE, language)
    return Links(page_url, stop_url, (page, stop))


def make_link(report: Report, purpose: LinkPurpose, language: str) -> tuple[CustomerLink, str]:
    """Make one private link and return it with its address, which nobody can read again later."""
    secret = new_secret()
    row = CustomerLink(
        secret_hash=hash_secret(secret), purpose=purpose, report_id=report.id, customer_id=report.customer_id
    )
    db.session.add(row)
    return row, f"{settings().base_url}/s/{language}/{PATHS[purpose]}/{secret}"


def report_behind(secret: str, purpose: LinkPurpose) -> Report:
    """Find the report that a private link opens. It may be opened any number of times: scanners open it too.

    A link made for something else, revoked, too old, of a customer whose report it is no longer, or of a report taken
    back raises NotFound like one that never was. Out of mail, a link leads for ever.
    """
    found = sa.select(Report).join(CustomerLink, CustomerLink.report_id == Report.id).join(Report.customer)
    query = found.where(
        CustomerLink.secret_hash == hash_secret(secret),
        CustomerLink.purpose == purpose,
        CustomerLink.revoked_at.is_(None),
        CustomerLink.customer_id == Report.customer_id,
        Customer.erased_at.is_(None),
    )
    if purpose is LinkPurpose.REPORT:
        is_there = Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN)
        query = query.where(CustomerLink.made_at > clock.now() - OPENS_FOR, is_there)
    report = db.session.scalar(query.options(sa.orm.contains_eager(Report.customer)))
    if report is None:
        raise NotFound()
    return report


def revoke_links(customer: Customer) -> None:
    """End every private link of a customer, because their address changed hands."""
    theirs = sa.update(CustomerLink).where(CustomerLink.customer_id == customer.id, CustomerLink.revoked_at.is_(None))
    update_all(theirs.values(revoked_at=clock.now()))
