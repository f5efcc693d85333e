"""What is told on the way: we have your report, there is a way round it, what we told you was wrong."""

from collections.abc import Sequence

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.core.kept import once
from bugintake.core.templating import say
from bugintake.intake.customers.quiet import quiet_until
from bugintake.intake.models import OPEN, Bug, Report
from bugintake.intake.reports import canonical
from bugintake.loop import announcements
from bugintake.loop.envelopes import take_out
from bugintake.loop.models import UPDATES, Announcement, AnnouncementKind, Message, MessageState
from bugintake.team.models import User
from bugintake.team.workspace import is_set_up, workspace

UNSENT = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)


def tell_way_round(bug: Bug, *, actor: User) -> Announcement:
    """Open an announcement of a bug's way round, for everybody who waits; it leaves when its review is over.

    Records announcement.opened. Raises Conflict where there is none, nobody waits, the outcome is known, or an earlier
    one has not left yet.
    """
    hold(bug)
    if bug.merged_into_id is not None:
        raise Conflict(say("%(ref)s is part of %(whole)s now.", ref=bug.ref, whole=canonical(bug).ref))
    if bug.status not in OPEN:
        raise Conflict(say("It is known how %(ref)s ended, and that is what people are told.", ref=bug.ref))
    if not any(text.strip() for text in bug.workarounds.values()):
        raise Conflict(say("There is no workaround yet. Write it first."))
    if not bug.waiting_count:
        raise Conflict(say("Nobody waits for %(ref)s.", ref=bug.ref))
    earlier = way_round_told(bug)
    if earlier is not None and earlier.released_at is None:
        raise Conflict(say("It is to be told already."))
    if earlier is not None:  # whom it has not reached is told the way there is now, once
        take_out(Message.announcement_id == earlier.id, UNSENT, state=MessageState.CANCELLED)
    return announcements.begin(bug, AnnouncementKind.WORKAROUND, notes={}, actor=actor)


def way_round_told(bug: Bug) -> Announcement | None:
    """Return the latest announcement of a bug's way round that stands, whether it has left or not."""
    theirs = (Announcement.bug_id == bug.id, Announcement.generation == bug.generation)
    stands = (Announcement.kind == AnnouncementKind.WORKAROUND, Announcement.cancelled_at.is_(None))
    return db.session.scalar(sa.select(Announcement).where(*theirs, *stands).order_by(Announcement.id.desc()).limit(1))


def confirm(report: Report, *, actor: User | None) -> Announcement:
    """Write to a customer that we have their report, in a minute, with the link to follow it.

    Raises Conflict where there is nobody to write to, where they were written to already, or do not wait any more.
    """
    sentence = why_not_confirmed(report)
    if sentence:
        raise Conflict(sentence)
    return _confirm(report, actor)


def why_not_confirmed(report: Report) -> str:
    """Say why a customer is not written to that we have their report; nothing where they may be."""
    customer, bug = report.customer, canonical(report.bug)
    if customer is None or customer.email is None:
        return say("There is no address to write to.")
    if not report.is_waiting or bug.status not in OPEN:
        return say("They do not wait any more, or are told how it ended.")
    if customer.suppressed_at is not None or report.unsubscribed_at is not None:
        return say("They get no mail about it.")
    if (until := quiet_until(customer)) is not None:
        return say("They want no mail until %(day)s.", day=f"{until:%d %b %Y}")
    received = sa.select(Announcement.id).where(
        Announcement.report_id == report.id, Announcement.kind == AnnouncementKind.RECEIVED
    )
    if db.session.scalar(received.where(Announcement.cancelled_at.is_(None)).limit(1)) is not None:
        return say("They have been written to that we have it.")
    return ""


def correct(bug: Bug, told: sa.Select[int | None], *, actor: User | None) -> None:
    """Open a correction for those who were told of a bug what is not so, and wait again; it waits for words.

    Records announcement.opened, where there is anybody.
    """
    if db.session.scalar(told.limit(1)) is not None:
        announcements.begin(bug, AnnouncementKind.CORRECTION, notes={}, actor=actor, among=told)


