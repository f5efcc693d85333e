"""The rotation that the first run begins with, and the page a day on duty begins with."""

from datetime import date, timedelta

from bugintake.core.forms import zone_or_utc
from bugintake.duty import queries, roster
from bugintake.duty.rotation import Schedule, shifts
from bugintake.duty.turns import Rule
from bugintake.team.models import User
from bugintake.team.setup import Plan

NAME = "Bug duty"
THREE_WEEKS = timedelta(weeks=3)


def preview(plan: Plan, names: list[str]) -> list[tuple[date, str]]:
    """Say who would be on duty on each day of the first three weeks, before any of them is a person here."""
    zone = zone_or_utc(plan.zone)
    rule = Rule(zone, plan.first_on, tuple(range(len(names))), plan.opens_at, plan.closes_at, plan.days)
    found = shifts(Schedule([rule]), rule.begins_at, rule.begins_at + THREE_WEEKS)
    return [
        (shift.start.astimezone(zone).date(), names[shift.person_id]) for shift in found if shift.person_id is not None
    ]


def begin(plan: Plan, people: list[User], actor: User) -> None:
    """Start the default rotation, or let the one that is there follow this plan. Records what roster records."""
    terms = roster.Terms(
        plan.zone, plan.first_on, plan.opens_at, plan.closes_at, sorted(plan.days), people, moves_published=True
    )
    there = queries.default_rotation()
    if there is None:
        roster.add_rotation(NAME, terms, actor=actor)
    else:
        roster.change_rotation(there, terms, actor=actor)


def exists() -> bool:
    """Whether anybody takes turns yet."""
    return queries.default_rotation() is not None


def start_of_whoever_is_on_duty(user: User) -> str | None:
    """Let the day of whoever is on duty begin at the queue; the others begin elsewhere."""
    now = queries.on_duty_now()
    return "/duty" if now is not None and now.person.id == user.id else None
