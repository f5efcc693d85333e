"""Reading duty: who is on it now, who comes next, and when it is a person's turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import g, has_request_context
from sqlalchemy.orm import Session, aliased

from bugintake.core import clock
from bugintake.core.db import UtcDateTime, db
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.forms import zone_or_utc
from bugintake.core.kept import apart, kept
from bugintake.duty import rotation as resolver
from bugintake.duty.models import Member, Override, Rotation, RotationRule
from bugintake.duty.rotation import Away, Schedule, Shift
from bugintake.duty.turns import Rule
from bugintake.team.models import Role, User

LONGEST_RANGE = timedelta(days=3660)
AROUND = timedelta(days=62)
AHEAD = timedelta(days=28)
FIRST_YEAR, LAST_YEAR = 1980, 2150

_StandIn = aliased(User)
# Each override comes with the first member of each rule, so that no row is multiplied.
_LAYERS = sa.and_(
    Member.position == 0,
    Override.rotation_id == Rotation.id,
    Override.taken_back_at.is_(None),
    Override.starts_at < sa.bindparam("to", type_=UtcDateTime()),
    Override.ends_at > sa.bindparam("since", type_=UtcDateTime()),
)
_PLAN = (
    sa.select(Rotation, RotationRule, User, Override, _StandIn)
    .join(RotationRule, RotationRule.rotation_id == Rotation.id)
    .join(Member, Member.rule_id == RotationRule.id)
    .join(User, User.id == Member.user_id)
    .outerjoin(Override, _LAYERS)
    .outerjoin(_StandIn, _StandIn.id == Override.user_id)
    .order_by(RotationRule.start_on, RotationRule.id, Member.position, Override.starts_at)
)
_DEFAULT_PLAN = _PLAN.where(Rotation.is_default)


@dataclass(frozen=True)
class PlannedShift:
    """A shift with the people it names; without a person it is a gap in the plan."""

    rotation: Rotation
    shift: Shift
    zone: ZoneInfo
    person: User | None
    instead_of: User | None

    @property
    def start(self) -> datetime:
        """When it begins, in the rotation's zone."""
        return self.shift.start.astimezone(self.zone)

    @property
    def end(self) -> datetime:
        """When it ends, in the rotation's zone."""
        return self.shift.end.astimezone(self.zone)

    @property
    def on(self) -> date:
        """The day it begins on, in the rotation's zone."""
        return self.start.date()

    @property
    def is_gap(self) -> bool:
        """Whether nobody is there although somebody should be."""
        return self.person is None


@dataclass(frozen=True)
class OnDuty:
    """Who is on duty, and in which shift."""

    person: User
    shift: PlannedShift


@dataclass(frozen=True)
class Plan:
    """What a rotation's rows say, ready to be asked; overrides are known for a while around the time asked for."""

    rotation: Rotation
    schedule: Schedule
    people: Mapping[int, User]

    def at(self, moment: datetime) -> PlannedShift | None:
        """Return the shift or gap at an instant; None outside duty hours."""
        shift = resolver.shift_at(self.schedule, moment)
        return self._named(shift) if shift else None

    def between(self, since: datetime, to: datetime) -> list[PlannedShift]:
        """List the shifts and gaps that overlap [since, to)."""
        return [self._named(shift) for shift in resolver.shifts(self.schedule, since, to)]

    def rule_at(self, moment: datetime) -> Rule:
        """Return the rule in force, before the first one that one."""
        started = [rule for rule in self.schedule.rules if rule.begins_at <= moment]
        return started[-1] if started else self.schedule.rules[0]

    def rule_on(self, day: date) -> Rule | None:
        """Return the rule whose day this is, or None before the first."""
        started = [rule for rule in self.schedule.rules if rule.start_on <= day]
        return started[-1] if started else None

    def zone_at(self, moment: datetime) -> ZoneInfo:
        """Return the zone the rotation speaks in."""
        return self.rule_at(moment).zone

    def _named(self, shift: Shift) -> PlannedShift:
        person = self.people.get(shift.person_id) if shift.person_id is not None else None
        is_stand_in = shift.instead_of_id not in (None, shift.person_id)
        instead_of = self.people.get(shift.instead_of_id or 0) if is_stand_in else None
        return PlannedShift(self.rotation, shift, self.zone_at(shift.start), person, instead_of)


def rotations() -> Sequence[Rotation]:
    """List the rotations in use, the default one first."""
    in_use = sa.select(Rotation).where(Rotation.retired_at.is_(None))
    return db.session.scalars(in_use.order_by(Rotation.is_default.desc(), Rotation.name)).all()


def default_rotation() -> Rotation | None:
    """Return the rotation that answers for everything no other one is responsible for."""
    return db.session.scalars(sa.select(Rotation).where(Rotation.is_default)).first()


def rotation_or_404(rotation_id: int) -> Rotation:
    """Load a rotation in use. Raises NotFound."""
    in_use = sa.select(Rotation).where(Rotation.id == rotation_id, Rotation.retired_at.is_(None))
    found = db.session.scalars(in_use).first() if rotation_id < 2**31 else None
    if found is None:
        raise NotFound
    return found


def candidates() -> Sequence[User]:
    """List who can take duty, by name: everybody active who may triage bugs."""
    roles = [role for role in Role if role.at_least(Role.ENGINEER)]
    return db.session.scalars(
        sa.select(User).where(User.role.in_(roles), User.disabled_at.is_(None)).order_by(User.name, User.id)
    ).all()


def on_duty_now() -> OnDuty | None:
    """Tell who is on duty by the default rotation; None outside its hours, in a gap, or without a rotation."""
    planned = on_duty()
    return OnDuty(planned.person, planned) if planned is not None and planned.person is not None else None


