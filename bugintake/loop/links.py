"""A customer's private links: made when a mail is written, kept only as fingerprints."""

from __future__ import annotations

from dataclasses import dataclass, field

from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.core.security import hash_secret, new_secret
from bugintake.intake.models import Report
from bugintake.loop.models import CustomerLink, LinkPurpose

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
