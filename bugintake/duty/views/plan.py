"""The plan: who is on duty today, the schedule, and a rotation's rule."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.forms import zone_or_utc
from bugintake.core.pages import register_page
from bugintake.core.templating import register_nav, register_panel, toast
from bugintake.duty import overrides, queries, swap_queries
from bugintake.duty.fairness import amount, lately
from bugintake.duty.gaps import gaps_of
from bugintake.duty.models import Rotation
from bugintake.duty.plans import Plan, load_plan
from bugintake.duty.reminders import reminded_at
from bugintake.duty.timetable import Timetable, monday_of, timetable
from bugintake.duty.views import bp
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.team.models import Role
from bugintake.team.workspace import working_hours, workspace

WEEKS_TODAY, WEEKS_SHOWN = 4, 6


@bp.get("/duty")
@signed_in
def today() -> ResponseReturnValue:
    """Show who is on duty, what waits for them, and the next weeks.

    In the rotation that the address names, else in the one that somebody is on duty in, else in the default one.
    """
    asked = request.args.get("rotation")
    shown = None if asked else queries.plan_for(signed_in_user())
    plan = queries.current_plan(number(asked) if asked else shown.rotation.id if shown else None)
    if plan is None and asked:
        raise NotFound
    if plan is None:
        return render_template("duty/none.html")
    now = clock.now()
    current = plan.at(now)
    user, plans = signed_in_user(), queries.plans_ahead()
    mine = queries.upcoming_shifts(user, count=4, plans=plans)
    return render_template(
        "duty/today.html",
        plan=plan,
        asked=plan.rotation if asked else None,
        rotations=[each.rotation for each in queries.current_plans()],
        current=current,
        following=queries.next_shift(now, plan, but=current.person if current else None),
        zone=plan.zone_at(now),
        table=_weeks(plan, None, WEEKS_TODAY),
        mine=mine,
        own_next=next((each for each in mine if each.shift.start > now), None) if user.can(Role.ENGINEER) else None,
        asked_of_me=[each for each in swap_queries.open_swaps(user, plans) if each.asked is not None],
        remind_at=reminded_at(mine, user),
        gaps=gaps_of(plan, now, working_hours()),
        stand_in=overrides.mine(current, user) if current else None,
        swaps=swap_queries.open_swaps_of(plan),
        now=now,
    )


@bp.get("/duty/schedule")
@signed_in
def schedule() -> ResponseReturnValue:
    """Show some weeks of a rotation; the address names the first day."""
    rotation = chosen_rotation()
    if rotation is None:
        return render_template("duty/none.html")
    first = monday_of(day_or_refuse(request.args.get("from")) or clock.today(zone_or_utc(workspace().zone)))
    start = queries.day_start(first, zone_or_utc(workspace().zone))
    now, end = clock.now(), start + timedelta(weeks=WEEKS_SHOWN)
    plan = load_plan(min(start, now - queries.REMEMBERED), max(end, now), rotation)
    if plan is None:
        return render_template("duty/none.html")
    return render_template(
        "duty/schedule.html",
        plan=plan,
        zone=plan.zone_at(start),
        table=_weeks(plan, first, WEEKS_SHOWN),
        rotations=queries.rotations(),
        spread=lately(plan, now),
        amount=amount,
        earlier=first - timedelta(weeks=WEEKS_SHOWN),
        later=first + timedelta(weeks=WEEKS_SHOWN),
        swaps=swap_queries.open_swaps_of(plan),
        now=clock.now(),
    )


@bp.post("/duty/overrides")
@engineer_required
def take_over() -> ResponseReturnValue:
    """Take over what is left of today's shift."""
    rotation = queries.rotation_or_404(number(request.form.get("rotation")))
    with transaction():
        override = overrides.take_over(rotation, actor=signed_in_user(), seen_id=number(request.form.get("seen")))
    planned = queries.on_duty(clock.now(), rotation)
    until = f"{planned.end:%H:%M}" if planned else ""
    said = _("You are on duty until %(hour)s.", hour=until)
    toast(said, undo=url_for("duty.take_back", override_id=override.id) if override else None)
    return redirect(url_for("duty.today", rotation=rotation.named))


@bp.post("/duty/overrides/<int:override_id>/removal")
@engineer_required
def take_back(override_id: int) -> ResponseReturnValue:
    """Take an override back, and come back to where it was made: its swap, today, or its week."""
    override = overrides.override_or_404(override_id)
    is_running = override.starts_at <= clock.now()
    with transaction():
        overrides.take_back(override, actor=signed_in_user())
    flash(_("Taken back. The rotation is as it was."))
    if override.swap_id is not None:
        return redirect(url_for("duty.swap", swap_id=override.swap_id))
    if is_running:
        return redirect(url_for("duty.today", rotation=override.rotation.named))
    address: dict[str, Any] = {
        "rotation": override.rotation_id,
        "from": override.starts_at.astimezone(zone_or_utc(workspace().zone)).date(),
    }
    return redirect(url_for("duty.schedule", **address))


def _weeks(plan: Plan, monday: date | None, count: int) -> Timetable:
    today = clock.today(plan.zone_at(clock.now()))
    return timetable(plan, monday or monday_of(today), count, today)


def chosen_rotation() -> Rotation | None:
    """Return the rotation that the address names, else the default one. Raises NotFound."""
    asked = request.args.get("rotation")
    return queries.rotation_or_404(number(asked)) if asked else queries.default_rotation()


def number(text: str | None) -> int:
    """Read the number of a row; what is none is nobody's."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 0


def day_or_refuse(text: str | None) -> date | None:
    """Read a day of an address. Raises Invalid for what is not one, or lies in a year nobody plans."""
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
