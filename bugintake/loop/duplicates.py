"""What people are owed when two bugs become one or are two again, and when a report becomes a bug of its own."""

from collections.abc import Sequence

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, update_all
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.core.templating import plural
from bugintake.intake import waiting
from bugintake.intake.models import OPEN, Bug, Report, SettledBy, Status
from bugintake.loop import announcements, updates
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import (
    OF_THE_BUG,
    OUTCOMES,
    QUESTIONS,
    Announcement,
    AnnouncementKind,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.loop.outcomes import KINDS, TOLD, TOLD_AGAIN, take_up_again, tell_latecomer
from bugintake.loop.owed import may_need_answer
from bugintake.team.models import User
from bugintake.triage.merging import told_of_another

UNSENT = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)
ON_THE_WAY = (MessageState.PENDING, MessageState.UNCERTAIN)
SETTLED_BY = {MessageState.SENT: SettledBy.TOLD, MessageState.TOLD_BY_HAND: SettledBy.TOLD_BY_HAND}


def join(event: Event) -> None:
    """Owe a bug's people what became of the one it is a part of now, and nothing more of its own.

    What they are asked they are asked all the same, unless nothing is to be found out any more. Whoever was told
    already, because they reported the other one too, waits no longer.
    """
    part, whole = db.session.get_one(Bug, event.bug_id), db.session.get_one(Bug, event.details["into"])
    again = Message.reason == TOLD_AGAIN  # remembered, so that nobody gets a second mail when it is separated again
    outcomes = _about(part.id, kinds=OUTCOMES)
    take_out(sa.and_(outcomes, ~again), UNSENT, state=MessageState.CANCELLED)
    take_out(sa.and_(outcomes, again), UNSENT, state=MessageState.CANCELLED, reason=TOLD_AGAIN)
    if not may_need_answer(whole):
        reason = f"{part.ref} became part of {whole.ref}, which needs no answer."
        take_out(_about(part.id, kinds=QUESTIONS), UNSENT, state=MessageState.CANCELLED, reason=reason)
    own = announcements.current(part)
    if own is not None and own.held_at is None:
        own.held_at = event.at
    if whole.status not in KINDS:
        return
    announcement = announcements.current(whole)
    if announcement is None:
        actor = db.session.get(User, event.actor_id) if event.actor_id is not None else None
        announcements.open_announcement(whole, KINDS[whole.status], actor=actor)
        return
    for state, by in SETTLED_BY.items():
        told = sa.select(Message.customer_id).where(Message.announcement_id == announcement.id, Message.state == state)
        waiting.settle_all(whole.id, told, by)
    announcements.owe(announcement)
    leaving = sa.select(Message.customer_id).where(_about(part.id), Message.state.in_(ON_THE_WAY))
    theirs = sa.and_(Message.announcement_id == announcement.id, Message.customer_id.in_(leaving))
    reason = f"A mail about {part.ref} may be with them already."
    held = {"state": MessageState.HELD, "held_because": HeldBecause.REOPENED, "reason": reason}
    take_out(theirs, [MessageState.PENDING], **held)


def separate(event: Event) -> None:
    """Owe a bug that stands for itself again what became of it, and its people nothing more of the other one.

    Whoever was told of the other one meanwhile is held, so that a person looks before a second mail leaves; while this
    one is open they are owed a correction.
    """
    bug, of = db.session.get_one(Bug, event.bug_id), event.details["of"]
    own = waiting.reports_under(bug.id)
    uncorrected = db.session.scalars(updates.uncorrected(Announcement.bug_id == of)).all()
    _owe_no_more(of, own.with_only_columns(Report.customer_id), own.with_only_columns(Report.id))
    announcement = announcements.current(bug) if bug.status in KINDS else None
    if announcement is None:
        if bug.status in OPEN:
            actor = db.session.get(User, event.actor_id) if event.actor_id is not None else None
            told = told_of_another(bug.id, of, event.details["since"])
            believe = sa.or_(Report.customer_id.in_(told), Report.customer_id.in_(uncorrected))
            theirs = waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id).where(believe)
            updates.correct(bug, theirs, actor=actor)
        return
    wait = waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id)
    of_it = sa.and_(Message.announcement_id == announcement.id, Message.customer_id.in_(wait))
    again = (of_it, Message.state == MessageState.CANCELLED, Message.reason == TOLD_AGAIN)
    held = {"state": MessageState.HELD, "held_because": HeldBecause.REOPENED}
    update_all(sa.update(Message).where(*again).values(**held))
    if announcement.released_at is None and announcement.worder_id is None:
        announcement.due_at = announcements.review_ends_at(event.at)
    take_up_again(announcement, db.session.scalar(sa.select(Event.at).where(Event.id == event.details["since"])))
    misled = Message.customer_id.in_(told_of_another(bug.id, of, event.details["since"]))
    reason = f"They were told what became of BUG-{of}, which is another problem."
    take_out(sa.and_(of_it, misled), [MessageState.PENDING, MessageState.HELD], reason=reason, **held)


