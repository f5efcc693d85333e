"""What calendars have been shown of each shift, so that a change of it updates the entry and never makes a second."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import after_commit, db, one_at_a_time, rows, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty import queries
from bugintake.duty.feed_models import Feed, FeedSlot
from bugintake.duty.models import Rotation
from bugintake.duty.plans import load_plan
from bugintake.duty.rotation import Shift

KEPT, AHEAD = timedelta(days=90), timedelta(days=366)
NOTED_AHEAD = AHEAD + timedelta(days=30)
ONE_DAY = timedelta(days=1)
CHANGES = frozenset({"rotation", "holiday", "absence", "duty", "swap"})
"""The first word of what may change who is on duty."""
OF_PEOPLE = (EventKind.USER_DISABLED, EventKind.USER_CHANGED)

_SLOTS = sa.select(
    FeedSlot.id,
    FeedSlot.rotation_id,
    FeedSlot.starts_at,
    FeedSlot.ends_at,
    FeedSlot.user_id,
    FeedSlot.former_ids,
    FeedSlot.is_gone,
    FeedSlot.sequence,
    FeedSlot.changed_at,
).where(
    FeedSlot.rotation_id.in_(sa.bindparam("rotation_ids", expanding=True)), FeedSlot.ends_at > sa.bindparam("since")
)


def span(now: datetime) -> tuple[datetime, datetime]:
    """Return from when to when a feed tells of duty: the same all day, so that it need not be read again."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(0), UTC)
    return midnight - KEPT, midnight + AHEAD


def shown_slots(rotation_ids: Sequence[int], since: datetime) -> dict[tuple[int, datetime], Any]:
    """Read what calendars have been shown since an instant, by rotation and start."""
    found = rows(_SLOTS, rotation_ids=list(rotation_ids), since=since)
    return {(row.rotation_id, row.starts_at): row for row in found}


def is_same(row: Any, shift: Shift) -> bool:
    """Whether a shift is what was shown of it last."""
    return (row.ends_at, row.user_id, row.is_gone) == (shift.end, shift.person_id, False)


def keep_up(now: datetime) -> None:
    """Note for every rotation what is behind, while anybody has a feed. Opens transactions of its own."""
    if db.session.scalar(sa.select(Feed.id).where(Feed.revoked_at.is_(None)).limit(1)) is None:
        return
    for rotation in queries.rotations():
        if _is_behind(rotation, now):
            with transaction():
                note(rotation, now)


def note(rotation: Rotation, now: datetime) -> None:
    """Write down what feeds show of a rotation from now on; what differs from before counts up."""
    one_at_a_time(f"feed slots {rotation.id}")
    since = span(now)[0]
    had = {row.starts_at: row for row in shown_slots([rotation.id], since).values()}
    live = _live(rotation, now)
    for start, shift in live.items():
        what = {"ends_at": shift.end, "user_id": shift.person_id}
        if start not in had:
            db.session.add(FeedSlot(rotation_id=rotation.id, starts_at=start, changed_at=now, **what))
        elif not is_same(had[start], shift):
            _change(had[start], now, is_gone=False, **what)
    for start, row in had.items():
        if start not in live and not row.is_gone:
            _change(row, now, is_gone=True)
    over = sa.delete(FeedSlot).where(FeedSlot.rotation_id == rotation.id, FeedSlot.ends_at <= since)
    db.session.execute(over, execution_options={"synchronize_session": False})
    db.session.flush()


def _change(row: Any, now: datetime, **values: Any) -> None:
    former = sorted({*row.former_ids, *([] if row.user_id is None else [row.user_id])})
    values |= {"former_ids": former, "sequence": row.sequence + 1, "changed_at": now}
    statement = sa.update(FeedSlot).where(FeedSlot.id == row.id).values(**values)
    db.session.execute(statement, execution_options={"synchronize_session": False})


def _is_behind(rotation: Rotation, now: datetime) -> bool:
    since, to = span(now)
    had = {row.starts_at: row for row in shown_slots([rotation.id], since).values()}
    live = _live(rotation, now)
    if any(start < to and (start not in had or not is_same(had[start], shift)) for start, shift in live.items()):
        return True
    return any(not row.is_gone and start not in live for start, row in had.items())


def _live(rotation: Rotation, now: datetime) -> dict[datetime, Shift]:
    since, to = span(now)
    to += NOTED_AHEAD - AHEAD
    plan = load_plan(since, to, rotation)
    return {planned.shift.start: planned.shift for planned in plan.between(since, to)} if plan else {}


def follow(_event: Event) -> None:
    """Note what a change moves once it is kept; however much changes in one transaction, once."""
    after_commit(_keep_up_now)


def _keep_up_now() -> None:
    keep_up(clock.now())


def listen() -> None:
    """Follow everything that may change who is on duty."""
    for kind in EventKind:
        if kind.partition(".")[0] in CHANGES or kind in OF_PEOPLE:
            events.subscribe(kind, follow)
