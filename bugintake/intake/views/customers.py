"""Customers and companies as the team finds and reads them, and taking one of their reports back."""

from typing import Any

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.forms import clean_line
from bugintake.core.paging import page_number, page_start
from bugintake.intake import queries, reports
from bugintake.intake.customers import link_templates
from bugintake.intake.customers import queries as customer_queries
from bugintake.intake.customers.forms import NoteForm
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.customers.queries import PEOPLE_SHOWN, KnownCustomer
from bugintake.intake.customers.quiet import quiet_until
from bugintake.intake.views import bp
from bugintake.team.guards import signed_in, signed_in_user

FOUND_SHOWN = 50
HISTORY_SHOWN = 3


@bp.get("/customers")
@signed_in
def customers() -> ResponseReturnValue:
    """Find customers by name, company, address or a number of another system."""
    typed, me = clean_line(request.args.get("q", "")), signed_in_user()
    found = customer_queries.customers_like(typed, me, FOUND_SHOWN)
    return render_template("intake/customers.html", typed=typed, found=found, me=me, most=FOUND_SHOWN)


@bp.get("/customers/suggestions")
@signed_in
def suggestions() -> ResponseReturnValue:
    """Answer with the customers that what was typed may mean."""
    typed = request.args.get("q", "")
    return jsonify(items=[_item(each, typed) for each in customer_queries.customers_like(typed, signed_in_user())])


@bp.get("/accounts")
@signed_in
def companies() -> ResponseReturnValue:
    """Show the companies, those without people too, and find one by name or a number of another system."""
    typed = clean_line(request.args.get("q", ""))
    found = customer_queries.companies(typed, start=page_start(FOUND_SHOWN), size=FOUND_SHOWN)
    words = {"found": found[:FOUND_SHOWN], "has_more": len(found) > FOUND_SHOWN, "page": page_number()}
    return render_template("intake/companies.html", typed=typed, **words)


@bp.get("/accounts/suggestions")
@signed_in
def suggested_companies() -> ResponseReturnValue:
    """Answer with the companies that what was typed may mean."""
    found = customer_queries.companies_like(request.args.get("q", ""))
    return jsonify(items=[{"value": each.id, "label": each.name, "hint": each.plan} for each in found])


@bp.get("/customers/<int:customer_id>")
@signed_in
def customer(customer_id: int) -> ResponseReturnValue:
    """Show a customer and everything they told us."""
    found = customer_queries.customer_or_404(customer_id)
    if found.merged_into_id is not None:
        return redirect(url_for(".customer", customer_id=found.merged_into_id))
    return customer_page(found, NoteForm(formdata=None))


@bp.get("/customers/<int:customer_id>/history")
@signed_in
def customer_history(customer_id: int) -> ResponseReturnValue:
    """Say beside the form what is known of the customer who was picked."""
    found = customer_queries.customer_or_404(customer_id)
    return render_template("intake/history.html", **history_of(found))


def history_of(found: Customer) -> dict[str, Any]:
    """Collect what stands beside the form: whether they are quiet, the notes, and what they told us last."""
    reports = customer_queries.reports_by(found, signed_in_user(), HISTORY_SHOWN)
    notes = [*customer_queries.notes_on(found), *(customer_queries.notes_on(found.account) if found.account else [])]
    links = link_templates.links_of([found])
    return {"notes": notes[:HISTORY_SHOWN], "reports": reports, "quiet": quiet_until(found), "links": links}


def customer_page(found: Customer, form: NoteForm, status: int = 200) -> ResponseReturnValue:
    """Draw a customer's page."""
    me = signed_in_user()
    reports = customer_queries.reports_by(found, me)
    page = render_template(
        "intake/customer.html",
        customer=found,
        reports=reports,
        later=customer_queries.said_later(reports),
        ids=customer_queries.external_ids(found),
        links=link_templates.links_of([found]),
        notes=customer_queries.notes_on(found),
        account_notes=customer_queries.notes_on(found.account) if found.account else [],
        form=form,
        me=me,
        language_name=customer_queries.language_name(found.language),
    )
    return make_response(page, status)


@bp.get("/accounts/<int:account_id>")
@signed_in
def account(account_id: int) -> ResponseReturnValue:
    """Show a company and its people."""
    found = customer_queries.account_or_404(account_id)
    if found.merged_into_id is not None:
        return redirect(url_for(".account", account_id=found.merged_into_id))
    return account_page(found, NoteForm(formdata=None))


def account_page(found: Account, form: NoteForm, status: int = 200) -> ResponseReturnValue:
    """Draw a company's page."""
    people = customer_queries.people_of(found)
    page = render_template(
        "intake/account.html",
        account=found,
        people=people[:PEOPLE_SHOWN],
        has_more=len(people) > PEOPLE_SHOWN,
        ids=customer_queries.external_ids(found),
        links=link_templates.links_of([], [found.id]),
        notes=customer_queries.notes_on(found),
        form=form,
        me=signed_in_user(),
    )
    return make_response(page, status)


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
