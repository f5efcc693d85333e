"""What others did to the bugs that somebody looks at, in the words that a page puts beside them."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from bugintake.core.db import rows
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Status
from bugintake.intake.queries import visible_to
from bugintake.team.models import User
from bugintake.triage.history import TOLD_ELSEWHERE, Entry
from bugintake.triage.moves import MOVES


class NewsOfBug(NamedTuple):
    """Where a bug stands and who brought it there; then its last event, which may be another: its number and words."""

    ref: str
    status: Status
    version: int
    place: str
    event: int
    words: str


def news_of(bug_ids: Sequence[int], viewer: User) -> list[NewsOfBug]:
    """Tell where some bugs stand and what last happened to them, without those that the viewer may not see."""
    events = sa.select(sa.func.max(Event.id)).where(Event.bug_id.in_(bug_ids)).group_by(Event.bug_id)
    is_last = Event.id.in_(events.where(Event.kind.not_in(TOLD_ELSEWHERE)))
    is_last_move = Event.id.in_(events.where(Event.kind.in_(MOVES)))
    found = (
        sa.select(Bug.id, Bug.status, Bug.changed_at)
        .add_columns(
            Event.kind, Event.at, Event.before, Event.after, Event.details, User.name, Event.id, Event.actor_id
        )
        .join(Event, Event.bug_id == Bug.id)
        .outerjoin(User, User.id == Event.actor_id)
        .where(sa.or_(is_last, is_last_move), visible_to(viewer))
        .order_by(Event.id)
    )
    movers: dict[int, str] = {}
    told: dict[int, NewsOfBug] = {}
    for number, status, changed_at, *event in rows(found):
        entry = Entry._make(event)
        if entry.kind in MOVES:
            movers[number] = f", by {entry.actor.split()[0] if entry.actor else entry.who}"
        told[number] = NewsOfBug(
            ref=f"BUG-{number}",
            status=status,
            version=int(changed_at.timestamp() * 1000),
            place=f"now {status.label}{movers.get(number, '')}",
            event=entry.number,
            words=f"{entry.who} {entry.words}.",
        )
    return list(told.values())
