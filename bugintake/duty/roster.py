"""Making rotations and changing their rules: the past and what is promised for today stay as they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line, is_zone, zone_or_utc
from bugintake.duty import overrides, queries
from bugintake.duty.models import LONGEST_TURN, Holiday, Member, Rotation, RotationRule
from bugintake.duty.plans import AROUND, Plan, away_between, load_plan
from bugintake.duty.public_holidays import YEARS_KNOWN, known_holidays
from bugintake.duty.rotation import Schedule
from bugintake.duty.turns import Rule, TurnUnit
from bugintake.team.models import Role, User
from bugintake.team.workspace import is_set_up, workspace

NAME_LENGTH = 120
MOST_PEOPLE = 100
FARTHEST_YEARS = 10
USUAL_SHIFT = timedelta(hours=8)
PREVIEWED = timedelta(weeks=12)
PUBLISHED = timedelta(weeks=4)


@dataclass(frozen=True)
class Terms:
    """What a rule shall say, before anybody checked it. Weekly turns change on Mondays unless every day is worked."""

    zone: str
    start_on: date
    handoff: time
    until: time
    days: Sequence[int]
    people: Sequence[User]
    turn_length: int = 1
    turn_unit: TurnUnit = TurnUnit.DAYS
    runs_overnight: bool = False
    country: str = ""
    region: str = ""
    moves_published: bool = False

    @property
    def counted_from(self) -> date:
        """The day turns are counted from."""
        if self.turn_unit is TurnUnit.WEEKS and len(set(self.days)) < len(range(7)):
            return self.start_on - timedelta(days=self.start_on.weekday())
        return self.start_on

    def rule(self, holidays: Collection[date] = ()) -> Rule:
        """Return the rule these terms make. Raises Invalid with what is wrong with them."""
        _check(self)
        return Rule(
            zone=zone_or_utc(self.zone),
            start_on=self.start_on,
            person_ids=tuple(person.id for person in self.people),
            handoff=self.handoff,
            until=self.until,
            days=frozenset(self.days),
            turn_length=self.turn_length,
            turn_unit=self.turn_unit,
            counted_from=self.counted_from,
            holidays=tuple(holidays),
        )


def create_rotation(
    *,
    name: str,
    zone: str,
    start_on: date,
    handoff: time,
    days: Sequence[int],
    people: Sequence[User],
    actor: User | None,
    until: time | None = None,
    turn_days: int = 1,
    country: str = "",
    region: str = "",
) -> Rotation:
    """Make a rotation in which people take turns of so many working days.

    Without `until` the day ends when the company closes, or after eight hours; on public holidays of a country, or of
    one of its regions, nobody has duty. Records rotation.added. Raises Invalid.
    """
    end = usual_end(handoff) if until is None else until
    terms = Terms(zone, start_on, handoff, end, tuple(days), tuple(people), turn_days, country=country, region=region)
    return add_rotation(name, terms, actor=actor)


def add_rotation(name: str, terms: Terms, *, actor: User | None) -> Rotation:
    """Make a rotation on these terms; the first one becomes the default. Records rotation.added. Raises Invalid."""
    name = clean_line(name)
    if not 1 <= len(name) <= NAME_LENGTH:
        raise Invalid(f"Give the rotation a name of at most {NAME_LENGTH} characters.", "name")
    if db.session.scalar(sa.select(Rotation.id).where(sa.func.lower(Rotation.name) == name.lower())) is not None:
        raise Invalid(f"There is already a rotation named {name}.", "name")
    terms.rule()
    days_off = _holidays(terms, None)
    rotation = Rotation(name=name, is_default=queries.default_rotation() is None)
    db.session.add(rotation)
    db.session.flush()
    _add_rule(rotation, terms, days_off, actor)
    events.record(EventKind.ROTATION_ADDED, actor=actor, after=name, rotation_id=rotation.id, **_summary(terms))
    queries.forget_plan()
    return rotation


def change_rotation(rotation: Rotation, terms: Terms, *, actor: User | None, seen_id: int | None = None) -> None:
    """Let a rotation follow other terms from a day on; until then nothing changes.

    A change that was planned for that day or later, and so never came into force, is replaced.
    Records rotation.changed. Raises Invalid, also for a day before tomorrow: today is promised already; and for one in
    the weeks that are published, unless the terms say that those move too. `seen_id` is the latest rule that the actor
    saw: raises Conflict where somebody has changed the rotation since.
    """
    terms.rule()
    check_start(terms)
    overrides.lock(rotation)
    latest = latest_rule(rotation)
    if seen_id is not None and latest.id != seen_id:
        who = db.session.get(User, latest.made_by_id) if latest.made_by_id is not None else None
        raise Conflict(
            f"{who.name if who else 'Somebody'} has changed the rotation in the meantime, from"
            f" {latest.start_on:%d %b %Y} on. Nothing of yours is saved yet: look at the schedule, then save it again."
        )
    days_off = _holidays(terms, rotation)
    for gone in _holidays_from(rotation, terms.start_on):
        db.session.delete(gone)
    db.session.flush()
    planned = sa.select(RotationRule).where(
        RotationRule.rotation_id == rotation.id, RotationRule.start_on >= terms.start_on
    )
    for replaced in db.session.scalars(planned).all():
        db.session.execute(sa.delete(Member).where(Member.rule_id == replaced.id))
        db.session.execute(sa.delete(RotationRule).where(RotationRule.id == replaced.id))
    _add_rule(rotation, terms, days_off, actor)
    events.record(
        EventKind.ROTATION_CHANGED, actor=actor, after=rotation.name, rotation_id=rotation.id, **_summary(terms)
    )
    queries.forget_plan()


def preview(terms: Terms, rotation: Rotation | None = None) -> Plan:
    """Return the plan these terms would make, of a new rotation or a changed one, without saving it. Raises Invalid."""
    terms.rule()
    days_off = {day.falls_on: day.name for day in _holidays(terms, rotation) if not day.is_struck}
    rule = terms.rule(days_off)
    if rotation is not None:
        check_start(terms)
    people = {person.id: person for person in terms.people}
    since, to = rule.begins_at, rule.begins_at + PREVIEWED
    now = load_plan(since, to, rotation) if rotation is not None else None
    newcomers = people.keys() - (now.people.keys() if now else ())
    away = [each for each in away_between(since - AROUND, to + AROUND) if each.person_id in newcomers]
    if now is None:
        return Plan(Rotation(name=""), Schedule([rule], away=away), people, days_off)
    kept = [earlier for earlier in now.schedule.rules if earlier.start_on < terms.start_on]
    after = replace(now.schedule, rules=[*kept, rule], away=[*now.schedule.away, *away])
    before = {day: name for day, name in now.holidays.items() if day < terms.start_on}
    return Plan(now.rotation, after, {**now.people, **people}, {**before, **days_off})


def published_until(zone: ZoneInfo) -> date:
    """Return the last day of the weeks that everybody sees on the page of duty, and plans by: this and three more."""
    today = clock.today(zone)
    return today - timedelta(days=today.weekday() + 1) + PUBLISHED


def check_start(terms: Terms) -> None:
    """Refuse a change that begins today or in the published weeks, unless it is to move those too. Raises Invalid."""
    zone = zone_or_utc(terms.zone)
    if terms.start_on <= clock.today(zone):
        raise Invalid("A change starts tomorrow at the earliest. For today, use Take over.", "start_on")
    last = published_until(zone)
    if terms.start_on <= last and not terms.moves_published:
        raise Invalid(
            f"The weeks up to {last:%d %b %Y} are published. Choose a later day, or say that they move too.", "start_on"
        )


def latest_rule(rotation: Rotation) -> RotationRule:
    """Return the rule that was made last."""
    made = sa.select(RotationRule).where(RotationRule.rotation_id == rotation.id).order_by(RotationRule.id.desc())
    return db.session.scalars(made.limit(1)).one()


def usual_end(handoff: time) -> time:
    """Say when a duty day ends where nobody said it: when the company closes, else after eight hours."""
    closes_at = workspace().closes_at if is_set_up() else time(17)
    if closes_at > handoff:
        return closes_at
    later = datetime.combine(date(2000, 1, 1), handoff) + USUAL_SHIFT
    return later.time() if later.day == 1 else time(23, 59)


def _holidays(terms: Terms, rotation: Rotation | None) -> list[Holiday]:
    """Work out the days off under these terms; what leads struck or added of the days to come stays so."""
    last = date(max(terms.start_on, clock.today(zone_or_utc(terms.zone))).year + YEARS_KNOWN, 12, 31)
    days = known_holidays(terms.country, terms.region, terms.start_on, last)
    decided = _holidays_from(rotation, terms.start_on) if rotation is not None else ()
    struck = {day.falls_on for day in decided if day.is_struck}
    own = {day.falls_on: day.name for day in decided if day.is_own}
    return [
        Holiday(falls_on=day, name=name, is_own=day in own, is_struck=day in struck)
        for day, name in sorted({**days, **own}.items())
    ]


def _holidays_from(rotation: Rotation, day: date) -> Sequence[Holiday]:
    found = sa.select(Holiday).join(RotationRule).where(RotationRule.rotation_id == rotation.id)
    return db.session.scalars(found.where(Holiday.falls_on >= day)).all()


def _add_rule(rotation: Rotation, terms: Terms, days_off: Sequence[Holiday], actor: User | None) -> None:
    rule = RotationRule(
        rotation_id=rotation.id,
        zone=terms.zone,
        start_on=terms.start_on,
        counted_from=terms.counted_from,
        handoff=terms.handoff,
        until=terms.until,
        days=sorted(set(terms.days)),
        turn_length=terms.turn_length,
        turn_unit=terms.turn_unit,
        country=terms.country,
        region=terms.region,
        made_by_id=actor.id if actor else None,
    )
    db.session.add(rule)
    db.session.flush()
    for day in days_off:
        day.rule_id = rule.id
    db.session.add_all(days_off)
    db.session.add_all(
        Member(rule_id=rule.id, position=position, user_id=person.id) for position, person in enumerate(terms.people)
    )
    db.session.flush()


def _summary(terms: Terms) -> dict[str, Any]:
    return {
        "person_ids": [person.id for person in terms.people],
        "start_on": terms.start_on.isoformat(),
        "hours": f"{terms.handoff:%H:%M}-{terms.until:%H:%M} {terms.zone}",
        "days": sorted(set(terms.days)),
        "turn": f"{terms.turn_length} {terms.turn_unit}",
        "holidays": "-".join(filter(None, (terms.country, terms.region))),
    }


def _check(terms: Terms) -> None:
    today = clock.now().date()
    if not is_zone(terms.zone):
        raise Invalid(f"There is no time zone named {terms.zone}.", "zone")
    if abs(terms.start_on.year - today.year) > FARTHEST_YEARS:
        raise Invalid(f"Choose a first day within {FARTHEST_YEARS} years of today.", "start_on")
    if terms.until <= terms.handoff and not terms.runs_overnight:
        raise Invalid("The day ends before it begins. Say so if the hours run into the next day.", "until")
    if not terms.days or not set(terms.days) <= set(range(7)):
        raise Invalid("Choose at least one working day.", "days")
    if not 1 <= terms.turn_length <= LONGEST_TURN:
        raise Invalid(f"A turn is 1 to {LONGEST_TURN} {terms.turn_unit} long.", "turn_length")
    _check_people(terms.people)


def _check_people(people: Sequence[User]) -> None:
    if not people:
        raise Invalid("Name at least one person.", "people")
    if len(people) > MOST_PEOPLE:
        raise Invalid(f"A rotation has at most {MOST_PEOPLE} people.", "people")
    seen: set[int] = set()
    for person in people:
        if person.id in seen:
            raise Invalid(f"{person.name} is in the order twice.", "people")
        if not person.is_active:
            raise Invalid(f"{person.name} no longer works here.", "people")
        if not person.can(Role.ENGINEER):
            raise Invalid(f"{person.name} is a support agent; duty takes somebody who may triage bugs.", "people")
        seen.add(person.id)
