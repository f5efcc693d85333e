"""Sending a mail, and letting something come back."""

from __future__ import annotations

from typing import NamedTuple

from bugintake.core.db import db
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug
from bugintake.loop.inbound.reading import read
from bugintake.loop.inbound.taking_in import take_in
from bugintake.loop.inbound_models import Did
from tests.faults.rig import work
from tests.faults.server import FaultServer
from tests.loop.outbox.asking import MINUTE, asked, bug_of
from tests.loop.rows import live


class Sent(NamedTuple):
    """A bug whose customer was mailed, where that comes back to, and where it is answered."""

    bug: Bug
    bounces: str
    answers: str


def told(sink: FaultServer, *addresses: str) -> Sent:
    """Tell somebody that their bug is live."""
    return _sent(sink, live(*(addresses or ("grace@example.org",))))


def questioned(sink: FaultServer, clock, mira, **how) -> Sent:
    """Ask somebody a question by mail."""
    bug = bug_of("grace@example.org")
    asked(bug, mira, **how)
    clock.advance(MINUTE)
    return _sent(sink, bug)


def _sent(sink: FaultServer, bug: Bug) -> Sent:
    work()
    return Sent(bug, sink.senders[-1], str(sink.accepted[-1][1]["Reply-To"]))


def comes_back(raw: bytes) -> Did | None:
    """Let a mail come in."""
    did = take_in(read(raw))
    db.session.rollback()
    db.session.expire_all()
    return did


def grace() -> Customer:
    return db.session.query(Customer).filter_by(email="grace@example.org").one()
