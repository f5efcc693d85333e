"""What a mail tells, and whether that is so at the moment it is handed over: asked of the rows, not of the product."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.models import OPEN, Bug, Question, Report, Status
from bugintake.loop.models import QUESTIONS, Announcement, AnnouncementKind, Message

OUTCOME = {AnnouncementKind.LIVE: Status.LIVE, AnnouncementKind.DECLINED: Status.DECLINED}


class Told(NamedTuple):
    """One thing that one person was told."""

    announcement: int
    customer: int
    kind: AnnouncementKind
    bug: int
    delivery: int
    message: int


def told_by(delivery: int) -> list[Told]:
    """List what an envelope tells."""
    query = sa.select(Message.announcement_id, Message.customer_id, Announcement.kind, Announcement.bug_id)
    query = query.add_columns(Message.delivery_id, Message.id).join(Message.announcement)
    return [Told(*row) for row in db.session.execute(query.where(Message.delivery_id == delivery))]


def root(bug: Bug) -> Bug:
    """Walk to the bug that stands for this one."""
    while bug.merged_into_id is not None:
        bug = db.session.get_one(Bug, bug.merged_into_id)
    return bug


def untrue(delivery: int, recipient: str, text: str) -> list[str]:
    """List what in an envelope is not so, or not for its reader."""
    inside = db.session.scalars(sa.select(Message).where(Message.delivery_id == delivery)).all()
    found = [] if inside else ["It tells nothing."]
    for message in inside:
        found += [f"{message.announcement.kind}: {what}" for what in _untrue(message, text)]
        found += [f"It went to {recipient}."] if message.customer.email != recipient else []
    return found


def _untrue(message: Message, text: str) -> list[str]:
    announcement, customer, report = message.announcement, message.customer, message.report
    bug, whole = announcement.bug, root(report.bug)
    wrong = {
        "The address does not exist.": customer.suppressed_at is not None,
        "They were erased.": customer.erased_at is not None,
        "They want no mail about it.": report.unsubscribed_at is not None,
        "They do not wait.": report.settled_at is not None,
        "It is somebody else's.": report.customer_id != customer.id,
        "Somebody holds it.": announcement.held_at is not None or announcement.released_at is None,
        "It was taken back.": announcement.cancelled_at is not None,
        "It says older words.": not all(part in text for part in _words(message)),
        "It is not so.": not _is_so(announcement, bug, whole, report),
    }
    return [sentence for sentence, is_wrong in wrong.items() if is_wrong]


def _is_so(announcement: Announcement, bug: Bug, whole: Bug, report: Report) -> bool:
    kind = announcement.kind
    if kind in OUTCOME:
        return whole.id == bug.id and whole.status == OUTCOME[kind]
    if kind in QUESTIONS:
        open_ones = sa.select(Question.id).where(Question.report_id == report.id, Question.answered_at.is_(None))
        return db.session.scalar(open_ones.limit(1)) is not None and whole.status in OPEN
    return whole.status in OPEN and whole.withdrawn_at is None and (kind is AnnouncementKind.RECEIVED or whole is bug)


def _words(message: Message) -> list[str]:
    """List what has to stand in a mail by now, as it is written at this moment."""
    announcement, language = message.announcement, message.language
    notes, ways = announcement.notes.get(language, ""), announcement.bug.workarounds.get(language, "")
    told = {AnnouncementKind.RECEIVED: [ways], AnnouncementKind.WORKAROUND: [ways]}
    words = told.get(announcement.kind, [notes, ways] if announcement.kind is AnnouncementKind.DECLINED else [notes])
    return [" ".join(each.split()) for each in words if each.strip()]
