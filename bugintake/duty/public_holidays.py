"""Public holidays by country and region: worked out once, kept as rows, so that an upgrade rewrites no plan."""

from collections.abc import Sequence
from datetime import date
from functools import cache

import sqlalchemy as sa
from babel import Locale
from sqlalchemy.orm import contains_eager

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line, zone_or_utc
from bugintake.duty import overrides, queries
from bugintake.duty.models import Holiday, Rotation, RotationRule
from bugintake.team.models import User

YEARS_KNOWN = 10
NAME_LENGTH = 120
ENGLISH = "en_US"


@cache
def countries() -> list[tuple[str, str]]:
    """List the countries whose holidays are known, as code and name, by name."""
    from holidays.registry import COUNTRIES  # a third of a second that only this form needs

    names = Locale("en").territories
    return sorted(((code, names.get(code, code)) for _, code, *_ in COUNTRIES.values()), key=lambda each: each[1])


@cache
def regions(country: str) -> list[tuple[str, str]]:
    """List the regions of a country that have holidays of their own, as code and name, by name; none of no country."""
    if country not in dict(countries()):
        return []
    import holidays

    found = holidays.country_holidays(country)
    names: dict[str, str] = {}
    for name, code in found.subdivisions_aliases.items():
        names.setdefault(code, name)
    return sorted(((code, names.get(code, code)) for code in found.subdivisions), key=lambda each: each[1])


def known_holidays(country: str, region: str, since: date, until: date) -> dict[date, str]:
    """Work out the public holidays of a country, or of one of its regions, between two days, both included.

    Raises Invalid for a country or region that nobody knows.
    """
    if not country:
        return {}
    if country not in dict(countries()):
        raise Invalid("Choose a country from the list.", "country")
    if region and region not in dict(regions(country)):
        raise Invalid(f"Choose a region of {dict(countries())[country]}.", "region")
    import holidays

    years = range(since.year, until.year + 1)
    found = holidays.country_holidays(country, subdiv=region or None, years=years, language=ENGLISH)
    return {day: clean_line(name)[:NAME_LENGTH] for day, name in sorted(found.items()) if since <= day <= until}


def coming_holidays(rotation: Rotation) -> Sequence[Holiday]:
    """List the holidays of a rotation on its working days from today on, struck ones included."""
    today = clock.now().date()
    found = sa.select(Holiday).join(Holiday.rule).options(contains_eager(Holiday.rule))
    coming = found.where(RotationRule.rotation_id == rotation.id, Holiday.falls_on >= today)
    listed = db.session.scalars(coming.order_by(Holiday.falls_on)).all()
    return [holiday for holiday in listed if holiday.falls_on.weekday() in holiday.rule.days]


def add_holiday(rotation: Rotation, day: date, name: str, *, actor: User) -> None:
    """Let nobody be on duty on a day; it uses up no turn. Records holiday.added.

    Raises Invalid, also for a day before tomorrow: today is promised already.
    """
    overrides.lock(rotation)
    rule = _rule_on(rotation, day)
    name = clean_line(name)
    _check_later(day, rule)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Invalid(f"Give the day a name of at most {NAME_LENGTH} characters.", "name")
    if day.weekday() not in rule.days:
        raise Invalid("Nobody is on duty on that day of the week anyway.", "day")
    there = db.session.scalar(sa.select(Holiday).where(Holiday.rule_id == rule.id, Holiday.falls_on == day))
    if there is not None:
        raise Invalid(f"That day is on the list: {there.name}.", "day")
    db.session.add(Holiday(rule_id=rule.id, falls_on=day, name=name, is_own=True))
    db.session.flush()
    _record(EventKind.HOLIDAY_ADDED, rule, day, actor)


def strike(holiday: Holiday, *, actor: User) -> None:
    """Let duty go on as usual on a holiday. Records holiday.struck. Raises Conflict, also for a day before tomorrow."""
    _turn(holiday, actor, is_struck=True)


def put_back(holiday: Holiday, *, actor: User) -> None:
    """Let a struck holiday be one again. Records holiday.added. Raises Conflict as strike."""
    _turn(holiday, actor, is_struck=False)


def holiday_or_404(holiday_id: int) -> Holiday:
    """Load a holiday. Raises NotFound."""
    found = db.session.get(Holiday, holiday_id) if holiday_id < 2**31 else None
    if found is None:
        raise NotFound
    return found


def _turn(holiday: Holiday, actor: User, *, is_struck: bool) -> None:
    overrides.lock(holiday.rule.rotation)
    db.session.refresh(holiday)
    if holiday.is_struck == is_struck:
        raise Conflict("Somebody has done that already.")
    try:
        _check_later(holiday.falls_on, holiday.rule)
    except Invalid as refusal:
        raise Conflict(refusal.sentence) from None
    holiday.is_struck = is_struck
    db.session.flush()
    _record(EventKind.HOLIDAY_STRUCK if is_struck else EventKind.HOLIDAY_ADDED, holiday.rule, holiday.falls_on, actor)


def _rule_on(rotation: Rotation, day: date) -> RotationRule:
    started = [rule for rule in rotation.rules if rule.start_on <= day]
    if not started:
        raise Invalid("The rotation starts later.", "day")
    return started[-1]


def _check_later(day: date, rule: RotationRule) -> None:
    today = clock.today(zone_or_utc(rule.zone))
    if day <= today:
        raise Invalid("Holidays change from tomorrow on: what was and what is promised for today stays.", "day")
    if day.year > today.year + YEARS_KNOWN:
        raise Invalid(f"Choose a day within {YEARS_KNOWN} years.", "day")


def _record(kind: EventKind, rule: RotationRule, day: date, actor: User) -> None:
    events.record(kind, actor=actor, after=day.isoformat(), rotation_id=rule.rotation_id)
    queries.forget_plan()
