"""Whoever filed a report, and whoever looks after a company, hears what their customers are told, and who is not.

One mail for each of them, however many bugs end together. It lists what is true when it leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.duty.standing_in import who_hears
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Report
from bugintake.loop.mail import new_message_id
from bugintake.loop.models import (
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
AT_ONCE = 50  # announcements


def queue_outcomes(now: datetime) -> int:
    """Owe those whose customers are being told how a bug ended a mail about it, once; tell how many people that are."""
    fresh = sa.select(Announcement).where(TEAM_UNTOLD).order_by(Announcement.id).limit(AT_ONCE)
    if not is_set_up() or db.session.scalar(fresh.with_only_columns(Announcement.id).limit(1)) is None:
        return 0
    with transaction():
        found = db.session.scalars(fresh.with_for_update(skip_locked=True)).all()
        concerned: dict[int, set[int]] = {}
        for announcement in found:
            for person in _whose(Message.announcement_id == announcement.id):
                concerned.setdefault(person, set()).add(announcement.id)
            announcement.team_told_at = now
        for person, announcements in sorted(concerned.items()):
            _owe(person, announcements)
        return len(concerned)


def queue_untold(event: Event) -> None:
    """Owe those whose customers were not reached a mail that names them."""
    inside = Message.delivery_id == event.details["delivery_id"]
    announcements = db.session.scalars(sa.select(Message.announcement_id).where(inside)).all()
    for person in _whose(inside) if announcements else ():
        _owe(person, announcements)


def _whose(which: sa.ColumnElement[bool]) -> list[int]:
    """List who hears of messages: who filed, or stands in for them, and who looks after the company."""
    alive = (which, Message.state != MessageState.CANCELLED)
    filers = sa.select(Report.filed_by_id).join(Message, Message.report_id == Report.id).where(*alive)
    owners = sa.select(Account.owner_id).join(Customer, Customer.account_id == Account.id)
    owners = owners.join(Message, Message.customer_id == Customer.id).where(*alive, Account.owner_id.is_not(None))
    filed = db.session.scalars(sa.select(User).where(User.id.in_(filers))).all()
    hear = {person.id for filer in filed for person in who_hears(filer)}
    return sorted(hear | {number for number in db.session.scalars(owners.distinct()) if number is not None})


def _owe(user_id: int, announcements: Iterable[int]) -> None:
    """Put announcements into the mail that somebody gets next, which nobody is writing yet."""
    mine = (Delivery.user_id == user_id, Delivery.kind == DeliveryKind.YOUR_CUSTOMERS)
    waiting = sa.select(Delivery).where(*mine, Delivery.state == DeliveryState.PENDING)
    notice = db.session.scalars(waiting.with_for_update().execution_options(populate_existing=True)).first()
    if notice is None:
        key = f"your_customers:{user_id}:{uuid4().hex}"
        notice = Delivery(key=key, kind=DeliveryKind.YOUR_CUSTOMERS, user_id=user_id, message_id=new_message_id())
        notice.not_before, notice.params = clock.now() + TOGETHER, {"announcements": []}
        db.session.add(notice)
    notice.params = {"announcements": sorted({*notice.params["announcements"], *announcements})}
    db.session.flush()


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.DELIVERY_FAILED, queue_untold),
    (EventKind.DELIVERY_UNCERTAIN, queue_untold),
    (EventKind.ADDRESS_SUPPRESSED, queue_untold),
]
