"""Webhooks in both directions: who may say that a version is live, and who is told what happens here."""

import enum
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.chats import Chat
from bugintake.core.db import Model
from bugintake.intake.models import Bug
from bugintake.team.models import User


class Sender(enum.StrEnum):
    """Whose webhooks a hook takes."""

    GITHUB = "github"
    GITLAB = "gitlab"
    STANDARD = "standard"


class Occasion(enum.StrEnum):
    """What at GitHub or GitLab means that a version is live."""

    RELEASED = "released"
    DEPLOYED = "deployed"


class ReleaseHook(Model):
    """An address that takes signed word of releases. Its secret is kept as it is: signatures are checked with it."""

    __tablename__ = "release_hooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    sender: Mapped[Sender]
    occasion: Mapped[Occasion]
    secret: Mapped[str] = mapped_column(sa.String(100))
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    revoked_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    refused_because: Mapped[str] = mapped_column(sa.String(200), default="")

    made_by: Mapped[User] = relationship()


class ReceivedRelease(Model):
    """One delivery that a hook took, and what it did. The same one twice does nothing the second time."""

    __tablename__ = "received_releases"
    __table_args__ = (sa.UniqueConstraint("hook_id", "delivery"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hook_id: Mapped[int] = mapped_column(sa.ForeignKey("release_hooks.id"))
    delivery: Mapped[str] = mapped_column(sa.String(200))
    did: Mapped[str] = mapped_column(sa.String(300), default="")
    received_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)

    hook: Mapped[ReleaseHook] = relationship()


class Topic(enum.StrEnum):
    """What a webhook may be told of. These names are public: they are the `type` of what is sent."""

    BUG_FILED = "bug.filed"
    BUG_STATUS_CHANGED = "bug.status_changed"
    BUG_CAME_BACK = "bug.came_back"
    BUG_LIVE = "bug.live"
    BUG_DECLINED = "bug.declined"
    BUG_EVERYBODY_TOLD = "bug.everybody_told"
    ANNOUNCEMENT_WAITING = "announcement.waiting"
    MESSAGE_FAILED = "message.failed"
    DUTY_HANDED_OVER = "duty.handed_over"
    TEST = "test"


class OffBecause(enum.StrEnum):
    """Why a webhook is told nothing."""

    BY_HAND = "by_hand"
    GONE = "gone"
    FAILED = "failed"


class Webhook(Model):
    """An address outside that is told what happens here, with the rights of the lead who saved it last.

    A chat reads sentences, whatever else reads JSON. Its secrets are kept as they are: what is sent is signed with
    them. While it fails it rests, longer after each of its `failures` in a row, and is off after days.
    """

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(sa.String(1000))
    chat: Mapped[Chat | None]
    topics: Mapped[list[str]]
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    secret: Mapped[str] = mapped_column(sa.String(100))
    previous_secret: Mapped[str] = mapped_column(sa.String(100), default="")
    previous_until: Mapped[datetime | None]
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    failing_since_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    rests_until: Mapped[datetime | None]
    off_at: Mapped[datetime | None]
    off_because: Mapped[OffBecause | None]

    owner: Mapped[User] = relationship()

    @property
    def host(self) -> str:
        """Where it is, without what may be a secret."""
        return urlsplit(self.url).hostname or ""


class SendingState(enum.StrEnum):
    """Where a delivery is. What is found sending after its lease is sent again, under the same number."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"


class WebhookDelivery(Model):
    """One thing that one webhook is told, and how that fared."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        sa.Index("ix_webhook_deliveries_due", "webhook_id", "state", "id"),
        sa.Index("ix_webhook_deliveries_log", "webhook_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    webhook_id: Mapped[int] = mapped_column(sa.ForeignKey("webhooks.id"))
    number: Mapped[str] = mapped_column(sa.String(64), unique=True, default=lambda: f"msg_{uuid4().hex}")
    topic: Mapped[Topic]
    bug_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bugs.id"))
    facts: Mapped[dict[str, Any]]
    happened_at: Mapped[datetime] = mapped_column(default=clock.now)
    state: Mapped[SendingState] = mapped_column(default=SendingState.PENDING)
    not_before: Mapped[datetime] = mapped_column(default=clock.now)
    gives_up_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(64))
    lease_until: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    took_ms: Mapped[int | None]
    code: Mapped[int | None]
    trouble: Mapped[str] = mapped_column(sa.String(200), default="")

    webhook: Mapped[Webhook] = relationship()
    bug: Mapped[Bug | None] = relationship()
