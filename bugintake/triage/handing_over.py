"""What a turn of duty hands over: the note that writes itself, the bugs it names, and which of them are left."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock, events
from bugintake.core.db import db, hold, rows, update_all
from bugintake.core.errors import Conflict, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import TOUCHES, Event
from bugintake.core.templating import plural, short_day, when
from bugintake.duty import handoffs
from bugintake.duty.handoff_models import Handoff
from bugintake.duty.handoffs import Turn
from bugintake.intake.models import OPEN, Bug, News, Question, Report, Status
from bugintake.intake.queries import visible_to
from bugintake.team.models import User
from bugintake.team.people import names
from bugintake.team.workspace import working_hours
from bugintake.triage.left_models import LeftBug
from bugintake.triage.looking import today_of
from bugintake.triage.queries import Card, cards, read_cards
from bugintake.triage.queue import Item, queue

MOST = 50
LEFT_SHOWN = 20
SOON = 60  # working minutes
NUMBER = re.compile(r"\bBUG-([1-9][0-9]{0,8})\b")
_AT_THE_START = re.compile(r"^(?:[-*•] ?)?BUG-([1-9][0-9]{0,8})\b", re.MULTILINE)


class Line(NamedTuple):
    """One line of a drafted note. It names its bug by number alone: whoever reads it sees the title they may see."""

    part: str
    bug_id: int
    why: str
    words: str

    @property
    def key(self) -> str:
        """What it tells, whatever the counts in it are by now."""
        return f"{self.bug_id}:{self.why}"

    @property
    def text(self) -> str:
        """The line as it stands in the note."""
        return f"BUG-{self.bug_id} {self.words}"


class Piece(NamedTuple):
    """A piece of a note; `ref` names the bug that it leads to."""

    text: str
    ref: str = ""


class Left(NamedTuple):
    """A bug that an earlier turn left, as the page of duty shows it."""

    id: int
    bug_id: int
    title: str
    impact_rank: int
    status: Status
    author_id: int

    @property
    def ref(self) -> str:
        """The name people use for it."""
        return f"BUG-{self.bug_id}"

    @property
    def left_by(self) -> str:
        """Who left it."""
        return names()[self.author_id].name.split()[0]


class _Asked(NamedTuple):
    is_for_customer: bool
    filed_by: str
    at: datetime


def draft(turn: Turn) -> list[Line]:
    """Write down what a turn has to hand over as things stand, for its own person, who sees no more than they may.

    Still hot is what waits in the queue raised, answered, come back, late or soon to be, and the worst of what they
    touched; then what they touched that waits for an answer; then the rest of it that is open.
    """
    me, zone = turn.person, turn.start.tzinfo
    found: dict[int, Line] = {}
    until = working_hours().add_working(clock.now(), SOON)
    for item in queue(me, turn.rotation.id)[0]:
        line = _hot(item, until, str(zone))
        if line is not None:
            found[item.card.id] = line
    touched = [card for card in _touched(turn) if card.id not in found]
    asked = _asked([card.id for card in touched if card.status is Status.NEEDS_INFO])
    for card in touched:
        found[card.id] = _of_touched(card, asked.get(card.id), str(zone), me)
    order = list(handoffs.PARTS)
    return sorted(found.values(), key=lambda line: order.index(line.part))


def texts_of(lines: Iterable[Line]) -> dict[str, str]:
    """Put lines into the parts of a note."""
    parts: dict[str, list[str]] = {part: [] for part in handoffs.PARTS}
    for line in lines:
        parts[line.part].append(line.text)
    return {part: "\n".join(found) for part, found in parts.items()}


def send(note: Handoff, *, actor: User) -> None:
    """Hand a note over; the open bugs that it names and its author sees are left to the next person.

    Records handoff.sent. What earlier turns left and was dealt with since is put away for good.
    """
    handoffs.send(note, actor=actor)
    unheld = sa.select(LeftBug.id).join(LeftBug.handoff).join(LeftBug.bug).where(LeftBug.dealt_with_at.is_(None))
    done = db.session.scalars(unheld.where(~_is_left(actor_sees=None))).all()
    if done:
        update_all(sa.update(LeftBug).where(LeftBug.id.in_(done)).values(dealt_with_at=clock.now()))
    known = set(db.session.scalars(sa.select(LeftBug.bug_id).where(LeftBug.handoff_id == note.id)))
    named = sa.select(Bug.id).where(Bug.id.in_(numbers_in(note.texts.values())), visible_to(actor))
    is_open = (Bug.status.in_(OPEN), Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None))
    found = set(db.session.scalars(named.where(*is_open))) - known
    db.session.add_all(LeftBug(handoff_id=note.id, bug_id=number) for number in sorted(found))
    db.session.flush()


def left(viewer: User, rotation_id: int) -> list[Left]:
    """List what earlier turns of a rotation left and nobody has dealt with, the worst first.

    That is what is not closed, touched, or ticked off.
    """
    query = (
        sa.select(
            sa.func.min(LeftBug.id), Bug.id, Bug.title, Bug.impact_rank, Bug.status, sa.func.min(Handoff.author_id)
        )
        .select_from(LeftBug)
        .join(LeftBug.bug)
        .join(LeftBug.handoff)
        .where(Handoff.rotation_id == rotation_id, LeftBug.dealt_with_at.is_(None), _is_left(actor_sees=viewer))
        .group_by(Bug.id, Bug.title, Bug.impact_rank, Bug.status)
        .order_by(Bug.impact_rank, Bug.id)
        .limit(LEFT_SHOWN)
    )
    return [Left._make(row) for row in rows(query)]


def tick_off(left_id: int, *, actor: User) -> Bug:
    """Say that what was left needs nothing any more, by whichever notes it was. Records handoff.bug_dealt_with.

    Raises NotFound, also for a bug that the actor may not see, Conflict where it is off the list already.
    """
    own = sa.select(LeftBug).join(LeftBug.bug).where(LeftBug.id == left_id, visible_to(actor))
    found = db.session.scalars(own).first() if left_id < 2**31 else None
    if found is None:
        raise NotFound
    hold(found.bug)
    db.session.refresh(found)
    if found.dealt_with_at is not None:
        raise Conflict(f"{found.bug.ref} is off the list already.")
    same = sa.update(LeftBug).where(LeftBug.bug_id == found.bug_id, LeftBug.dealt_with_at.is_(None))
    update_all(same.values(dealt_with_at=clock.now(), dealt_with_by_id=actor.id))
    events.record(EventKind.HANDOFF_BUG_DEALT_WITH, actor=actor, left=found.id, bug_number=found.bug_id)
    return found.bug


def put_back(note: Handoff, *, actor: User) -> None:
    """Take one's own note back; what it left is not left by it any more. Records and raises as handoffs.take_back."""
    handoffs.take_back(note, actor=actor)
    db.session.execute(sa.delete(LeftBug).where(LeftBug.handoff_id == note.id, LeftBug.dealt_with_at.is_(None)))


