"""Overrides as layers: one laid over another sets it aside, and taken back it gives back exactly what was there."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.errors import Conflict
from bugintake.duty import queries
from bugintake.duty.models import Override, Rotation
from bugintake.team.models import User


def lay(
    rotation: Rotation,
    person: User,
    start: datetime,
    end: datetime,
    *,
    actor: User,
    reason: str = "",
    swap_id: int | None = None,
) -> Override:
    """Put a person on duty over whatever is there; call it with the rotation locked.

    Raises Conflict where the database has something there all the same.
    """
    below = [
        _between(each, start, end)
        for each in db.session.scalars(
            sa.select(Override).where(
                Override.rotation_id == rotation.id,
                Override.taken_back_at.is_(None),
                Override.starts_at < end,
                Override.ends_at > start,
            )
        ).all()
    ]
    for each in below:
        each.taken_back_at = clock.now()
    db.session.flush()
    override = Override(
        rotation_id=rotation.id,
        starts_at=start,
        ends_at=end,
        user_id=person.id,
        reason=reason,
        made_by_id=actor.id,
        swap_id=swap_id,
    )
    db.session.add(override)
    try:
        db.session.flush()
    except IntegrityError as clash:
        raise Conflict("Somebody else has taken that time.") from clash
    for each in below:
        each.set_aside_by_id = override.id
    db.session.flush()
    queries.forget_plan()
    return override


def lift(override: Override, now: datetime) -> None:
    """End an override at an instant, or undo it where it had not begun; what it set aside holds again from then on."""
    if override.starts_at >= now:
        override.taken_back_at = clock.now()
    else:
        override.ends_at = now
    db.session.flush()
    restored = [below for below in _below(override) if below.ends_at > now]
    for below in restored:
        below.starts_at = max(below.starts_at, now)
        below.taken_back_at = below.set_aside_by_id = None
    db.session.flush()
    for below in restored:
        if below in db.session:  # else it is a part of another one by now
            _rejoin(below)
    queries.forget_plan()


def split(override: Override, at: datetime) -> Override:
    """Cut an override in two, with what it set aside, and return the later half; nobody's hours change."""
    later = Override(
        rotation_id=override.rotation_id,
        starts_at=at,
        ends_at=override.ends_at,
        user_id=override.user_id,
        reason=override.reason,
        made_at=override.made_at,
        made_by_id=override.made_by_id,
        taken_back_at=override.taken_back_at,
        set_aside_by_id=override.set_aside_by_id,
        swap_id=override.swap_id,
    )
    override.ends_at = at
    db.session.flush()
    db.session.add(later)
    db.session.flush()
    for below in _below(override):
        if below.starts_at >= at:
            below.set_aside_by_id = later.id
        elif below.ends_at > at:
            split(below, at).set_aside_by_id = later.id
    db.session.flush()
    return later


def person_below(override: Override, at: datetime) -> int | None:
    """Name whom an override set aside at an instant; None where nothing but the rule is below."""
    return next((each.user_id for each in _below(override) if each.starts_at <= at < each.ends_at), None)


def _below(override: Override) -> list[Override]:
    return list(db.session.scalars(sa.select(Override).where(Override.set_aside_by_id == override.id)))


def _rejoin(part: Override) -> None:
    """Make an override one again with the parts it was cut from: nobody is reminded twice of what is whole again."""
    while (other := _beside(part)) is not None:
        first, second = (other, part) if other.starts_at < part.starts_at else (part, other)
        for below in _below(second):
            below.set_aside_by_id = first.id
        db.session.flush()
        db.session.delete(second)
        db.session.flush()
        first.ends_at, part = second.ends_at, first
        db.session.flush()


def _beside(part: Override) -> Override | None:
    found = sa.select(Override).where(
        Override.rotation_id == part.rotation_id,
        Override.user_id == part.user_id,
        Override.made_at == part.made_at,
        Override.taken_back_at.is_(None),
        sa.or_(Override.ends_at == part.starts_at, Override.starts_at == part.ends_at),
    )
    return db.session.scalars(found.order_by(Override.starts_at)).first()


def _between(override: Override, start: datetime, end: datetime) -> Override:
    """Return the part of an override that lies in a time; the rest stays in force."""
    part = split(override, start) if override.starts_at < start else override
    if part.ends_at > end:
        split(part, end)
    return part
