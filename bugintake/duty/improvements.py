"""What would save the next person on duty time: noted while it hurts, and ended by whoever does or drops it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.duty.improvement_models import Improvement, ImprovementKind
from bugintake.team.models import User

LENGTH = 200
MONTHS_COUNTED = 6


@dataclass(frozen=True)
class Month:
    """How many were noted and how many were done in one month."""

    first_on: date
    noted: int
    done: int


def note(kind: ImprovementKind, text: str, *, actor: User) -> Improvement:
    """Note what would have saved time. Records improvement.noted. Raises Invalid for no words, or for too many."""
    text = clean_line(text)
    if not text:
        raise Invalid("Write what would have saved you time.", "text")
    if len(text) > LENGTH:
        raise Invalid(f"Use at most {LENGTH} characters.", "text")
    made = Improvement(kind=kind, text=text, made_by_id=actor.id)
    db.session.add(made)
    db.session.flush()
    events.record(EventKind.IMPROVEMENT_NOTED, actor=actor, after=text, improvement=made.id)
    return made


def end(improvement: Improvement, *, is_done: bool, actor: User) -> None:
    """Say that it is done, or dropped. Records improvement.done or improvement.dropped.

    Raises Conflict where somebody ended it already.
    """
    hold(improvement)
    if improvement.ended_by_id is not None:
        who, ended = db.session.get_one(User, improvement.ended_by_id), "done" if improvement.is_done else "dropped"
        raise Conflict(f"{who.name} has marked it as {ended} already.")
    improvement.ended_at, improvement.ended_by_id, improvement.is_done = clock.now(), actor.id, is_done
    kind = EventKind.IMPROVEMENT_DONE if is_done else EventKind.IMPROVEMENT_DROPPED
    events.record(kind, actor=actor, before=improvement.text, improvement=improvement.id)


def take_up(improvement: Improvement, *, actor: User) -> None:
    """Let an ended one be open again. Records improvement.taken_up. Raises Conflict where it is open."""
    hold(improvement)
    if improvement.ended_at is None:
        raise Conflict("It is open already.")
    improvement.ended_at, improvement.ended_by_id, improvement.is_done = None, None, False
    events.record(EventKind.IMPROVEMENT_TAKEN_UP, actor=actor, after=improvement.text, improvement=improvement.id)


def improvement_or_404(number: int) -> Improvement:
    """Load one. Raises NotFound."""
    found = db.session.get(Improvement, number) if number < 2**31 else None
    if found is None:
        raise NotFound
    return found


def open_ones(*, start: int = 0, most: int) -> Sequence[Improvement]:
    """List what is open, the oldest first."""
    found = sa.select(Improvement).where(Improvement.ended_at.is_(None)).options(joinedload(Improvement.made_by))
    return db.session.scalars(found.order_by(Improvement.made_at, Improvement.id).offset(start).limit(most)).all()


def ended_ones(*, start: int = 0, most: int) -> Sequence[Improvement]:
    """List what was done or dropped, the last one first."""
    people = (joinedload(Improvement.made_by), joinedload(Improvement.ended_by))
    found = sa.select(Improvement).where(Improvement.ended_at.is_not(None)).options(*people)
    by_time = found.order_by(Improvement.ended_at.desc(), Improvement.id.desc())
    return db.session.scalars(by_time.offset(start).limit(most)).all()


def open_by_kind() -> dict[ImprovementKind, int]:
    """Count what is open, of each kind."""
    found = sa.select(Improvement.kind, sa.func.count().label("number")).where(Improvement.ended_at.is_(None))
    counted = {row.kind: row.number for row in db.session.execute(found.group_by(Improvement.kind))}
    return {kind: counted.get(kind, 0) for kind in ImprovementKind}


def months(today: date) -> list[Month]:
    """Count what was noted and what was done in each of the last months, in UTC, this one first."""
    firsts = [_first_of(today, back) for back in range(MONTHS_COUNTED)]
    since = datetime.combine(firsts[-1], time(0), UTC)
    noted = db.session.scalars(sa.select(Improvement.made_at).where(Improvement.made_at >= since)).all()
    done = db.session.scalars(sa.select(Improvement.ended_at).where(Improvement.ended_at >= since, Improvement.is_done))
    each_month = [Counter((at.year, at.month) for at in ats if at is not None) for ats in (noted, done)]
    return [Month(first, *(counted[first.year, first.month] for counted in each_month)) for first in firsts]


def _first_of(today: date, back: int) -> date:
    years, month = divmod(today.year * 12 + today.month - 1 - back, 12)
    return date(years, month + 1, 1)
