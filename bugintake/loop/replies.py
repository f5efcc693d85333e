"""What a customer says back: it works, it still happens, it is another problem, there is more to say, no more mail."""

from collections.abc import Sequence

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import waiting
from bugintake.intake.models import Question, Remark, Report, SettledBy, Status
from bugintake.intake.reports import canonical, hold_bug_of, title_from
from bugintake.loop import announcements
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import OUTCOMES, QUESTIONS, UPDATES, Announcement, AnnouncementKind, Message, MessageState
from bugintake.triage import splitting, transitions

REMARK_LENGTH = 4000
SAID = (EventKind.REPORT_WORKS_NOW, EventKind.REPORT_STILL_HAPPENING, EventKind.REPORT_NOT_THEIRS)


def works_now(report: Report) -> None:
    """Note that it works for the customer now: they wait no longer. Said twice, it counts once.

    Records report.works_now.
    """
    if report.settled_at is not None and last_said(report) is EventKind.REPORT_WORKS_NOW:
        return
    bug = hold_bug_of(report)
    waiting.settle(bug, [report.customer_id or 0], SettledBy.WORKS_NOW, actor=None)
    events.record(EventKind.REPORT_WORKS_NOW, actor=None, bug=bug, report=report)


def still_happening(report: Report, text: str = "") -> None:
    """Note that it still happens: the customer waits again, and a live bug comes back.

    Records report.still_happening. Raises Invalid for an overlong text.
    """
    bug = hold_bug_of(report)
    _keep(report, text)
    report.settled_at = report.settled_by = None
    bug.changed_at = clock.now()
    waiting.recount([bug.id])
    db.session.refresh(bug)
    if bug.status == Status.LIVE:
        transitions.come_back(bug, actor=None)
    events.record(EventKind.REPORT_STILL_HAPPENING, actor=None, bug=bug, report=report)


def not_my_problem(report: Report, text: str = "") -> None:
    """Note that a bug is not about what this customer told us: their report becomes a bug of its own, and they wait.

    Counts as a wrong merge. Said twice, it counts once. Records report.not_theirs and what splitting.split records.
    Raises Invalid for an overlong text, Conflict where the bug is about nothing but this report, or it is being asked.
    """
    bug = hold_bug_of(report)
    if splitting.is_all(report) and last_said(report) is EventKind.REPORT_NOT_THEIRS:
        return
    _keep(report, text)
    if report.settled_by is SettledBy.WORKS_NOW:
        report.settled_at = report.settled_by = None
    splitting.split(report, title_from(report), actor=None)
    events.record(EventKind.REPORT_NOT_THEIRS, actor=None, bug=bug, report=report)


def add_remark(report: Report, text: str) -> None:
    """Add something a customer wants us to know. Records report.remarked. Raises Invalid for no or an overlong text."""
    if not text:
        raise Invalid("Write what we should know.", "text")
    _keep(report, text)
    bug = canonical(report.bug)
    bug.changed_at = clock.now()
    events.record(EventKind.REPORT_REMARKED, actor=None, bug=bug, report=report)


def answer(report: Report, text: str) -> None:
    """Answer the question that is open about a report; without one the words become a remark, so that none are lost.

    Records bug.answered where the bug waited for it. Raises Invalid for no or an overlong text.
    """
    hold_bug_of(report)
    question = open_question(report)
    if question is None:
        add_remark(report, text)
        return
    if len(text) > REMARK_LENGTH:
        raise Invalid(f"That is longer than {REMARK_LENGTH:,} characters.", "text")
    transitions.answer(question, text, actor=None)


def open_question(report: Report) -> Question | None:
    """Return the latest question to the customer of a report that they have not answered."""
    asked = sa.select(Question).where(Question.report_id == report.id, Question.is_for_customer)
    return db.session.scalar(asked.where(Question.answered_at.is_(None)).order_by(Question.id.desc()).limit(1))


def last_said(report: Report) -> EventKind | None:
    """Return what a customer said last: that it works, still happens, or is another problem."""
    said = sa.select(Event.kind).where(Event.report_id == report.id, Event.kind.in_(SAID))
    return db.session.scalar(said.order_by(Event.id.desc()).limit(1))


def unsubscribe(report: Report) -> None:
    """Stop all mail about a report, also what is on its way and not handed over. Once more changes nothing.

    Records customer.unsubscribed.
    """
    bug = hold_bug_of(report)
    if report.unsubscribed_at is not None:
        return
    report.unsubscribed_at = clock.now()
    events.record(EventKind.CUSTOMER_UNSUBSCRIBED, actor=None, bug=bug, report=report)
    unsent = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)
    stopped = {"state": MessageState.SUPPRESSED, "reason": announcements.UNSUBSCRIBED}
    take_out(_mail_about(report, (*QUESTIONS, *UPDATES)), unsent, **stopped)
    if take_out(_mail_about(report, OUTCOMES), unsent, **stopped):
        waiting.settle(bug, [report.customer_id or 0], SettledBy.SUPPRESSED, actor=None)


def resubscribe(report: Report) -> None:
    """Take an unsubscription back; what was not sent because of it is owed again. Records customer.resubscribed."""
    bug = hold_bug_of(report)
    if report.unsubscribed_at is None:
        return
    report.unsubscribed_at = None
    events.record(EventKind.CUSTOMER_RESUBSCRIBED, actor=None, bug=bug, report=report)
    stopped = sa.and_(_mail_about(report, OUTCOMES), Message.reason == announcements.UNSUBSCRIBED)
    if report.customer is None or db.session.scalar(sa.select(Message.id).where(stopped)) is None:
        return
    waiting.unsettle_all(bug.id, sa.select(Message.customer_id).where(stopped), SettledBy.SUPPRESSED)
    announcement = announcements.current(bug)
    if announcement is not None:
        announcements.owe(announcement, report.customer)


def _mail_about(report: Report, kinds: Sequence[AnnouncementKind]) -> sa.ColumnElement[bool]:
    bug = canonical(report.bug)
    about = sa.select(Announcement.id).where(Announcement.bug_id == bug.id, Announcement.kind.in_(kinds))
    return sa.and_(Message.customer_id == report.customer_id, Message.announcement_id.in_(about))


def _keep(report: Report, text: str) -> None:
    if len(text) > REMARK_LENGTH:
        raise Invalid(f"That is longer than {REMARK_LENGTH:,} characters.", "text")
    if text:
        db.session.add(Remark(report_id=report.id, text=text))
