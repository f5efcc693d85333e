"""What the end of an attempt means for an envelope and for the people in it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events, resting
from bugintake.core.db import db, one_of, transaction, update_alone, update_one
from bugintake.core.event_kinds import EventKind
from bugintake.intake.customers.models import Customer
from bugintake.loop import circuit, owed, pace
from bugintake.loop.coming_back import suppress
from bugintake.loop.mail import Letter
from bugintake.loop.models import (
    LEAVING,
    Announcement,
    CustomerLink,
    Delivery,
    DeliveryState,
    Message,
    MessageState,
)
from bugintake.loop.telling import note_told, take_bugs
from bugintake.loop.verdicts import Outcome, Verdict

LEASE = timedelta(minutes=15)
TOLD_WITHIN = timedelta(minutes=1)  # after it any worker notes it: whoever sent it died, or waits for a slow server
MOST_ATTEMPTS = 75  # hourly after the first four: three days
LONGEST_SLOW = timedelta(days=3)
MOST_LOSSES = 5
UNNOTED = "The server took it, and who was told could not be noted."

log = logging.getLogger(__name__)

_mine = sa.and_(Delivery.id == sa.bindparam("b_id"), Delivery.lease_owner == sa.bindparam("b_fence"))
# Statements of every single mail are prepared once.
_BEGIN = (
    sa.update(Delivery)
    .where(_mine, Delivery.state == DeliveryState.CLAIMED)
    .values(state=DeliveryState.SENDING, lease_until=sa.bindparam("b_until"))
)
BEGIN_OUTCOME = _BEGIN.where(sa.not_(owed.NO_LONGER_OWED))
BEGIN_NOTICE = _BEGIN.where(sa.not_(owed.HAS_LEFT))
# Uncertain counts too: the lease ran out while the server thought, and then it said yes after all.
ACCEPT = (
    sa.update(Delivery)
    .where(_mine, one_of(Delivery.state, (DeliveryState.SENDING, DeliveryState.UNCERTAIN)))
    .values(
        state=DeliveryState.ACCEPTED,
        sent_at=sa.bindparam("b_at"),
        attempts=Delivery.attempts + 1,
        lease_until=sa.bindparam("b_until"),
        last_phase=sa.bindparam("b_phase"),
        last_code=sa.bindparam("b_code"),
        last_enhanced_code=sa.bindparam("b_enhanced_code"),
        last_error="",
    )
)


@dataclass(frozen=True)
class Claimed:
    """An envelope that is one worker's to send while its lease lasts, written and ready."""

    id: int
    fence: str
    message_id: str
    letter: Letter
    user_id: int | None
    day: date  # quiet.open_day() when it was claimed
    links: tuple[str, ...] = ()
    tries_domain: bool = False  # it is the one that finds out whether a slow domain takes mail again


def begin_sending(claimed: Claimed) -> bool:
    """Commit that the next thing to happen is DATA, and tell whether it may.

    Not where the claim was lost meanwhile, nor where anything in it is no longer owed.
    """
    known: dict[str, Any] = {"b_id": claimed.id, "b_fence": claimed.fence, "b_address": claimed.letter.recipient}
    known |= {"b_until": clock.now() + LEASE}
    change = BEGIN_OUTCOME
    if claimed.user_id is not None:
        change, known["b_user_id"] = BEGIN_NOTICE, claimed.user_id
    else:
        known["b_day"] = claimed.day
    return update_alone(change, **known) == 1


def finish(claimed: Claimed, outcome: Outcome) -> None:
    """Keep how an attempt ended. What it means is the table in `verdicts`; who was told is left to `note_told`."""
    if outcome.verdict is Verdict.SENT:
        _accept(claimed, outcome)
        return
    with transaction():
        if circuit.is_no_fault_of_the_mail(outcome):
            _back(claimed, Delivery.not_before, **_seen(outcome))
        elif outcome.verdict in (Verdict.CHANNEL, Verdict.WITHDRAWN):
            _back(claimed, clock.now(), **_seen(outcome))
        elif outcome.verdict is Verdict.RETRY:
            _again(claimed, outcome)
        elif outcome.verdict is Verdict.SLOW:
            _later(claimed, outcome)
        elif outcome.verdict is Verdict.UNCERTAIN:
            _stuck(claimed, outcome, DeliveryState.UNCERTAIN)
        elif outcome.verdict is Verdict.BOUNCED and claimed.user_id is None:
            _bounced(claimed, outcome)
        else:
            _stuck(claimed, outcome, DeliveryState.FAILED)


def give_back(claimed: Claimed, *, goes_last: bool = False) -> None:
    """Return an envelope that was not handed over, for the next worker, to its place or behind all that is due.

    One that is being sent is not touched.
    """
    free: dict[str, Any] = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None}
    if goes_last:
        free["not_before"] = clock.now()
    with transaction():
        if update_one(_change(claimed, DeliveryState.CLAIMED).values(**free)):
            _forget_links(claimed)


def recover() -> int:
    """Take back what dead workers held, and tell how many envelopes that were.

    A claim goes back to pending: nothing was handed over. What was being sent is uncertain. What the server accepted is
    sent, and those in it are told; where that cannot be noted, it is uncertain, so that a person sees it. An envelope
    that keeps killing its workers fails at last. One at fault itself keeps no other from it; where the database cannot
    be reached the round ends, and the error is raised.
    """
    held = Delivery.state.in_((DeliveryState.CLAIMED, *LEAVING))
    expired = sa.select(Delivery.id).where(held, Delivery.lease_until < clock.now())
    found = db.session.execute(expired.add_columns(Delivery.state).order_by(Delivery.id)).all()
    for delivery_id, state in found:
        try:
            if state is DeliveryState.ACCEPTED:
                note_told([delivery_id])
            else:
                with transaction():
                    _recover(delivery_id, expired)
        except (OperationalError, InterfaceError):  # it concerns the others too: the next round tries again
            raise
        except Exception:  # a fault of one envelope alone must not keep the others from being taken back
            log.exception("Envelope %s cannot be taken back", delivery_id)
            if state is DeliveryState.ACCEPTED:
                _leave_to_a_person(delivery_id)
    return len(found)


