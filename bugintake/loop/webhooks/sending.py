"""Telling webhooks what they are owed: at least once under one number, one thing at a time, for three days.

Claims carry a lease and a fence, so that what a dead worker had is sent by another, and one that is only slow writes
nothing down over it. Nothing is held while a server is asked.
"""

import os
import socket
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from bugintake.core import clock, outside, resting
from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug
from bugintake.loop.webhooks import bodies, circuits, outgoing
from bugintake.loop.webhooks.models import OffBecause, SendingState, Webhook, WebhookDelivery
from bugintake.team.models import Role

LEASE = timedelta(minutes=2)
OFF_AFTER = timedelta(days=5)
GONE = 410


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
    if db.session.scalar(circuits.webhooks_due().limit(1)) is None:
        return False
    with transaction():
        claimed = _claim()
    if claimed is not None:
        outcome = _tell(claimed)
        with transaction():
            _finish(claimed, outcome)
    return True


def _claim() -> Claimed | None:
    """Take what is due first, and write it; nothing where another worker was faster, or it is not to be told."""
    due = circuits.webhooks_due().limit(1).with_for_update(skip_locked=True, key_share=True, of=Webhook)
    webhook = db.session.get(Webhook, db.session.scalar(due) or 0, populate_existing=True)
    if webhook is None:
        return None
    now = clock.now()
    theirs = circuits.deliveries_due(now).where(WebhookDelivery.webhook_id == webhook.id)
    number = db.session.scalar(theirs)  # looked at again: another worker may have taken it before the lock was ours
    if number is None:
        return None
    delivery = db.session.get_one(WebhookDelivery, number, populate_existing=True)
    fence = f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:16]}"
    reason = _refusal_of(delivery)
    if reason:
        delivery.state, delivery.trouble = SendingState.DROPPED, reason
        delivery.lease_owner = delivery.lease_until = None
        return None
    delivery.state, delivery.attempts, delivery.asked_at = SendingState.SENDING, delivery.attempts + 1, now
    delivery.lease_owner, delivery.lease_until = fence, now + LEASE
    body, keys = bodies.body_of(delivery), bodies.keys_of(webhook, now)
    return Claimed(delivery.id, webhook.id, fence, webhook.url, keys, delivery.number, body)


def _refusal_of(delivery: WebhookDelivery) -> str:
    """Say why a webhook may not be told of something now.

    It has the rights of its owner, who has to be a lead or an admin still. Of a restricted bug it is told nothing,
    whoever owns it: nobody knows who reads at the other end.
    """
    owner = delivery.webhook.owner
    if not owner.is_active or not owner.can(Role.LEAD):
        return f"{owner.name}, who saved the webhook last, is no lead any more."
    if delivery.bug is not None:
        whole = db.session.get_one(Bug, delivery.bug.canonical_id)
        if delivery.bug.is_restricted or whole.is_restricted:
            return "The bug is restricted."
    if delivery.gives_up_at + LEASE < clock.now():
        return f"{'Its workers kept stopping' if delivery.attempts else 'It waited'} for three days."
    return ""


def _tell(claimed: Claimed) -> Outcome:
    headers = bodies.headers_of(claimed.number, claimed.body, claimed.keys, clock.now())
    started = time.perf_counter()
    code, trouble, retry_after = None, "", ""
    try:
        code, retry_after = outside.tell(claimed.url, headers, claimed.body)
    except (outside.Refused, outside.Unreachable) as failure:
        trouble = str(failure)[:200]
    return Outcome(code, trouble, round((time.perf_counter() - started) * 1000), retry_after)


def _finish(claimed: Claimed, outcome: Outcome) -> None:
    """Keep how telling ended, unless the lease ran out and another worker has it.

    Whoever takes or changes a delivery locks its webhook first, so that what is read here stays as it is.
    """
    now = clock.now()
    webhook = db.session.get(Webhook, claimed.webhook_id, with_for_update={"key_share": True}, populate_existing=True)
    delivery = db.session.get(WebhookDelivery, claimed.id, populate_existing=True)
    if webhook is None or delivery is None:  # taken away meanwhile
        return
    if delivery.state is not SendingState.SENDING or delivery.lease_owner != claimed.fence:
        return
    delivery.lease_owner = delivery.lease_until = None
    delivery.code, delivery.trouble, delivery.took_ms = outcome.code, outcome.trouble, outcome.took_ms
    if outcome.is_taken:
        delivery.state = SendingState.SENT
        circuits.took(webhook)
    elif webhook.off_at is not None:
        delivery.state = SendingState.FAILED
    elif outcome.code == GONE:
        delivery.state = SendingState.FAILED
        outgoing.switch_off(webhook, OffBecause.GONE)
    else:
        _try_again(webhook, delivery, resting.wanted(outcome.code, outcome.retry_after, now))


def _try_again(webhook: Webhook, delivery: WebhookDelivery, wanted: timedelta) -> None:
    """Let a delivery wait for its next try, or give it up; a webhook that took nothing for days is switched off."""
    now = clock.now()
    since = webhook.failing_since_at or now
    again = now + circuits.failed(webhook, delivery, wanted)
    is_over = again > delivery.gives_up_at
    delivery.state = SendingState.FAILED if is_over else SendingState.PENDING
    delivery.not_before = delivery.not_before if is_over else again
    if now - since >= OFF_AFTER:
        outgoing.switch_off(webhook, OffBecause.FAILED)
