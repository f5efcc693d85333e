"""Envelopes: one for each person, whatever there is to tell, whoever makes them."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Status
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Delivery, Message
from tests.factories import make_bug, make_customer, make_workspace
from tests.loop.rows import kinds, release


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


def test_several_bugs_that_go_live_together_make_one_envelope_for_each_person(clock):
    hana, sam = make_customer(email="hana@example.com"), make_customer(email="sam@example.com")
    for _ in range(5):
        make_bug(Status.LIVE, waiting=[hana])
    make_bug(Status.LIVE, waiting=[hana, sam])
    clock.advance(timedelta(minutes=30))

    assert release() == 2
    counts = db.session.execute(
        sa.select(Message.customer_id, sa.func.count()).group_by(Message.customer_id, Message.delivery_id)
    ).all()
    assert sorted(counts) == [(hana.id, 6), (sam.id, 1)]


def test_an_envelope_has_a_key_and_an_identifier_of_its_own(clock):
    make_bug(Status.LIVE, waiting=[make_customer()])
    clock.advance(timedelta(minutes=30))
    release()

    envelope = db.session.scalars(sa.select(Delivery)).one()
    message = db.session.scalars(sa.select(Message)).one()
    assert envelope.key == f"outcome:{message.id}:0"
    assert envelope.message_id.endswith(f".{message.id}@127.0.0.1>")
    assert (envelope.state, envelope.attempts, envelope.not_before) == ("pending", 0, clock.now())


def test_held_messages_stay_out_of_envelopes(clock):
    make_bug(Status.LIVE, waiting=[make_customer(email="")])
    clock.advance(timedelta(minutes=30))

    assert release() == 0


def test_envelopes_are_filled_some_at_a_time(clock):
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(5)])
    clock.advance(timedelta(minutes=30))

    made = []
    for _ in range(4):
        with transaction():
            made.append(open_due(at_most=2))
    assert made == [2, 2, 1, 0]


# --- Several workers at once ---------------------------------------------------------------------------------------


def test_several_workers_make_one_envelope_for_each_person(app, clock):
    for _ in range(3):
        make_bug(Status.LIVE, waiting=[make_customer() for _ in range(4)])
    clock.advance(timedelta(minutes=30))
    db.session.rollback()
    made = []

    def work():
        with app.app_context():
            while True:
                with transaction():
                    count = open_due(at_most=3)
                if not count:
                    return
                made.append(count)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(made) == 12
    envelopes = db.session.scalars(sa.select(Message.delivery_id)).all()
    assert len(set(envelopes)) == 12
    assert None not in envelopes
    assert kinds(db.session.get_one(Bug, 1)).count("announcement.released") == 1
