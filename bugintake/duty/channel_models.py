"""Where the team of a rotation talks, and what is posted there."""

import enum
from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.chats import Chat
from bugintake.core.db import Model
from bugintake.duty.models import Rotation


class TeamChannel(Model):
    """The incoming webhook of a chat, by its address, which is a secret.

    While it fails it rests, longer after each of its `failures` in a row, and what is to be posted waits in order.
    """

    __tablename__ = "team_channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"), unique=True)
    url: Mapped[str] = mapped_column(sa.String(1000))
    chat: Mapped[Chat] = mapped_column(default=Chat.SLACK)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    failures: Mapped[int] = mapped_column(default=0)
    rests_until: Mapped[datetime | None]

    rotation: Mapped[Rotation] = relationship()

    @property
    def host(self) -> str:
        """Where it is, without the secret."""
        return urlsplit(self.url).hostname or ""


class PostState(enum.StrEnum):
    """Where a post is. `sending` is committed before the server is asked; found there later, nobody knows."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class ChannelPost(Model):
    """One thing that a team's channel is told, once; what it says is written when it leaves."""

    __tablename__ = "channel_posts"
    __table_args__ = (sa.Index("ix_channel_posts_due", "state", "not_before"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"), index=True)
    state: Mapped[PostState] = mapped_column(default=PostState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(default=clock.now)
    text: Mapped[str] = mapped_column(sa.Text, default="")
    trouble: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)

    rotation: Mapped[Rotation] = relationship()
