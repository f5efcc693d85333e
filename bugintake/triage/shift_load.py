"""What a shift has brought so far: what came into the duty queue, what was dealt with, and since when it is quiet."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import UtcDateTime, rows
from bugintake.core.events import ARRIVALS, LOOKS, Event
from bugintake.core.forms import zone_or_utc
from bugintake.duty.plans import Plan
from bugintake.duty.queries import day_start, plan_for, plan_to_show
from bugintake.intake.models import Bug
from bugintake.team.models import User
from bugintake.team.workspace import workspace
from bugintake.triage.queue import Shape, is_shown, is_waiting, shown_to


@dataclass(frozen=True)
class Load:
    """How many bugs came since a time, how many were dealt with and wait no more, and when the last one came."""

    since: datetime
    came: int
    done: int
    last_came_at: datetime | None


def load(actor: User, rotation_id: int | None = None) -> Load:
    """Count what happened to the queue since the shift began that runs now, or outside duty hours since midnight.

    The shift is that of a rotation, else of the one that somebody is on duty in, else of the default one.
    One statement, which reads what happened in that time and nothing else.
    """
    since = _beginning(plan_to_show(rotation_id) if rotation_id is not None else plan_for(actor))
    shape, values = shown_to(actor, rotation_id)
    return Load(since, *rows(_load(shape), since=since, **values)[0])


def _beginning(plan: Plan | None) -> datetime:
    now = clock.now()
    current = plan.at(now) if plan is not None else None
    if current is not None:
        return current.start
    zone = plan.zone_at(now) if plan is not None else zone_or_utc(workspace().zone)
    return day_start(clock.today(zone), zone)


@cache
def _load(shape: Shape) -> sa.Select[*tuple[Any, ...]]:
    stands = (Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None))
    still_waits = sa.case((sa.and_(is_waiting(), *stands), True), else_=False)
    came = sa.and_(Event.kind.in_(ARRIVALS), Bug.withdrawn_at.is_(None))
    done = sa.and_(Event.kind.in_(LOOKS), Event.actor_id.is_not(None), still_waits.is_(False))
    counts = [sa.func.count(sa.distinct(sa.case((each, Event.bug_id)))) for each in (came, done)]
    in_it = (Event.kind.in_((*ARRIVALS, *LOOKS)), Event.at >= sa.bindparam("since", type_=UtcDateTime()))
    found = sa.select(*counts, sa.func.max(sa.case((came, Event.at)))).select_from(Event)
    return found.join(Bug, Bug.id == Event.bug_id).where(*in_it, *is_shown(shape))
