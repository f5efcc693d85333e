"""Merging two records of one person or of one company: which, what that does, and doing it."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line
from bugintake.intake.customers import adding, merging, queries
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.views import bp
from bugintake.team.guards import signed_in, signed_in_user


@bp.get("/customers/<int:customer_id>/merging")
@signed_in
def customer_merging(customer_id: int) -> ResponseReturnValue:
    """Ask which other record is the same person's, and show what merging it into this one does."""
    found = queries.customer_or_404(customer_id)
    typed = clean_line(request.args.get("q", ""))
    others = [each.customer for each in queries.customers_like(typed, signed_in_user())]
    return _customer_page(found, typed, [each for each in others if each.id != found.id])


@bp.post("/customers/<int:customer_id>/merging")
@signed_in
def merge_customers(customer_id: int) -> ResponseReturnValue:
    """Show what merging does; once somebody has looked at that, merge."""
    me = signed_in_user()
    into = queries.customer_or_404(customer_id)
    gone = queries.customer_or_404(_number(request.form.get("other", "")))
    if "confirmed" not in request.form:
        return _customer_page(into, "", [], gone)
    with transaction():
        into = queries.customer_or_404(customer_id)
        merging.merge(queries.customer_or_404(gone.id), into, actor=me)
    flash(_("%(name)s is one record now.", name=into.name))
    return redirect(url_for(".customer", customer_id=into.id), 303)


@bp.get("/accounts/<int:account_id>/merging")
@signed_in
def account_merging(account_id: int) -> ResponseReturnValue:
    """Ask which other record is the same company."""
    return _account_page(queries.account_or_404(account_id), clean_line(request.args.get("q", "")))


@bp.post("/accounts/<int:account_id>/merging")
@signed_in
def merge_accounts(account_id: int) -> ResponseReturnValue:
    """Merge another company's record into this one."""
    with transaction():
        into = queries.account_or_404(account_id)
        gone = queries.account_or_404(_number(request.form.get("other", "")))
        merging.merge_accounts(gone, into, actor=signed_in_user())
    flash(_("%(name)s is one record now.", name=into.name))
    return redirect(url_for(".account", account_id=into.id), 303)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("Choose the other record.", "other")
    return int(text)


def _customer_page(
    found: Customer, typed: str, others: list[Customer], gone: Customer | None = None
) -> ResponseReturnValue:
    me = signed_in_user()
    effect = merging.effect(gone, found, me) if gone is not None else None
    words = {"customer": found, "typed": typed, "others": others, "gone": gone, "effect": effect, "me": me}
    return make_response(render_template("intake/customer_merging.html", **words))


def _account_page(found: Account, typed: str) -> ResponseReturnValue:
    gone, count = None, 0
    if typed:
        gone = adding.account_called(typed)
        count = queries.count_people(gone) if gone is not None else 0
    words = {"account": found, "typed": typed, "gone": gone, "count": count}
    return make_response(render_template("intake/account_merging.html", **words))