def numbers_in(texts: Iterable[str]) -> set[int]:
    """Read which bugs are named."""
    return {int(number) for text in texts for number in NUMBER.findall(text)}


def titles(numbers: Iterable[int], viewer: User) -> dict[int, str | None]:
    """Read the titles of bugs: None for one that the viewer may not see."""
    wanted = sorted(numbers)
    if not wanted:
        return {}
    query = sa.select(Bug.id, sa.case((visible_to(viewer), Bug.title))).where(Bug.id.in_(wanted))
    return dict(rows(query))


def titles_for_mail(numbers: Iterable[int], reader: User) -> dict[int, str | None]:
    """Read the titles as far as a mail may have them: None for a restricted bug, of which only the number leaves."""
    whole = aliased(Bug)
    query = sa.select(Bug.id, Bug.title, sa.or_(Bug.is_restricted, whole.is_restricted))
    seen = query.join(whole, whole.id == Bug.canonical_id).where(Bug.id.in_(sorted(numbers)), visible_to(reader))
    return {number: None if is_restricted else title for number, title, is_restricted in rows(seen)}


def pieces(text: str, known: Mapping[int, str | None]) -> list[Piece]:
    """Cut a part of a note where it names bugs: those the reader sees lead there, at the start of a line by title.

    A line that names one of which the title is None is left out: for this reader it does not exist.
    """
    lines = text.split("\n")
    text = "\n".join(line for line in lines if all(known.get(number, "") is not None for number in numbers_in([line])))
    first = {at.end() for at in _AT_THE_START.finditer(text)}
    found, end = [], 0
    for at in NUMBER.finditer(text):
        title = known.get(int(at[1]))
        named = f"{at[0]} {title}:" if title is not None and at.end() in first else at[0]
        found += [Piece(text[end : at.start()]), Piece(named, at[0] if title is not None else "")]
        end = at.end()
    return [*found, Piece(text[end:])]


