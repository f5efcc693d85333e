"""Handing over: whose turn leaves a note, writing, sending and reading it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, hold, one_at_a_time
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import Seen
from bugintake.duty import queries
from bugintake.duty.handoff_models import Handoff
from bugintake.duty.models import Rotation
from bugintake.duty.plans import AROUND, Plan, PlannedShift
from bugintake.team.models import User

PARTS = {"hot": "Still hot", "waiting": "Waiting for", "watch": "Watch"}
LENGTH = 4000
REMINDED_BEFORE = timedelta(minutes=15)


@dataclass(frozen=True)
class Turn:
    """The shifts in a row that somebody has of one turn of the rotation; what it leaves is one note."""

    person: User
    shifts: tuple[PlannedShift, ...]

    @property
    def rotation(self) -> Rotation:
        """Whose turn it is."""
        return self.shifts[0].rotation

    @property
    def start(self) -> datetime:
        """When it begins, in the rotation's zone."""
        return self.shifts[0].start

    @property
    def end(self) -> datetime:
        """When it ends, in the rotation's zone."""
        return self.shifts[-1].end


def turns(plan: Plan) -> list[Turn]:
    """List the turns of two months back and four weeks ahead, by time; hours with nobody are none."""
    now = clock.now()
    planned = plan.between(now - AROUND, now + queries.AHEAD)
    runs = (list(run) for _, run in groupby(planned, key=lambda each: (each.shift.person_id, each.shift.turn)))
    return [Turn(run[0].person, tuple(run)) for run in runs if run[0].person is not None]


def turn_of(person: User, rotation_id: int | None = None) -> Turn | None:
    """Return the turn that somebody writes a note about: theirs that runs or was the last, in any rotation or in one.

    Also the one before that which runs, while its note is not sent: whoever forgot it can still do it. None for
    everybody else. Of turns in several rotations the one that runs comes first, then the one that ended last.
    """
    now = clock.now()
    found: list[Turn] = []
    forgotten: list[Turn] = []
    for plan in _plans(rotation_id):
        begun = [turn for turn in turns(plan) if turn.start <= now][-2:]
        if begun and begun[-1].person.id == person.id:
            found.append(begun[-1])
        elif len(begun) == 2 and begun[0].person.id == person.id and begun[-1].end > now:
            forgotten.append(begun[0])
    if forgotten:
        found += _unsent(forgotten, person)
    return max(found, key=lambda turn: min(turn.end, now), default=None)


def next_person(turn: Turn) -> User | None:
    """Name who has duty after a turn, within four weeks; None where that is the same person, or nobody."""
    later = [each for each in _turns_in(turn.rotation) if each.start >= turn.end]
    return later[0].person if later and later[0].person.id != turn.person.id else None


def turn_before(planned: PlannedShift) -> Turn | None:
    """Return the turn that comes before a shift in its rotation, once it has begun."""
    before = [turn for turn in _turns_in(planned.rotation) if turn.end <= planned.start]
    return before[-1] if before and before[-1].start <= clock.now() else None


def note_of(turn: Turn) -> Handoff | None:
    """Return the note of a turn, once something of it was kept. Taking over may have cut the turn since."""
    mine = (Handoff.rotation_id == turn.rotation.id, Handoff.author_id == turn.person.id)
    in_it = (Handoff.starts_at < turn.end, Handoff.ends_at > turn.start)
    return db.session.scalars(sa.select(Handoff).where(*mine, *in_it).order_by(Handoff.starts_at.desc())).first()


def sent_notes(rotation: Rotation, *, start: int = 0, most: int = 1) -> Sequence[Handoff]:
    """List the notes that were sent, the last one first."""
    sent = sa.select(Handoff).where(Handoff.rotation_id == rotation.id, Handoff.sent_at.is_not(None))
    people = (joinedload(Handoff.author), joinedload(Handoff.read_by))
    return db.session.scalars(
        sent.order_by(Handoff.sent_at.desc(), Handoff.id.desc()).offset(start).limit(most).options(*people)
    ).all()


def note_or_404(note_id: int) -> Handoff:
    """Load a note that was sent. Raises NotFound."""
    note = db.session.get(Handoff, note_id) if note_id < 2**31 else None
    if note is None or note.sent_at is None:
        raise NotFound
    return note


