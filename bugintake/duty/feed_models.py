"""Calendar feeds: the secret links, and what calendars have been shown of each shift."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.duty.models import Rotation
from bugintake.team.models import User


class FeedKind(StrEnum):
    """Whose duty a feed tells of."""

    MINE = "mine"
    ROTATION = "rotation"
    ALL = "all"


class Feed(Model):
    """A secret link under which a calendar reads who is on duty, without signing in. It dies with its person's account.

    Only the fingerprint of the secret is kept. Renewed, the old one is revoked and there is another row.
    """

    __tablename__ = "feeds"
    __table_args__ = (sa.CheckConstraint("(kind = 'rotation') = (rotation_id IS NOT NULL)", name="rotation_is_named"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    kind: Mapped[FeedKind]
    rotation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rotations.id"))
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    rotation: Mapped[Rotation | None] = relationship()


class FeedSlot(Model):
    """What calendars have been shown of the shift that begins at an instant: who had it last, who had it before.

    `sequence` counts how often it changed. A shift that is no more `is_gone`, and may come back.
    """

    __tablename__ = "feed_slots"
    __table_args__ = (sa.UniqueConstraint("rotation_id", "starts_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    former_ids: Mapped[list[int]] = mapped_column(default=list)
    is_gone: Mapped[bool] = mapped_column(default=False)
    sequence: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
