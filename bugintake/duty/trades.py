"""Trades: hours of one's own for those that a swap asks to take, both or neither."""

from datetime import datetime

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.duty.handing_over import Stretch, check_free, lay_all, stretch
from bugintake.duty.models import Override, Rotation
from bugintake.duty.swap_models import Answer, Asked, Swap
from bugintake.duty.swap_queries import asked_or_refuse, hours_offered
from bugintake.duty.swaps import check_asker, check_coming, hours_of_open, note_answer, record
from bugintake.team.models import User


def offer_trade(swap: Swap, rotation: Rotation, start: datetime, end: datetime, *, actor: User) -> None:
    """Offer to take the hours if the asker takes some of the actor's. Nothing changes until the asker agrees.

    Records swap.trade_offered. Raises Conflict where either cannot have the other's hours, Invalid where those offered
    have no duty in them or are too far away.
    """
    found = hours_of_open(swap, rotation)
    asked = asked_or_refuse(swap, actor)
    offered = stretch(rotation, start, end)
    _check_trade(found, actor, swap.user, offered)
    note_answer(asked, Answer.TRADE, offered)
    record(EventKind.SWAP_TRADE_OFFERED, swap, actor, asked_id=asked.id)


def accept_trade(asked: Asked, *, actor: User, seen: datetime | None) -> list[Override]:
    """Agree to a trade: each takes the other's hours, both or neither. `seen` is when those offered begin.

    Records swap.taken. Raises NotPermitted unless the actor asked or leads, Conflict where either can no longer be had.
    """
    swap, taker = asked.swap, asked.user
    check_asker(swap, actor)
    found = hours_of_open(swap, asked.trade_rotation)
    offered = _offered(asked, seen)
    _check_trade(found, taker, swap.user, offered)
    swap.taken_at, swap.taken_by_id = clock.now(), taker.id
    laid = [
        *lay_all(found, taker, actor=actor, reason=swap.reason, swap_id=swap.id),
        *lay_all(offered, swap.user, actor=actor, reason=swap.reason, swap_id=swap.id),
    ]
    record(EventKind.SWAP_TAKEN, swap, actor, asked_id=asked.id, override_ids=[each.id for each in laid])
    return laid


def decline_trade(asked: Asked, *, actor: User, seen: datetime | None) -> None:
    """Decline a trade; whoever offered it may still take the hours, or offer others. Records swap.trade_declined."""
    check_asker(asked.swap, actor)
    hours_of_open(asked.swap)
    _offered(asked, seen)
    note_answer(asked, Answer.TRADE_DECLINED)
    record(EventKind.SWAP_TRADE_DECLINED, asked.swap, actor, asked_id=asked.id)


def _offered(asked: Asked, seen: datetime | None) -> Stretch:
    """Return the hours that somebody offers, once locked. Raises Conflict where it is not what the asker saw."""
    db.session.refresh(asked)
    if asked.trade_starts_at is None:
        raise Conflict(f"{asked.user.first_name} offers no trade any more.")
    if asked.trade_starts_at != seen:
        raise Conflict(f"{asked.user.first_name} offers other hours by now. Look at them first.")
    offered = hours_offered(asked)
    if offered is None:
        raise Conflict(f"There is no duty any more in the hours that {asked.user.first_name} offered.")
    return offered


def _check_trade(found: Stretch, taker: User, asker: User, offered: Stretch) -> None:
    if offered.holder is None or offered.holder.id != taker.id:
        raise Conflict(f"{taker.first_name} does not have all of the hours offered.")
    check_coming(offered)
    check_free(taker, found)
    check_free(asker, offered)
