"""Reading duty: who is on it now, who comes next, when it is a person's turn, and who is away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import g, has_request_context
from sqlalchemy.orm import joinedload

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.kept import apart, kept
from bugintake.duty.models import Absence, Rotation
from bugintake.duty.plans import Plan, PlannedShift, away_between, load_plan, load_plans
from bugintake.duty.rotation import Away
from bugintake.team.models import Role, User

LONGEST_RANGE = timedelta(days=3660)
AHEAD = timedelta(days=28)
HALF_A_YEAR = timedelta(days=183)
REMEMBERED = timedelta(days=90)
FIRST_YEAR, LAST_YEAR = 1980, 2150


@dataclass(frozen=True)
class OnDuty:
    """Who is on duty, and in which shift."""

    person: User
    shift: PlannedShift


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


def candidate_or_refuse(person_id: int) -> User:
    """Find somebody who can take duty. Raises Invalid."""
    found = next((person for person in candidates() if person.id == person_id), None)
    if found is None:
        raise Invalid("Choose somebody who takes duty.", "person")
    return found


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


def plans_ahead() -> list[Plan]:
    """Read the plan of every rotation for half a year, and for as long before as fairness remembers."""
    now = clock.now()
    return load_plans(now - REMEMBERED, now + HALF_A_YEAR)


def upcoming_shifts(person: User, *, count: int = 8, plans: Sequence[Plan] | None = None) -> list[PlannedShift]:
    """List a person's next shifts in every rotation, the running one included, within half a year."""
    now = clock.now()
    found = [
        shift
        for plan in (plans_ahead() if plans is None else plans)
        for shift in plan.between(now, now + HALF_A_YEAR)
        if shift.shift.person_id == person.id
    ]
    return sorted(found, key=lambda planned: planned.shift.start)[:count]


def stood_in_for(absence: Absence, plans: Sequence[Plan]) -> list[PlannedShift]:
    """List the shifts to come that are somebody else's, or nobody's, because a person is away."""
    since = max(absence.starts_at, clock.now())
    found = [
        planned
        for plan in plans
        for planned in plan.between(since, absence.ends_at)
        if planned.shift.instead_of_id == absence.user_id
    ]
    return sorted(found, key=lambda planned: planned.shift.start)


def coming_absences(person: User | None = None) -> Sequence[Absence]:
    """List the absences that are not over, a person's or everybody's, the next one first."""
    found = sa.select(Absence).where(Absence.taken_back_at.is_(None), Absence.ends_at > clock.now())
    if person is not None:
        found = found.where(Absence.user_id == person.id)
    by_time = found.order_by(Absence.starts_at, Absence.id).options(joinedload(Absence.user))
    return db.session.scalars(by_time).all()


def is_away(person: User) -> bool:
    """Whether somebody is away right now."""
    now = clock.now()
    return any(each.person_id == person.id and each.start <= now < (each.end or now) for each in _away_on(now.date()))


@kept
def _away_on(day: date) -> tuple[Away, ...]:
    start = datetime.combine(day, time(0), UTC)
    return tuple(away_between(start, start + timedelta(days=1)))


def current_plans() -> list[Plan]:
    """Return every rotation's plan around now, the default one first, read once per request with one query."""
    now = clock.now()
    if not has_request_context():
        return load_plans(now, now + AHEAD)
    if "duty_plans" not in g:
        g.duty_plans = load_plans(now, now + AHEAD)
    plans: list[Plan] = g.duty_plans
    return plans


def current_plan(rotation_id: int | None = None) -> Plan | None:
    """Return a rotation's plan around now, by default the default one's; None where it is not in use."""
    return _one_of(current_plans(), rotation_id)


def plans_to_show() -> Sequence[Plan]:
    """Return every rotation's plan around now as it is kept; pages name its people, nothing changes them."""
    return _plans_on(clock.now().date())


def plan_to_show(rotation_id: int | None = None) -> Plan | None:
    """Return a rotation's plan as it is kept, by default the default one's."""
    return _one_of(plans_to_show(), rotation_id)


def plan_for(person: User) -> Plan | None:
    """Return the plan, as it is kept, of the rotation that somebody is on duty in now, else of the default one."""
    now = clock.now()
    for plan in plans_to_show():
        current = plan.at(now)
        if current is not None and current.shift.person_id == person.id:
            return plan
    return plan_to_show()


def _one_of(plans: Sequence[Plan], rotation_id: int | None) -> Plan | None:
    wanted = (
        plan for plan in plans if rotation_id == plan.rotation.id or (rotation_id is None and plan.rotation.is_default)
    )
    return next(wanted, None)


@kept
def _plans_on(day: date) -> tuple[Plan, ...]:
    noon = datetime.combine(day, time(12), UTC)
    with apart() as session:
        return tuple(load_plans(noon, noon + AHEAD, session=session))


def forget_plan() -> None:
    """Read the plans anew in this request, because one was changed."""
    g.pop("duty_plans", None)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant a day begins in a zone. Raises Invalid for a year far away."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(f"Choose a day between {FIRST_YEAR} and {LAST_YEAR}.")
    return datetime.combine(day, time(0), zone)


def in_utc(at: datetime) -> datetime:
    """Return an instant in UTC, where local times that come twice are told apart. Raises Invalid for a far year."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Invalid(f"Choose days between {FIRST_YEAR} and {LAST_YEAR}.", "from")
    return at.astimezone(UTC)


def _range(since: datetime, to: datetime) -> tuple[datetime, datetime]:
    """Return a range in UTC. Raises Invalid."""
    since, to = in_utc(since), in_utc(to)
    if to < since:
        raise Invalid("The end lies before the start.", "to")
    if to - since > LONGEST_RANGE:
        raise Invalid("That is more than ten years at once. Ask for a shorter time.", "to")
    return since, to
