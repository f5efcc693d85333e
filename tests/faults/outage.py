"""A mail server that is away for two hours while much is due: F-S4."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa
from flask import Flask, current_app

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import circuit, envelopes, notices, post
from bugintake.loop.models import Delivery
from bugintake.loop.worker import SENDERS
from bugintake.team.models import User
from tests.factories import bring_to, make_bug, make_customer, make_user
from tests.faults.launching import Rig
from tests.faults.rig import broken_invariants, states, work

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=48), timedelta(seconds=72)  # a minute and a fifth of chance
UNTIL_THE_LONGEST = 6  # pauses that grow


def server_away(rig: Rig) -> None:
    """F-S4, shorter and with a few."""
    server_away_for(rig, timedelta(minutes=20), 60)


def server_away_for(rig: Rig, away: timedelta, count: int) -> None:
    """F-S4: nobody storms the server, and when it is back all leave in the order in which they were due."""
    _due(count // 2)
    rig.clock.advance(timedelta(seconds=1))
    _due(count - count // 2)
    with transaction():
        notices.queue_test(make_user(email="last@example.com"))
    wanted = _addresses()
    assert len(wanted) == count + 1

    rig.sink.greeting = b"421 4.3.2 down for repairs"
    asked_at = _ask_until(rig, clock.now() + away, UNTIL_THE_LONGEST + away // SHORTEST_PAUSE)
    assert rig.sink.connections <= len(asked_at) * SENDERS
    pauses = [after - before for before, after in pairwise(asked_at)]
    assert max(pauses) <= LONGEST_PAUSE
    assert len(set(pauses[UNTIL_THE_LONGEST:])) > len(pauses) / 2
    assert states() == {"pending": count + 1}
    assert set(db.session.scalars(sa.select(Delivery.attempts))) == {0}

    rig.sink.greeting = b"220 ready"
    rig.clock.advance(LONGEST_PAUSE)
    before = rig.sink.connections
    work()
    assert [address for address, _ in rig.sink.accepted] == wanted
    assert rig.sink.connections - before <= 1 + len(wanted) // post.Channel.mails_per_connection
    assert broken_invariants(rig.sink) == []
    assert states() == {"sent": count + 1}


def _due(count: int) -> None:
    """Let so many people more be told that something is live."""
    first = make_customer()
    bug = make_bug(waiting=[first])
    with transaction():
        report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one()
        person = {c.name: getattr(first, c.name) for c in Customer.__table__.columns if not c.primary_key}
        row = {c.name: getattr(report, c.name) for c in Report.__table__.columns if not c.primary_key}
        people = [{**person, "email": f"m{bug.id}.{number}@example.com"} for number in range(1, count)]
        numbers = db.session.scalars(sa.insert(Customer).returning(Customer.id), people).all()
        db.session.execute(sa.insert(Report), [{**row, "customer_id": number} for number in numbers])
        db.session.execute(sa.update(Bug).where(Bug.id == bug.id).values(waiting_count=count))
    bring_to(bug, Status.LIVE, actor=make_user())
    with transaction():
        envelopes.open_due()


def _addresses() -> list[str]:
    """List who is written to, in the order in which their mail was due."""
    db.session.rollback()
    found = sa.select(sa.func.coalesce(Customer.email, User.email)).select_from(Delivery)
    found = found.outerjoin(Customer, Customer.id == Delivery.customer_id).outerjoin(User, User.id == Delivery.user_id)
    return list(db.session.scalars(found.order_by(Delivery.not_before, Delivery.id)))


def _ask_until(rig: Rig, end: datetime, most: int) -> list[datetime]:
    """Let a worker's threads try together whenever they may, at most so often, and tell when that was."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    asked_at = list[datetime]()
    while clock.now() < end:
        assert len(asked_at) < most, "the server is stormed"
        asked_at.append(clock.now())
        workers = [threading.Thread(target=_send, args=(app,)) for _ in range(SENDERS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        db.session.rollback()
        found = circuit.mail_circuit()
        assert found is not None, "nothing waits for the server"
        assert found.open_until is not None
        rig.clock.set(max(found.open_until, clock.now() + timedelta(seconds=1)))
    return asked_at


def _send(app: Flask) -> None:
    with app.app_context():
        post.send_due()