def _is_left(*, actor_sees: User | None) -> sa.ColumnElement[bool]:
    is_open = (Bug.status.in_(OPEN), Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None))
    by_people = (Event.bug_id == Bug.id, Event.kind.in_(TOUCHES), Event.actor_id.is_not(None))
    touched = sa.exists().where(*by_people, Event.at > Handoff.sent_at).correlate(Bug, Handoff)
    return sa.and_(*is_open, ~touched, sa.true() if actor_sees is None else visible_to(actor_sees))


def _touched(turn: Turn) -> Sequence[Card]:
    kinds = (*TOUCHES, EventKind.BUG_COMMENTED)
    by_me = (Event.kind.in_(kinds), Event.at >= turn.start, Event.actor_id == turn.person.id)
    wanted = cards(Bug.id.in_(sa.select(Event.bug_id).where(*by_me)), Bug.status.in_(OPEN), visible_to(turn.person))
    return read_cards(wanted.order_by(Bug.impact_rank, Bug.id).limit(MOST))


def _asked(bug_ids: Sequence[int]) -> dict[int, _Asked]:
    """Read who is to answer the last open question about each of some bugs, and since when."""
    if not bug_ids:
        return {}
    part = aliased(Bug)
    query = (
        sa.select(part.canonical_id, Question.is_for_customer, User.name, Question.asked_at)
        .join(Report, Report.id == Question.report_id)
        .join(part, part.id == Report.bug_id)
        .join(User, User.id == Report.filed_by_id)
        .where(part.canonical_id.in_(bug_ids), Question.answered_at.is_(None))
        .order_by(Question.id)
    )
    return {row[0]: _Asked._make(row[1:]) for row in rows(query)}


def _hot(item: Item, until: datetime, zone: str) -> Line | None:
    card, waits = item.card, _waits(item.card)
    if card.raise_reason is not None:
        return Line("hot", card.id, "raised", f"is raised: {card.raise_reason.label.lower()}{waits}")
    if card.news is News.ANSWERED:
        return Line("hot", card.id, "answered", f"is answered, nobody has looked yet{waits}")
    if card.news is News.WROTE:
        return Line("hot", card.id, "wrote", f"has word of a customer that nobody has looked at yet{waits}")
    if card.news is not None or card.has_come_back:
        return Line("hot", card.id, "came_back", f"came back{waits}")
    if item.is_late:
        return Line("hot", card.id, "late", f"is past its deadline{waits}")
    if item.deadline_at is not None and item.deadline_at <= until:
        return Line("hot", card.id, "soon", f"is to be looked at by {when(item.deadline_at, zone)}{waits}")
    return None


def _of_touched(card: Card, asked: _Asked | None, zone: str, me: User) -> Line:
    waits, with_whom = _waits(card), f"with {card.owner.split()[0] if card.owner else 'whoever is on duty'}"
    if card.paused_at is not None:
        return Line("waiting", card.id, "paused", f"is paused, nobody answered{waits}")
    if asked is not None:
        who = "the customer" if asked.is_for_customer else asked.filed_by.split()[0]
        return Line("waiting", card.id, "asked", f"waits for {who}, asked {when(asked.at, zone)}{waits}")
    until = card.put_off_until(today_of(me))
    if until is not None:
        return Line("watch", card.id, "snoozed", f"sleeps until {short_day(until)}{waits}")
    if card.status is Status.FIXED:
        where = f" in {card.release}" if card.release else ""
        told = f", {plural(card.waiting, 'person', 'people')} to tell" if card.waiting else ""
        return Line("watch", card.id, "fixed", f"is fixed{where}, not live yet{told}")
    part = "hot" if card.impact_rank <= 1 else "watch"
    return Line(part, card.id, card.status.value, f"is {card.status.label.lower()}, {with_whom}{waits}")


def _waits(card: Card) -> str:
    return f", {plural(card.waiting, 'person waits', 'people wait')}" if card.waiting else ""
