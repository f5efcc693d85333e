"""Telling webhooks what they are owed: at least once under one number, never twice at the same time, for three days.

Claims carry a lease and a fence, so that what a dead worker had is sent by another, and one that is only slow writes
nothing down over it. Nothing is held while a server is asked.
"""

import json
import os
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from bugintake.core import clock, outside
from bugintake.core.db import db, transaction, update_one
from bugintake.intake.models import Bug
from bugintake.loop.attempts import RETRY_AFTER
from bugintake.loop.circuit import jittered
from bugintake.loop.webhooks import outgoing
from bugintake.loop.webhooks.happenings import in_utc
from bugintake.loop.webhooks.models import OffBecause, SendingState, Webhook, WebhookDelivery
from bugintake.loop.webhooks.signing import standard_headers

LEASE = timedelta(minutes=2)
RESTS_AT_LEAST = timedelta(minutes=1)
RESTS_AT_MOST = timedelta(days=1)
OFF_AFTER = timedelta(days=5)
GONE = 410
BUSY = (429, 503)


@dataclass(frozen=True)
class Claimed:
    """What one worker tells one webhook while its lease lasts."""

    id: int
    webhook_id: int
    fence: str
    url: str
    keys: tuple[str, ...]
    number: str
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """How telling ended: the status of the answer, or why there is none, and when to ask again as it says."""

    code: int | None
    trouble: str
    took_ms: int
    retry_after: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the webhook has taken it."""
        return self.code is not None and 200 <= self.code < 300


def send_one() -> bool:
    """Tell one webhook one thing that is due, outside any transaction; tell whether there was one."""
    if db.session.scalar(_due().limit(1)) is None:
        return False
    with transaction():
        claimed = _claim()
    if claimed is not None:
        outcome = _tell(claimed)
        with transaction():
            _finish(claimed, outcome)
    return True


def _due() -> sa.Select[int]:
    now = clock.now()
    is_due = sa.and_(WebhookDelivery.state == SendingState.PENDING, WebhookDelivery.not_before <= now)
    is_lost = sa.and_(WebhookDelivery.state == SendingState.SENDING, WebhookDelivery.lease_until < now)
    is_awake = sa.or_(Webhook.rests_until.is_(None), Webhook.rests_until <= now)
    found = sa.select(WebhookDelivery.id).join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
    found = found.where(sa.or_(is_due, is_lost), Webhook.off_at.is_(None), is_awake)
    return found.order_by(WebhookDelivery.not_before, WebhookDelivery.id)


def _claim() -> Claimed | None:
    """Take what is due first, and write it; nothing where another worker was faster, or it is not to be told."""
    number = db.session.scalar(_due().limit(1).with_for_update(skip_locked=True, of=WebhookDelivery))
    if number is None:
        return None
    delivery = db.session.get_one(WebhookDelivery, number, populate_existing=True)
    webhook, fence = delivery.webhook, f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:16]}"
    reason = _refusal_of(delivery)
    if reason:
        delivery.state, delivery.trouble = SendingState.DROPPED, reason
        delivery.lease_owner = delivery.lease_until = None
        return None
    now = clock.now()
    delivery.state, delivery.attempts, delivery.asked_at = SendingState.SENDING, delivery.attempts + 1, now
    delivery.lease_owner, delivery.lease_until = fence, now + LEASE
    keys = [webhook.secret]
    if webhook.previous_until is not None and webhook.previous_until > now:
        keys.append(webhook.previous_secret)
    told = {"type": delivery.topic, "timestamp": in_utc(delivery.happened_at), "data": delivery.facts}
    body = json.dumps(told, separators=(",", ":")).encode()
    return Claimed(delivery.id, webhook.id, fence, webhook.url, tuple(keys), delivery.number, body)


def _refusal_of(delivery: WebhookDelivery) -> str:
    """Say why a webhook may not be told of something now.

    It has the rights of its owner, who has to be an admin still. Of a restricted bug it is told nothing, whoever owns
    it: nobody knows who reads at the other end.
    """
    owner = delivery.webhook.owner
    if not owner.is_active or not owner.is_admin:
        return f"{owner.name}, who saved the webhook last, is no admin any more."
    if delivery.bug is not None:
        whole = db.session.get_one(Bug, delivery.bug.canonical_id)
        if delivery.bug.is_restricted or whole.is_restricted:
            return "The bug is restricted."
    if delivery.attempts and delivery.gives_up_at + LEASE < clock.now():
        return "Its workers kept stopping for three days."
    return ""


def _tell(claimed: Claimed) -> Outcome:
    headers = standard_headers(claimed.number, clock.now(), claimed.body, claimed.keys)
    headers["Content-Type"] = "application/json"
    started = time.perf_counter()
    code, trouble, retry_after = None, "", ""
    try:
        code, retry_after = outside.tell(claimed.url, headers, claimed.body)
    except (outside.Refused, outside.Unreachable) as failure:
        trouble = str(failure)[:200]
    return Outcome(code, trouble, round((time.perf_counter() - started) * 1000), retry_after)


def _finish(claimed: Claimed, outcome: Outcome) -> None:
    """Keep how telling ended, unless the lease ran out and another worker has it."""
    now = clock.now()
    webhook = db.session.get(Webhook, claimed.webhook_id, with_for_update={"key_share": True}, populate_existing=True)
    delivery = db.session.get(WebhookDelivery, claimed.id, populate_existing=True)
    if webhook is None or delivery is None:  # taken away meanwhile
        return
    seen = {"code": outcome.code, "trouble": outcome.trouble, "took_ms": outcome.took_ms}
    if outcome.is_taken:
        if _keep(claimed, state=SendingState.SENT, **seen):
            webhook.failing_since_at = webhook.rests_until = None
        return
    pause = _pause(delivery.attempts, outcome, now)
    is_over = outcome.code == GONE or now + pause > delivery.gives_up_at or webhook.off_at is not None
    ended = {"state": SendingState.FAILED} if is_over else {"state": SendingState.PENDING, "not_before": now + pause}
    if not _keep(claimed, **ended, **seen) or webhook.off_at is not None:
        return
    webhook.failing_since_at = webhook.failing_since_at or now
    webhook.rests_until = now + (pause if outcome.code in BUSY else min(pause, RESTS_AT_LEAST))
    if outcome.code == GONE:
        outgoing.switch_off(webhook, OffBecause.GONE)
    elif now - webhook.failing_since_at >= OFF_AFTER:
        outgoing.switch_off(webhook, OffBecause.FAILED)


def _keep(claimed: Claimed, **values: Any) -> bool:
    mine = (WebhookDelivery.id == claimed.id, WebhookDelivery.lease_owner == claimed.fence)
    change = sa.update(WebhookDelivery).where(*mine, WebhookDelivery.state == SendingState.SENDING)
    return update_one(change.values(lease_owner=None, lease_until=None, **values))


def _pause(attempts: int, outcome: Outcome, now: datetime) -> timedelta:
    """Say how long to wait: 1, 5, 15, 60 minutes, then hourly; longer where the server says so, up to a day."""
    pause = jittered(RETRY_AFTER[min(attempts, len(RETRY_AFTER)) - 1])
    if outcome.code in BUSY:
        pause = max(pause, min(_wanted(outcome.retry_after, now), RESTS_AT_MOST))
    return pause


def _wanted(retry_after: str, now: datetime) -> timedelta:
    """Read seconds or a date; nothing where it is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=min(int(retry_after[:9]), RESTS_AT_MOST.total_seconds()))
    try:
        return max(parsedate_to_datetime(retry_after) - now, timedelta(0))
    except (ValueError, TypeError):
        return timedelta(0)
