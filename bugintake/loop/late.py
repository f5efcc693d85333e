"""What reached somebody after it was no longer so, because nobody knew that it was on its way."""

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.intake import waiting
from bugintake.intake.models import OPEN, Bug, Report
from bugintake.intake.reports import canonical
from bugintake.loop import announcements, updates
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import OUTCOMES, AnnouncementKind, HeldBecause, Message, MessageState
from bugintake.team.models import User
from bugintake.triage import looking


def arrived(message: Message, *, actor: User | None) -> None:
    """Correct what told somebody who waits how another bug ended than theirs, or that what was withdrawn is live.

    Where theirs has ended too, a person looks before they are told so.
    """
    said, bug = canonical(message.announcement.bug), canonical(message.report.bug)
    if message.announcement.kind not in OUTCOMES or not message.report.is_waiting:
        return
    if said.id == bug.id:
        if message.announcement.kind is AnnouncementKind.LIVE and _was_withdrawn(message) and bug.status in OPEN:
            _correct(bug, message, actor)
        return
    of_the_other = waiting.reports_under(said.id).where(Report.customer_id == message.customer_id)
    if db.session.scalar(of_the_other.limit(1)) is not None:
        return  # they reported that one, too
    if bug.status in OPEN:
        _correct(bug, message, actor)
        return
    current = announcements.current(bug)
    theirs = (Message.announcement_id == (current.id if current else None), Message.customer_id == message.customer_id)
    reason = f"They were told what became of {said.ref}, which is another problem."
    held = {"state": MessageState.HELD, "held_because": HeldBecause.REOPENED, "reason": reason}
    take_out(sa.and_(*theirs), [MessageState.PENDING, MessageState.HELD], **held)


def _was_withdrawn(message: Message) -> bool:
    last = looking.last_of(message.announcement.bug, [EventKind.BUG_UNRELEASED])
    return last is not None and last.at >= message.announcement.opened_at


def _correct(bug: Bug, message: Message, actor: User | None) -> None:
    """Correct it together with what others were told that nobody has worded yet."""
    unworded = updates.unworded_correction(bug)
    if unworded is not None:
        announcements.owe(unworded, message.customer)
        return
    updates.correct(bug, sa.select(Message.customer_id).where(Message.id == message.id), actor=actor)