def unworded_correction(bug: Bug) -> Announcement | None:
    """Return a correction that stands and that nobody has worded."""
    theirs = (Announcement.bug_id == bug.id, Announcement.generation == bug.generation)
    stands = (Announcement.kind == AnnouncementKind.CORRECTION, Announcement.cancelled_at.is_(None))
    found = db.session.scalars(sa.select(Announcement).where(*theirs, *stands).order_by(Announcement.id)).all()
    return next((each for each in found if not any(each.notes.values())), None)


def welcome(event: Event) -> None:
    """Write to whoever just told us that we have it, where the company wants that; else what the others were told."""
    report = db.session.get_one(Report, event.report_id)
    if _confirms_reports() and not why_not_confirmed(report):
        _confirm(report, db.session.get(User, event.actor_id) if event.actor_id is not None else None)
        return
    bug = canonical(report.bug)
    has_way = bug.status in OPEN and any(bug.workarounds.values())
    standing = way_round_told(bug) if has_way and report.customer is not None else None
    if standing is not None:
        announcements.owe(standing, report.customer)


def end(event: Event) -> None:
    """Owe nothing of all this any more once the outcome of a bug is known, or it is a part of another one.

    Of a part only what concerns the whole of it ends: that we have somebody's report stays true. What was wrong stays
    wrong: who was to be told so is told so of the bug that stands for it, while that is open.
    """
    whole = (AnnouncementKind.WORKAROUND, AnnouncementKind.CORRECTION)
    kinds = whole if event.kind is EventKind.BUG_MERGED else UPDATES
    about = sa.select(Announcement).where(
        Announcement.bug_id == event.bug_id,
        Announcement.kind.in_(kinds),
        Announcement.cancelled_at.is_(None),
    )
    found = db.session.scalars(about).all()
    if not found:
        return
    if event.kind is EventKind.BUG_MERGED:
        _correct_all_the_same([each for each in found if each.kind is AnnouncementKind.CORRECTION], event)
    take_out(Message.announcement_id.in_([each.id for each in found]), UNSENT, state=MessageState.CANCELLED)
    for announcement in found:
        if announcement.released_at is None:
            announcement.cancelled_at = clock.now()


def _correct_all_the_same(corrections: Sequence[Announcement], event: Event) -> None:
    whole = db.session.get_one(Bug, event.details["into"])
    actor = db.session.get(User, event.actor_id) if event.actor_id is not None else None
    for each in corrections if whole.status in OPEN else ():
        unsent = uncorrected(Announcement.id == each.id)
        if db.session.scalar(unsent.limit(1)) is not None:
            announcements.begin(whole, AnnouncementKind.CORRECTION, notes=each.notes, actor=actor, among=unsent)


def uncorrected(chosen: sa.ColumnElement[bool]) -> sa.Select[int | None]:
    """Select who is still owed a correction, of some announcements."""
    told = sa.select(Message.customer_id).join(Message.announcement).where(chosen, Message.state.in_(UNSENT))
    return told.where(Announcement.kind == AnnouncementKind.CORRECTION, Announcement.cancelled_at.is_(None))


def reword(event: Event) -> None:
    """Let what is owed of a way round say the words it has now."""
    bug = db.session.get_one(Bug, event.bug_id)
    standing = way_round_told(bug) if event.details["field"] == "workaround" else None
    if standing is not None:
        announcements.take_new_words(standing)


@once
def _confirms_reports() -> bool:
    return is_set_up() and workspace().confirms_reports


def _confirm(report: Report, actor: User | None) -> Announcement:
    bug = canonical(report.bug)
    announcement = Announcement(
        kind=AnnouncementKind.RECEIVED,
        bug_id=bug.id,
        report_id=report.id,
        generation=bug.generation,
        due_at=clock.now() + announcements.SEND_DELAY,
        sent_by_id=actor.id if actor is not None else None,
    )
    db.session.add(announcement)
    db.session.flush()
    announcements.owe(announcement)
    return announcement


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.REPORT_FILED, welcome),
    (EventKind.REPORT_ATTACHED, welcome),
    (EventKind.BUG_LIVE, end),
    (EventKind.BUG_DECLINED, end),
    (EventKind.BUG_WITHDRAWN, end),
    (EventKind.BUG_MERGED, end),
    (EventKind.BUG_EDITED, reword),
]


def listen() -> None:
    """Follow what customers tell, and what ends their waiting."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
