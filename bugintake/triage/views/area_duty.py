"""Which rotation answers for which area, for leads."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.templating import register_panel
from bugintake.duty import queries
from bugintake.intake import catalogue
from bugintake.intake.models import Option, OptionList
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.triage import area_duty
from bugintake.triage.views import bp

PLACE = "area-"


@bp.get("/duty/areas")
@lead_required
def show_areas() -> str:
    """Show every area with the rotation that answers for its bugs."""
    rotations = queries.rotations()
    default = rotations[0].id if rotations else None
    own = area_duty.own_rotations()
    return render_template(
        "triage/areas.html",
        rotations=rotations,
        areas=[(area, own.get(area.id, default)) for area in catalogue.names().offered[OptionList.AREA]],
        place=PLACE,
    )


@bp.post("/duty/areas")
@lead_required
def save_areas() -> ResponseReturnValue:
    """Let rotations answer for areas; what is not in the form stays."""
    rotations = {str(rotation.id): rotation for rotation in queries.rotations()}
    with transaction():
        for area in catalogue.names().offered[OptionList.AREA]:
            chosen = request.form.get(f"{PLACE}{area.id}")
            if chosen is None:
                continue
            if chosen not in rotations:
                raise Invalid(_("Choose a rotation from the list for %(area)s.", area=area.label), "rotation")
            area_duty.give(db.session.get_one(Option, area.id), rotations[chosen], actor=signed_in_user())
    flash(_("Saved. It holds from now on."))
    return redirect(url_for("triage.show_areas"))


def _link() -> str:
    return render_template("triage/areas_link.html")


register_panel("schedule.leads", _link)
