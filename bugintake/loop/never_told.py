"""Who was never told: whoever should have heard something a month ago and has not, each with a sentence of why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, contains_eager, joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, hold
from bugintake.core.event_kinds import EventKind
from bugintake.core.templating import say
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report
from bugintake.intake.queries import visible_to
from bugintake.loop import announcements, outcomes
from bugintake.loop.envelopes import OWED
from bugintake.loop.models import OUTCOMES, Announcement, Delivery, HeldBecause, Message, MessageState
from bugintake.loop.queries import COUNTED, PEOPLE_SHOWN, Owed
from bugintake.loop.words import why
from bugintake.team.models import User

AFTER = timedelta(days=30)

_part, _other = aliased(Bug), aliased(Bug)
_later, _its_bug = aliased(Message), aliased(Announcement)


@dataclass(frozen=True)
class Missed:
    """Somebody who waits for a bug that has ended, and for whom nothing was ever written."""

    customer: Customer
    bug: Bug


def page_of_untold(actor: User, *, start: int) -> Sequence[Owed]:
    """Read one page of whoever is owed something since a month, what waits for somebody first, and one line more."""
    bug = contains_eager(Message.announcement).contains_eager(Announcement.bug)
    worder = contains_eager(Message.announcement).joinedload(Announcement.worder)
    query = _untold(*OWED, MessageState.SUPPRESSED).add_columns(Delivery).where(visible_to(actor))
    query = query.outerjoin(Delivery, Delivery.id == Message.delivery_id)
    query = query.options(bug, worder, joinedload(Message.customer))
    query = query.order_by(Message.state == MessageState.SUPPRESSED, Announcement.opened_at, Message.id)
    found = db.session.execute(query.offset(start).limit(PEOPLE_SHOWN + 1))
    return [Owed(message, envelope) for message, envelope in found]


def missed(actor: User) -> Sequence[Missed]:
    """List whoever waits for a bug that ended a month ago, and for whom nothing was ever written; there is nobody."""
    theirs = _missed().join(Customer, Customer.id == Report.customer_id).where(visible_to(actor))
    query = theirs.with_only_columns(Customer, Bug).distinct().order_by(Bug.id, Customer.id).limit(PEOPLE_SHOWN)
    return [Missed(customer, bug) for customer, bug in db.session.execute(query)]


def owe_missed(*, actor: User) -> int:
    """Owe them now how it ended, and count them. Records message.released for each bug."""
    found = missed(actor)
    for bug in {each.bug.id: each.bug for each in found}.values():
        hold(bug)
        announcement = announcements.current(bug)
        if announcement is None:
            announcements.open_announcement(bug, outcomes.KINDS[bug.status], actor=actor)
        else:
            announcements.owe(announcement)
        people = sum(each.bug is bug for each in found)
        events.record(EventKind.MESSAGE_RELEASED, actor=actor, bug=bug, people=people)
    return len(found)


def count(actor: User) -> int:
    """Count what waits for somebody here, at most a thousand; who wants no mail, or none yet, waits for nobody."""
    needs_somebody = Message.held_because.is_distinct_from(HeldBecause.QUIET)
    found = (_untold(*OWED).with_only_columns(Message.id).where(needs_somebody), _missed().with_only_columns(Report.id))
    each = [query.where(visible_to(actor)).limit(COUNTED).subquery() for query in found]
    return sum(db.session.scalar(sa.select(sa.func.count()).select_from(query)) or 0 for query in each)


def _untold(*states: MessageState) -> sa.Select[Message]:
    is_late = Announcement.opened_at < clock.now() - AFTER
    query = sa.select(Message).join(Message.announcement).join(Announcement.bug)
    return query.where(Message.state.in_(states), is_late, Announcement.cancelled_at.is_(None), sa.not_(_has_heard()))


def _has_heard() -> sa.ColumnElement[bool]:
    """Whether somebody was told since how the bug of a message ended."""
    is_outcome = sa.and_(_its_bug.id == _later.announcement_id, _its_bug.kind.in_(OUTCOMES))
    heard = sa.select(_later.id).join(_its_bug, is_outcome).join(_other, _other.id == _its_bug.bug_id)
    heard = heard.where(_later.customer_id == Message.customer_id, _later.state_at >= Announcement.opened_at)
    heard = heard.where(_later.state.in_(outcomes.TOLD), _other.canonical_id == Bug.canonical_id)
    return heard.correlate(Message, Announcement, Bug).exists()


def _missed() -> sa.Select[Report]:
    is_of_now = sa.and_(_its_bug.bug_id == Bug.id, _its_bug.generation == Bug.generation)
    is_outcome = sa.and_(_its_bug.id == _later.announcement_id, _its_bug.kind.in_(OUTCOMES))
    owed = sa.select(_later.id).join(_its_bug, sa.and_(is_outcome, is_of_now, _its_bug.cancelled_at.is_(None)))
    owed = owed.where(_later.customer_id == Report.customer_id, _later.state != MessageState.CANCELLED)
    waits = (
        Report.settled_at.is_(None),
        Report.customer_id.is_not(None),
        sa.not_(owed.correlate(Bug, Report).exists()),
    )
    has_ended = (Bug.status.in_(outcomes.KINDS), Bug.status_since_at < clock.now() - AFTER, Bug.withdrawn_at.is_(None))
    query = sa.select(Report).join(_part, _part.id == Report.bug_id).join(Bug, Bug.id == _part.canonical_id)
    return query.where(Bug.waiting_count > 0, *has_ended, *waits)


def why_untold(row: Owed) -> str:
    """Say in a sentence why somebody has not been told."""
    message, announcement = row.message, row.message.announcement
    if said := why(message, row.why):
        return said
    if message.state is not MessageState.PENDING:
        return say("Nobody has said why.")
    if announcement.held_at is not None:
        return say("Somebody holds it.")
    if announcement.worder is not None:
        return say("It waits until %(name)s has worded it.", name=announcement.worder.first_name)
    if announcement.released_at is None and announcement.due_at is None:
        return say("It waits until somebody sends it.")
    return say("It waits for the mail server.")
