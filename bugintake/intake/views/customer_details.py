"""What is known of customers and companies: changing it, notes on it, and letting mail go to somebody again."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen
from bugintake.intake.customers import changing, queries
from bugintake.intake.customers.forms import AccountForm, CustomerForm, NoteForm
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.views import bp
from bugintake.intake.views.customers import account_page, customer_page
from bugintake.team import people
from bugintake.team.guards import signed_in, signed_in_user

T = TypeVar("T", Customer, Account)


@bp.get("/customers/<int:customer_id>/details")
@signed_in
def customer_details(customer_id: int) -> ResponseReturnValue:
    """Show what is known of a person, to change it."""
    found = queries.customer_or_404(customer_id)
    form = CustomerForm(formdata=None).open_to(signed_in_user())
    form.show(changing.shown_of_customer(found))
    return _customer_form(found, form)


@bp.post("/customers/<int:customer_id>/details")
@signed_in
def change_customer(customer_id: int) -> ResponseReturnValue:
    """Change what is known of a person."""
    me = signed_in_user()
    form = CustomerForm().open_to(me)
    try:
        with transaction():
            found = queries.customer_or_404(customer_id)
            changing.change_customer(found, form.typed(), Seen.on(request.form), actor=me)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _customer_form(queries.customer_or_404(customer_id), form, 422)
    flash(_("%(name)s is saved.", name=found.name))
    return redirect(url_for(".customer", customer_id=found.id), 303)


@bp.get("/accounts/<int:account_id>/details")
@signed_in
def account_details(account_id: int) -> ResponseReturnValue:
    """Show what is known of a company, to change it."""
    found = queries.account_or_404(account_id)
    form = AccountForm(formdata=None)
    form.show(changing.shown_of_account(found))
    return _account_form(found, form)


@bp.post("/accounts/<int:account_id>/details")
@signed_in
def change_account(account_id: int) -> ResponseReturnValue:
    """Change what is known of a company."""
    form = AccountForm()
    try:
        with transaction():
            found = queries.account_or_404(account_id)
            changing.change_account(found, form.typed(), Seen.on(request.form), actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _account_form(queries.account_or_404(account_id), form, 422)
    flash(_("%(name)s is saved.", name=found.name))
    return redirect(url_for(".account", account_id=found.id), 303)


@bp.post("/customers/<int:customer_id>/notes")
@signed_in
def note_on_customer(customer_id: int) -> ResponseReturnValue:
    """Write a note on a person."""
    address = url_for(".customer", customer_id=customer_id)
    return _note(partial(queries.customer_or_404, customer_id), customer_page, address)


@bp.post("/accounts/<int:account_id>/notes")
@signed_in
def note_on_account(account_id: int) -> ResponseReturnValue:
    """Write a note on a company."""
    address = url_for(".account", account_id=account_id)
    return _note(partial(queries.account_or_404, account_id), account_page, address)


@bp.post("/customer-notes/<int:note_id>/removal")
@signed_in
def remove_note(note_id: int) -> ResponseReturnValue:
    """Take a note away."""
    with transaction():
        note = queries.note_or_404(note_id)
        changing.remove_note(note, actor=signed_in_user())
    flash(_("The note is taken away."))
    if note.customer_id is not None:
        return redirect(url_for(".customer", customer_id=note.customer_id), 303)
    return redirect(url_for(".account", account_id=note.account_id), 303)


@bp.post("/customers/<int:customer_id>/mail")
@signed_in
def let_mail_go(customer_id: int) -> ResponseReturnValue:
    """Let mail go to an address again that came back."""
    with transaction():
        found = queries.customer_or_404(customer_id)
        changing.lift_suppression(found, actor=signed_in_user())
    flash(_("Mail goes to %(name)s again from now on. What was not sent stays so.", name=found.name))
    return redirect(url_for(".customer", customer_id=found.id), 303)


def _note(
    read: Callable[[], T], page: Callable[[T, NoteForm, int], ResponseReturnValue], at: str
) -> ResponseReturnValue:
    form = NoteForm()
    try:
        with transaction():
            changing.write_note(read(), form.text.data or "", actor=signed_in_user())
    except Invalid as refusal:
        form.text.errors = [refusal.sentence]
        return page(read(), form, 422)
    return redirect(at, 303)


def _customer_form(found: Customer, form: CustomerForm, status: int = 200) -> ResponseReturnValue:
    shown = changing.shown_of_customer(found)
    page = render_template("intake/customer_details.html", customer=found, form=form, shown=shown)
    return make_response(page, status)


def _account_form(found: Account, form: AccountForm, status: int = 200) -> ResponseReturnValue:
    shown, here = changing.shown_of_account(found), people.working_here()
    form.offering([*here, found.owner] if found.owner is not None and found.owner not in here else here)
    page = render_template("intake/account_details.html", account=found, form=form, shown=shown)
    return make_response(page, status)