def on_duty(at: datetime | None = None, rotation: Rotation | None = None) -> PlannedShift | None:
    """Return the shift (or the gap) of a rotation, by default the default one, at an instant, by default now."""
    moment, _ = _range(at or clock.now(), at or clock.now())
    plan = current_plan() if at is None and rotation is None else load_plan(moment, moment, rotation)
    return plan.at(moment) if plan else None


def planned_shifts(since: datetime, to: datetime, rotation: Rotation | None = None) -> list[PlannedShift]:
    """List the shifts and gaps of a rotation, by default the default one, that overlap [since, to).

    Raises Invalid where the end lies before the start or the range is longer than ten years.
    """
    since, to = _range(since, to)
    plan = load_plan(since, to, rotation)
    return plan.between(since, to) if plan else []


def next_shift(after: datetime, plan: Plan, but: User | None = None) -> PlannedShift | None:
    """Return the first shift that begins at or after an instant, within four weeks; of somebody `but` one person."""
    for planned in plan.between(after, after + AHEAD):
        person = planned.person
        if planned.shift.start >= after and person is not None and (but is None or person.id != but.id):
            return planned
    return None


def upcoming_shifts(person: User, *, count: int = 8) -> list[PlannedShift]:
    """List a person's next shifts in every rotation, the running one included, within half a year."""
    now = clock.now()
    to = now + timedelta(days=183)
    found = [
        shift
        for rotation in rotations()
        if (plan := load_plan(now, to, rotation)) is not None
        for shift in plan.between(now, to)
        if shift.shift.person_id == person.id
    ]
    return sorted(found, key=lambda planned: planned.shift.start)[:count]


def current_plan() -> Plan | None:
    """Return the default rotation's plan around now, read once per request with one query."""
    now = clock.now()
    if not has_request_context():
        return load_plan(now, now + AHEAD)
    if "duty_plan" not in g:
        g.duty_plan = load_plan(now, now + AHEAD)
    plan: Plan | None = g.duty_plan
    return plan


def plan_to_show() -> Plan | None:
    """Return the default rotation's plan around now as it is kept; pages name its people, nothing changes them."""
    return _plan_on(clock.now().date())


@kept
def _plan_on(day: date) -> Plan | None:
    noon = datetime.combine(day, time(12), UTC)
    with apart() as session:
        return load_plan(noon, noon + AHEAD, session=session)


def forget_plan() -> None:
    """Read the plan anew in this request, because it was changed."""
    g.pop("duty_plan", None)


def load_plan(
    since: datetime, to: datetime, rotation: Rotation | None = None, *, session: Session | None = None
) -> Plan | None:
    """Read a rotation (by default the default one) with its layers around a time, in one query."""
    wanted = _DEFAULT_PLAN if rotation is None else _PLAN.where(Rotation.id == rotation.id)
    session = session or db.session()
    found = session.execute(
        wanted,
        {"since": since - AROUND, "to": to + AROUND},
        execution_options={"populate_existing": bool(session.info.get("is_writing"))},
    ).all()
    if not found:
        return None
    rules: dict[int, tuple[RotationRule, dict[int, None]]] = {}
    people: dict[int, User] = {}
    layers: dict[int, Override] = {}
    for _, rule, member, override, substitute in found:
        rules.setdefault(rule.id, (rule, {}))[1][member.id] = None
        people[member.id] = member
        if override is not None:
            layers[override.id] = override
            people[substitute.id] = substitute
    schedule = Schedule(
        rules=tuple(read_rule(rule, tuple(members)) for rule, members in rules.values()),
        overrides=tuple(filter(None, (_layer(override, people) for override in layers.values()))),
        away=tuple(Away(p.id, p.disabled_at) for p in people.values() if p.disabled_at is not None),
        ends_at=found[0][0].retired_at,
    )
    return Plan(found[0][0], schedule, people)


def read_rule(rule: RotationRule, person_ids: tuple[int, ...]) -> Rule:
    """Read a rule's row."""
    return Rule(
        zone=zone_or_utc(rule.zone),
        start_on=rule.start_on,
        person_ids=person_ids,
        handoff=rule.handoff,
        until=rule.until,
        days=frozenset(rule.days),
        turn_length=rule.turn_length,
        turn_unit=rule.turn_unit,
        counted_from=rule.counted_from,
    )


def _layer(override: Override, people: Mapping[int, User]) -> resolver.Override | None:
    """Read an override's row; it holds no longer than its person works here."""
    left_at = people[override.user_id].disabled_at
    end = override.ends_at if left_at is None else min(override.ends_at, left_at)
    if end <= override.starts_at:
        return None
    return resolver.Override(override.starts_at, end, override.user_id, id=override.id)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant a day begins in a zone. Raises Invalid for a year far away."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(f"Choose a day between {FIRST_YEAR} and {LAST_YEAR}.")
    return datetime.combine(day, time(0), zone)


def _range(since: datetime, to: datetime) -> tuple[datetime, datetime]:
    """Return a range in UTC, where local times that come twice are told apart. Raises Invalid."""
    if not (FIRST_YEAR <= since.year <= LAST_YEAR and FIRST_YEAR <= to.year <= LAST_YEAR):
        raise Invalid(f"Choose days between {FIRST_YEAR} and {LAST_YEAR}.", "from")
    since, to = since.astimezone(UTC), to.astimezone(UTC)
    if to < since:
        raise Invalid("The end lies before the start.", "to")
    if to - since > LONGEST_RANGE:
        raise Invalid("That is more than ten years at once. Ask for a shorter time.", "to")
    return since, to
