"""Bringing in a rota from elsewhere: a lead sees which hours would change hands, and then lets them."""

from collections.abc import Mapping

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.csv_rows import decoded
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.forms import clean_line, printable
from bugintake.core.templating import plural
from bugintake.duty import queries
from bugintake.duty.models import Rotation
from bugintake.duty.planning import FARTHEST
from bugintake.duty.rota_import import Proposal, bring_in, entries_of, propose
from bugintake.duty.rota_reading import COLUMNS
from bugintake.duty.timetable import changes
from bugintake.duty.views import bp
from bugintake.duty.views.plan import number
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.models import User

SHOWN = 200
LARGEST = 1_000_000
LEAVE_OUT = "out"


@bp.get("/duty/rotations/<int:rotation_id>/import")
@lead_required
def import_rota(rotation_id: int) -> ResponseReturnValue:
    """Ask for the rota."""
    return _page(queries.rotation_or_404(rotation_id), "")


@bp.post("/duty/rotations/<int:rotation_id>/import")
@lead_required
def bring_rota_in(rotation_id: int) -> ResponseReturnValue:
    """Say what the rota would change, or let it hold."""
    rotation = queries.rotation_or_404(rotation_id)
    text, given = request.form.get("text", ""), _given()
    try:
        file = request.files.get("file")
        if file:
            file.seek(0)  # a request that is answered again has read it already
            text = decoded(file.read(LARGEST + 1))
        if len(text) > LARGEST:
            raise Invalid(_("Bring in at most 1 MB at once."), "text")
        entries = entries_of(text)
        if "confirmed" not in request.form:
            return _page(rotation, text, propose(rotation, entries, given), given)
        with transaction():
            count = bring_in(
                rotation,
                entries,
                given,
                seen=request.form.get("seen", ""),
                leaves_out="leave_out" in request.form,
                actor=signed_in_user(),
            )
    except Conflict as refusal:
        shown = propose(rotation, entries, given)
        return _page(rotation, text, shown, given, refusal=refusal.sentence, status=refusal.status)
    except Invalid as refusal:
        return _page(rotation, text[:LARGEST], refusal=refusal.sentence, status=refusal.status)
    said = plural(count, _("shift has changed hands."), _("shifts have changed hands."))
    flash(_("Brought in: %(said)s", said=said) if count else _("Nothing was changed."))
    return redirect(url_for("duty.schedule", rotation=rotation.id), 303)


def _given() -> dict[str, User | None]:
    """Read whom the lead says that names mean."""
    people = {person.id: person for person in queries.candidates()}
    given: dict[str, User | None] = {}
    for called, chosen in zip(request.form.getlist("called"), request.form.getlist("means"), strict=False):
        if chosen == LEAVE_OUT:
            given[clean_line(called)] = None
        elif number(chosen) in people:
            given[clean_line(called)] = people[number(chosen)]
    return given


def _page(
    rotation: Rotation,
    text: str,
    proposal: Proposal | None = None,
    given: Mapping[str, User | None] | None = None,
    *,
    refusal: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    moved = []
    if proposal is not None and proposal.moves:
        since, to = proposal.moves[0].start, max(move.end for move in proposal.moves)
        moved = changes(proposal.plan, proposal.with_moves(), since, to)
    page = render_template(
        "duty/rota_import.html",
        rotation=rotation,
        text=printable(text),
        proposal=proposal,
        moved=moved,
        called=[*(given or {}), *(proposal.unknown if proposal else ())],
        given={called: person.id if person else LEAVE_OUT for called, person in (given or {}).items()},
        people=queries.candidates(),
        columns=COLUMNS,
        days_ahead=FARTHEST.days,
        shown=SHOWN,
        leave_out=LEAVE_OUT,
        refusal=refusal,
    )
    return make_response(page, status)
