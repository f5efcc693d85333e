"""What happens at triage by itself, as data that a lead can read."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.models import Option
from bugintake.team.models import User


class RuleKind(enum.StrEnum):
    """What a rule does."""

    OWNER = "owner"
    IMPACT = "impact"
    WORSE = "worse"


class TriageRule(Model):
    """One thing that happens by itself: a new bug of an area gets an owner, many who wait make a bug worse, or whoever
    has a bug is told of a worse duplicate.

    It is ended, never deleted: the history of bugs names it.
    """

    __tablename__ = "triage_rules"
    __table_args__ = (
        sa.CheckConstraint(
            "(kind = 'owner') = (area_id IS NOT NULL AND owner_id IS NOT NULL)", name="area_and_owner_iff_owner"
        ),
        sa.CheckConstraint(
            "(kind = 'impact') = (people IS NOT NULL AND impact_id IS NOT NULL)", name="people_and_impact_iff_impact"
        ),
        sa.CheckConstraint("people >= 2", name="several_people"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[RuleKind]
    area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    people: Mapped[int | None]
    impact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"))
    made_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    ended_at: Mapped[datetime | None]

    area: Mapped[Option | None] = relationship(foreign_keys=[area_id])
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    impact: Mapped[Option | None] = relationship(foreign_keys=[impact_id])
    made_by: Mapped[User] = relationship(foreign_keys=[made_by_id])

    @property
    def sentence(self) -> str:
        """Say what it does."""
        if self.area is not None and self.owner is not None:
            return f"A new bug in {self.area.label} is {self.owner.name}'s."
        if self.impact is None:
            return "When a duplicate is worse than the bug that it becomes a part of, whoever has that bug is told."
        return f"When {self.people} people wait for a bug, it is at least “{self.impact.label}”."
