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
from bugintake.duty.plans import Plan, load_plans
from bugintake.duty.timetable import Cell, monday_of, timetable
from bugintake.duty.wall_clock import instant
from bugintake.team.models import Role, User

TOLD_AT = time(8)
ONE_WEEK = timedelta(weeks=1)
MONDAY = 0


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
    here = db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id)).all()
    due = [(user, *_told_today(now, zone_or_utc(user.zone))) for user in here]
    due = [(user, today, at) for user, today, at in due if today.weekday() == MONDAY and at <= now]
    plans = _plans(now) if due else []
    return [
        (user, today)
        for user, today, at in due
        if any(plan.rotation.created_at <= at and _is_told(user, plan, now) for plan in plans)
    ]


def beginning(now: datetime) -> list[tuple[Week, datetime]]:
    """Read the week of each rotation where it is Monday, with the instant it is told at: eight in its zone."""
    due = [(plan, *_told_today(now, plan.zone_at(now))) for plan in _plans(now)]
    due = [(plan, day, at) for plan, day, at in due if day.weekday() == MONDAY and plan.rotation.created_at <= at]
    absences = queries.coming_absences() if due else ()
    return [(_week(plan, day, absences), at) for plan, day, at in due]


def weeks_for(user: User, monday: date) -> list[Week]:
    """Read a week as a person is told of it: the rotations in which they take turns, for a lead all of them."""
    now = clock.now()
    absences = queries.coming_absences()
    return [_week(plan, monday, absences) for plan in _plans(now) if _is_told(user, plan, now)]


def _told_today(now: datetime, zone: ZoneInfo) -> tuple[date, datetime]:
    """Return which day it is in a zone, and the instant that it is eight there."""
    today = now.astimezone(zone).date()
    return today, instant(datetime.combine(today, TOLD_AT), zone)


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
    return load_plans(now - ONE_WEEK, now + 2 * ONE_WEEK)
