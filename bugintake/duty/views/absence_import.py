"""Bringing in the days away of many: a lead pastes lines, sees what each would do, and then does it."""

from collections import Counter

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.csv_rows import decoded
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import printable
from bugintake.duty.absence_import import COLUMNS, Line, Outcome, bring_in
from bugintake.duty.views import bp
from bugintake.team.guards import lead_required, signed_in_user

LINES_SHOWN = 200


class _Shown(Exception):
    """What only shows what it would do is undone."""


@bp.get("/duty/absences/import")
@lead_required
def import_absences() -> ResponseReturnValue:
    """Ask for the lines."""
    return _page("")


@bp.post("/duty/absences/import")
@lead_required
def bring_absences_in() -> ResponseReturnValue:
    """Say what each line would do, by doing and undoing it; once confirmed, leave it done."""
    text, lines = request.form.get("text", ""), []
    try:
        file = request.files.get("file")
        if file:
            file.seek(0)  # a request that is answered again has read it already
            text = decoded(file.read())
        with transaction():
            lines = bring_in(text, actor=signed_in_user())
            if not request.form.get("confirmed") or any(line.outcome is Outcome.WRONG for line in lines):
                raise _Shown
    except _Shown:
        return _page(text, lines)
    except Invalid as refusal:
        return _page(text, refusal=refusal.sentence, status=refusal.status)
    flash(_("Brought in: %(count)d new.", count=sum(line.outcome is Outcome.NEW for line in lines)))
    return redirect(url_for("duty.me"), 303)


def _page(text: str, lines: list[Line] | None = None, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    found = sorted(lines or (), key=lambda line: (line.outcome != Outcome.WRONG, line.number))
    counts = Counter(line.outcome for line in found)
    page = render_template(
        "duty/absence_import.html",
        text=printable(text),
        columns=COLUMNS,
        lines=found[:LINES_SHOWN],
        more=max(0, len(found) - LINES_SHOWN),
        counts=counts,
        Outcome=Outcome,
        refusal=refusal,
    )
    return make_response(page, 422 if counts[Outcome.WRONG] else status)
