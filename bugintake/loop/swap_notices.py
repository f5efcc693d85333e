"""Mail about swaps: who is asked, what became of it, and what nobody took a day before."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty import swap_queries
from bugintake.duty.gaps import leads
from bugintake.duty.swap_models import Asked, Swap
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.loop.notices import queue_new, queue_notice
from bugintake.team.models import User
from bugintake.team.workspace import is_set_up

BEFORE = timedelta(hours=24)


def queue_asked(event: Event) -> None:
    """Ask everybody whom a swap asks, but for whoever asks on another's behalf."""
    swap = db.session.get_one(Swap, event.details["swap_id"])
    for asked in swap.asked:
        if asked.user_id != event.actor_id:
            queue_notice(DeliveryKind.SWAP_ASKED, asked.user, f"swap:{swap.id}:{asked.user_id}", swap=swap.id)


def queue_trade(event: Event) -> None:
    """Tell whoever asks that somebody offers a trade."""
    asked = db.session.get_one(Asked, event.details["asked_id"])
    key = f"swap-trade:{asked.id}:{event.id}"
    queue_notice(DeliveryKind.SWAP_TRADE, asked.swap.user, key, asked=asked.id, starts=_stamp(asked.trade_starts_at))


def queue_taken(event: Event) -> None:
    """Tell both, and the leads, that hours moved, but for whoever did it."""
    swap = db.session.get_one(Swap, event.details["swap_id"])
    told = {person.id: person for person in (swap.user, swap.taken_by, *leads()) if person is not None}
    for person in told.values():
        if person.id != event.actor_id:
            queue_notice(DeliveryKind.SWAP_TAKEN, person, f"swap-taken:{swap.id}:{person.id}", swap=swap.id)


def queue_untaken(now: datetime) -> int:
    """Ask the leads about hours that nobody took a day before they begin, once, and tell how many mails that are."""
    if not is_set_up():
        return 0
    due = db.session.scalars(swap_queries.coming_swaps().where(Swap.starts_at <= now + BEFORE)).all()
    wanted = _by_key(swap for swap in due if not swap_queries.ending(swap)) if due else {}
    known = set(db.session.scalars(sa.select(Delivery.key).where(Delivery.key.in_(wanted))))
    return queue_new(DeliveryKind.SWAP_UNTAKEN, {key: user for key, user in wanted.items() if key not in known})


def _by_key(swaps: Iterable[Swap]) -> dict[str, User]:
    return {f"swap-untaken:{swap.id}:{lead.id}": lead for swap in swaps for lead in leads()}


def _stamp(at: datetime | None) -> str:
    return at.isoformat() if at else ""


SUBSCRIPTIONS = [
    (EventKind.SWAP_ASKED, queue_asked),
    (EventKind.SWAP_TRADE_OFFERED, queue_trade),
    (EventKind.SWAP_TAKEN, queue_taken),
]
