"""The holidays of a rotation: those of its country, which a lead may strike, and one's own."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.duty import public_holidays, queries
from bugintake.duty.forms import HolidayForm
from bugintake.duty.models import Rotation
from bugintake.duty.views import bp
from bugintake.team.guards import lead_required, signed_in_user


@bp.get("/duty/rotations/<int:rotation_id>/holidays")
@lead_required
def holidays(rotation_id: int) -> ResponseReturnValue:
    """Show the days to come on which nobody is on duty."""
    return _page(queries.rotation_or_404(rotation_id), HolidayForm())


@bp.post("/duty/rotations/<int:rotation_id>/holidays")
@lead_required
def add_holiday(rotation_id: int) -> ResponseReturnValue:
    """Add a day on which nobody is on duty."""
    rotation, form = queries.rotation_or_404(rotation_id), HolidayForm()
    if not form.validate() or form.day.data is None:
        return _page(rotation, form), 422
    try:
        with transaction():
            public_holidays.add_holiday(rotation, form.day.data, form.name.data or "", actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(rotation, form), 422
    flash(_("Nobody is on duty that day, and it uses up no turn."))
    return redirect(url_for("duty.holidays", rotation_id=rotation.id))


@bp.post("/duty/holidays/<int:holiday_id>/removal")
@lead_required
def strike_holiday(holiday_id: int) -> ResponseReturnValue:
    """Let duty go on as usual on a holiday."""
    holiday = public_holidays.holiday_or_404(holiday_id)
    with transaction():
        public_holidays.strike(holiday, actor=signed_in_user())
    flash(_("Duty goes on as usual that day."))
    return redirect(url_for("duty.holidays", rotation_id=holiday.rule.rotation_id))


@bp.post("/duty/holidays/<int:holiday_id>/return")
@lead_required
def put_holiday_back(holiday_id: int) -> ResponseReturnValue:
    """Let a struck holiday be one again."""
    holiday = public_holidays.holiday_or_404(holiday_id)
    with transaction():
        public_holidays.put_back(holiday, actor=signed_in_user())
    flash(_("Nobody is on duty that day, and it uses up no turn."))
    return redirect(url_for("duty.holidays", rotation_id=holiday.rule.rotation_id))


def _page(rotation: Rotation, form: HolidayForm) -> str:
    everything = request.args.get("all") == "y"
    found = public_holidays.coming_holidays(rotation)
    shown = found if everything else found[:SHOWN]
    return render_template("duty/holidays.html", rotation=rotation, form=form, holidays=shown, count=len(found))


SHOWN = 20
