"""Whoever filed a report, or looks after a company, hears what their customers are told, and whom mail did not reach.

One mail for each of them, however many bugs end together. It lists what is true when it leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db, one_at_a_time, transaction, update_all
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.duty.standing_in import who_hears
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, Report
from bugintake.loop.mail import new_message_id
from bugintake.loop.models import (
    FOR_TEAM,
    TEAM_UNTOLD,
    Announcement,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Message,
    MessageState,
)
from bugintake.team.models import User
from bugintake.team.workspace import is_set_up

TOGETHER = timedelta(minutes=5)  # what happens meanwhile stands in the same mail
APART = timedelta(seconds=2)  # each reads how everybody stands in its bugs: not all at once
AT_ONCE = 50  # announcements, and as many envelopes


def queue_outcomes(now: datetime) -> int:
    """Owe a mail to those whose customers are told how a bug ended, or of a correction, once, or were not reached.

    Counts those people. One worker at a time does so, and waits for nobody's rows: what somebody else holds is for the
    next time, and a mail that is being written is followed by another one.
    """
    fresh = sa.select(Announcement.id).where(TEAM_UNTOLD).order_by(Announcement.id).limit(AT_ONCE)
    unreached = sa.select(Delivery.id).where(FOR_TEAM).order_by(Delivery.id).limit(AT_ONCE)
    if not is_set_up() or not (db.session.scalar(fresh.limit(1)) or db.session.scalar(unreached.limit(1))):
        return 0
    with transaction():
        one_at_a_time("your customers")
        ended = db.session.scalars(fresh.with_for_update(key_share=True, skip_locked=True)).all()
        failed = db.session.scalars(unreached.with_for_update(key_share=True, skip_locked=True)).all()
        concerned = _who_hears_of(Message.announcement_id.in_(ended))
        for person, announcements in _who_hears_of(Message.delivery_id.in_(failed)).items():
            concerned[person] |= announcements
        update_all(sa.update(Announcement).where(Announcement.id.in_(ended)).values(team_owed_at=now))
        update_all(sa.update(Delivery).where(Delivery.id.in_(failed)).values(is_for_team=False))
        for number, (person, announcements) in enumerate(sorted(concerned.items())):
            _owe(person, announcements, now + TOGETHER + number * APART)
        return len(concerned)


def note_unreached(event: Event) -> None:
    """Note that an envelope did not reach its customer: those whose customer that is hear of it soon."""
    theirs = (Delivery.id == event.details["delivery_id"], Delivery.customer_id.is_not(None))
    update_all(sa.update(Delivery).where(*theirs).values(is_for_team=True))


def _who_hears_of(which: sa.ColumnElement[bool]) -> defaultdict[int, set[int]]:
    """Name the announcements of some messages by who hears of them.

    That is who filed what their customers told about the bug, who looks after their companies, and who stands in.
    """
    alive = sa.and_(which, Message.state != MessageState.CANCELLED)
    told = sa.select(Message.announcement_id, Report.filed_by_id).join(Report, Report.id == Message.report_id)
    also = sa.select(Message.announcement_id, Report.filed_by_id).join(Message.announcement)
    also = also.join(Report, Report.customer_id == Message.customer_id).join(Bug, Bug.id == Report.bug_id)
    also = also.where(Bug.canonical_id == Announcement.bug_id)
    owned = sa.select(Message.announcement_id, Account.owner_id).join(Message.customer).join(Customer.account)
    owned = owned.where(Account.owner_id.is_not(None))
    found = db.session.execute(sa.union(*(each.where(alive) for each in (told, also, owned)))).all()
    pairs = [(announcement_id, person) for announcement_id, person in found if person is not None]
    people = sa.select(User).where(User.id.in_({person for _, person in pairs})).options(joinedload(User.stands_in))
    hearing = {person.id: [each.id for each in who_hears(person)] for person in db.session.scalars(people)}
    concerned: defaultdict[int, set[int]] = defaultdict(set)
    for announcement_id, person in pairs:
        for each in hearing[person]:
            concerned[each].add(announcement_id)
    return concerned


def _owe(user_id: int, announcements: Collection[int], not_before: datetime) -> None:
    """Put announcements into the mail that somebody gets next, unless it is being written: then into another one."""
    mine = (Delivery.user_id == user_id, Delivery.kind == DeliveryKind.YOUR_CUSTOMERS)
    waiting = sa.select(Delivery).where(*mine, Delivery.state == DeliveryState.PENDING)
    waiting = waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    notice = db.session.scalars(waiting).first()
    if notice is None:
        key = f"your_customers:{user_id}:{uuid4().hex}"
        notice = Delivery(key=key, kind=DeliveryKind.YOUR_CUSTOMERS, user_id=user_id, message_id=new_message_id())
        notice.not_before, notice.params = not_before, {}
        db.session.add(notice)
    named: Sequence[int] = notice.params.get("announcements", [])
    notice.params = {**notice.params, "announcements": sorted({*named, *announcements})}
    db.session.flush()


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.DELIVERY_FAILED, note_unreached),
    (EventKind.DELIVERY_UNCERTAIN, note_unreached),
    (EventKind.ADDRESS_SUPPRESSED, note_unreached),
]
