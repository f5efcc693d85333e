"""Reading what is to be told: announcements, messages, and who was told about a bug."""

import enum
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db, rows
from bugintake.core.errors import NotFound
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, Remark, Report
from bugintake.intake.queries import VISIBLE_TO_READER, visible_to
from bugintake.loop.models import (
    Announcement,
    Delivery,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.loop.notices import is_stuck_notice
from bugintake.team.models import Role, User

ROWS_SHOWN = 25
PEOPLE_SHOWN = 50
COUNTED = 1000
UNTOLD = (MessageState.HELD, MessageState.FAILED, MessageState.UNCERTAIN)
DONE = (MessageState.SENT, MessageState.TOLD_BY_HAND, MessageState.SUPPRESSED)


class Tab(enum.StrEnum):
    """What the Loop page shows."""

    SEND = "send"
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True)
class Count:
    """How many messages of an announcement are in one language and state, and why they are held."""

    language: str
    state: MessageState
    held_because: HeldBecause | None
    people: int


@dataclass(frozen=True)
class Summary:
    """An announcement and what became of its messages."""

    announcement: Announcement
    counts: Sequence[Count] = field(default=())

    @property
    def people(self) -> int:
        """How many people it concerns; those who were taken out do not count."""
        return sum(count.people for count in self.counts if count.state is not MessageState.CANCELLED)

    def by_state(self) -> dict[MessageState, int]:
        """Count people by state."""
        found: Counter[MessageState] = Counter()
        for count in self.counts:
            found[count.state] += count.people
        return {state: found[state] for state in MessageState if found[state]}

    def by_language(self) -> dict[str, int]:
        """Count people by language."""
        found: Counter[str] = Counter()
        for count in self.counts:
            if count.state is not MessageState.CANCELLED:
                found[count.language] += count.people
        return dict(found.most_common())

    def without_note(self) -> dict[str, int]:
        """Count people who are held because nobody wrote their language yet."""
        held = [count for count in self.counts if count.held_because is HeldBecause.NO_NOTE]
        return {count.language: count.people for count in held if count.state is MessageState.HELD}


def _owes(*states: MessageState) -> sa.ColumnElement[bool]:
    return sa.exists().where(Message.announcement_id == Announcement.id, Message.state.in_(states))


def _in_tab(tab: Tab) -> sa.ColumnElement[bool]:
    """Say which announcements a tab shows; one may be in several, because its people are in several states."""
    has_left = Announcement.released_at.is_not(None)
    return {
        Tab.SEND: sa.and_(
            Announcement.cancelled_at.is_(None),
            sa.or_(_owes(MessageState.HELD), sa.and_(~has_left, _owes(MessageState.PENDING))),
        ),
        Tab.WAITING: sa.and_(has_left, _owes(MessageState.PENDING)),
        Tab.SENT: _owes(*DONE),
        Tab.FAILED: _owes(MessageState.FAILED, MessageState.UNCERTAIN),
    }[tab]


_PARTS = (
    sa.orm.contains_eager(Announcement.bug).joinedload(Bug.release),
    joinedload(Announcement.sent_by),
    joinedload(Announcement.worder),
)


def page_of_announcements(tab: Tab, actor: User, *, start: int) -> list[Summary]:
    """Read one page of a tab and one more, so that the page knows whether there is another; two questions in all."""
    soonest = (Announcement.due_at.is_(None), Announcement.due_at, Announcement.id)
    latest = (Announcement.released_at.desc(), Announcement.id.desc())
    query = (
        sa.select(Announcement)
        .join(Announcement.bug)
        .where(_in_tab(tab), visible_to(actor))
        .options(*_PARTS)
        .order_by(*(soonest if tab is Tab.SEND else latest))
    )
    found = db.session.scalars(query.offset(start).limit(ROWS_SHOWN + 1)).all()
    counts = _counts([announcement.id for announcement in found])
    return [Summary(announcement, counts[announcement.id]) for announcement in found]


