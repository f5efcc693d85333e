"""Hooks: who may say by webhook that a version is live, and what was said."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
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
