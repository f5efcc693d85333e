"""What fault tests share: a worker's step, what was accepted, and the invariants that hold after every fault."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import aliased

from bugintake.core.db import db
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import post, worker
from bugintake.loop.inbound_models import Did, InboundMail
from bugintake.loop.models import (
    LEAVING,
    OUTCOMES,
    Announcement,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Message,
    MessageState,
)
from tests.faults.server import FaultServer


def work() -> int:
    """Do what a worker does in one round, and tell how many envelopes it tried."""
    worker.sweep(current_app._get_current_object())  # type: ignore[attr-defined]
    tried = post.send_due()
    db.session.rollback()
    db.session.expire_all()
    return tried


BESIDE = Delivery.kind == DeliveryKind.YOUR_CUSTOMERS
"""What filers hear beside it: stories tell of it where it is what they are about."""


def states(*kinds: DeliveryKind) -> dict[str, int]:
    """Count the envelopes in each state, of some kinds where they are named."""
    db.session.rollback()
    wanted = Delivery.kind.in_(kinds) if kinds else ~BESIDE
    found = db.session.execute(sa.select(Delivery.state, sa.func.count()).where(wanted).group_by(Delivery.state)).all()
    return {state.value: count for state, count in found}


def message_states() -> dict[str, int]:
    """Count the messages in each state."""
    db.session.rollback()
    found = db.session.execute(sa.select(Message.state, sa.func.count()).group_by(Message.state)).all()
    return {state.value: count for state, count in found}


def the_delivery() -> Delivery:
    """Return the only envelope there is."""
    db.session.rollback()
    return db.session.scalars(sa.select(Delivery).where(~BESIDE).execution_options(populate_existing=True)).one()


def the_message() -> Message:
    """Return the only message there is."""
    db.session.rollback()
    return db.session.scalars(sa.select(Message).execution_options(populate_existing=True)).one()


def broken_invariants(sink: FaultServer | None = None) -> list[str]:
    """List every invariant that does not hold (I1 to I3 and I6 of the reliability rules); nothing where all do."""
    db.session.rollback()
    db.session.expire_all()
    broken = [*_untold(), *_unnamed(), *_unsettled(), *_unsound()]
    if sink is not None:
        broken += [f"I2: {name} was accepted {count} times" for name, count in sink.count.items() if count > 1]
        broken += _lost(sink.count)
    return broken


def _untold() -> list[str]:
    """I1: live or declined means one message for everybody who was unsettled then."""
    waits = (
        sa.select(Bug.id, Report.customer_id)
        .join(Report, Report.bug_id == Bug.id)
        .where(Bug.status.in_((Status.LIVE, Status.DECLINED)), Report.customer_id.is_not(None))
        .where(Report.settled_at.is_(None), Bug.canonical_id == Bug.id)
        .distinct()
    )
    owed = sa.select(Announcement.bug_id, Message.customer_id).join(Message).join(Announcement.bug)
    owed = owed.where(Announcement.cancelled_at.is_(None), Announcement.generation == Bug.generation)
    owed = owed.where(Announcement.kind.in_(OUTCOMES))
    counted = Counter(tuple(row) for row in db.session.execute(owed))
    return [
        f"I1: {row} has {counted[tuple(row)]} messages" for row in db.session.execute(waits) if counted[tuple(row)] != 1
    ]


def _unnamed() -> list[str]:
    """I3: everything that is not sent is in a named state, and nothing hangs in one that nobody watches."""
    orphans = (
        sa.select(Message.id)
        .join(Delivery, Delivery.id == Message.delivery_id)
        .where(
            Message.state == MessageState.PENDING,
            Delivery.state.not_in((DeliveryState.PENDING, DeliveryState.CLAIMED, *LEAVING)),
        )
    )
    return [f"I3: message {found} is pending in an envelope that is over" for found in db.session.scalars(orphans)]


_part = aliased(Bug)
TOLD_AND_WAITS = (
    sa.select(Message.id)
    .join(Message.announcement)
    .join(Announcement.bug)
    .join(Report, Report.id == Message.report_id)
    .join(_part, _part.id == Report.bug_id)
    .where(Message.state == MessageState.SENT, Report.settled_at.is_(None), Announcement.kind.in_(OUTCOMES))
    .where(Announcement.generation == Bug.generation, _part.canonical_id == Bug.id)
)
_who_wait = (
    sa.select(sa.func.count(sa.distinct(Report.customer_id)))
    .join(_part, _part.id == Report.bug_id)
    .where(_part.canonical_id == Bug.id, Report.settled_at.is_(None))
    .correlate(Bug)
    .scalar_subquery()
)
MISCOUNTED = sa.select(Bug.id, Bug.waiting_count, _who_wait).where(Bug.canonical_id == Bug.id)
MISCOUNTED = MISCOUNTED.where(Bug.waiting_count != _who_wait)


def _unsettled() -> list[str]:
    """I3: whoever was told how a bug ended waits no longer, unless that is no longer so, or was another bug."""
    found = [f"I3: message {number} is sent and its report waits" for number in db.session.scalars(TOLD_AND_WAITS)]
    rows = db.session.execute(MISCOUNTED).all()
    return found + [f"Bug {number} says that {said} wait, and {wait} do" for number, said, wait in rows]


def _unsound() -> list[str]:
    """I6: the file is whole."""
    if db.engine.dialect.name != "sqlite":
        return []
    said = [row[0] for row in db.session.execute(sa.text("PRAGMA integrity_check"))]
    lost = db.session.execute(sa.text("PRAGMA foreign_key_check")).all()
    return [f"I6: {line}" for line in said if line != "ok"] + [f"I6: {row} points to nothing" for row in lost]


def _lost(accepted: Counter[str]) -> list[str]:
    """What the server accepted is sent, or shown as uncertain; what is sent, the server accepted."""
    found = db.session.execute(sa.select(Delivery.message_id, Delivery.state)).all()
    known: dict[Any, Any] = {row.message_id: row.state for row in found}
    is_right = {DeliveryState.SENT, DeliveryState.UNCERTAIN, *LEAVING}
    returned = sa.select(Delivery.message_id).join(InboundMail, InboundMail.delivery_id == Delivery.id)
    came_back = set(db.session.scalars(returned.where(InboundMail.did == Did.FAILED)))
    broken = [
        f"I2: {name} was accepted and is {known.get(name)}"
        for name in accepted
        if known.get(name) not in is_right and not (known.get(name) is DeliveryState.FAILED and name in came_back)
    ]
    return broken + [
        f"I2: {name} is sent and was never accepted"
        for name, state in known.items()
        if state is DeliveryState.SENT and name not in accepted
    ]
