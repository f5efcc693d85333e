"""Reading swaps: whether one is open and makes sense, and which wait for somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.errors import Invalid, NotFound, NotPermitted
from bugintake.core.templating import ago_in_words
from bugintake.duty.handing_over import Stretch, stretch
from bugintake.duty.models import Rotation
from bugintake.duty.plans import Plan
from bugintake.duty.swap_models import Answer, Asked, Swap
from bugintake.team.models import User

ENDED = "Nothing for you to do."


@dataclass(frozen=True)
class Open:
    """A swap that is open, its hours, and what whoever looks is asked by it."""

    swap: Swap
    hours: Stretch
    asked: Asked | None


def ending(swap: Swap, plan: Plan | None = None) -> str:
    """Say why nothing can be done about a swap any more; empty while it is open and makes sense."""
    if swap.given_back_at is not None:
        return f"It was taken and given back {ago_in_words(swap.given_back_at)}. {swap.user.first_name} may ask again."
    if swap.taken_at is not None and swap.taken_by is not None:
        return f"{swap.taken_by.first_name} took it {ago_in_words(swap.taken_at)}. {ENDED}"
    if swap.withdrawn_at is not None:
        return f"The request was taken back {ago_in_words(swap.withdrawn_at)}. {ENDED}"
    if swap.starts_at <= clock.now():
        return f"The hours have begun, so they are no longer swapped. {ENDED}"
    try:
        found = stretch(swap.rotation, swap.starts_at, swap.ends_at, plan)
    except Invalid:
        return f"There is no duty in that time any more. {ENDED}"
    if found.holder is None or found.holder.id != swap.user_id:
        others = [person.first_name for person in found.people if person.id != swap.user_id]
        by_now = f": {' and '.join(others)} has" if others else ""
        return f"{swap.user.first_name} no longer has all of those hours{by_now}. {ENDED}"
    return ""


def hours_of(swap: Swap) -> Stretch | None:
    """Return the hours that a swap is about, where there is still duty in them."""
    return _hours(swap.rotation, swap.starts_at, swap.ends_at)


def hours_offered(asked: Asked) -> Stretch | None:
    """Return the hours that somebody offers in a trade, where they do and there is still duty in them."""
    rotation, start, end = asked.trade_rotation, asked.trade_starts_at, asked.trade_ends_at
    return _hours(rotation, start, end) if rotation and start and end else None


def hours_in_return(swap: Swap) -> Stretch | None:
    """Return the hours that whoever asked took in a trade."""
    return next((hours_offered(each) for each in swap.asked if each.user_id == swap.taken_by_id), None)


def _hours(rotation: Rotation, start: datetime, end: datetime) -> Stretch | None:
    try:
        return stretch(rotation, start, end)
    except Invalid:
        return None


def swap_or_404(swap_id: int) -> Swap:
    """Load a swap. Raises NotFound."""
    found = db.session.get(Swap, swap_id) if swap_id < 2**31 else None
    if found is None:
        raise NotFound
    return found


def asked_or_404(asked_id: int) -> Asked:
    """Load what somebody is asked. Raises NotFound."""
    found = db.session.get(Asked, asked_id) if asked_id < 2**31 else None
    if found is None:
        raise NotFound
    return found


def asked_or_refuse(swap: Swap, person: User) -> Asked:
    """Return what a person is asked by a swap. Raises NotPermitted where they are not."""
    found = next((each for each in swap.asked if each.user_id == person.id), None)
    if found is None:
        raise NotPermitted("You were not asked. You can still take it.")
    return found


def open_swap(found: Stretch) -> Swap | None:
    """Find the open swap of whoever has these hours, that is about them or a part of them."""
    swaps = sa.select(Swap).where(
        Swap.rotation_id == found.rotation.id,
        Swap.user_id.in_([person.id for person in found.people]),
        Swap.taken_at.is_(None),
        Swap.withdrawn_at.is_(None),
        Swap.starts_at < found.end,
        Swap.ends_at > found.start,
        Swap.starts_at > clock.now(),
    )
    return db.session.scalars(swaps.order_by(Swap.id)).first()


def open_swaps(person: User, plans: Sequence[Plan]) -> list[Open]:
    """List what a person asks, or is asked and did not say no to, while it makes sense; the next hours first.

    `plans` are those of every rotation.
    """
    own = aliased(Asked)
    found = (
        coming_swaps()
        .add_columns(own)
        .outerjoin(own, sa.and_(own.swap_id == Swap.id, own.user_id == person.id, own.answer != Answer.NO))
        .where(sa.or_(Swap.user_id == person.id, Swap.asked_by_id == person.id, own.id.is_not(None)))
    )
    by_rotation = {plan.rotation.id: plan for plan in plans}
    listed = []
    for swap, asked in db.session.execute(found).all():
        plan = by_rotation.get(swap.rotation_id)
        if not ending(swap, plan):
            listed.append(Open(swap, stretch(swap.rotation, swap.starts_at, swap.ends_at, plan), asked))
    return listed


def open_swaps_of(plan: Plan) -> list[Swap]:
    """List the open swaps of a rotation that make sense by its plan."""
    found = db.session.scalars(coming_swaps().where(Swap.rotation_id == plan.rotation.id))
    return [swap for swap in found if not ending(swap, plan)]


def coming_swaps() -> sa.Select[Swap]:
    """Select the open swaps of hours that have not begun, the next ones first."""
    return (
        sa.select(Swap)
        .where(Swap.taken_at.is_(None), Swap.withdrawn_at.is_(None), Swap.starts_at > clock.now())
        .options(joinedload(Swap.user), joinedload(Swap.rotation))
        .order_by(Swap.starts_at, Swap.id)
    )
