"""Customers as agents find them, and taking one of their reports back."""

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.intake import queries, reports
from bugintake.intake.customers import queries as customer_queries
from bugintake.intake.customers.queries import KnownCustomer
from bugintake.intake.views import bp
from bugintake.team.guards import signed_in, signed_in_user


@bp.get("/customers/suggestions")
@signed_in
def suggestions() -> ResponseReturnValue:
    """Answer with the customers that what was typed may mean."""
    typed = request.args.get("q", "")
    return jsonify(items=[_item(each, typed) for each in customer_queries.customers_like(typed, signed_in_user())])


@bp.get("/customers/<int:customer_id>")
@signed_in
def customer(customer_id: int) -> ResponseReturnValue:
    """Show a customer and everything they told us."""
    me = signed_in_user()
    found = customer_queries.customer_or_404(customer_id)
    told = customer_queries.reports_by(found, me)
    language = customer_queries.language_name(found.language)
    return render_template("intake/customer.html", customer=found, reports=told, me=me, language_name=language)


@bp.get("/reports/<int:report_id>/withdrawal")
@signed_in
def withdrawal(report_id: int) -> ResponseReturnValue:
    """Say what taking a report back does, and ask for it."""
    report = queries.report_or_404(report_id, signed_in_user())
    return render_template("intake/withdrawal.html", report=report, bug=reports.canonical(report.bug))


@bp.post("/reports/<int:report_id>/withdrawal")
@signed_in
def withdraw(report_id: int) -> ResponseReturnValue:
    """Take a report back."""
    me = signed_in_user()
    with transaction():
        report = queries.report_or_404(report_id, me)
        reports.withdraw(report, actor=me)
        bug = reports.canonical(report.bug)
    if bug.withdrawn_at is not None:
        flash(_("The report is taken back, and %(ref)s with it. Nobody is written to.", ref=bug.ref))
        return redirect(url_for(".new"), 303)
    flash(_("The report is taken back. Nobody is written to about it."))
    return redirect(f"/bugs/{bug.ref}", 303)


def _item(known: KnownCustomer, typed: str) -> dict[str, str]:
    customer = known.customer
    address = customer.email_for(signed_in_user())
    item = {"value": str(customer.id), "label": customer.full_name, "hint": address, "note": known.about}
    if customer.email is not None and typed.strip().lower() == customer.email:
        item["email"] = customer.email
    if known.platform is not None:
        item["platform"] = str(known.platform.id)
    if known.version is not None:
        item["version"] = str(known.version.id)
    return item
