"""Leaving a webhook that fails alone: what it is owed waits in order, and others notice nothing.

Once two different things in a row were not taken (or one, where nothing else is owed), it is the webhook that fails,
and rests, longer each time. Then the oldest thing is tried. One thing alone that a receiver cannot read, while it takes
others, waits by itself and holds up nothing.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock, resting
from bugintake.core.db import db
from bugintake.loop.webhooks.models import SendingState, Webhook, WebhookDelivery


def webhooks_due() -> sa.Select[int]:
    """Select the webhooks that may be told something now, whoever waits longest first."""
    now = clock.now()
    is_awake = sa.or_(Webhook.rests_until.is_(None), Webhook.rests_until <= now)
    oldest = deliveries_due(now).where(WebhookDelivery.webhook_id == Webhook.id).correlate(Webhook).scalar_subquery()
    return sa.select(Webhook.id).where(Webhook.off_at.is_(None), is_awake, oldest.is_not(None)).order_by(oldest)


def deliveries_due(now: datetime) -> sa.Select[int]:
    """Select what is owed now, the oldest; nothing while another worker tells the same webhook something."""
    is_due = sa.and_(WebhookDelivery.state == SendingState.PENDING, WebhookDelivery.not_before <= now)
    is_lost = sa.and_(WebhookDelivery.state == SendingState.SENDING, WebhookDelivery.lease_until < now)
    other = aliased(WebhookDelivery)
    is_told = sa.and_(other.webhook_id == WebhookDelivery.webhook_id, other.state == SendingState.SENDING)
    is_busy = sa.select(other.id).where(is_told, other.lease_until >= now).exists()
    return sa.select(WebhookDelivery.id).where(sa.or_(is_due, is_lost), ~is_busy).order_by(WebhookDelivery.id).limit(1)


def took(webhook: Webhook) -> None:
    """Note that a webhook has taken something."""
    webhook.failures, webhook.failing_since_at, webhook.rests_until = 0, None, None


def failed(webhook: Webhook, delivery: WebhookDelivery, wanted: timedelta) -> timedelta:
    """Note that a webhook has not taken something, and say when to try that again; `wanted` is what it asked for."""
    now = clock.now()
    is_second = webhook.failing_since_at is not None and webhook.rests_until is None
    webhook.failing_since_at = webhook.failing_since_at or now
    if not (is_second or wanted) and _is_more_due(delivery, now):
        webhook.rests_until = None
        return resting.pause_after(delivery.attempts)
    webhook.failures += 1
    rest = max(resting.pause_after(webhook.failures), wanted)
    webhook.rests_until = now + rest
    tried = (WebhookDelivery.id != delivery.id, WebhookDelivery.asked_at >= webhook.failing_since_at)
    _bring_forward(webhook, webhook.rests_until, *tried)
    return rest if delivery.attempts <= webhook.failures else max(rest, resting.pause_after(delivery.attempts))


def wake(webhook: Webhook) -> None:
    """Let a webhook that rests be tried now, because a person wants to know."""
    if webhook.rests_until is not None:
        webhook.rests_until = clock.now()
        _bring_forward(webhook, clock.now())


def _is_more_due(delivery: WebhookDelivery, now: datetime) -> bool:
    others = (WebhookDelivery.webhook_id == delivery.webhook_id, WebhookDelivery.id != delivery.id)
    due = (WebhookDelivery.state == SendingState.PENDING, WebhookDelivery.not_before <= now)
    return db.session.scalar(sa.select(WebhookDelivery.id).where(*others, *due).limit(1)) is not None


def _bring_forward(webhook: Webhook, at: datetime, *which: sa.ColumnElement[bool]) -> None:
    waits = (WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.state == SendingState.PENDING)
    later = sa.update(WebhookDelivery).where(*waits, WebhookDelivery.not_before > at, *which)
    db.session.execute(later.values(not_before=at))
