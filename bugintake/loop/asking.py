"""Questions: mailed to whoever is asked, reminded of once, and paused where no answer comes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.duty.standing_in import who_hears
from bugintake.intake import waiting
from bugintake.intake.models import Bug, Question, Report, Status
from bugintake.loop import announcements
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import (
    QUESTIONS,
    Announcement,
    AnnouncementKind,
    DeliveryKind,
    Message,
    MessageState,
)
from bugintake.loop.notices import queue_notice
from bugintake.loop.patience import latest_start
from bugintake.team.models import User
from bugintake.team.workspace import is_set_up
from bugintake.triage import looking, snoozing
from bugintake.triage.moves import answered_question
from bugintake.triage.verbs import UNFIXED

FORGOTTEN = timedelta(days=90)
UNSENT = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)
SILENT = (MessageState.CANCELLED, MessageState.SUPPRESSED)


def ask(event: Event) -> None:
    """Mail a question to the customers who are asked, in a minute; else to whoever filed the report, at once."""
    actor = db.session.get_one(User, event.actor_id)
    for question in _questions(event.details["questions"]):
        if question.is_for_customer:
            _tell(question, AnnouncementKind.ASKED, announcements.SEND_DELAY, actor)
        else:
            _notify(question, "first", but=actor)


def take_back(event: Event) -> None:
    """Owe the customers nothing of a question that was taken back. Raises Conflict once one of them was asked.

    Where a move was taken back that had ended the waiting, whoever was not asked because of it is asked.
    """
    undone = db.session.get_one(Event, event.details["undone"])
    if undone.kind != EventKind.BUG_ASKED:
        ask_the_others(event)
        return
    asked = _about(event.bug_id or 0).where(Announcement.opened_at >= undone.at)
    _owe_no_more(asked)
    told = Message.announcement_id.in_(asked.with_only_columns(Announcement.id))
    people = db.session.scalar(sa.select(sa.func.count()).where(told, Message.state.not_in(SILENT))) or 0
    if people:
        bug = db.session.get_one(Bug, event.bug_id)
        raise Conflict(f"The question has been sent already, so it cannot be undone. Move {bug.ref} instead.")


def ask_the_others(event: Event) -> None:
    """Ask whoever was not asked what a bug or a part of it needs to know, because it did not for a while."""
    waits = waiting.unsettled_under(event.bug_id or 0).with_only_columns(Report.id)
    told = sa.select(Message.report_id).join(Message.announcement)
    told = told.where(Announcement.opened_at >= Question.asked_at, Announcement.kind.in_(QUESTIONS))
    told = told.where(Message.state.not_in(SILENT)).correlate(Question)
    missed = sa.select(Question.id).where(Question.report_id.in_(waits), Question.report_id.not_in(told))
    missed = missed.where(Question.answered_at.is_(None), Question.is_for_customer)
    for question in _questions(db.session.scalars(missed).all()):
        if _bug_asking(question) is not None:
            _tell(question, AnnouncementKind.ASKED, announcements.SEND_DELAY)


def move_on(event: Event) -> None:
    """Owe nothing of the questions about a bug that waits for no answer any more, nor about its parts once it ends."""
    if event.before == Status.NEEDS_INFO:
        _owe_no_more(_about(event.bug_id or 0))
    if event.after not in UNFIXED:
        _owe_no_more(_about_parts(event.bug_id or 0))


def ask_no_more(event: Event) -> None:
    """Owe nothing of the question about a part of a bug once it is answered there."""
    under = sa.select(Bug).where(Bug.canonical_id == event.bug_id, Bug.status == Status.NEEDS_INFO)
    for part in db.session.scalars(under.where(Bug.id != event.bug_id)).all():
        if answered_question(part) is not None:
            _owe_no_more(_about(part.id))


def follow_up(now: datetime) -> int:
    """Remind whoever has not answered for three working days, pause a bug after three more, and count both."""
    if not is_set_up():
        return 0
    found = db.session.scalars(_due(now)).all()
    for question_id in found:
        with transaction():
            _follow_up(db.session.get_one(Question, question_id), now)
    return len(found)


def _follow_up(question: Question, now: datetime) -> None:
    bug = db.session.get_one(Bug, question.report.bug.canonical_id)
    hold(bug)
    if db.session.scalar(_due(now).where(Question.id == question.id)) is None:
        return  # answered meanwhile, or another worker was faster
    if question.reminded_at is None:
        question.reminded_at = now
        events.record(EventKind.BUG_REMINDED, bug=bug, actor=None, report=question.report)
        if question.is_for_customer:
            _tell(question, AnnouncementKind.REMINDED)
        else:
            _notify(question, "again")
        return
    snoozing.pause(bug)
    unanswered = sa.select(Question.id).join(Report, Report.id == Question.report_id)
    unanswered = unanswered.where(Question.answered_at.is_(None), Question.reminded_at.is_not(None))
    under = Report.id.in_(waiting.unsettled_under(bug.id).with_only_columns(Report.id))
    colleagues = {question.asked_by}
    for other in _questions(db.session.scalars(unanswered.where(under)).all()):
        if other.is_for_customer:
            _tell(other, AnnouncementKind.PAUSED)
        colleagues |= {other.asked_by, *([] if other.is_for_customer else who_hears(other.report.filed_by))}
    for person in sorted(colleagues, key=lambda each: each.id):
        key = f"paused:{question.id}:{person.id}"
        queue_notice(DeliveryKind.PAUSED, person, key, question=question.id)


def _due(now: datetime) -> sa.Select[int]:
    """Select the open questions that somebody has had three working days for, since they were asked or reminded."""
    since = latest_start(now)
    part = sa.orm.aliased(Bug)
    last = sa.func.coalesce(Question.reminded_at, Question.asked_at)
    return (
        sa.select(Question.id)
        .join(Report, Report.id == Question.report_id)
        .join(part, part.id == Report.bug_id)
        .join(Bug, Bug.id == part.canonical_id)
        .where(Question.answered_at.is_(None), Question.asked_at > now - FORGOTTEN, last <= since)
        .where(Bug.status == Status.NEEDS_INFO, Bug.paused_at.is_(None), Bug.withdrawn_at.is_(None))
        .order_by(Question.id)
    )


def _tell(
    question: Question, kind: AnnouncementKind, delay: timedelta = timedelta(), actor: User | None = None
) -> None:
    report = question.report
    if report.customer is None:
        return
    bug = _bug_asking(question) or db.session.get_one(Bug, report.bug.canonical_id)
    announcement = Announcement(
        kind=kind,
        bug_id=bug.id,
        report_id=report.id,
        generation=bug.generation,
        notes={question.language: question.text},
        due_at=clock.now() + delay,
        sent_by_id=actor.id if actor is not None else question.asked_by_id,
    )
    db.session.add(announcement)
    db.session.flush()
    announcements.owe(announcement)


def _bug_asking(question: Question) -> Bug | None:
    """Return the bug that waits for the answer: what its report is about, or what that became a part of since."""
    bug: Bug | None = question.report.bug
    while bug is not None:
        asked = looking.last_of(bug, [EventKind.BUG_ASKED]) if bug.status == Status.NEEDS_INFO else None
        if asked is not None and question.id in asked.details["questions"]:
            return bug
        bug = db.session.get(Bug, bug.merged_into_id) if bug.merged_into_id is not None else None
    return None


def _notify(question: Question, when: str, but: User | None = None) -> None:
    for person in who_hears(question.report.filed_by):
        if but is None or person.id != but.id:
            key = f"question:{question.id}:{person.id}:{when}"
            queue_notice(DeliveryKind.QUESTION, person, key, question=question.id)


def _questions(ids: Sequence[int]) -> Sequence[Question]:
    return db.session.scalars(sa.select(Question).where(Question.id.in_(ids)).order_by(Question.id)).all()


def _about(bug_id: int) -> sa.Select[Announcement]:
    stands = (Announcement.kind.in_(QUESTIONS), Announcement.cancelled_at.is_(None))
    return sa.select(Announcement).where(Announcement.bug_id == bug_id, *stands)


def _about_parts(bug_id: int) -> sa.Select[Announcement]:
    parts = sa.select(Bug.id).where(Bug.canonical_id == bug_id, Bug.id != bug_id)
    stands = (Announcement.kind.in_(QUESTIONS), Announcement.cancelled_at.is_(None))
    return sa.select(Announcement).where(Announcement.bug_id.in_(parts), *stands)


def _owe_no_more(asked: sa.Select[Announcement]) -> None:
    of_them = Message.announcement_id.in_(asked.with_only_columns(Announcement.id))
    take_out(of_them, UNSENT, state=MessageState.CANCELLED)
    for announcement in db.session.scalars(asked.where(Announcement.released_at.is_(None))).all():
        announcement.cancelled_at = clock.now()


MOVES = (
    EventKind.BUG_ACCEPTED,
    EventKind.BUG_STARTED,
    EventKind.BUG_ANSWERED,
    EventKind.BUG_FIXED,
    EventKind.BUG_DECLINED,
)
SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.BUG_ASKED, ask),
    (EventKind.BUG_UNDONE, take_back),
    (EventKind.REPORT_ANSWERED, ask_no_more),
    (EventKind.BUG_UNMERGED, ask_the_others),
    *((kind, move_on) for kind in MOVES),
]


def listen() -> None:
    """Follow what is asked and answered."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
