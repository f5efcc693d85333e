"""Bringing choices in: a lead pastes lines, sees what each would do, and then does it."""

from collections import Counter

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.csv_rows import decoded
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.forms import printable
from bugintake.intake import option_import
from bugintake.intake.option_import import Line, Outcome
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import kind_of, label_of
from bugintake.team.guards import lead_required, signed_in_user

LINES_SHOWN = 200


@bp.get("/admin/catalogue/<name>/import")
@lead_required
def import_options(name: str) -> ResponseReturnValue:
    """Ask for the lines."""
    return _page(name, "")


@bp.post("/admin/catalogue/<name>/import")
@lead_required
def bring_options_in(name: str) -> ResponseReturnValue:
    """Say what each line would do; once confirmed, do it."""
    kind, text = kind_of(name), request.form.get("text", "")
    try:
        file = request.files.get("file")
        if file:
            file.seek(0)  # a request that is answered again has read it already
            text = decoded(file.read())
        if not request.form.get("confirmed"):
            return _page(name, text, option_import.plan(kind, text))
        with transaction():
            lines = option_import.bring_in(kind, text, actor=signed_in_user())
    except (Invalid, Conflict) as refusal:
        return _page(name, text, refusal=refusal.sentence, status=refusal.status)
    counts = Counter(line.outcome for line in lines)
    flash(
        _(
            "Brought in: %(new)s new, %(changed)s changed, %(same)s as they were.",
            new=counts[Outcome.NEW],
            changed=counts[Outcome.CHANGED],
            same=counts[Outcome.UNCHANGED],
        )
    )
    return redirect(url_for(".options", name=name), 303)


def _page(
    name: str, text: str, lines: list[Line] | None = None, refusal: str = "", status: int = 200
) -> ResponseReturnValue:
    found = sorted(lines or (), key=lambda line: (line.outcome != Outcome.WRONG, line.number))
    page = render_template(
        "intake/import.html",
        name=name,
        label=label_of(name),
        text=printable(text),
        columns=option_import.columns_of(kind_of(name)),
        lines=found[:LINES_SHOWN],
        more=max(0, len(found) - LINES_SHOWN),
        counts=Counter(line.outcome for line in found),
        Outcome=Outcome,
        refusal=refusal,
    )
    return make_response(page, status)
