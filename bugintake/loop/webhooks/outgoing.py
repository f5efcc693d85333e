"""Webhooks that are told what happens here: made by leads, renewed, switched off and on."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events, outside
from bugintake.core.chats import Chat
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.loop.models import DeliveryKind
from bugintake.loop.notices import queue_notice
from bugintake.loop.webhooks import circuits, happenings, signing
from bugintake.loop.webhooks.models import OffBecause, SendingState, Topic, Webhook, WebhookDelivery
from bugintake.team.models import Role, User

OLD_SECRET_LASTS = timedelta(hours=24)
SHOWN = 200
ENDED = (SendingState.SENT, SendingState.DROPPED, SendingState.FAILED)
CHOICES = tuple(topic for topic in Topic if topic is not Topic.TEST)


def make(url: str, topics: Iterable[str], chat: Chat | None = None, *, actor: User) -> Webhook:
    """Tell an address what happens from now on, as a chat reads it or in signed JSON. Records webhook.made.

    Raises Invalid for what is no address outside, or nothing to tell it.
    """
    url = clean_line(url)
    try:
        outside.check(url, ["https"])
    except outside.Refused as why:
        raise Invalid(str(why), "url") from why
    secret = signing.new_standard_secret()
    webhook = Webhook(url=url, chat=chat, topics=_chosen(topics), owner_id=actor.id, secret=secret)
    db.session.add(webhook)
    db.session.flush()
    events.record(EventKind.WEBHOOK_MADE, actor=actor, after=webhook.host, webhook=webhook.id, topics=webhook.topics)
    return webhook


def choose(webhook: Webhook, topics: Iterable[str], *, actor: User) -> None:
    """Change what a webhook is told; it has the rights of the actor from now on. Records webhook.changed."""
    was = webhook.topics
    webhook.topics, webhook.owner_id = _chosen(topics), actor.id
    events.record(EventKind.WEBHOOK_CHANGED, actor=actor, webhook=webhook.id, was=was, now=webhook.topics)


def renew_secret(webhook: Webhook, *, actor: User) -> None:
    """Sign with another secret, and for a day with the one before as well. Records webhook.secret_renewed.

    Raises Conflict for a chat, which checks no signature.
    """
    if webhook.chat is not None:
        raise Conflict("A chat checks no signature: nothing is signed for it.")
    webhook.previous_secret, webhook.previous_until = webhook.secret, clock.now() + OLD_SECRET_LASTS
    webhook.secret = signing.new_standard_secret()
    events.record(EventKind.WEBHOOK_SECRET_RENEWED, actor=actor, webhook=webhook.id)


def switch_off(webhook: Webhook, because: OffBecause, *, actor: User | None = None) -> None:
    """Tell a webhook nothing more, also what it is owed already. Records webhook.switched_off.

    Where no person did it, every admin and whoever saved it last are told by mail, once.
    """
    webhook.off_at, webhook.off_because = clock.now(), because
    is_lost = sa.and_(WebhookDelivery.state == SendingState.SENDING, WebhookDelivery.lease_until < clock.now())
    is_owed = sa.or_(WebhookDelivery.state == SendingState.PENDING, is_lost)
    owed = sa.update(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id, is_owed)
    db.session.execute(owed.values(state=SendingState.DROPPED, trouble="The webhook was switched off."))
    about: dict[str, Any] = {"webhook": webhook.id, "because": because}
    event = events.record(EventKind.WEBHOOK_SWITCHED_OFF, actor=actor, before=webhook.host, **about)
    if actor is None:
        looks_after = sa.or_(User.role == Role.ADMIN, User.id == webhook.owner_id)
        told = sa.select(User).where(looks_after, User.disabled_at.is_(None)).order_by(User.id)
        for user in db.session.scalars(told).all():
            queue_notice(DeliveryKind.WEBHOOK_OFF, user, f"webhook_off:{event.id}:{user.id}", webhook=webhook.id)


def switch_on(webhook: Webhook, *, actor: User) -> None:
    """Tell a webhook again what happens, from now on. Records webhook.switched_on. Raises Conflict where it is on."""
    if webhook.off_at is None:
        raise Conflict("It is on already.")
    webhook.off_at = webhook.off_because = None
    circuits.took(webhook)
    webhook.owner_id = actor.id
    events.record(EventKind.WEBHOOK_SWITCHED_ON, actor=actor, after=webhook.host, webhook=webhook.id)


def remove(webhook: Webhook, *, actor: User) -> None:
    """Take a webhook away with its log. Records webhook.removed."""
    db.session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id))
    events.record(EventKind.WEBHOOK_REMOVED, actor=actor, before=webhook.host, webhook=webhook.id)
    db.session.delete(webhook)


def queue_test(webhook: Webhook) -> None:
    """Send a webhook a sample, also where it rests. Raises Conflict where it is off."""
    if webhook.off_at is not None:
        raise Conflict("It is off: switch it on first.")
    happenings.owe([webhook.id], Topic.TEST, facts={})
    circuits.wake(webhook)


def send_again(delivery: WebhookDelivery) -> None:
    """Tell a webhook once more what it was told, under the same number. Raises Conflict where it is on its way."""
    if delivery.webhook.off_at is not None:
        raise Conflict("It is off: switch it on first.")
    if delivery.state not in ENDED:
        raise Conflict("It is on its way already.")
    delivery.state, delivery.attempts, delivery.not_before = SendingState.PENDING, 0, clock.now()
    delivery.gives_up_at = clock.now() + happenings.TRIED_FOR
    circuits.wake(delivery.webhook)


def owed_count(webhook: Webhook) -> int:
    """Count what waits to be told."""
    theirs = (WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.state == SendingState.PENDING)
    return db.session.scalar(sa.select(sa.func.count(WebhookDelivery.id)).where(*theirs)) or 0


def webhooks() -> Sequence[Webhook]:
    """List the webhooks, those that are on first."""
    order = (Webhook.off_at.is_not(None), Webhook.id)
    return db.session.scalars(sa.select(Webhook).options(joinedload(Webhook.owner)).order_by(*order)).all()


def log_of(webhook: Webhook) -> Sequence[WebhookDelivery]:
    """List what a webhook was told last, the latest first."""
    found = sa.select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id)
    return db.session.scalars(found.order_by(WebhookDelivery.id.desc()).limit(SHOWN)).all()


def webhook_or_404(webhook_id: int) -> Webhook:
    """Load a webhook by its number. Raises NotFound."""
    webhook = db.session.get(Webhook, webhook_id) if 0 < webhook_id < 2**31 else None
    if webhook is None:
        raise NotFound
    return webhook


def delivery_or_404(webhook: Webhook, sending_id: int) -> WebhookDelivery:
    """Load what a webhook was told by its number. Raises NotFound."""
    delivery = db.session.get(WebhookDelivery, sending_id) if 0 < sending_id < 2**31 else None
    if delivery is None or delivery.webhook_id != webhook.id:
        raise NotFound
    return delivery


def forget_old() -> None:
    """Keep the last two hundred of each webhook's log, and what is still on its way."""
    for webhook_id in db.session.scalars(sa.select(Webhook.id)).all():
        theirs = WebhookDelivery.webhook_id == webhook_id
        oldest = sa.select(WebhookDelivery.id).where(theirs).order_by(WebhookDelivery.id.desc()).offset(SHOWN).limit(1)
        number = db.session.scalar(oldest)
        if number is not None:
            with transaction():
                old = sa.and_(theirs, WebhookDelivery.id <= number, WebhookDelivery.state.in_(ENDED))
                db.session.execute(sa.delete(WebhookDelivery).where(old))


def _chosen(topics: Iterable[str]) -> list[str]:
    wanted = set(topics)
    chosen = [topic.value for topic in CHOICES if topic in wanted]
    if not chosen:
        raise Invalid("Choose what it is told.", "topics")
    return chosen