def split(event: Event) -> None:
    """Owe a customer nothing more of a bug once their report about it is a bug of its own."""
    report = sa.select(Report).where(Report.id == event.report_id)
    customer = report.with_only_columns(Report.customer_id).where(Report.customer_id.is_not(None))
    _owe_no_more(event.bug_id or 0, customer, report.with_only_columns(Report.id))


def rejoin(event: Event) -> None:
    """Owe a customer the outcome of the bug that their report went back to, if they wait."""
    if db.session.get_one(Report, event.report_id).is_waiting:
        tell_latecomer(event)


def _owe_no_more(bug_id: int, customers: sa.Select[int | None], reports: sa.Select[int]) -> None:
    """Take back what is owed about a bug to those who no longer wait for it; what stays speaks of their own report."""
    theirs = sa.and_(_about(bug_id), Message.customer_id.in_(customers))
    wait = waiting.unsettled_under(bug_id).with_only_columns(Report.customer_id)
    take_out(sa.and_(theirs, Message.customer_id.not_in(wait)), UNSENT, state=MessageState.CANCELLED)
    first = (
        waiting.unsettled_under(bug_id)
        .with_only_columns(sa.func.min(Report.id))
        .where(Report.customer_id == Message.customer_id)
        .correlate(Message)
        .scalar_subquery()
    )
    elsewhere = sa.and_(theirs, Message.report_id.in_(reports))
    take_out(elsewhere, [MessageState.PENDING], state=MessageState.PENDING)
    stays = sa.or_(Message.state != MessageState.PENDING, Message.delivery_id.is_(None))  # else it leaves right now
    update_all(sa.update(Message).where(elsewhere, Message.state.in_(UNSENT), stays).values(report_id=first))


def _about(*bug_ids: int, kinds: Sequence[AnnouncementKind] = tuple(AnnouncementKind)) -> sa.ColumnElement[bool]:
    of_them = sa.select(Announcement.id).where(Announcement.bug_id.in_(bug_ids), Announcement.kind.in_(kinds))
    return Message.announcement_id.in_(of_them)


def effects(bugs: Sequence[Bug], into: Bug) -> list[str]:
    """Say what people will be told, or not be told, once some bugs are a part of another one."""
    sentences = []
    ids = [bug.id for bug in bugs]
    ends = [kind for kind in OF_THE_BUG if kind is not AnnouncementKind.CORRECTION or into.status in KINDS]
    gone = _about(*ids, kinds=ends if may_need_answer(into) else (*ends, *QUESTIONS))
    unsent = sa.select(sa.func.count(sa.distinct(Message.customer_id))).where(gone, Message.state.in_(UNSENT))
    taken_back = db.session.scalar(unsent) or 0
    if taken_back:
        people, of = plural(taken_back, "person", "people"), bugs[0].ref if len(bugs) == 1 else "them"
        sentences.append(f"What {people} would have been told of {of} is taken back.")
    if into.status not in KINDS:
        return sentences
    announcement = announcements.current(into)
    of_it = Message.announcement_id == (announcement.id if announcement is not None else None)
    under = sa.select(Bug.id).where(Bug.canonical_id.in_(ids))
    wait = sa.select(Report.customer_id).where(Report.bug_id.in_(under), Report.settled_at.is_(None))
    wait = wait.where(Report.customer_id.is_not(None))
    stands = Message.state.not_in((MessageState.CANCELLED, MessageState.SUPPRESSED))
    known = sa.select(Message.customer_id).where(of_it, stands)
    new = _count(wait.where(Report.customer_id.not_in(known)).distinct())
    told = _count(known.where(Message.state.in_(TOLD), Message.customer_id.in_(wait)))
    if new:
        sentences.append(f"{plural(new, 'person', 'people')} will be told {_what_and_when(into, announcement)}.")
    if told:
        waits = "was told already and waits" if told == 1 else "were told already and wait"
        sentences.append(f"{plural(told, 'person', 'people')} {waits} no longer.")
    return sentences


def _count(people: sa.Select[int | None] | sa.Select[int]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(people.subquery())) or 0


def _what_and_when(bug: Bug, announcement: Announcement | None) -> str:
    what = "that it is live" if bug.release is None else f"that it is live in {bug.release.label}"
    if bug.status == Status.DECLINED:
        what = "why it stays as it is"
    if announcement is not None and announcement.held_at is not None:
        return f"{what} once somebody resumes the mail about it"
    if announcement is not None and announcement.released_at is not None:
        return f"at once {what}"
    return f"{what} when its review is over"


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.BUG_MERGED, join),
    (EventKind.BUG_UNMERGED, separate),
    (EventKind.REPORT_SPLIT, split),
    (EventKind.REPORT_REJOINED, rejoin),
]


def listen() -> None:
    """Follow which bugs become one and which are two again."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
