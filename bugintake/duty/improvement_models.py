"""What would save the next person on duty time."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.team.models import User


class ImprovementKind(StrEnum):
    """What it takes."""

    DOC = "doc"
    MACRO = "macro"
    TOOL = "tool"

    @property
    def words(self) -> str:
        """The kind as people read it."""
        return {"doc": "A page to read", "macro": "An answer to reuse", "tool": "A tool"}[self]


class Improvement(Model):
    """One thing that somebody missed while on duty; in the end it is done, or dropped."""

    __tablename__ = "improvements"
    __table_args__ = (
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by_id IS NULL)", name="ended_by_somebody"),
        sa.CheckConstraint("ended_at IS NOT NULL OR NOT is_done", name="done_is_ended"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[ImprovementKind]
    text: Mapped[str] = mapped_column(sa.String(200))
    made_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    is_done: Mapped[bool] = mapped_column(default=False)

    made_by: Mapped[User] = relationship(foreign_keys=made_by_id)
    ended_by: Mapped[User | None] = relationship(foreign_keys=ended_by_id)