def fail(delivery: Delivery, reason: str) -> None:
    """Give an envelope up, visibly. Records delivery.failed."""
    delivery.state, delivery.last_error = DeliveryState.FAILED, reason[:500]
    delivery.lease_owner = delivery.lease_until = None
    db.session.flush()
    _show(delivery.id, DeliveryState.FAILED, reason)


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


def _accept(claimed: Claimed, outcome: Outcome) -> None:
    """Keep that the server took a mail, which need not be on the disk before the next one.

    A power cut that loses it leaves the envelope `sending`, which nobody sends again, and the next envelope's
    `sending` takes it along to the disk.
    """
    at = clock.now()
    known = {"b_id": claimed.id, "b_fence": claimed.fence, "b_at": at, "b_until": at + TOLD_WITHIN}
    known |= {"b_phase": outcome.phase, "b_code": outcome.code, "b_enhanced_code": outcome.enhanced_code or ""}
    update_alone(ACCEPT, awaits_disk=False, **known)


def _back(claimed: Claimed, not_before: Any, **values: Any) -> None:
    change = _change(claimed, DeliveryState.CLAIMED, DeliveryState.SENDING)
    free = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None, "not_before": not_before}
    if update_one(change.values(**free, **values)):
        _forget_links(claimed)


def _forget_links(claimed: Claimed) -> None:
    if claimed.links:
        db.session.execute(sa.delete(CustomerLink).where(CustomerLink.secret_hash.in_(claimed.links)))


def _again(claimed: Claimed, outcome: Outcome) -> None:
    attempts = (db.session.scalar(sa.select(Delivery.attempts).where(Delivery.id == claimed.id)) or 0) + 1
    if attempts >= MOST_ATTEMPTS:
        _stuck(claimed, outcome, DeliveryState.FAILED)
        return
    _back(claimed, clock.now() + resting.pause_after(attempts), attempts=attempts, **_seen(outcome))


def _later(claimed: Claimed, outcome: Outcome) -> None:
    """Let what met a slow domain wait with the others.

    The one that found it slow uses up a try: a mail that is itself at fault does so each time, and ends at last.
    """
    domain = pace.domain_of(claimed.letter.recipient)
    was_slow = pace.is_slow(domain)
    until = pace.slow_down(domain, outcome, was_trying=claimed.tries_domain).open_until
    if not was_slow:
        _again(claimed, outcome)
    elif _has_waited(claimed):
        _stuck(claimed, outcome, DeliveryState.FAILED)
    else:
        _back(claimed, until, **_seen(outcome) | {"last_error": f"{pace.said(domain)} {outcome.error}"[:500]})


def _has_waited(claimed: Claimed) -> bool:
    made_at = db.session.scalar(sa.select(Delivery.created_at).where(Delivery.id == claimed.id))
    return made_at is not None and made_at < clock.now() - LONGEST_SLOW


def _stuck(claimed: Claimed, outcome: Outcome, state: DeliveryState) -> None:
    values: dict[str, Any] = {"state": state, "attempts": Delivery.attempts + 1, "lease_until": None, **_seen(outcome)}
    if update_one(_change(claimed, DeliveryState.CLAIMED, DeliveryState.SENDING).values(**values)):
        _show(claimed.id, state, outcome.error or "The mail server did not answer.")


def _bounced(claimed: Claimed, outcome: Outcome) -> None:
    values: dict[str, Any] = {"state": DeliveryState.SUPPRESSED, "attempts": Delivery.attempts + 1}
    values |= {"lease_owner": None, "lease_until": None}
    take_bugs([claimed.id])
    addressed = sa.select(Delivery.customer_id).where(Delivery.id == claimed.id).scalar_subquery()
    theirs = sa.select(Customer).where(Customer.id == addressed).options(sa.orm.lazyload(Customer.account))
    customer = db.session.scalars(theirs.with_for_update(key_share=True)).one()
    change = _change(claimed, DeliveryState.CLAIMED, DeliveryState.SENDING)
    if not update_one(change.values(**values, **_seen(outcome))):
        return
    suppress(customer, claimed.id, outcome.enhanced_code or "", messages_in(claimed.id, MessageState.PENDING))


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


def _leave_to_a_person(delivery_id: int) -> None:
    values = {"state": DeliveryState.UNCERTAIN, "lease_until": None, "last_error": UNNOTED}
    change = sa.update(Delivery).where(Delivery.id == delivery_id, Delivery.state == DeliveryState.ACCEPTED)
    with transaction():
        if update_one(change.values(**values).execution_options(synchronize_session=False)):
            _show(delivery_id, DeliveryState.UNCERTAIN, UNNOTED)


def _show(delivery_id: int, state: DeliveryState, reason: str) -> None:
    kind = EventKind.DELIVERY_FAILED if state is DeliveryState.FAILED else EventKind.DELIVERY_UNCERTAIN
    carried = messages_in(delivery_id, MessageState.PENDING)
    for message in carried:
        message.state, message.reason, message.state_at = MessageState(state.value), reason[:200], clock.now()
        bug = message.announcement.bug
        events.record(kind, actor=None, bug=bug, report=message.report, delivery_id=delivery_id)
    if not carried:
        events.record(kind, actor=None, delivery_id=delivery_id)
