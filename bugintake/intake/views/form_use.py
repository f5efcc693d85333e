"""How the form does, for those who keep its lists."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from bugintake.intake import catalogue
from bugintake.intake import form_use as figures
from bugintake.intake.models import OptionList
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import LISTS, tabs
from bugintake.team.guards import lead_required, signed_in_user

SHOWN = 20


@bp.get("/admin/catalogue/use")
@lead_required
def form_use() -> ResponseReturnValue:
    """Show how long filing takes, what stays unsure, what nobody chooses, and what had to be asked for."""
    labels = {kind: (label, name) for name, (kind, label) in LISTS.items()}
    areas = [each for each in catalogue.names().choices.values() if each.list == OptionList.AREA]
    area = next((each for each in areas if str(each.id) == request.args.get("area")), None)
    chosen = area.id if area else None
    asked = figures.asked_back(signed_in_user())
    return render_template(
        "intake/form_use.html",
        tabs=tabs(),
        area=area,
        areas=[each for each in areas if not each.is_retired or each is area],
        seconds=figures.median_seconds(chosen),
        lists=figures.lists_used(labels, chosen),
        asked=[each for each in asked if chosen in (None, each.area_id)],
        shown=SHOWN,
    )
