"""Asking others to take one's hours of duty; whoever answers first gets them, and until then the asker keeps them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.duty import overrides, queries
from bugintake.duty.handing_over import (
    Stretch,
    check_free,
    check_seen,
    free_people,
    lay_all,
    stretch,
)
from bugintake.duty.models import Override, Rotation
from bugintake.duty.swap_models import Answer, Asked, Swap
from bugintake.duty.swap_queries import asked_or_refuse, ending, open_swap
from bugintake.team.models import Role, User


def ask(
    rotation: Rotation,
    start: datetime,
    end: datetime,
    people: Collection[User] | None,
    *,
    actor: User,
    seen_id: int | None,
    reason: str = "",
) -> Swap:
    """Ask people, by default everybody of the rotation who is free then, to take hours that somebody has.

    `seen_id` is who the actor believed to have them. Records swap.asked. Raises NotPermitted unless the hours are the
    actor's or the actor leads, Invalid or Conflict where they cannot be swapped, or nobody can be asked.
    """
    overrides.lock(rotation)
    found = stretch(rotation, start, end)
    check_seen(found, seen_id)
    holder = found.holder
    if holder is None:
        raise Invalid("Nobody has those hours. Take them, or hand them to somebody.", "start")
    if holder.id != actor.id and not actor.can(Role.LEAD):
        raise NotPermitted("Only whoever has the hours, or a lead, can ask for a swap.")
    check_coming(found)
    reason = clean_line(reason)
    if len(reason) > overrides.REASON_LENGTH:
        raise Invalid(f"Say why in at most {overrides.REASON_LENGTH} characters.", "reason")
    if open_swap(found) is not None:
        raise Conflict(f"{holder.first_name} is asking for that already.")
    asked = free_people(found) if people is None else list(people)
    if not asked:
        raise Invalid("Nobody of the rotation is free then. Name somebody.", "people")
    for person in asked if people is not None else ():
        if person.id == holder.id:
            raise Invalid(f"{person.name} has the hours: ask somebody else.", "people")
        try:
            check_free(person, found)
        except Conflict as why:
            raise Invalid(why.sentence, "people") from why
    swap = Swap(
        rotation_id=rotation.id,
        user_id=holder.id,
        starts_at=found.start,
        ends_at=found.end,
        reason=reason,
        asked_by_id=actor.id,
        asked=[Asked(user_id=person.id) for person in asked],
    )
    db.session.add(swap)
    db.session.flush()
    record(EventKind.SWAP_ASKED, swap, actor, person_ids=[person.id for person in asked])
    return swap


def take(swap: Swap, *, actor: User) -> list[Override]:
    """Take the hours: from now on they are the actor's. Of several who do so at once the first gets them.

    Records swap.taken. Raises Conflict where somebody was faster, it makes no sense any more, or the actor is not free.
    """
    found = hours_of_open(swap)
    if actor.id == swap.user_id:
        raise Conflict("You have the hours already. Take the request back if you keep them.")
    check_free(actor, found)
    for each in swap.asked:
        if each.user_id == actor.id:
            note_answer(each, Answer.NONE)
    swap.taken_at, swap.taken_by_id = clock.now(), actor.id
    laid = lay_all(found, actor, actor=actor, reason=swap.reason, swap_id=swap.id)
    record(EventKind.SWAP_TAKEN, swap, actor, override_ids=[each.id for each in laid])
    return laid


def refuse(swap: Swap, *, actor: User) -> None:
    """Say no. Records swap.refused. Raises Conflict where it is over."""
    hours_of_open(swap)
    asked = asked_or_refuse(swap, actor)
    note_answer(asked, Answer.NO)
    record(EventKind.SWAP_REFUSED, swap, actor)


def withdraw(swap: Swap, *, actor: User) -> None:
    """Take the request back; the hours stay where they are. Records swap.withdrawn. Raises Conflict when it is over."""
    check_asker(swap, actor)
    overrides.lock(swap.rotation)
    db.session.refresh(swap)
    if not swap.is_open:
        raise Conflict(ending(swap))
    swap.withdrawn_at = clock.now()
    record(EventKind.SWAP_WITHDRAWN, swap, actor)


def hours_of_open(swap: Swap, other: Rotation | None = None) -> Stretch:
    """Lock a swap's rotation, and another one, and return its hours. Raises Conflict where it is over."""
    rotations = {each.id: each for each in (swap.rotation, other) if each is not None}
    for key in sorted(rotations):
        overrides.lock(rotations[key])
    db.session.refresh(swap)
    why = ending(swap)
    if why:
        raise Conflict(why)
    return stretch(swap.rotation, swap.starts_at, swap.ends_at)


def may_decide(swap: Swap, person: User) -> bool:
    """Whether somebody may agree to a trade or take the request back: who asks, or a lead."""
    return person.id in (swap.user_id, swap.asked_by_id) or person.can(Role.LEAD)


def check_asker(swap: Swap, actor: User) -> None:
    """Refuse to let others decide for whoever asks. Raises NotPermitted."""
    if not may_decide(swap, actor):
        raise NotPermitted("Only whoever asked, or a lead, can decide that.")


def check_coming(found: Stretch) -> None:
    """Refuse hours that have begun, or are too far away to be planned. Raises Conflict or Invalid."""
    if found.start <= clock.now():
        raise Conflict("Those hours have begun. Hand them over, or let somebody take over.")
    if found.start > clock.now() + queries.HALF_A_YEAR:
        raise Invalid("Choose hours within half a year.", "start")


def note_answer(asked: Asked, answer: Answer, offered: Stretch | None = None) -> None:
    """Keep what somebody answered, and the hours they offer."""
    asked.answer, asked.answered_at = answer, clock.now()
    asked.trade_rotation_id = offered.rotation.id if offered else None
    asked.trade_starts_at, asked.trade_ends_at = (offered.start, offered.end) if offered else (None, None)
    db.session.flush()


def record(kind: EventKind, swap: Swap, actor: User, **details: Any) -> None:
    """Write down what happened to a swap."""
    events.record(kind, actor=actor, user=swap.user, swap_id=swap.id, rotation_id=swap.rotation_id, **details)
    queries.forget_plan()
