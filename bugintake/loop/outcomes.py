"""What a change of a bug or report sets off here, in the same transaction: telling, holding, taking back."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, update_all
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.quiet import is_quiet, open_day
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.loop import announcements, links, updates
from bugintake.loop.envelopes import OWED, take_out
from bugintake.loop.models import OUTCOMES, Announcement, AnnouncementKind, HeldBecause, Message, MessageState
from bugintake.team.models import User

KINDS = {Status.LIVE: AnnouncementKind.LIVE, Status.DECLINED: AnnouncementKind.DECLINED}
TOLD = (MessageState.SENT, MessageState.TOLD_BY_HAND)
UNSENT = (MessageState.PENDING, MessageState.HELD, MessageState.FAILED)
SILENT = (MessageState.CANCELLED, MessageState.SUPPRESSED)
TOLD_BY = {SettledBy.TOLD: MessageState.SENT, SettledBy.TOLD_BY_HAND: MessageState.TOLD_BY_HAND}
TOLD_AGAIN = "They told us again after they had been told."


def announce(event: Event) -> None:
    """Open the announcement of a bug that became live or declined."""
    bug = _bug(event)
    announcements.open_announcement(bug, KINDS[bug.status], actor=_actor(event))


def tell_latecomer(event: Event) -> None:
    """Owe the outcome to a customer who was attached after it was known.

    Somebody who was told already and tells us again is held, so that a person looks before a second mail leaves. The
    event then says how their message stood, for whoever takes the attaching back.
    """
    bug, report = _bug(event), db.session.get_one(Report, event.report_id)
    if bug.status not in KINDS or report.customer is None:
        return
    announcement = announcements.current(bug)
    if announcement is None:
        announcements.open_announcement(bug, KINDS[bug.status], actor=_actor(event))
        return
    theirs = (Message.announcement_id == announcement.id, Message.customer_id == report.customer_id)
    message = db.session.scalar(sa.select(Message).where(*theirs, Message.state.not_in(OWED)))
    if message is not None:
        event.details = {**event.details, "message": message.id, "was": _standing(message)}
    announcements.owe(announcement, report.customer)
    _hold_the_told(announcement, Message.customer_id == report.customer_id)


def stop_telling(event: Event) -> None:
    """Owe nothing more to a customer whose report was taken back, or for whom it works.

    A mail that may have arrived stays for a person to judge: it must not leave again if they wait again. Where an
    attaching was taken back, their message stands as before it. Raises Conflict while it leaves.
    """
    report = db.session.get_one(Report, event.report_id)
    if event.details.get("attached") is not None:
        _let_stand_as_before(db.session.get_one(Event, event.details["attached"]))
    still_waits = waiting.unsettled_under(event.bug_id or 0).where(Report.customer_id == report.customer_id)
    if report.customer_id is None or db.session.scalar(still_waits.limit(1)) is not None:
        return
    about = sa.select(Announcement.id).where(Announcement.bug_id == event.bug_id)
    theirs = sa.and_(Message.customer_id == report.customer_id, Message.announcement_id.in_(about))
    take_out(theirs, UNSENT, state=MessageState.CANCELLED)


def _let_stand_as_before(attached: Event) -> None:
    """Put the message back that an attaching changed, if it changed one."""
    it, was = Message.id == attached.details.get("message"), dict(attached.details.get("was", {}))
    if not was or db.session.scalar(sa.select(Message.id).where(it)) is None:
        return
    state, state_at = MessageState(was.pop("state")), datetime.fromisoformat(was.pop("state_at"))
    if not take_out(it, (*OWED, *SILENT), state=state, reason=was.pop("reason")):
        raise Conflict("A mail to them is being handed over right now, so this cannot be taken back.")
    update_all(sa.update(Message).where(it).values(state_at=state_at, **was))


def _standing(message: Message) -> dict[str, Any]:
    kept = ("state", "reason", "delivery_id", "report_id", "language")
    return {**{name: getattr(message, name) for name in kept}, "state_at": message.state_at.isoformat()}


def hold_generation(event: Event) -> None:
    """Hold what the generation before still owed, because it is not so any more.

    A withdrawn release is not so for anybody: whoever was told that it is live waits again, and is owed a correction.
    """
    bug = _bug(event)
    past = sa.select(Announcement).where(
        Announcement.bug_id == bug.id, Announcement.generation < bug.generation, Announcement.cancelled_at.is_(None)
    )
    past = past.where(Announcement.kind.in_(OUTCOMES))
    announcement = db.session.scalars(past.order_by(Announcement.generation.desc()).limit(1)).first()
    if announcement is None:
        return
    announcement.held_at = announcement.held_at or event.at
    of_it = Message.announcement_id == announcement.id
    reopened = {"state": MessageState.HELD, "held_because": HeldBecause.REOPENED}
    waits_for_somebody = Message.held_because.in_((HeldBecause.RESTORED, HeldBecause.REOPENED))
    take_out(sa.and_(of_it, ~waits_for_somebody), [MessageState.HELD], **reopened)
    take_out(of_it, [MessageState.PENDING], **reopened)
    if event.kind == EventKind.BUG_UNRELEASED:
        for settled_by, state in TOLD_BY.items():
            told = sa.select(Message.customer_id).where(of_it, Message.state == state)
            waiting.unsettle_all(bug.id, told, settled_by)
        updates.correct(bug, sa.select(Message.customer_id).where(of_it, Message.state.in_(TOLD)), actor=_actor(event))


def reword_decline(event: Event) -> None:
    """Let what is owed of a decline say the way round that was written since."""
    bug = _bug(event)
    announcement = announcements.current(bug) if bug.status == Status.DECLINED else None
    if announcement is not None and event.details["field"] == "workaround":
        announcements.take_new_words(announcement)


def undo_outcome(event: Event) -> None:
    """Take back the announcement of a verdict that was undone, or take up again the one that an undone reopening held.

    Records announcement.cancelled. Raises Conflict once anybody was told.
    """
    bug = _bug(event)
    announcement = announcements.current(bug)
    if announcement is None:
        return
    if bug.status in KINDS:
        take_up_again(announcement, db.session.get_one(Event, event.details["undone"]).at)
        return
    of_it = Message.announcement_id == announcement.id
    take_out(of_it, [MessageState.PENDING, MessageState.HELD, MessageState.FAILED], state=MessageState.CANCELLED)
    told = db.session.scalar(sa.select(sa.func.count()).where(of_it, Message.state.not_in(SILENT))) or 0
    if told:
        people = "1 person has" if told == 1 else f"{told} people have"
        raise Conflict(f"{people} been told already, so this cannot be undone. Reopen {bug.ref} and tell them why.")
    announcement.cancelled_at = clock.now()
    db.session.flush()
    waiting.unsettle_all(bug.id, sa.select(Message.customer_id).where(of_it), SettledBy.SUPPRESSED)
    events.record(EventKind.ANNOUNCEMENT_CANCELLED, actor=_actor(event), bug=bug, announcement=announcement.id)


def take_up_again(announcement: Announcement, since: datetime | None) -> None:
    """Let the announcement of an outcome that is so again go on: everybody who waits is owed it.

    One that was held before the instant `since` which it was not so stays held, and so does each message that waits
    for somebody to look.
    """
    if announcement.held_at == since:
        announcement.held_at = None
    reopened = (Message.announcement_id == announcement.id, Message.held_because == HeldBecause.REOPENED)
    has_no_address = Message.customer_id.in_(sa.select(Customer.id).where(Customer.email.is_(None)))
    wants_none_yet = Message.customer_id.in_(sa.select(Customer.id).where(is_quiet(open_day())))
    because = sa.case(
        (has_no_address, HeldBecause.NO_ADDRESS.value),
        (wants_none_yet, HeldBecause.QUIET.value),
        else_=HeldBecause.NO_NOTE.value,
    )
    update_all(sa.update(Message).where(*reopened, Message.reason == "").values(held_because=because))
    announcements.reword(announcement)
    announcements.owe(announcement)  # whoever was attached while it was open waits for this outcome now
    waits = waiting.unsettled_under(announcement.bug_id).with_only_columns(Report.customer_id)
    _hold_the_told(announcement, Message.customer_id.in_(waits))


def _hold_the_told(announcement: Announcement, wait: sa.ColumnElement[bool]) -> None:
    theirs = (Message.announcement_id == announcement.id, Message.state.in_(TOLD), wait)
    again = {"state": MessageState.HELD, "held_because": HeldBecause.REOPENED, "reason": TOLD_AGAIN}
    update_all(sa.update(Message).where(*theirs).values(**again, state_at=clock.now()))


def _bug(event: Event) -> Bug:
    return db.session.get_one(Bug, event.bug_id)


def _actor(event: Event) -> User | None:
    return db.session.get(User, event.actor_id) if event.actor_id is not None else None


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.BUG_LIVE, announce),
    (EventKind.BUG_DECLINED, announce),
    (EventKind.REPORT_ATTACHED, tell_latecomer),
    (EventKind.REPORT_STILL_HAPPENING, tell_latecomer),
    (EventKind.REPORT_WITHDRAWN, stop_telling),
    (EventKind.REPORT_WORKS_NOW, stop_telling),
    (EventKind.BUG_CAME_BACK, hold_generation),
    (EventKind.BUG_RECONSIDERED, hold_generation),
    (EventKind.BUG_UNRELEASED, hold_generation),
    (EventKind.BUG_UNDONE, undo_outcome),
    (EventKind.BUG_EDITED, reword_decline),
    (EventKind.CUSTOMER_CHANGED, links.end_links),
]


def listen() -> None:
    """Follow what happens to bugs and reports."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
