"""Handing hours of duty to somebody: a shift, a part of one, or several in a row that one person has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time
from bugintake.core.errors import Conflict, Invalid, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.core.templating import ago_in_words
from bugintake.duty import layers, overrides, queries
from bugintake.duty.models import Override, Rotation
from bugintake.duty.plans import Plan, PlannedShift, away_between, load_plan, load_plans
from bugintake.duty.rotation import shifts
from bugintake.team.models import Role, User

LONGEST = timedelta(days=31)


@dataclass(frozen=True)
class Stretch:
    """Hours of one rotation from one instant to another, and the shifts and gaps in them."""

    rotation: Rotation
    start: datetime
    end: datetime
    shifts: tuple[PlannedShift, ...]

    @property
    def people(self) -> list[User]:
        """Everybody who is on duty in it, in the order of time."""
        return list({each.person.id: each.person for each in self.shifts if each.person is not None}.values())

    @property
    def holder(self) -> User | None:
        """The one person who has all of it, where there is one."""
        is_whole = not any(each.is_gap for each in self.shifts)
        return self.people[0] if is_whole and len(self.people) == 1 else None

    @property
    def is_gap(self) -> bool:
        """Whether nobody has any of it."""
        return bool(self.shifts) and not self.people

    @property
    def zone(self) -> ZoneInfo:
        """The zone the rotation speaks in."""
        return self.shifts[0].zone

    @property
    def hours(self) -> list[tuple[datetime, datetime]]:
        """The hours of duty in it: nights between two days are none."""
        joined: list[tuple[datetime, datetime]] = []
        for each in self.shifts:
            start, end = max(self.start, each.shift.start), min(self.end, each.shift.end)
            if joined and joined[-1][1] == start:
                start = joined.pop()[0]
            joined.append((start, end))
        return joined


@dataclass(frozen=True)
class Before:
    """Who had hours at some time: by the rule, perhaps for somebody who is away, or by an override."""

    person: User | None
    start: datetime
    end: datetime
    stands_in_for: User | None = None
    override: Override | None = None


def stretch(rotation: Rotation, start: datetime, end: datetime, plan: Plan | None = None) -> Stretch:
    """Read who has the hours between two instants. Raises Invalid where there is no duty in them."""
    start, end = queries.in_utc(start), queries.in_utc(end)
    if end <= start:
        raise Invalid("The end lies before the start.", "end")
    if end - start > LONGEST:
        raise Invalid(f"Choose at most {LONGEST.days} days at once.", "end")
    if plan is None:
        found = queries.planned_shifts(start, end, rotation)
    else:
        found = plan.between(start, end)
    if not found:
        raise Invalid("There is no duty in that time.", "start")
    return Stretch(rotation, start, end, tuple(found))


def hand_over(
    rotation: Rotation, start: datetime, end: datetime, to: User, *, actor: User, seen_id: int | None, reason: str = ""
) -> list[Override]:
    """Put somebody on duty for hours that another has, or nobody; what has passed of them stays as it was.

    `seen_id` is who the actor believed to have them, 0 for nobody. Records and raises what give does; also raises
    Conflict where somebody was faster, NotPermitted unless they are the actor's, the actor takes them, or is a lead.
    """
    overrides.lock(rotation)
    now = clock.now().replace(second=0, microsecond=0)
    if end <= now:
        raise Conflict("Those hours are over.")
    found = stretch(rotation, max(queries.in_utc(start), now), end)
    check_seen(found, seen_id)
    holder = found.holder
    if actor.id != to.id and not actor.can(Role.LEAD) and (holder is None or holder.id != actor.id):
        raise NotPermitted("Only whoever has the hours, or a lead, can hand them over.")
    if holder is not None and holder.id == to.id:
        raise Invalid(f"{to.name} has them already.", "person")
    return give(found, to, actor=actor, reason=reason)


def give(found: Stretch, to: User, *, actor: User, reason: str = "") -> list[Override]:
    """Put somebody on duty for hours, whoever has them; call it with the rotation locked, and what was seen checked.

    Records duty.taken_over where the actor takes them, else duty.handed_over. Raises Invalid or Conflict where they
    cannot have them.
    """
    reason = clean_line(reason)
    if len(reason) > overrides.REASON_LENGTH:
        raise Invalid(f"Say why in at most {overrides.REASON_LENGTH} characters.", "reason")
    check_free(to, found)
    return put(found, to, actor=actor, reason=reason)


def put(found: Stretch, to: User, *, actor: User, reason: str = "") -> list[Override]:
    """Do what give does, for somebody who is known to be free then."""
    holder = found.holder
    laid = lay_all(found, to, actor=actor, reason=reason)
    events.record(
        EventKind.DUTY_TAKEN_OVER if actor.id == to.id else EventKind.DUTY_HANDED_OVER,
        actor=actor,
        user=to,
        before=holder.name if holder else None,
        after=to.name,
        rotation_id=found.rotation.id,
        starts_at=found.start.isoformat(),
        ends_at=found.end.isoformat(),
        override_ids=[each.id for each in laid],
    )
    return laid


def lay_all(found: Stretch, to: User, *, actor: User, reason: str = "", swap_id: int | None = None) -> list[Override]:
    """Lay an override over each of the hours."""
    return [
        layers.lay(found.rotation, to, start, end, actor=actor, reason=reason, swap_id=swap_id)
        for start, end in found.hours
    ]


def check_seen(found: Stretch, seen_id: int | None) -> None:
    """Refuse to change hours that somebody else has by now. Raises Conflict that says who, and since when."""
    if (seen_id == 0 and found.is_gap) or (found.holder is not None and found.holder.id == seen_id):
        return
    raise Conflict(who_has(found))


def who_has(found: Stretch) -> str:
    """Say who has hours by now, and who came to them last and when."""
    if found.holder is None:
        return "More than one person has those hours, or nobody has some of them. Choose one shift."
    laid = [
        db.session.get_one(Override, each.shift.override_id)
        for each in found.shifts
        if each.shift.override_id is not None
    ]
    if laid:
        return f"{found.holder.first_name} took it {ago_in_words(max(each.made_at for each in laid))}."
    return f"{found.holder.first_name} has it."


def check_free(person: User, found: Stretch) -> None:
    """Refuse somebody who cannot be on duty then, also where they take hours of two rotations at the same moment.

    Raises Invalid or Conflict with why.
    """
    if not person.is_active or not person.can(Role.ENGINEER):
        raise Invalid(f"{person.name} cannot be on duty: that takes somebody active who may triage bugs.", "person")
    hold_people([person.id])
    why = _busy(found).get(person.id)
    if why:
        raise Conflict(f"{person.name} {why}")


def hold_people(ids: Iterable[int]) -> None:
    """Let nobody else give hours to these people until this transaction ends, in whichever rotation."""
    for person_id in sorted(set(ids)):
        one_at_a_time(f"hours of {person_id}")


def candidates(found: Stretch) -> list[tuple[User, str]]:
    """List who may take duty, each with why they are not free in the hours; empty for whoever is."""
    busy = _busy(found)
    return [(each, busy.get(each.id, "")) for each in queries.candidates()]


def free_people(found: Stretch) -> list[User]:
    """List who takes turns in the rotation and is free in all of the hours, whoever has them left out."""
    plan = load_plan(found.start, found.end, found.rotation)
    if plan is None:
        return []
    turns = [plan.people[key] for key in plan.rule_at(found.start).person_ids]
    busy = _busy(found)
    return [each for each in turns if each.is_active and each not in found.people and each.id not in busy]


def people_before(found: Stretch) -> list[Before]:
    """Tell who had the hours in the order they came to them: by the rule first, then whoever was laid over."""
    plan = load_plan(found.start, found.end, found.rotation)
    below = shifts(replace(plan.schedule, overrides=()), found.start, found.end) if plan is not None else []
    by_rule = [
        Before(plan.people.get(each.person_id or 0), each.start, each.end, plan.people.get(each.instead_of_id or 0))
        for each in below
        if plan is not None
    ]
    laid = sa.select(Override).where(
        Override.rotation_id == found.rotation.id, Override.starts_at < found.end, Override.ends_at > found.start
    )
    in_order = laid.options(joinedload(Override.user), joinedload(Override.made_by))
    return [
        *by_rule,
        *(
            Before(each.user, each.starts_at, each.ends_at, None, each)
            for each in db.session.scalars(in_order.order_by(Override.made_at, Override.id))
        ),
    ]


def _busy(found: Stretch) -> dict[int, str]:
    """Tell why people are not free in the hours: away, or on duty in another rotation; by person."""
    busy: dict[int, str] = {}
    hours = found.hours
    for plan in load_plans(found.start, found.end):
        others = plan.between(found.start, found.end) if plan.rotation.id != found.rotation.id else []
        for planned in others:
            if planned.person is not None and _meets(hours, planned.shift.start, planned.shift.end):
                busy[planned.person.id] = f"is on duty in {plan.rotation.name} then."
    for away in away_between(found.start, found.end):
        if _meets(hours, away.start, away.end):
            busy[away.person_id] = "is away then, as noted."
    return busy


def _meets(hours: Sequence[tuple[datetime, datetime]], start: datetime, end: datetime | None) -> bool:
    return any(start < to and (end is None or end > since) for since, to in hours)
