"""Standing in: layers over a rotation that can be taken back and never overlap."""

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.core.undoing import KEPT_FOR
from bugintake.duty import layers, queries
from bugintake.duty.models import Override, Rotation
from bugintake.duty.plans import PlannedShift, away_between, load_plan
from bugintake.duty.rotation import Shift, shift_at
from bugintake.duty.swap_models import Swap
from bugintake.team.models import Role, User

REASON_LENGTH = 200
ONE_MINUTE = timedelta(minutes=1)


def take_over(rotation: Rotation, *, actor: User, seen_id: int | None = None) -> Override | None:
    """Put the actor on duty for what is left of the current shift, whoever has it.

    `seen_id` is who the actor believed to be on duty. Whoever takes back their own shift only ends the override
    on it, and None is returned. Records duty.taken_over. Raises Conflict outside duty hours, for somebody who is on
    duty already, and where somebody else was faster.
    """
    lock(rotation)
    now = clock.now().replace(second=0, microsecond=0)
    planned = queries.on_duty(now, rotation)
    if planned is None:
        raise Conflict("These are not duty hours, so there is nothing to take over.")
    _check_there(actor, now, now + ONE_MINUTE)
    if planned.person is not None and planned.person.id == actor.id:
        raise Conflict("You are on duty already.")
    if planned.person is not None and seen_id is not None and planned.person.id != seen_id:
        raise Conflict(f"{planned.person.name} has taken over in the meantime, and is on duty until {_hour(planned)}.")
    end = planned.shift.end
    if planned.shift.override_id is not None:
        below = _of_the_rule(rotation, now)
        end = min(end, below.end) if below is not None else end
        top = db.session.get_one(Override, planned.shift.override_id)
        if (layers.person_below(top, now) or (below.person_id if below else None)) == actor.id:
            if top.ends_at > end:
                layers.split(top, end)
            layers.lift(top, now)
            _record(actor, planned, end, None)
            return None
    override = layers.lay(rotation, actor, max(now, planned.shift.start), end, actor=actor)
    _record(actor, planned, end, override)
    return override


def _of_the_rule(rotation: Rotation, now: datetime) -> Shift | None:
    """Return the shift that is there below all overrides."""
    plan = load_plan(now, now, rotation)
    return shift_at(replace(plan.schedule, overrides=()), now) if plan is not None else None


def stand_in(
    rotation: Rotation, person: User, start: datetime, end: datetime, *, actor: User, reason: str = ""
) -> Override:
    """Put a person on duty for a time, instead of whom the rule names.

    Records duty.taken_over. Raises Invalid for a time outside any shift, Conflict where somebody stands in already.
    """
    start, end = queries.in_utc(start), queries.in_utc(end)
    if end <= start:
        raise Invalid("The end lies before the start.", "end")
    if not person.is_active or not person.can(Role.ENGINEER):
        raise Invalid(f"{person.name} cannot be on duty: that takes somebody active who may triage bugs.", "person")
    if len(reason) > REASON_LENGTH:
        raise Invalid(f"Say why in at most {REASON_LENGTH} characters.", "reason")
    lock(rotation)
    _check_there(person, start, end)
    touched = queries.planned_shifts(start, end, rotation)
    if not touched:
        raise Invalid("There is no shift in that time.", "start")
    for planned in touched:
        if planned.shift.override_id is not None:
            name = planned.person.name if planned.person else "Somebody"
            raise Conflict(f"{name} already stands in on {planned.start:%d %b %Y} until {_hour(planned)}.")
    override = layers.lay(rotation, person, start, end, actor=actor, reason=clean_line(reason))
    _record(actor, touched[0], end, override)
    return override


def take_back(override: Override, *, actor: User) -> None:
    """End an override now, or undo it before it began; what lies below comes back exactly. A trade ends as a whole.

    Records duty.override_removed. Raises NotPermitted as may_take_back says, or Conflict when it is over already.
    """
    if not may_take_back(override, actor):
        if override.swap_id is not None:
            raise NotPermitted("Others count on this swap by now. Ask for another one, or ask a lead to take it back.")
        raise NotPermitted("Only whoever stands in, whoever arranged it, or a lead can take this back.")
    of_it = Override.id == override.id if override.swap_id is None else Override.swap_id == override.swap_id
    found = db.session.scalars(
        sa.select(Override).where(of_it).order_by(Override.rotation_id, Override.starts_at)
    ).all()
    for rotation in {each.rotation_id: each.rotation for each in found}.values():
        lock(rotation)
    now = clock.now().replace(second=0, microsecond=0)
    in_force = [each for each in found if each.taken_back_at is None and each.ends_at > now]
    if override not in in_force:
        raise Conflict("This is over already, so there is nothing to take back.")
    for each in in_force:
        layers.lift(each, now)
    if override.swap_id is not None:
        db.session.execute(sa.update(Swap).where(Swap.id == override.swap_id).values(given_back_at=clock.now()))
    events.record(
        EventKind.OVERRIDE_REMOVED,
        actor=actor,
        user=override.user,
        before=override.user.name,
        rotation_id=override.rotation_id,
        override_id=override.id,
    )


def may_take_back(override: Override, person: User) -> bool:
    """Whether somebody may: a lead, who stands in or arranged it; of a swap who agreed to it, for ten minutes."""
    if person.can(Role.LEAD):
        return True
    if override.swap_id is not None:
        return person.id == override.made_by_id and clock.now() - override.made_at <= KEPT_FOR
    return person.id in (override.made_by_id, override.user_id)


def override_or_404(override_id: int) -> Override:
    """Load an override. Raises NotFound."""
    found = db.session.get(Override, override_id) if override_id < 2**31 else None
    if found is None:
        raise NotFound
    return found


def mine(planned: PlannedShift, person: User) -> Override | None:
    """Return the override that put this person on this shift, which they can give back."""
    if planned.shift.override_id is None or planned.person is None or planned.person.id != person.id:
        return None
    found = db.session.get_one(Override, planned.shift.override_id)
    return found if may_take_back(found, person) else None


def lock(rotation: Rotation) -> None:
    """Let nobody else change the rotation until this transaction ends."""
    db.session.execute(sa.update(Rotation).where(Rotation.id == rotation.id).values(revision=Rotation.revision + 1))


def _check_there(person: User, start: datetime, end: datetime) -> None:
    if any(away.person_id == person.id for away in away_between(start, end)):
        raise Conflict(f"{person.name} is away then, as noted. Take that back first.")


def _record(actor: User, before: PlannedShift, end: datetime, override: Override | None) -> None:
    person_id = override.user_id if override else actor.id
    taker = actor if person_id == actor.id else db.session.get(User, person_id)
    events.record(
        EventKind.DUTY_TAKEN_OVER,
        actor=actor,
        user=taker,
        before=before.person.name if before.person else None,
        after=taker.name if taker else None,
        rotation_id=before.rotation.id,
        override_id=override.id if override else None,
        until=end.isoformat(),
    )
    queries.forget_plan()


def _hour(planned: PlannedShift) -> str:
    return f"{planned.end:%H:%M}"
