"""What the end of an attempt means for an envelope and for the people in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, transaction, update_one
from bugintake.core.events import EventKind
from bugintake.intake import waiting
from bugintake.intake.models import Customer, SettledBy
from bugintake.loop import circuit, owed
from bugintake.loop.mail import Letter
from bugintake.loop.models import Announcement, CustomerLink, Delivery, DeliveryState, Message, MessageState
from bugintake.loop.verdicts import Outcome, Verdict
from bugintake.team.models import User

LEASE = timedelta(minutes=15)
RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
MOST_ATTEMPTS = 75  # hourly after the first four: three days
MOST_LOSSES = 5


@dataclass(frozen=True)
class Claimed:
    """An envelope that is one worker's to send while its lease lasts, written and ready."""

    id: int
    fence: str
    message_id: str
    letter: Letter
    user_id: int | None
    link_ids: tuple[int, ...] = ()


def begin_sending(claimed: Claimed) -> bool:
    """Commit that the next thing to happen is DATA, and tell whether it may.

    Not where the claim was lost meanwhile, nor where anything in it is no longer owed.
    """
    if claimed.user_id is None:
        is_void = owed.no_longer_owed(claimed.id, claimed.letter.recipient)
    else:
        is_void = owed.has_left(claimed.user_id, claimed.letter.recipient)
    change = _change(claimed, DeliveryState.CLAIMED).where(sa.not_(is_void))
    with transaction():
        return update_one(change.values(state=DeliveryState.SENDING, lease_until=clock.now() + LEASE))


def finish(claimed: Claimed, outcome: Outcome) -> None:
    """Keep how an attempt ended. What it means is the table in `verdicts`."""
    with transaction():
        if outcome.verdict is Verdict.SENT:
            _sent(claimed, outcome)
        elif outcome.verdict in (Verdict.CHANNEL, Verdict.WITHDRAWN):
            _back(claimed, clock.now(), **_seen(outcome))
        elif outcome.verdict is Verdict.RETRY:
            _again(claimed, outcome)
        elif outcome.verdict is Verdict.UNCERTAIN:
            _stuck(claimed, outcome, DeliveryState.UNCERTAIN)
        elif outcome.verdict is Verdict.BOUNCED and claimed.user_id is None:
            _bounced(claimed, outcome)
        else:
            _stuck(claimed, outcome, DeliveryState.FAILED)


def give_back(claimed: Claimed) -> None:
    """Return an envelope that was not tried, for the next worker."""
    with transaction():
        _back(claimed, clock.now())


def recover() -> int:
    """Take back what dead workers held, and tell how many envelopes that were.

    A claim goes back to pending: nothing was handed over. What was being sent is uncertain. An envelope that keeps
    killing its workers fails at last.
    """
    held = (DeliveryState.CLAIMED, DeliveryState.SENDING)
    expired = sa.select(Delivery.id).where(Delivery.state.in_(held), Delivery.lease_until < clock.now())
    ids = db.session.scalars(expired.order_by(Delivery.id)).all()
    for delivery_id in ids:
        with transaction():
            _recover(delivery_id, expired)
    return len(ids)


def fail(delivery: Delivery, reason: str) -> None:
    """Give an envelope up, visibly. Records delivery.failed."""
    delivery.state, delivery.last_error = DeliveryState.FAILED, reason[:500]
    delivery.lease_owner = delivery.lease_until = None
    db.session.flush()
    _show(delivery.id, DeliveryState.FAILED, reason)


def told(message: Message, *, actor: User | None = None) -> None:
    """Note that somebody has been told, so that they no longer wait. Records message.sent."""
    message.state, message.reason, message.state_at = MessageState.SENT, "", clock.now()
    bug = message.announcement.bug
    waiting.settle(bug, [message.customer_id], SettledBy.TOLD, actor=actor)
    events.record(
        EventKind.MESSAGE_SENT,
        actor=actor,
        bug=bug,
        report=message.report,
        message_id=message.id,
        delivery_id=message.delivery_id,
    )


def messages_in(delivery_id: int, *states: MessageState) -> Sequence[Message]:
    """List what an envelope carries."""
    whole = (joinedload(Message.announcement).joinedload(Announcement.bug), joinedload(Message.report))
    query = sa.select(Message).where(Message.delivery_id == delivery_id, Message.state.in_(states)).options(*whole)
    return db.session.scalars(query.order_by(Message.id).execution_options(populate_existing=True)).all()


def _change(claimed: Claimed, *states: DeliveryState) -> sa.Update:
    mine = sa.and_(Delivery.id == claimed.id, Delivery.lease_owner == claimed.fence, Delivery.state.in_(states))
    return sa.update(Delivery).where(mine).execution_options(synchronize_session=False)


