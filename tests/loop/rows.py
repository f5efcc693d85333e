"""What tests of the loop look at, and what they put there."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import attempts, telling
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Announcement, Delivery, DeliveryState, Message
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from tests.factories import make_bug, make_customer

TUESDAY_9 = datetime(2026, 3, 10, 9, tzinfo=UTC)


def owed(bug):
    """What each customer is owed, in order: address, state and why it is held."""
    found = sa.select(Customer.email, Message.state, Message.held_because).join(
        Customer, Customer.id == Message.customer_id
    )
    about = found.join(Announcement, Announcement.id == Message.announcement_id).where(Announcement.bug_id == bug.id)
    return [tuple(row) for row in db.session.execute(about.order_by(Message.id))]


def announcement_of(bug):
    found = sa.select(Announcement).where(Announcement.bug_id == bug.id).order_by(Announcement.id.desc())
    return db.session.scalars(found).first()


def message_to(email):
    return db.session.scalars(
        sa.select(Message).join(Customer, Customer.id == Message.customer_id).where(Customer.email == email)
    ).one()


def kinds(bug):
    return list(db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id).order_by(Event.id)))


def waiting_for(bug):
    return db.session.get_one(Bug, bug.id).waiting_count


def arrive(claimed):
    """Let the server take a mail that is being sent, and note who is told by it."""
    attempts.finish(claimed, Outcome(Verdict.SENT, Phase.DATA, 250))
    telling.note_told([claimed.id])


def one_message(bug=None):
    query = sa.select(Message).order_by(Message.id.desc())
    if bug is not None:
        query = query.join(Announcement).where(Announcement.bug_id == bug.id)
    return db.session.scalars(query).first()


def in_state(state, *, envelope=DeliveryState.PENDING, **values):
    """A message in a state, with an envelope of its own."""
    bug = make_bug(Status.LIVE, waiting=[make_customer("Hana", email="hana@example.com")])
    release()
    with transaction():
        message = one_message(bug)
        db.session.get_one(Delivery, message.delivery_id).state = envelope
        message.state = state
        for name, value in values.items():
            setattr(message, name, value)
    return message


def release():
    with transaction():
        return open_due()


def report_of(message):
    return db.session.get_one(Report, message.report_id)


def envelope_states():
    return list(db.session.scalars(sa.select(Delivery.state).order_by(Delivery.id)))


def last_event(*kinds):
    query = sa.select(Event.kind).order_by(Event.id.desc())
    return db.session.scalars(query.where(Event.kind.in_(kinds)) if kinds else query).first()


def put(message, state, **values):
    with transaction():
        message.state = state
        for name, value in values.items():
            setattr(message, name, value)


def live(*addresses: str, language: str = "en", **values: Any) -> Bug:
    people = [make_customer(f"Hana {n}", email=address, language=language) for n, address in enumerate(addresses)]
    return make_bug(Status.LIVE, waiting=people, **values)