def summary_or_404(announcement_id: int, actor: User) -> Summary:
    """Load an announcement of a bug that this person may see. Raises NotFound."""
    query = sa.select(Announcement).join(Announcement.bug).where(Announcement.id == announcement_id, visible_to(actor))
    found = db.session.scalar(query.options(*_PARTS)) if 0 < announcement_id < 2**31 else None
    if found is None:
        raise NotFound()
    return Summary(found, _counts([found.id])[found.id])


def _counts(ids: Sequence[int]) -> dict[int, list[Count]]:
    by = (Message.announcement_id, Message.language, Message.state, Message.held_because)
    query = sa.select(*by, sa.func.count()).where(Message.announcement_id.in_(ids)).group_by(*by).order_by(*by)
    found: dict[int, list[Count]] = defaultdict(list)
    for announcement_id, language, state, because, people in db.session.execute(query):
        found[announcement_id].append(Count(language, state, because, people))
    return found


def message_or_404(message_id: int, actor: User) -> Message:
    """Load a message about a bug that this person may see. Raises NotFound."""
    query = sa.select(Message).join(Message.announcement).join(Announcement.bug).where(visible_to(actor))
    parts = (sa.orm.contains_eager(Message.announcement).contains_eager(Announcement.bug), joinedload(Message.customer))
    one = query.where(Message.id == message_id).options(*parts)
    found = db.session.scalar(one) if 0 < message_id < 2**31 else None
    if found is None:
        raise NotFound()
    return found


@dataclass(frozen=True)
class Owed:
    """A message with what happened to its envelope."""

    message: Message
    envelope: Delivery | None

    @property
    def why(self) -> str:
        """What its envelope met on the way, where that went wrong."""
        return self.envelope.last_error if self.envelope is not None else ""


def page_of_messages(announcement: Announcement, *, start: int, states: Sequence[MessageState] = ()) -> Sequence[Owed]:
    """Read one page of an announcement's messages, those that need somebody first, and one more.

    Of each state no more is read than may stand on the page, from an index, however many people it concerns.
    """
    firsts = (_first_of(announcement, state, start + PEOPLE_SHOWN + 1) for state in states or MessageState)
    each = sa.union_all(*firsts).subquery()
    shown = sa.select(each).order_by(each.c.urgency, each.c.id).offset(start).limit(PEOPLE_SHOWN + 1).subquery()
    query = _messages().join(shown, shown.c.id == Message.id).order_by(shown.c.urgency, Message.id)
    return [Owed(message, envelope) for message, envelope in db.session.execute(query)]


def _first_of(announcement: Announcement, state: MessageState, count: int) -> sa.Select[*tuple[Any, ...]]:
    urgency = sa.literal(UNTOLD.index(state) if state in UNTOLD else len(UNTOLD)).label("urgency")
    theirs = (Message.announcement_id == announcement.id, Message.state == state)
    first = sa.select(Message.id, urgency).where(*theirs).order_by(Message.id).limit(count).subquery()
    return sa.select(first)


def languages_read(announcement: Announcement) -> Sequence[str]:
    """List the languages of those whom an announcement concerns."""
    of_it = (Message.announcement_id == announcement.id, Message.state != MessageState.CANCELLED)
    return db.session.scalars(sa.select(Message.language).where(*of_it).distinct().order_by(Message.language)).all()


def is_anything_told(bug: Bug) -> bool:
    """Tell whether there is anything to say about a bug's customers; of most bugs there is not."""
    [[messages, remarks]] = rows(_ANYTHING, bug=bug.id)
    return bool(messages or remarks)


_under = sa.select(Bug.id).where(Bug.canonical_id == sa.bindparam("bug"))
_TOLD_OF_BUG = sa.or_(
    Announcement.bug_id == sa.bindparam("bug"),
    sa.and_(Announcement.bug_id.in_(_under), Announcement.report_id.is_not(None)),  # of a part they stay open
)
_ANYTHING = sa.select(
    sa.exists().where(_TOLD_OF_BUG, Message.announcement_id == Announcement.id),
    sa.exists().where(Bug.canonical_id == sa.bindparam("bug"), Report.bug_id == Bug.id, Remark.report_id == Report.id),
)