def _seen(outcome: Outcome) -> dict[str, Any]:
    return {
        "last_phase": outcome.phase,
        "last_code": outcome.code,
        "last_enhanced_code": outcome.enhanced_code or "",
        "last_error": (outcome.error or "")[:500],
    }


def _sent(claimed: Claimed, outcome: Outcome) -> None:
    # Uncertain counts too: the lease ran out while the server thought, and then it said yes after all.
    change = _change(claimed, DeliveryState.SENDING, DeliveryState.UNCERTAIN)
    values = {"state": DeliveryState.SENT, "sent_at": clock.now(), "lease_owner": None, "lease_until": None}
    if update_one(change.values(attempts=Delivery.attempts + 1, **values, **_seen(outcome))):
        for message in messages_in(claimed.id, MessageState.PENDING, MessageState.UNCERTAIN):
            told(message)


def _back(claimed: Claimed, not_before: Any, **values: Any) -> None:
    change = _change(claimed, DeliveryState.CLAIMED, DeliveryState.SENDING)
    free = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None, "not_before": not_before}
    if update_one(change.values(**free, **values)) and claimed.link_ids:
        db.session.execute(sa.delete(CustomerLink).where(CustomerLink.id.in_(claimed.link_ids)))


def _again(claimed: Claimed, outcome: Outcome) -> None:
    attempts = (db.session.scalar(sa.select(Delivery.attempts).where(Delivery.id == claimed.id)) or 0) + 1
    if attempts >= MOST_ATTEMPTS:
        _stuck(claimed, outcome, DeliveryState.FAILED)
        return
    pause = RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1]
    _back(claimed, clock.now() + circuit.jittered(pause), attempts=attempts, **_seen(outcome))


def _stuck(claimed: Claimed, outcome: Outcome, state: DeliveryState) -> None:
    values: dict[str, Any] = {"state": state, "attempts": Delivery.attempts + 1, "lease_until": None, **_seen(outcome)}
    if update_one(_change(claimed, DeliveryState.CLAIMED, DeliveryState.SENDING).values(**values)):
        _show(claimed.id, state, outcome.error or "The mail server did not answer.")


def _bounced(claimed: Claimed, outcome: Outcome) -> None:
    values: dict[str, Any] = {"state": DeliveryState.SUPPRESSED, "attempts": Delivery.attempts + 1}
    values |= {"lease_owner": None, "lease_until": None}
    change = _change(claimed, DeliveryState.CLAIMED, DeliveryState.SENDING)
    if not update_one(change.values(**values, **_seen(outcome))):
        return
    reason = f"The address does not exist ({outcome.enhanced_code})."
    delivery = db.session.get_one(Delivery, claimed.id)
    customer = db.session.get_one(Customer, delivery.customer_id)
    customer.suppressed_at, customer.suppressed_because = clock.now(), reason
    events.record(EventKind.ADDRESS_SUPPRESSED, actor=None, customer_id=customer.id, delivery_id=delivery.id)
    for message in messages_in(claimed.id, MessageState.PENDING):
        message.state, message.reason, message.state_at = MessageState.SUPPRESSED, reason, clock.now()
        owed.suppressed(message)


def _recover(delivery_id: int, expired: sa.Select[Any]) -> None:
    still = expired.where(Delivery.id == delivery_id).with_only_columns(Delivery).with_for_update()
    delivery = db.session.scalar(still.execution_options(populate_existing=True))
    if delivery is None:
        return
    delivery.lease_until = None
    if delivery.state is DeliveryState.SENDING:
        # Its owner may still hear a yes: the fence stays.
        delivery.state, delivery.last_error = DeliveryState.UNCERTAIN, "The worker stopped while sending it."
        db.session.flush()
        _show(delivery_id, DeliveryState.UNCERTAIN, delivery.last_error)
        return
    losses = int(delivery.params.get("losses", 0)) + 1
    delivery.params = {**delivery.params, "losses": losses}
    if losses >= MOST_LOSSES:
        fail(delivery, "Workers keep stopping when they take it.")
        return
    delivery.state, delivery.lease_owner, delivery.not_before = DeliveryState.PENDING, None, clock.now()


def _show(delivery_id: int, state: DeliveryState, reason: str) -> None:
    kind = EventKind.DELIVERY_FAILED if state is DeliveryState.FAILED else EventKind.DELIVERY_UNCERTAIN
    carried = messages_in(delivery_id, MessageState.PENDING)
    for message in carried:
        message.state, message.reason, message.state_at = MessageState(state.value), reason[:200], clock.now()
        bug = message.announcement.bug
        events.record(kind, actor=None, bug=bug, report=message.report, delivery_id=delivery_id)
    if not carried:
        events.record(kind, actor=None, delivery_id=delivery_id)
