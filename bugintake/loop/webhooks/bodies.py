"""What a webhook reads: signed JSON, or sentences in a chat."""

import json
from datetime import datetime

from bugintake.core import chats
from bugintake.loop.webhooks import sentences
from bugintake.loop.webhooks.happenings import in_utc
from bugintake.loop.webhooks.models import Webhook, WebhookDelivery
from bugintake.loop.webhooks.signing import standard_headers

JSON = {"Content-Type": "application/json"}


def body_of(delivery: WebhookDelivery) -> bytes:
    """Write what a webhook is told."""
    if delivery.webhook.chat is not None:
        return chats.written(delivery.webhook.chat, *sentences.of(delivery))
    told = {"type": delivery.topic, "timestamp": in_utc(delivery.happened_at), "data": delivery.facts}
    return json.dumps(told, separators=(",", ":")).encode()


def keys_of(webhook: Webhook, now: datetime) -> tuple[str, ...]:
    """Return the secrets that a webhook's signatures are made with now; a chat checks none."""
    if webhook.chat is not None:
        return ()
    lasts = webhook.previous_until is not None and webhook.previous_until > now
    return (webhook.secret, webhook.previous_secret) if lasts else (webhook.secret,)


def headers_of(number: str, body: bytes, keys: tuple[str, ...], now: datetime) -> dict[str, str]:
    """Write the headers of what is sent now."""
    return {**standard_headers(number, now, body, keys), **JSON} if keys else dict(JSON)
