"""Areas with a rotation of their own: who answers for their bugs."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, rows
from bugintake.core.event_kinds import EventKind
from bugintake.core.kept import kept
from bugintake.duty import queries
from bugintake.duty.models import Rotation
from bugintake.duty.plans import PlannedShift, load_plans
from bugintake.intake.models import Option
from bugintake.team.models import User
from bugintake.triage.area_models import AreaRotation

_OWN = (
    sa.select(AreaRotation.area_id, AreaRotation.rotation_id)
    .join(Rotation, Rotation.id == AreaRotation.rotation_id)
    .where(Rotation.retired_at.is_(None), ~Rotation.is_default)
    .order_by(AreaRotation.area_id)
)


@kept
def own_rotations() -> Mapping[int, int]:
    """Map each area that has a rotation of its own to it."""
    found = rows(_OWN)
    return {row.area_id: row.rotation_id for row in found}


def on_duty_for(area_id: int, at: datetime | None = None) -> PlannedShift | None:
    """Tell whose shift it is for an area, now or then: by its own rotation, else by the default one."""
    rotation_id = own_rotations().get(area_id)
    own = queries.on_duty(at, db.session.get(Rotation, rotation_id)) if rotation_id is not None else None
    return own if own is not None and own.person is not None else queries.on_duty(at)


def covered(at: datetime | None = None) -> dict[int, int]:
    """Map the areas for which somebody is on duty by a rotation of their own, now or then, to that person's number."""
    own = own_rotations()
    there = people_there(at) if own else {}
    return {area_id: there[rotation_id] for area_id, rotation_id in own.items() if rotation_id in there}


def people_there(at: datetime | None = None) -> dict[int, int]:
    """Map the rotations in which somebody is on duty, now or then, to that person's number."""
    plans, moment = (queries.plans_to_show(), clock.now()) if at is None else (load_plans(at, at), at)
    there = ((plan.rotation.id, plan.at(moment)) for plan in plans)
    return {key: now.shift.person_id for key, now in there if now is not None and now.shift.person_id is not None}


def give(area: Option, rotation: Rotation, *, actor: User) -> None:
    """Let a rotation answer for an area, unless it does. Records area.rotation_changed."""
    own = db.session.get(AreaRotation, area.id)
    was = db.session.get_one(Rotation, own.rotation_id) if own is not None else queries.default_rotation()
    if was == rotation:
        return
    if rotation.is_default:
        db.session.delete(own)
    elif own is not None:
        own.rotation_id = rotation.id
    else:
        db.session.add(AreaRotation(area_id=area.id, rotation_id=rotation.id))
    db.session.flush()
    events.record(
        EventKind.AREA_ROTATION_CHANGED,
        actor=actor,
        option=area,
        before=was.name if was else None,
        after=rotation.name,
        rotation_id=rotation.id,
    )
