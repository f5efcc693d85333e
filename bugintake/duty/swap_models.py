"""Askings for somebody else to take one's hours of duty, whom they ask, and what those answered."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.duty.models import Rotation
from bugintake.team.models import User


class Swap(Model):
    """Hours of duty that somebody asks others to take. Open until one takes them, or the asking is taken back.

    `asked_by` is whoever has the hours, or a lead on their behalf. The overrides that taking it lays name it.
    """

    __tablename__ = "swaps"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint("(taken_by_id IS NULL) = (taken_at IS NULL)", name="taken_by_somebody"),
        sa.CheckConstraint("taken_at IS NULL OR withdrawn_at IS NULL", name="one_end"),
        sa.CheckConstraint("given_back_at IS NULL OR taken_at IS NOT NULL", name="given_back_after_taken"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    starts_at: Mapped[datetime] = mapped_column(index=True)
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    taken_at: Mapped[datetime | None]
    taken_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    given_back_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    rotation: Mapped[Rotation] = relationship()
    user: Mapped[User] = relationship(foreign_keys=user_id)
    asked_by: Mapped[User] = relationship(foreign_keys=asked_by_id)
    taken_by: Mapped[User | None] = relationship(foreign_keys=taken_by_id)
    asked: Mapped[list["Asked"]] = relationship(order_by="Asked.id", back_populates="swap")

    @property
    def is_open(self) -> bool:
        """Whether nobody has taken it, and nobody has taken it back."""
        return self.taken_at is None and self.withdrawn_at is None


class Answer(enum.StrEnum):
    """What somebody who is asked has said so far."""

    NONE = "none"
    NO = "no"
    TRADE = "trade"
    TRADE_DECLINED = "trade_declined"


class Asked(Model):
    """One person whom a swap asks, and their answer; offering a trade, it names the hours of their own to take."""

    __tablename__ = "swaps_asked"
    __table_args__ = (
        sa.UniqueConstraint("swap_id", "user_id"),
        sa.CheckConstraint(
            "(answer = 'trade') = (trade_starts_at IS NOT NULL)"
            " AND (trade_starts_at IS NULL) = (trade_ends_at IS NULL)"
            " AND (trade_starts_at IS NULL) = (trade_rotation_id IS NULL)",
            name="trade_has_hours",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    swap_id: Mapped[int] = mapped_column(sa.ForeignKey("swaps.id"))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    answer: Mapped[Answer] = mapped_column(default=Answer.NONE)
    answered_at: Mapped[datetime | None]
    trade_rotation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("rotations.id"))
    trade_starts_at: Mapped[datetime | None]
    trade_ends_at: Mapped[datetime | None]

    swap: Mapped[Swap] = relationship(back_populates="asked")
    user: Mapped[User] = relationship()
    trade_rotation: Mapped[Rotation | None] = relationship()
