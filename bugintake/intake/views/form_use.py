"""How the form does, for those who keep its lists."""

from flask import render_template
from flask.typing import ResponseReturnValue

from bugintake.intake import form_use as figures
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import LISTS, tabs
from bugintake.team.guards import lead_required, signed_in_user


@bp.get("/admin/catalogue/use")
@lead_required
def form_use() -> ResponseReturnValue:
    """Show how long filing takes, what stays unsure, what nobody chooses, and what had to be asked for."""
    labels = {kind: (label, name) for name, (kind, label) in LISTS.items()}
    return render_template(
        "intake/form_use.html",
        tabs=tabs(),
        seconds=figures.median_seconds(),
        lists=figures.lists_used(labels),
        asked=figures.asked_back(signed_in_user()),
    )
