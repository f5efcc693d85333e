"""Customers as a file: taking one in after a look at what it does, and giving all of them out."""

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from bugintake.core.errors import Invalid, NotPermitted
from bugintake.intake.customers import files
from bugintake.intake.customers.files import Outcome
from bugintake.intake.customers.models import NO_MASK
from bugintake.intake.views import bp
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import User


@bp.get("/customers/import")
@signed_in
def import_customers() -> ResponseReturnValue:
    """Ask for a file."""
    _reader_of_addresses()
    return _page("")


@bp.post("/customers/import")
@signed_in
def take_in_customers() -> ResponseReturnValue:
    """Say line by line what a file does; once confirmed, do it."""
    me, text = _reader_of_addresses(), request.form.get("text", "")
    try:
        file = request.files.get("file")
        if file:
            file.seek(0)  # a request that is answered again has read it already
            text = _decoded(file.read(4 * files.LARGEST))
        outcome = files.take_in(text, dry_run="confirmed" not in request.form, actor=me)
    except Invalid as refusal:
        return _page(text, 422, refusal=refusal.sentence)
    if outcome.refused or not outcome.is_kept:
        return _page(text, 422 if outcome.refused else 200, outcome=outcome)
    count = len(outcome.lines)
    flash(ngettext("%(num)d line is taken in.", "%(num)d lines are taken in.", count))
    return redirect(url_for(".customers"), 303)


@bp.get("/customers.csv")
@signed_in
def customers_file() -> ResponseReturnValue:
    """Give every customer as a file."""
    _reader_of_addresses()
    headers = {"Content-Disposition": 'attachment; filename="customers.csv"'}
    return Response(files.written_out(), content_type="text/csv; charset=utf-8", headers=headers)


def _reader_of_addresses() -> User:
    me = signed_in_user()
    if me.role not in NO_MASK:
        raise NotPermitted(_("Engineers read addresses masked, so customers go in and out through an agent or a lead."))
    return me


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")  # what spreadsheets on Windows write


def _page(text: str, status: int = 200, *, refusal: str = "", outcome: Outcome | None = None) -> ResponseReturnValue:
    shown = text[: files.LARGEST]
    page = render_template(
        "intake/customer_files.html", text=shown, refusal=refusal, outcome=outcome, columns=files.COLUMNS
    )
    return make_response(page, status)
