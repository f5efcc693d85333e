"""What one turn of duty leaves to the next."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.duty.models import Rotation
from bugintake.team.models import User


class Handoff(Model):
    """The note of a turn: typed so far, then sent, then read by the next person. Sent with no words it was a quiet day.

    Bugs stand in it by number alone, unless its author typed more. `offered` names the lines that were proposed by the
    time it was last saved, so that a line that was struck is not proposed again.
    """

    __tablename__ = "handoffs"
    __table_args__ = (
        sa.UniqueConstraint("rotation_id", "author_id", "starts_at"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint("(read_at IS NULL) = (read_by_id IS NULL)", name="read_at_iff_read_by"),
        sa.CheckConstraint("read_at IS NULL OR sent_at IS NOT NULL", name="read_once_sent"),
        sa.Index("ix_handoffs_rotation_id_sent_at", "rotation_id", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    hot: Mapped[str] = mapped_column(sa.Text, default="")
    waiting: Mapped[str] = mapped_column(sa.Text, default="")
    watch: Mapped[str] = mapped_column(sa.Text, default="")
    offered: Mapped[list[str]] = mapped_column(default=list)
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    read_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    rotation: Mapped[Rotation] = relationship()
    author: Mapped[User] = relationship(foreign_keys=author_id)
    read_by: Mapped[User | None] = relationship(foreign_keys=read_by_id)

    @property
    def texts(self) -> dict[str, str]:
        """What it says, by the part it stands in."""
        return {"hot": self.hot, "waiting": self.waiting, "watch": self.watch}

    @property
    def is_quiet(self) -> bool:
        """Whether it says nothing."""
        return not any(self.texts.values())
