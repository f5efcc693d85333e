"""Whose hours moved: the plan compared with what people know of it, whatever it was that moved them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.duty import overrides
from bugintake.duty.models import Absence, Override, Rotation
from bugintake.duty.plans import Plan, load_plan
from bugintake.duty.told_models import ToldShift
from bugintake.team.models import User

AHEAD = timedelta(weeks=12)
ADDED_DAILY = timedelta(days=1)

Hours = tuple[datetime, datetime]
"""From when to when, in UTC, half open."""


@dataclass(frozen=True)
class Moved:
    """The hours a person gets and loses against what they know; their own doing left out."""

    person: User
    gained: tuple[Hours, ...]
    lost: tuple[Hours, ...]


def rotations(now: datetime) -> Sequence[Rotation]:
    """List the rotations in which hours may have moved: those in use, and those retired that people counted on."""
    counted_on = sa.or_(Rotation.retired_at.is_(None), Rotation.told_until > now)
    return db.session.scalars(sa.select(Rotation).where(counted_on).order_by(Rotation.id)).all()


def is_behind(rotation: Rotation, now: datetime) -> bool:
    """Whether take_moves has something to do: hours moved, or a day more has come into view."""
    if rotation.told_until is None or rotation.told_until < now + AHEAD - ADDED_DAILY:
        return True
    plan = _plan(rotation, now)
    return any(_differences(rotation, plan, now))


def take_moves(rotation: Rotation, now: datetime) -> list[Moved]:
    """Say whose hours of the next twelve weeks moved since this was asked last, and note that they know.

    What comes into view at the far end moved nobody. Two who ask at once wait for each other, so each move is said
    once. In a new rotation everybody gets hours.
    """
    overrides.lock(rotation)
    db.session.refresh(rotation)
    plan = _plan(rotation, now)
    found = [
        moved
        for person_id, gained, lost in _differences(rotation, plan, now)
        if (moved := _of_others(plan, person_id, gained, lost))
    ]
    db.session.execute(sa.delete(ToldShift).where(ToldShift.rotation_id == rotation.id))
    db.session.add_all(
        ToldShift(rotation_id=rotation.id, user_id=person_id, starts_at=start, ends_at=end)
        for person_id, hours in _planned(plan, now, now + AHEAD).items()
        for start, end in hours
    )
    rotation.told_until = now + AHEAD
    db.session.flush()
    return found


def _plan(rotation: Rotation, now: datetime) -> Plan:
    plan = load_plan(now, now + AHEAD, rotation)
    if plan is None:
        raise LookupError("a rotation has a rule")
    return plan


def _differences(rotation: Rotation, plan: Plan, now: datetime) -> Iterable[tuple[int, list[Hours], list[Hours]]]:
    """Yield (person, gained, lost) for everybody whose hours differ as far as they know them."""
    until = rotation.told_until or now + AHEAD
    rows = db.session.execute(
        sa.select(ToldShift.user_id, ToldShift.starts_at, ToldShift.ends_at)
        .where(ToldShift.rotation_id == rotation.id, ToldShift.ends_at > now)
        .order_by(ToldShift.user_id, ToldShift.starts_at)
    )
    told = {person_id: [(row[1], row[2]) for row in of_one] for person_id, of_one in groupby(rows, lambda row: row[0])}
    planned = _planned(plan, now, until)
    for person_id in sorted(told.keys() | planned.keys()):
        had = _within(told.get(person_id, ()), now, until)
        has = _within(planned.get(person_id, ()), now, until)
        gained, lost = _without(has, had), _without(had, has)
        if gained or lost:
            yield person_id, gained, lost


def _planned(plan: Plan, since: datetime, to: datetime) -> dict[int, list[Hours]]:
    found: dict[int, list[Hours]] = {}
    for planned in plan.between(since, to) if since < to else ():
        if planned.shift.person_id is not None:
            found.setdefault(planned.shift.person_id, []).append((planned.shift.start, planned.shift.end))
    return found


def _within(hours: Iterable[Hours], since: datetime, to: datetime) -> list[Hours]:
    cut = [(max(start, since), min(end, to)) for start, end in hours]
    return [(start, end) for start, end in cut if start < end]


def _without(hours: Sequence[Hours], others: Sequence[Hours]) -> list[Hours]:
    """Take hours from hours, both by time."""
    rest: list[Hours] = []
    for start, end in hours:
        for other_start, other_end in others:
            if other_end <= start or other_start >= end:
                continue
            if start < other_start:
                rest.append((start, other_start))
            start = other_end
            if start >= end:
                break
        if start < end:
            rest.append((start, end))
    return rest


def _of_others(plan: Plan, person_id: int, gained: Sequence[Hours], lost: Sequence[Hours]) -> Moved | None:
    """Leave out what a person did to their own hours, which they know, and swaps, which have mail of their own."""
    person = db.session.get_one(User, person_id)
    told_gained = tuple(each for each in gained if not _is_known_from(plan, each, person))
    told_lost = tuple(each for each in lost if not (_is_known_from(plan, each, person) or _is_away(each, person)))
    return Moved(person, told_gained, told_lost) if told_gained or told_lost else None


def _is_known_from(plan: Plan, hours: Hours, person: User) -> bool:
    planned = plan.at(hours[0])
    if planned is None or planned.shift.override_id is None:
        return False
    override = db.session.get_one(Override, planned.shift.override_id)
    return override.swap_id is not None or override.made_by_id == person.id


def _is_away(hours: Hours, person: User) -> bool:
    start, end = hours
    noted = sa.select(Absence.id).where(
        Absence.user_id == person.id,
        Absence.made_by_id == person.id,
        Absence.taken_back_at.is_(None),
        Absence.starts_at < end,
        Absence.ends_at > start,
    )
    return db.session.scalar(noted.limit(1)) is not None
