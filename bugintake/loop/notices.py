"""Notices to the team: queued once under a key; notice_letters writes them when they leave."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bugintake.core import clock, events
from bugintake.core.db import db, transaction, update_one
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.loop.mail import new_message_id
from bugintake.loop.models import Delivery, DeliveryKind, DeliveryState
from bugintake.team.models import Role, User
from bugintake.team.workspace import is_set_up, working_hours
from bugintake.triage.comment_models import Comment

STUCK = (DeliveryState.HELD, DeliveryState.FAILED, DeliveryState.UNCERTAIN)


def queue_notice(kind: DeliveryKind, user: User, key: str, **params: Any) -> None:
    """Put a notice into the outbox, once per key."""
    if db.session.scalar(sa.select(Delivery.id).where(Delivery.key == key)) is None:
        db.session.add(Delivery(key=key, kind=kind, user_id=user.id, params=params, message_id=new_message_id()))
        db.session.flush()


def queue_reset(event: Event) -> None:
    """Mail a link for a new password to the person who asked for it; an address that is nobody's gets nothing."""
    user = db.session.get(User, event.user_id) if event.user_id is not None else None
    if user is not None:
        queue_notice(DeliveryKind.PASSWORD_RESET, user, f"password_reset:{event.id}")


def queue_overlooked(now: datetime) -> int:
    """Owe every lead the list of what is overlooked once on each working day, from its morning on; tell how many do.

    What is written when it leaves decides whether anything is on it. Where nobody is a lead, admins read it.
    """
    if not is_set_up() or not working_hours().is_open(now):
        return 0
    day = now.astimezone(working_hours().zone).date().isoformat()
    wanted = {f"overlooked:{day}:{user.id}": user for user in _leads()}
    return queue_new(DeliveryKind.OVERLOOKED, wanted)


def _leads() -> list[User]:
    here = db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.id)).all()
    return [user for user in here if user.role is Role.LEAD] or [user for user in here if user.is_admin]


def queue_stand_in(event: Event) -> None:
    """Ask the leads who stands in for somebody who was disabled; what is written decides whether that is open."""
    for lead in _leads():
        if lead.id != event.actor_id:
            queue_notice(DeliveryKind.STAND_IN, lead, f"stand_in:{event.id}:{lead.id}", person=event.user_id)


def queue_new(kind: DeliveryKind, wanted: Mapping[str, User]) -> int:
    """Put notices into the outbox under keys that it does not hold yet, and tell how many those are.

    None where another worker is doing it: the key is unique, and the slower one starts over.
    """
    known = known_keys(wanted)
    fresh = {key: person for key, person in wanted.items() if key not in known}
    if not fresh:
        return 0
    try:
        with transaction():
            for key, person in fresh.items():
                queue_notice(kind, person, key)
    except IntegrityError:
        return 0
    return len(fresh)


def known_keys(keys: Collection[str]) -> set[str]:
    """Tell which keys the outbox holds already."""
    return set(db.session.scalars(sa.select(Delivery.key).where(Delivery.key.in_(keys))))


def queue_mentions(event: Event) -> None:
    """Tell whoever a comment mentions, once, however often it is changed."""
    comment = db.session.get_one(Comment, event.details["comment"])
    for person in db.session.scalars(sa.select(User).where(User.id.in_(comment.mentioned)).order_by(User.id)):
        queue_notice(DeliveryKind.MENTION, person, f"mention:{comment.id}:{person.id}", comment=comment.id)


def queue_help(event: Event) -> None:
    """Tell whoever is asked for help by a note, as by any other mention."""
    if "comment" in event.details:
        queue_mentions(event)


def queue_worse(event: Event) -> None:
    """Tell whoever has a bug that something worse became a part of it."""
    owner = db.session.get_one(User, event.user_id)
    queue_notice(DeliveryKind.WORSE_DUPLICATE, owner, f"worse:{event.id}", part=event.details["part"])


def queue_test(user: User) -> None:
    """Mail somebody that mail works."""
    queue_notice(DeliveryKind.TEST, user, f"test:{user.id}:{clock.now().isoformat()}")


def is_stuck_notice() -> sa.ColumnElement[bool]:
    """Select the mail to the team that waits for a person: held after a restore, failed, or nobody knows."""
    to_the_team = (Delivery.user_id.is_not(None), Delivery.kind != DeliveryKind.TEST)
    return sa.and_(*to_the_team, Delivery.state.in_(STUCK))


def send_notice(notice: Delivery, *, actor: User) -> None:
    """Let a held, failed or uncertain notice go; it leaves only if it is still true. Records notice.released.

    Raises Conflict where somebody has dealt with it.
    """
    _decide(notice, state=DeliveryState.PENDING, attempts=0, not_before=clock.now())
    events.record(EventKind.NOTICE_RELEASED, actor=actor, user=notice.user, delivery_id=notice.id)


def drop_notice(notice: Delivery, *, actor: User) -> None:
    """Leave a held, failed or uncertain notice unsent. Records notice.dropped. Raises Conflict as send_notice."""
    _decide(notice, state=DeliveryState.CANCELLED)
    events.record(EventKind.NOTICE_DROPPED, actor=actor, user=notice.user, delivery_id=notice.id)


def _decide(notice: Delivery, **values: object) -> None:
    change = sa.update(Delivery).where(Delivery.id == notice.id, is_stuck_notice())
    if not update_one(change.values(lease_owner=None, lease_until=None, **values)):
        raise Conflict("Somebody has dealt with it already.")


SUBSCRIPTIONS = [
    (EventKind.PASSWORD_RESET_REQUESTED, queue_reset),
    (EventKind.BUG_COMMENTED, queue_mentions),
    (EventKind.COMMENT_EDITED, queue_mentions),
    (EventKind.BUG_ASSIGNED, queue_help),
    (EventKind.BUG_OWNER_TOLD, queue_worse),
    (EventKind.USER_DISABLED, queue_stand_in),
]
