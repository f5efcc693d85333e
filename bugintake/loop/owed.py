"""Whether what somebody was owed is still owed: asked when a mail is written, and again right before it leaves."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_of
from bugintake.core.event_kinds import EventKind
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.quiet import is_quiet, quiet_until
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.intake.reports import canonical
from bugintake.loop.letters import languages_worded
from bugintake.loop.models import (
    OUTCOMES,
    QUESTIONS,
    UPDATES,
    Announcement,
    AnnouncementKind,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.loop.unfilled import missing_for, why_held
from bugintake.team.models import User
from bugintake.triage.verbs import UNFIXED

STANDS = {
    AnnouncementKind.LIVE: Status.LIVE,
    AnnouncementKind.DECLINED: Status.DECLINED,
    **dict.fromkeys(QUESTIONS, Status.NEEDS_INFO),
}
"""The status that a bug has while its outcome, or what is asked about it, is so."""
KNOWN = (Status.LIVE, Status.DECLINED)
NOT_WAITING = "They no longer wait for it."


def may_need_answer(whole: Bug) -> bool:
    """Whether what was asked about a bug, or about a part of it, is still of use; a part keeps its own question."""
    return whole.status in UNFIXED and whole.withdrawn_at is None


@dataclass(frozen=True)
class Refusal:
    """Why a message does not leave now."""

    state: MessageState
    reason: str
    held_because: HeldBecause | None = None


def refusal_of(message: Message) -> Refusal | None:
    """Say why a message may not leave, or nothing where it may."""
    announcement, customer = message.announcement, message.customer
    bug = announcement.bug
    if announcement.cancelled_at is not None or bug.withdrawn_at is not None:
        return Refusal(MessageState.CANCELLED, "It was taken back.")
    if announcement.kind in UPDATES:
        if canonical(bug).status in KNOWN or canonical(bug).withdrawn_at is not None:
            return Refusal(MessageState.CANCELLED, f"It is known how {canonical(bug).ref} ended.")
    elif announcement.kind in QUESTIONS and not may_need_answer(canonical(bug)):
        return Refusal(MessageState.CANCELLED, f"{canonical(bug).ref} waits for no answer any more.")
    if bug.merged_into_id is not None and announcement.report_id is None:
        return Refusal(MessageState.CANCELLED, f"{bug.ref} is part of BUG-{bug.canonical_id} now.")
    if bug.generation != announcement.generation or bug.status is not STANDS.get(announcement.kind, bug.status):
        if announcement.kind in QUESTIONS:
            return Refusal(MessageState.CANCELLED, f"{bug.ref} waits for no answer any more.")
        return Refusal(MessageState.HELD, "", HeldBecause.REOPENED)
    if announcement.held_at is not None or announcement.released_at is None:
        return Refusal(MessageState.PENDING, "")
    if message.report.settled_at is not None:
        return Refusal(MessageState.CANCELLED, NOT_WAITING)
    if customer.erased_at is not None:
        return Refusal(MessageState.SUPPRESSED, "This person was erased.")
    if customer.email is None:
        return Refusal(MessageState.HELD, "There is no address.", HeldBecause.NO_ADDRESS)
    if customer.suppressed_at is not None:
        return Refusal(MessageState.SUPPRESSED, customer.suppressed_because or "Mail to this address comes back.")
    if message.report.unsubscribed_at is not None:
        return Refusal(MessageState.SUPPRESSED, "They asked for no more mail about it.")
    if message.language not in languages_worded(message.announcement):
        return Refusal(MessageState.HELD, "There is no note in their language.", HeldBecause.NO_NOTE)
    if quiet_until(customer) is not None:
        return Refusal(MessageState.HELD, "", HeldBecause.QUIET)
    missing = missing_for(message)
    if missing:
        return Refusal(MessageState.HELD, why_held(missing), HeldBecause.UNFILLED)
    return None


def refuse(message: Message, refusal: Refusal) -> None:
    """Put a message where its refusal says. One that is suppressed settles; records message.suppressed for it."""
    message.state, message.reason, message.held_because = refusal.state, refusal.reason, refusal.held_because
    message.state_at, message.delivery_id = clock.now(), None
    db.session.flush()
    if refusal.state is MessageState.SUPPRESSED:
        suppressed(message)


def suppressed(message: Message) -> None:
    """Settle somebody whom mail of an outcome must not reach, unless the bug was opened again since.

    Records message.suppressed.
    """
    bug = message.announcement.bug
    if message.announcement.kind in OUTCOMES and message.announcement.generation == bug.generation:
        waiting.settle(bug, [message.customer_id], SettledBy.SUPPRESSED, actor=None)
    events.record(EventKind.MESSAGE_SUPPRESSED, actor=None, bug=bug, report=message.report, message_id=message.id)


def choose_report(message: Message) -> None:
    """Let a message speak of a report that is still open where the one it was made for has been settled meanwhile."""
    if message.report.settled_at is None or message.announcement.report_id is not None:
        return
    others = waiting.unsettled_under(message.announcement.bug_id).where(Report.customer_id == message.customer_id)
    other = db.session.scalars(others.order_by(Report.id).limit(1)).first()
    if other is not None:
        message.report = other


_whole = sa.orm.aliased(Bug)
_FACTS = (
    Message.state != MessageState.PENDING,
    Announcement.cancelled_at.is_not(None),
    Announcement.held_at.is_not(None),
    Announcement.released_at.is_(None),
    Bug.generation != Announcement.generation,
    Bug.withdrawn_at.is_not(None),
    sa.case(
        (
            one_of(Announcement.kind, QUESTIONS),
            sa.or_(Bug.status != Status.NEEDS_INFO, ~one_of(_whole.status, UNFIXED), _whole.withdrawn_at.is_not(None)),
        ),
        (
            one_of(Announcement.kind, UPDATES),
            sa.or_(
                one_of(_whole.status, KNOWN),
                _whole.withdrawn_at.is_not(None),
                sa.and_(Announcement.report_id.is_(None), Bug.merged_into_id.is_not(None)),
            ),
        ),
        else_=sa.or_(~one_of(Bug.status, KNOWN), Bug.merged_into_id.is_not(None)),
    ),
    Report.settled_at.is_not(None),
    Report.unsubscribed_at.is_not(None),
    Customer.suppressed_at.is_not(None),
    Customer.erased_at.is_not(None),
    Customer.email.is_distinct_from(sa.bindparam("b_address")),
    is_quiet(sa.bindparam("b_day", type_=sa.Date())),
)
NO_LONGER_OWED = (
    sa.select(Message.id)
    .join(Announcement, Announcement.id == Message.announcement_id)
    .join(Bug, Bug.id == Announcement.bug_id)
    .join(_whole, _whole.id == Bug.canonical_id)
    .join(Report, Report.id == Message.report_id)
    .join(Customer, Customer.id == Message.customer_id)
    .where(Message.delivery_id == sa.bindparam("b_id"), sa.or_(*_FACTS))
    .exists()
)
"""Whether anything in an envelope may not leave any more: the same rules in one question to the database."""

_HAS_NO_ADDRESS = sa.and_(Message.state == MessageState.HELD, Message.held_because == HeldBecause.NO_ADDRESS)
_CAME_BACK = sa.and_(Message.state == MessageState.SUPPRESSED, Customer.suppressed_at.is_not(None))
UNREACHED = sa.or_(Message.state == MessageState.FAILED, _HAS_NO_ADDRESS, _CAME_BACK)
"""Whether mail did not reach a customer, so that somebody has to find another way; of messages joined to customers."""

HAS_LEFT = (
    sa.select(User.id)
    .where(User.id == sa.bindparam("b_user_id"))
    .where(sa.or_(User.disabled_at.is_not(None), User.email != sa.bindparam("b_address")))
    .exists()
)
"""Whether the member of the team an envelope is for was disabled or has another address now."""
