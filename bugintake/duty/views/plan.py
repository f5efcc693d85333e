"""The plan: who is on duty today, the schedule, and a rotation's rule."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import zone_or_utc
from bugintake.core.pages import register_page
from bugintake.core.templating import register_nav, register_panel, toast
from bugintake.duty import overrides, queries, roster
from bugintake.duty.forms import RotationForm
from bugintake.duty.gaps import gaps_of
from bugintake.duty.models import Rotation
from bugintake.duty.plans import Plan, load_plan
from bugintake.duty.reminders import reminded_at
from bugintake.duty.timetable import Timetable, changes, monday_of, timetable
from bugintake.duty.turns import WORKWEEK, TurnUnit
from bugintake.duty.views import bp
from bugintake.team.guards import engineer_required, lead_required, signed_in, signed_in_user
from bugintake.team.workspace import working_hours, workspace

WEEKS_TODAY, WEEKS_SHOWN, WEEKS_PREVIEWED = 4, 6, 3
CHANGES_SHOWN = timedelta(weeks=12)
HOLIDAYS_SHOWN = 15


@bp.get("/duty")
@signed_in
def today() -> ResponseReturnValue:
    """Show who is on duty, what waits for them, and the next weeks."""
    plan = queries.current_plan()
    if plan is None:
        return render_template("duty/none.html")
    now = clock.now()
    current = plan.at(now)
    mine = queries.upcoming_shifts(signed_in_user(), count=4)
    return render_template(
        "duty/today.html",
        plan=plan,
        current=current,
        following=queries.next_shift(now, plan, but=current.person if current else None),
        zone=plan.zone_at(now),
        table=_weeks(plan, None, WEEKS_TODAY),
        mine=mine,
        remind_at=reminded_at(mine, signed_in_user()),
        gaps=gaps_of(plan, now, working_hours()),
        stand_in=overrides.mine(current, signed_in_user()) if current else None,
        now=now,
    )


@bp.get("/duty/schedule")
@signed_in
def schedule() -> ResponseReturnValue:
    """Show some weeks of a rotation; the address names the first day."""
    rotation = _chosen_rotation()
    if rotation is None:
        return render_template("duty/none.html")
    first = monday_of(_day(request.args.get("from")) or clock.today(zone_or_utc(workspace().zone)))
    start = queries.day_start(first, zone_or_utc(workspace().zone))
    plan = load_plan(start, start + timedelta(weeks=WEEKS_SHOWN), rotation)
    if plan is None:
        return render_template("duty/none.html")
    return render_template(
        "duty/schedule.html",
        plan=plan,
        zone=plan.zone_at(start),
        table=_weeks(plan, first, WEEKS_SHOWN),
        rotations=queries.rotations(),
        earlier=first - timedelta(weeks=WEEKS_SHOWN),
        later=first + timedelta(weeks=WEEKS_SHOWN),
    )


@bp.post("/duty/overrides")
@engineer_required
def take_over() -> ResponseReturnValue:
    """Take over what is left of today's shift."""
    rotation = queries.rotation_or_404(_number(request.form.get("rotation")))
    with transaction():
        override = overrides.take_over(rotation, actor=signed_in_user(), seen_id=_number(request.form.get("seen")))
    planned = queries.on_duty(clock.now(), rotation)
    until = f"{planned.end:%H:%M}" if planned else ""
    said = _("You are on duty until %(hour)s.", hour=until)
    toast(said, undo=url_for("duty.take_back", override_id=override.id) if override else None)
    return redirect(url_for("duty.today"))


@bp.post("/duty/overrides/<int:override_id>/removal")
@engineer_required
def take_back(override_id: int) -> ResponseReturnValue:
    """Take an override back."""
    override = overrides.override_or_404(override_id)
    with transaction():
        overrides.take_back(override, actor=signed_in_user())
    flash(_("Taken back. The rotation is as it was."))
    return redirect(url_for("duty.today"))


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
        form.start_on.data = monday_of(clock.today(latest.zone)) + timedelta(weeks=1)
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
                roster.change_rotation(rotation, terms, actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _form_page(form, rotation), 422
    flash(_("Saved. It holds from %(day)s on.", day=f"{terms.start_on:%d %b %Y}"))
    address: dict[str, Any] = {"rotation": rotation.id, "from": terms.start_on}
    return redirect(url_for("duty.schedule", **address))


def _form_page(form: RotationForm, rotation: Rotation | None, preview: Plan | None = None) -> str:
    table, moved, days_off = None, None, {}
    if preview is not None and form.start_on.data is not None:
        table = _weeks(preview, monday_of(form.start_on.data), WEEKS_PREVIEWED)
        zone = preview.schedule.rules[-1].zone
        since, to = (queries.day_start(form.start_on.data + later, zone) for later in (timedelta(0), CHANGES_SHOWN))
        before = load_plan(since, to, rotation) if rotation else None
        moved = changes(before, preview, since, to) if before else None
        days_off = {
            day: name
            for day, name in preview.holidays.items()
            if form.start_on.data <= day and day.weekday() in preview.schedule.rules[-1].days
        }
    words = {"table": table, "moved": moved, "days_off": list(days_off.items())[:HOLIDAYS_SHOWN]}
    return render_template("duty/rotation.html", form=form, rotation=rotation, **words)


def _weeks(plan: Plan, monday: date | None, count: int) -> Timetable:
    today = clock.today(plan.zone_at(clock.now()))
    return timetable(plan, monday or monday_of(today), count, today)


def _chosen_rotation() -> Rotation | None:
    asked = request.args.get("rotation")
    return queries.rotation_or_404(_number(asked)) if asked else queries.default_rotation()


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _day(text: str | None) -> date | None:
    """Read a day; what is not one, or lies in a year nobody plans, is refused in words."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid(_("Write the day like 2026-09-14."), "from") from None
    queries.day_start(day, zone_or_utc("UTC"))
    return day


def _pill() -> str:
    return _who("duty/pill.html")


def _next(**_context: object) -> str:
    return _who("duty/next.html")


def _who(template: str) -> str:
    if not current_user.is_authenticated:
        return ""
    plan = queries.plan_to_show()
    now = clock.now()
    current = plan.at(now) if plan else None
    following = queries.next_shift(now, plan) if plan and (current is None or current.is_gap) else None
    return render_template(template, current=current, following=following, now=now)


register_nav("Duty", "duty.today", "d", position=20)
register_page("Schedule of duty", "duty.schedule")
register_page("Your duty: my shifts", "duty.me")
register_panel("topbar.duty", _pill)
register_panel("new.foot", _next)
register_panel("filed.next", _next)
