"""Standing in: layers over a rotation that can be taken back and never overlap."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted
from bugintake.core.events import EventKind
from bugintake.core.forms import clean_line
from bugintake.duty import queries
from bugintake.duty.models import Override, Rotation
from bugintake.duty.plans import PlannedShift, away_between
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
        below = _uncover(rotation, planned, now)
        if below is not None:
            end = min(end, below.shift.end)
            if below.person is not None and below.person.id == actor.id:
                _record(actor, planned, end, None)
                return None
    override = _lay(rotation, actor, max(now, planned.shift.start), end, actor, "")
    _record(actor, planned, end, override)
    return override


def _uncover(rotation: Rotation, planned: PlannedShift, now: datetime) -> PlannedShift | None:
    """End the override on the current shift and return what lies below; from the next shift on it stays."""
    top = db.session.get_one(Override, planned.shift.override_id)
    person, ends_at, made_by_id = top.user, top.ends_at, top.made_by_id
    _cut(top.id, now)
    below = queries.on_duty(now, rotation)
    if below is not None and below.shift.end < ends_at:
        rest = Override(
            rotation_id=rotation.id,
            starts_at=below.shift.end,
            ends_at=ends_at,
            user_id=person.id,
            reason=top.reason,
            made_by_id=made_by_id,
        )
        db.session.add(rest)
        db.session.flush()
    return below


def stand_in(
    rotation: Rotation, person: User, start: datetime, end: datetime, *, actor: User, reason: str = ""
) -> Override:
    """Put a person on duty for a time, instead of whom the rule names.

    Records duty.taken_over. Raises Invalid for a time outside any shift, Conflict where somebody stands in already.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
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
    override = _lay(rotation, person, start, end, actor, clean_line(reason))
    _record(actor, touched[0], end, override)
    return override


def take_back(override: Override, *, actor: User) -> None:
    """End an override now, or undo it before it began; what lies below comes back exactly.

    Only whoever made it, whoever it puts on duty, or a lead may. Records duty.override_removed.
    Raises NotPermitted, or Conflict when it is over already.
    """
    if actor.id not in (override.made_by_id, override.user_id) and not actor.can(Role.LEAD):
        raise NotPermitted("Only whoever stands in, whoever arranged it, or a lead can take this back.")
    lock(override.rotation)
    now = clock.now().replace(second=0, microsecond=0)
    if override.taken_back_at is not None or override.ends_at <= now:
        raise Conflict("This is over already, so there is nothing to take back.")
    _cut(override.id, now)
    events.record(
        EventKind.OVERRIDE_REMOVED,
        actor=actor,
        user=override.user,
        before=override.user.name,
        rotation_id=override.rotation_id,
        override_id=override.id,
    )
    queries.forget_plan()


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
    return db.session.get(Override, planned.shift.override_id)


def lock(rotation: Rotation) -> None:
    """Let nobody else change the rotation until this transaction ends."""
    db.session.execute(sa.update(Rotation).where(Rotation.id == rotation.id).values(revision=Rotation.revision + 1))


def _check_there(person: User, start: datetime, end: datetime) -> None:
    if any(away.person_id == person.id for away in away_between(start, end)):
        raise Conflict(f"{person.name} is away then, as noted. Take that back first.")


def _cut(override_id: int, now: datetime) -> None:
    """End an override at an instant; one that had not begun never was."""
    row = sa.update(Override).where(Override.id == override_id)
    db.session.execute(row.where(Override.starts_at >= now).values(taken_back_at=clock.now()))
    db.session.execute(row.where(Override.starts_at < now, Override.ends_at > now).values(ends_at=now))


def _lay(rotation: Rotation, person: User, start: datetime, end: datetime, actor: User, reason: str) -> Override:
    override = Override(
        rotation_id=rotation.id,
        starts_at=start,
        ends_at=end,
        user_id=person.id,
        reason=reason,
        made_by_id=actor.id,
    )
    db.session.add(override)
    try:
        db.session.flush()
    except IntegrityError as clash:
        raise Conflict("Somebody else has taken that time.") from clash
    queries.forget_plan()
    return override


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
