"""A customer's private links: made when a mail is written, kept only as fingerprints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.config import settings
from bugintake.core.db import db, update_all
from bugintake.core.errors import Conflict, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.security import hash_secret, new_secret
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Report, SettledBy
from bugintake.loop.envelopes import write_anew
from bugintake.loop.models import CustomerLink, Delivery, LinkPurpose
from bugintake.team.models import User

OPENS_FOR = timedelta(days=400)
PATHS = {LinkPurpose.REPORT: "r", LinkPurpose.UNSUBSCRIBE: "unsubscribe"}


@dataclass(frozen=True)
class Links:
    """The two addresses that one mail about one report carries, and the rows that let them in."""

    report_url: str
    unsubscribe_url: str
    rows: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def fingerprints(self) -> list[str]:
        """What the rows are found by."""
        return [row["secret_hash"] for row in self.rows]


def make_links(report: Report, language: str) -> Links:
    """Give a customer new ways to their report and out of mail about it; the ones they have keep working."""
    made = draw_links(report, language)
    keep_links(made.rows)
    return made


def draw_links(report: Report, language: str) -> Links:
    """Make up the links of one mail; they open nothing until keep_links() has their rows."""
    page, page_url = _draw(report, LinkPurpose.REPORT, language)
    stop, stop_url = _draw(report, LinkPurpose.UNSUBSCRIBE, language)
    return Links(page_url, stop_url, (page, stop))


def keep_links(rows: Iterable[dict[str, Any]]) -> None:
    """Let links open what they were made for."""
    found = list(rows)
    if found:
        db.session.connection().execute(sa.insert(CustomerLink), found)


def make_link(report: Report, purpose: LinkPurpose, language: str) -> tuple[dict[str, Any], str]:
    """Make one private link and return it with its address, which nobody can read again later."""
    row, url = _draw(report, purpose, language)
    keep_links([row])
    return row, url


def _draw(report: Report, purpose: LinkPurpose, language: str) -> tuple[dict[str, Any], str]:
    secret = new_secret()
    row = {
        "secret_hash": hash_secret(secret),
        "purpose": purpose,
        "report_id": report.id,
        "customer_id": report.customer_id,
        "made_at": clock.now(),
    }
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


def end_links(event: Event) -> None:
    """End the links that were sent to an address which is no longer the customer's."""
    if "email" in event.details["fields"]:
        theirs = (CustomerLink.customer_id == event.details["customer_id"], CustomerLink.revoked_at.is_(None))
        old = sa.update(CustomerLink).where(*theirs, CustomerLink.purpose == LinkPurpose.REPORT)
        update_all(old.values(revoked_at=clock.now()))


def renew_link(report: Report, *, actor: User) -> str:
    """End every link to a report, because one of them is where it should not be, and return the address of a new one.

    Links out of mail go on working: they show nothing but the customer's own sentence. A mail that carries an old link
    and has not left is written anew. Records report.link_renewed. Raises Conflict where no link would open anything.
    """
    customer = report.customer
    if customer is None or customer.erased_at is not None or report.settled_by is SettledBy.WITHDRAWN:
        raise Conflict("No link opens this report, so there is none to renew.")
    write_anew(Delivery.customer_id == customer.id)
    opens_it = (CustomerLink.report_id == report.id, CustomerLink.purpose == LinkPurpose.REPORT)
    old = sa.update(CustomerLink).where(*opens_it, CustomerLink.revoked_at.is_(None))
    update_all(old.values(revoked_at=clock.now()))
    events.record(EventKind.REPORT_LINK_RENEWED, actor=actor, bug=report.bug, report=report)
    return make_link(report, LinkPurpose.REPORT, customer.language)[1]