def save(turn: Turn, texts: Mapping[str, str], offered: Sequence[str], seen: Seen, *, actor: User) -> Handoff:
    """Keep what somebody typed about their turn, and which lines they were offered by then. Records handoff.written.

    Raises Invalid for what is too long, Conflict once the note is sent, Stale where another page of theirs changed it.
    """
    for part, text in texts.items():
        if len(text) > LENGTH:
            raise Invalid(f"Write at most {LENGTH:,} characters.", part)
    one_at_a_time(f"handoff {turn.rotation.id}")
    note = note_of(turn)
    if note is None:
        note = Handoff(rotation_id=turn.rotation.id, author_id=turn.person.id, starts_at=turn.start)
        db.session.add(note)
    elif note.sent_at is not None:
        raise Conflict("This note is sent already. Take it back to change it.")
    else:
        texts = {**note.texts, **seen.changes(note.texts, texts)}
    note.ends_at, note.written_at, note.offered = turn.end, clock.now(), list(offered)
    note.hot, note.waiting, note.watch = texts["hot"], texts["waiting"], texts["watch"]
    db.session.flush()
    _record(EventKind.HANDOFF_WRITTEN, note, actor)
    return note


def send(note: Handoff, *, actor: User) -> None:
    """Hand a note over; with no words it says that the day was quiet. Records handoff.sent."""
    note.sent_at = clock.now()
    _record(EventKind.HANDOFF_SENT, note, actor)


def take_back(note: Handoff, *, actor: User) -> None:
    """Make one's own note unsent again. Records handoff.taken_back.

    Raises NotPermitted for a colleague's, Conflict once it was read.
    """
    hold(note)
    if note.author_id != actor.id:
        raise NotPermitted(f"Only {note.author.name} can take this note back.")
    if note.read_by is not None:
        raise Conflict(f"{note.read_by.first_name} has read it already. Tell them what is different.")
    note.sent_at = None
    _record(EventKind.HANDOFF_TAKEN_BACK, note, actor)


def reader_of(note: Handoff) -> User | None:
    """Name who is to confirm reading a note: whoever is on duty after it now, else whoever is next."""
    after = [each for each in _turns_in(note.rotation) if each.end > note.ends_at and each.person.id != note.author_id]
    begun = [each for each in after if each.start <= clock.now()]
    return (begun[-1] if begun else after[0]).person if after else None


def confirm_reading(note: Handoff, *, actor: User) -> None:
    """Say that one has read what the turn before left. Records handoff.read.

    Once is enough. Raises NotPermitted for somebody whom it is not for.
    """
    hold(note)
    reader = reader_of(note)
    if reader is None or reader.id != actor.id:
        raise NotPermitted(f"{reader.first_name} confirms it, who is on duty next." if reader else "Nobody is next.")
    if note.read_at is None:
        note.read_at, note.read_by_id = clock.now(), actor.id
        _record(EventKind.HANDOFF_READ, note, actor)


def unsent_soon_over(now: datetime) -> list[Turn]:
    """List the turns that end within a quarter of an hour, go over to somebody else, and have no note sent."""
    running = [turn for plan in queries.current_plans() for turn in turns(plan) if turn.start <= now < turn.end]
    ending = [turn for turn in running if now >= turn.end - REMINDED_BEFORE and next_person(turn) is not None]
    return [turn for turn in ending if (note := note_of(turn)) is None or note.sent_at is None]


def _plans(rotation_id: int | None) -> list[Plan]:
    return [plan for plan in queries.current_plans() if rotation_id in (None, plan.rotation.id)]


def _turns_in(rotation: Rotation) -> list[Turn]:
    plan = queries.current_plan(rotation.id)
    return turns(plan) if plan is not None else []


def _unsent(found: Sequence[Turn], person: User) -> list[Turn]:
    """Leave out the turns of a person whose note is sent."""
    theirs = (Handoff.author_id == person.id, Handoff.sent_at.is_not(None))
    since = (Handoff.ends_at > min(turn.start for turn in found), Handoff.starts_at < max(turn.end for turn in found))
    notes = db.session.execute(
        sa.select(Handoff.rotation_id, Handoff.starts_at, Handoff.ends_at).where(*theirs, *since)
    ).all()
    return [
        turn
        for turn in found
        if not any(key == turn.rotation.id and start < turn.end and end > turn.start for key, start, end in notes)
    ]


def _record(kind: EventKind, note: Handoff, actor: User) -> None:
    events.record(kind, actor=actor, user=note.author, handoff=note.id, rotation_id=note.rotation_id)
