"""Planning a rotation and changing its rule, with what it would mean for whom before anything is saved."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.forms import zone_or_utc
from bugintake.core.templating import whole_day
from bugintake.duty import queries, roster
from bugintake.duty.forms import RotationForm
from bugintake.duty.models import Rotation
from bugintake.duty.plans import Plan, load_plan
from bugintake.duty.timetable import changes, monday_of, timetable
from bugintake.duty.turns import WORKWEEK, TurnUnit
from bugintake.duty.views import bp
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.workspace import workspace

WEEKS_PREVIEWED = 3
CHANGES_SHOWN = timedelta(weeks=12)
HOLIDAYS_SHOWN = 15


@bp.get("/duty/rotations/new")
@lead_required
def new_rotation() -> ResponseReturnValue:
    """Offer a rotation to fill in."""
    company = workspace()
    form = RotationForm(queries.candidates())
    form.name.data = _("Bug duty") if queries.default_rotation() is None else ""
    form.zone.data = company.zone
    form.start_on.data = monday_of(clock.today(zone_or_utc(company.zone))) + timedelta(weeks=1)
    form.handoff.data, form.until.data = company.opens_at, company.closes_at
    form.days.data = list(company.working_days or WORKWEEK)
    form.turn_length.data, form.turn_unit.data = 1, TurnUnit.DAYS.value
    return _form_page(form, None)


@bp.post("/duty/rotations")
@lead_required
def add_rotation() -> ResponseReturnValue:
    """Show what a new rotation would mean, or make it."""
    form = RotationForm(queries.candidates())
    return _save(form, None)


@bp.get("/duty/rotations/<int:rotation_id>/rule")
@lead_required
def rule(rotation_id: int) -> ResponseReturnValue:
    """Offer the rule of a rotation to change from a day on."""
    rotation = queries.rotation_or_404(rotation_id)
    now = clock.now()
    plan = load_plan(now, now, rotation)
    form = RotationForm(queries.candidates())
    form.name.data = rotation.name
    if plan is not None:
        latest = plan.schedule.rules[-1]
        form.zone.data, form.handoff.data, form.until.data = latest.zone.key, latest.handoff, latest.until
        form.days.data, form.runs_overnight.data = sorted(latest.days), latest.until <= latest.handoff
        form.turn_length.data, form.turn_unit.data = latest.turn_length, latest.turn_unit.value
        form.start_on.data = roster.published_until(latest.zone) + timedelta(days=1)
        form.country.data, form.region.data = rotation.rules[-1].country, rotation.rules[-1].region
        form.offer_regions()
        form.place([plan.people[key] for key in latest.person_ids if plan.people[key].is_active])
    return _form_page(form, rotation)


@bp.post("/duty/rotations/<int:rotation_id>/rules")
@lead_required
def change_rotation(rotation_id: int) -> ResponseReturnValue:
    """Show what a changed rule would mean for whom, or let it hold from its day on."""
    form = RotationForm(queries.candidates())
    return _save(form, queries.rotation_or_404(rotation_id))


def _save(form: RotationForm, rotation: Rotation | None) -> ResponseReturnValue:
    if not form.validate():
        return _form_page(form, rotation), 422
    try:
        terms = form.terms()
        if "preview" in request.form:
            return _form_page(form, rotation, roster.preview(terms, rotation))
        with transaction():
            if rotation is None:
                rotation = roster.add_rotation(form.name.data or "", terms, actor=signed_in_user())
            else:
                seen = request.form.get("seen", type=int)
                roster.change_rotation(rotation, terms, actor=signed_in_user(), seen_id=seen)
    except Conflict as refusal:
        form.refuse(refusal.sentence)
        return _form_page(form, rotation), 409
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _form_page(form, rotation), 422
    flash(_("Saved. It holds from %(day)s on.", day=whole_day(terms.start_on)))
    address: dict[str, Any] = {"rotation": rotation.id, "from": terms.start_on}
    return redirect(url_for("duty.schedule", **address))


def _form_page(form: RotationForm, rotation: Rotation | None, preview: Plan | None = None) -> str:
    table, moved, days_off = None, None, {}
    if preview is not None and form.start_on.data is not None:
        zone = preview.schedule.rules[-1].zone
        table = timetable(preview, monday_of(form.start_on.data), WEEKS_PREVIEWED, clock.today(zone))
        since, to = (queries.day_start(form.start_on.data + later, zone) for later in (timedelta(0), CHANGES_SHOWN))
        before = load_plan(since, to, rotation) if rotation else None
        moved = changes(before, preview, since, to) if before else None
        days_off = {
            day: name
            for day, name in preview.holidays.items()
            if form.start_on.data <= day and day.weekday() in preview.schedule.rules[-1].days
        }
    published = roster.published_until(zone_or_utc(form.zone.data or "")) if rotation else None
    words = {
        "published": published,
        "seen": roster.latest_rule(rotation).id if rotation else None,
        "table": table,
        "moved": moved,
        "days_off": list(days_off.items())[:HOLIDAYS_SHOWN],
    }
    return render_template("duty/rotation.html", form=form, rotation=rotation, **words)
