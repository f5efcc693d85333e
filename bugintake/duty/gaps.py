"""Slots with nobody: seen on the page, and told to whoever the workspace names, three working days before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.duty.plans import Plan, PlannedShift, load_plans
from bugintake.team.models import Role, User
from bugintake.team.working_hours import WorkingHours
from bugintake.team.workspace import is_set_up, working_hours, workspace

DAYS_BEFORE = 3
LOOK_AHEAD = timedelta(days=21)
LOOK_BACK = timedelta(days=14)


@dataclass(frozen=True)
class Gap:
    """Slots in a row with nobody. `key` stays the same while its first slot does."""

    key: str
    slots: tuple[PlannedShift, ...]
    due_at: datetime

    @property
    def rotation(self) -> str:
        """Whose slots they are."""
        return self.slots[0].rotation.name


def due_gaps(now: datetime) -> list[Gap]:
    """List the gaps to tell of by now that have not begun: from the morning three working days before, or at once."""
    return [gap for gap in coming_gaps(now) if gap.due_at <= now]


def coming_gaps(now: datetime) -> Iterator[Gap]:
    """Yield the gaps that begin in the next three weeks, in every rotation."""
    if not is_set_up():
        return
    hours = working_hours()
    for plan in load_plans(now - LOOK_BACK, now + LOOK_AHEAD):
        yield from gaps_of(plan, now, hours)


def gaps_of(plan: Plan, now: datetime, hours: WorkingHours) -> list[Gap]:
    """List the gaps of one rotation that begin in the next three weeks."""
    runs: list[list[PlannedShift]] = [[]]
    for planned in plan.between(now - LOOK_BACK, now + LOOK_AHEAD):
        if planned.is_gap:
            runs[-1].append(planned)
        elif runs[-1]:
            runs.append([])
    return [_gap(plan, run, hours) for run in runs if run and run[0].shift.start > now]


def people_to_tell() -> Sequence[User]:
    """Name who hears of a gap: the workspace's fallback, else the leads, else the admins."""
    here = db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id)).all()
    return [user for user in here if user.id == workspace().fallback_owner_id] or leads()


def leads() -> Sequence[User]:
    """Name who leads; the admins where nobody does."""
    here = db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id)).all()
    return [user for user in here if user.role is Role.LEAD] or [user for user in here if user.is_admin]


def _gap(plan: Plan, run: Sequence[PlannedShift], hours: WorkingHours) -> Gap:
    start = run[0].shift.start
    day = start.astimezone(hours.zone).date()
    hours = replace(hours, holidays=frozenset(plan.holidays))
    for _ in range(DAYS_BEFORE):
        day = hours.previous_working_day(day)
    opens, _ = hours.span(day)
    return Gap(f"duty-gap:{plan.rotation.id}:{start:%Y%m%d%H%M}", tuple(run), opens)
