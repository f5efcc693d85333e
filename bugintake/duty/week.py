"""The week ahead: who is told of it on Mondays, and what it says of each rotation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.forms import zone_or_utc
from bugintake.duty import queries
from bugintake.duty.models import Absence, Rotation
from bugintake.duty.plans import Plan, load_plan
from bugintake.duty.timetable import Cell, monday_of, timetable
from bugintake.duty.wall_clock import instant
from bugintake.team.models import Role, User

TOLD_AT = time(8)
ONE_WEEK = timedelta(weeks=1)


@dataclass(frozen=True)
class Week:
    """One rotation's week, day by day in its zone, and who of its people is away meanwhile."""

    rotation: Rotation
    zone: ZoneInfo
    cells: tuple[Cell, ...]
    away: tuple[Absence, ...]


def readers(now: datetime) -> list[tuple[User, date]]:
    """List who hears of their week by now, with its Monday: leads and whoever takes turns, from Monday at eight on.

    Monday and eight are where the person is. A rotation that was planned later that day was seen by then.
    """
    plans = _plans(now)
    here = db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id)).all()
    found = []
    for user in here:
        today = now.astimezone(zone_or_utc(user.zone)).date()
        due = instant(datetime.combine(today, TOLD_AT), zone_or_utc(user.zone))
        told = [plan for plan in plans if plan.rotation.created_at <= due and _is_told(user, plan, now)]
        if today.weekday() == 0 and due <= now and told:
            found.append((user, today))
    return found


def beginning(now: datetime) -> list[tuple[Week, datetime]]:
    """Read the week of each rotation where it is Monday, with the instant it is told at: eight in its zone."""
    found = []
    for plan in _plans(now):
        zone = plan.zone_at(now)
        today = now.astimezone(zone).date()
        due_at = instant(datetime.combine(today, TOLD_AT), zone)
        if today.weekday() == 0 and plan.rotation.created_at <= due_at:
            found.append((_week(plan, today, queries.coming_absences()), due_at))
    return found


def weeks_for(user: User, monday: date) -> list[Week]:
    """Read a week as a person is told of it: the rotations in which they take turns, for a lead all of them."""
    now = clock.now()
    absences = queries.coming_absences()
    return [_week(plan, monday, absences) for plan in _plans(now) if _is_told(user, plan, now)]


def _is_told(user: User, plan: Plan, now: datetime) -> bool:
    return user.role is Role.LEAD or user.id in plan.rule_at(now).person_ids


def _week(plan: Plan, monday: date, absences: Sequence[Absence]) -> Week:
    table = timetable(plan, monday_of(monday), 1, date.min)
    start = queries.day_start(monday, table.zone)
    away = [
        each
        for each in absences
        if each.user_id in plan.people and each.starts_at < start + ONE_WEEK and each.ends_at > start
    ]
    return Week(plan.rotation, table.zone, table.weeks[0].cells, tuple(away))


def _plans(now: datetime) -> list[Plan]:
    found = (load_plan(now - ONE_WEEK, now + 2 * ONE_WEEK, rotation) for rotation in queries.rotations())
    return [plan for plan in found if plan is not None]