def told_about(bug: Bug) -> Sequence[Owed]:
    """List who was told of a bug, or asked about it or a part, the latest first, and one more than a page holds."""
    return [Owed(message, envelope) for message, envelope in db.session.execute(_told(), {"bug": bug.id})]


@cache
def _told() -> sa.Select[Message, Delivery | None]:
    about = _messages().join(Announcement, Announcement.id == Message.announcement_id)
    newest = about.where(_TOLD_OF_BUG).order_by(Message.id.desc())
    newest = newest.options(sa.orm.contains_eager(Message.announcement))
    return newest.limit(PEOPLE_SHOWN + 1)


def remarks_about(bug: Bug) -> Sequence[Remark]:
    """List what customers added to their reports under a canonical bug, the latest first."""
    return db.session.scalars(_remarks(), {"bug": bug.id}).all()


@cache
def _remarks() -> sa.Select[Remark]:
    of_bug = sa.select(Remark).join(Remark.report).join(Report.bug).where(Bug.canonical_id == sa.bindparam("bug"))
    customer = sa.orm.contains_eager(Remark.report).joinedload(Report.customer)
    return of_bug.options(customer).order_by(Remark.id.desc()).limit(ROWS_SHOWN)


def stuck_notices(actor: User) -> Sequence[Delivery]:
    """List the mail to the team that waits for a lead to send or drop it; a test mail shows on its own page."""
    if not actor.can(Role.LEAD):
        return []
    query = sa.select(Delivery).where(is_stuck_notice()).options(joinedload(Delivery.user)).order_by(Delivery.id)
    return db.session.scalars(query.limit(PEOPLE_SHOWN)).all()


def notice_or_404(delivery_id: int) -> Delivery:
    """Load a mail to the team. Raises NotFound."""
    query = sa.select(Delivery).where(Delivery.id == delivery_id, Delivery.user_id.is_not(None))
    found = db.session.scalar(query) if 0 < delivery_id < 2**31 else None
    if found is None:
        raise NotFound()
    return found


def _messages() -> sa.Select[Message, Delivery | None]:
    owner = joinedload(Message.customer).joinedload(Customer.account).joinedload(Account.owner)
    message = (owner, joinedload(Message.report), joinedload(Message.told_by))
    return sa.select(Message, Delivery).outerjoin(Delivery, Delivery.id == Message.delivery_id).options(*message)


def restored_count(actor: User) -> int:
    """Count what a restored backup holds."""
    is_restored = (Message.state == MessageState.HELD, Message.held_because == HeldBecause.RESTORED)
    query = sa.select(sa.func.count()).select_from(Message).join(Message.announcement).join(Announcement.bug)
    return db.session.scalar(query.where(*is_restored, visible_to(actor))) or 0


def to_do_count(actor: User) -> int:
    """Count what waits for somebody: announcements to send, people who are held, failed or uncertain, and for a lead
    mail to the team that is.

    Counts at most a thousand people: more is not a different number to whoever reads it.
    """
    [[count]] = rows(_to_do(actor.can(Role.LEAD)), reader=actor.id)
    return int(count)


@cache
def _to_do(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    seen = sa.true() if sees_all else VISIBLE_TO_READER
    announcements = sa.select(sa.func.count(Announcement.id)).join(Announcement.bug)
    to_send = announcements.where(
        Announcement.released_at.is_(None), Announcement.cancelled_at.is_(None), _owes(MessageState.PENDING), seen
    ).where(Announcement.report_id.is_(None))  # what is of one report leaves within a minute
    people = sa.select(Message.id).join(Message.announcement).join(Announcement.bug)
    waits = Message.held_because.is_distinct_from(HeldBecause.QUIET)  # nobody has to do anything about that
    untold = people.where(Message.state.in_(UNTOLD), waits, seen).limit(COUNTED).subquery()
    counts = to_send.scalar_subquery() + sa.select(sa.func.count()).select_from(untold).scalar_subquery()
    if sees_all:
        counts += sa.select(sa.func.count(Delivery.id)).where(is_stuck_notice()).scalar_subquery()
    return sa.select(counts)
