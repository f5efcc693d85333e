"""What a customer was told, and their private links, as the team sees them: which there are, and a new one instead."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from bugintake.core.db import transaction
from bugintake.core.paging import page_number, page_start
from bugintake.intake.customers.models import Customer
from bugintake.intake.queries import report_or_404
from bugintake.loop import customer_queries, links
from bugintake.loop.queries import PEOPLE_SHOWN
from bugintake.loop.views.blueprint import bp
from bugintake.loop.words import CHIPS, KINDS, STATES, why
from bugintake.team.guards import signed_in, signed_in_user


@bp.post("/reports/<int:report_id>/link")
@signed_in
def renew_link(report_id: int) -> ResponseReturnValue:
    """End the links to a report, and show the new one this once."""
    me = signed_in_user()
    report = report_or_404(report_id, me)
    with transaction():
        url = links.renew_link(report, actor=me)
    return render_template("loop/link.html", report=report, url=url)


def told_to(customer: Customer, **_context: Any) -> str:
    """Say on a customer's page what they were told, and when."""
    owed = customer_queries.told_to(customer, signed_in_user(), start=page_start(PEOPLE_SHOWN))
    if not owed:
        return ""
    words = {"STATES": STATES, "CHIPS": CHIPS, "KINDS": KINDS, "why": why, "customer": customer}
    more = {"page": page_number(), "has_more": len(owed) > PEOPLE_SHOWN}
    return render_template("loop/told_to.html", owed=owed[:PEOPLE_SHOWN], **words, **more)


def linked(customer: Customer, **_context: Any) -> str:
    """Say on a customer's page which of their reports a private link opens."""
    found = customer_queries.linked_reports(customer, signed_in_user())
    return render_template("loop/links.html", customer=customer, found=found) if found else ""
