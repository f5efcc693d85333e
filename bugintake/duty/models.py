"""Rotations, the rules they follow from a day on, and the overrides laid over them."""

from datetime import date, datetime, time
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.duty.turns import TurnUnit
from bugintake.team.models import User

LONGEST_TURN = 366


class Rotation(Model):
    """A duty that people take in turns. What it did on a day is in its rules; they are added to, never rewritten."""

    __tablename__ = "rotations"
    __table_args__ = (
        sa.Index(
            "uq_rotations_default",
            "is_default",
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        ),
        sa.CheckConstraint("NOT is_default OR retired_at IS NULL", name="default_is_in_use"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120), unique=True)
    is_default: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    retired_at: Mapped[datetime | None]
    told_until: Mapped[datetime | None]

    rules: Mapped[list["RotationRule"]] = relationship(
        order_by="(RotationRule.start_on, RotationRule.id)", back_populates="rotation"
    )

    @property
    def named(self) -> int | None:
        """Its number, where an address has to name it: the default one is meant where none is named."""
        return None if self.is_default else self.id


class RotationRule(Model):
    """Who takes turns in which order, on which days and hours, from a day on until the next rule starts."""

    __tablename__ = "rotation_rules"
    __table_args__ = (
        sa.CheckConstraint(f"turn_length BETWEEN 1 AND {LONGEST_TURN}", name="turn_has_a_length"),
        sa.CheckConstraint("counted_from IS NULL OR counted_from <= start_on", name="counted_from_before_start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"), index=True)
    zone: Mapped[str] = mapped_column(sa.String(64))
    start_on: Mapped[date]
    counted_from: Mapped[date | None]
    handoff: Mapped[time]
    until: Mapped[time]
    days: Mapped[list[int]]
    turn_length: Mapped[int] = mapped_column(default=1)
    turn_unit: Mapped[TurnUnit] = mapped_column(default=TurnUnit.DAYS)
    country: Mapped[str] = mapped_column(sa.String(2), default="")
    region: Mapped[str] = mapped_column(sa.String(64), default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    rotation: Mapped[Rotation] = relationship(back_populates="rules")
    members: Mapped[list["Member"]] = relationship(order_by="Member.position", back_populates="rule")


class Member(Model):
    """A person's place in the order of one rule."""

    __tablename__ = "rotation_members"
    __table_args__ = (sa.UniqueConstraint("rule_id", "position"), sa.UniqueConstraint("rule_id", "user_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("rotation_rules.id"))
    position: Mapped[int]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)

    rule: Mapped[RotationRule] = relationship(back_populates="members")
    user: Mapped[User] = relationship()


class Holiday(Model):
    """A day without duty under one rule, which uses up no turn: of its country, or one's own. Struck, it is none."""

    __tablename__ = "holidays"
    __table_args__ = (sa.UniqueConstraint("rule_id", "falls_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(sa.ForeignKey("rotation_rules.id"))
    falls_on: Mapped[date]
    name: Mapped[str] = mapped_column(sa.String(120))
    is_own: Mapped[bool] = mapped_column(default=False)
    is_struck: Mapped[bool] = mapped_column(default=False)

    rule: Mapped[RotationRule] = relationship()


class Override(Model):
    """Somebody on duty instead of whom the rule names, for a while. Taken back, it gives back what was there.

    No two that are in force overlap in one rotation: see NO_OVERLAP. One that another was laid over is set aside.
    """

    __tablename__ = "overrides"
    __table_args__ = (
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint("set_aside_by_id IS NULL OR taken_back_at IS NOT NULL", name="set_aside_is_not_in_force"),
        sa.Index("ix_overrides_rotation_id_ends_at", "rotation_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    taken_back_at: Mapped[datetime | None]
    set_aside_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("overrides.id"), index=True)
    swap_id: Mapped[int | None] = mapped_column(sa.ForeignKey("swaps.id"), index=True)

    rotation: Mapped[Rotation] = relationship()
    user: Mapped[User] = relationship(foreign_keys=user_id)
    made_by: Mapped[User | None] = relationship(foreign_keys=made_by_id)


class AbsenceCalendar(Model):
    """A person's calendar of days away, by its address, which is a secret of theirs. `look_at` says when it is due."""

    __tablename__ = "absence_calendars"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), unique=True)
    url: Mapped[str] = mapped_column(sa.String(1000))
    look_at: Mapped[datetime] = mapped_column(index=True)
    read_at: Mapped[datetime | None]
    trouble: Mapped[str] = mapped_column(sa.String(200), default="")
    made_at: Mapped[datetime] = mapped_column(default=clock.now)

    user: Mapped[User] = relationship()

    @property
    def host(self) -> str:
        """Where it is, without the secret."""
        return urlsplit(self.url).hostname or ""


class Absence(Model):
    """Days on which a person is away, from the first to the last. Taken back, it gives back what was there.

    A day is that day where the person is: `zone` was theirs when it was noted, so that moving rewrites no plan. What
    has passed stays as it was: an absence holds from when it was noted on, and until it was taken back.
    """

    __tablename__ = "absences"
    __table_args__ = (
        sa.CheckConstraint("last_on >= first_on", name="last_after_first"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    first_on: Mapped[date]
    last_on: Mapped[date]
    zone: Mapped[str] = mapped_column(sa.String(64))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    word: Mapped[str] = mapped_column(sa.String(80), default="")
    calendar_id: Mapped[int | None] = mapped_column(sa.ForeignKey("absence_calendars.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    made_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    taken_back_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(foreign_keys=user_id)


_CLASH = (
    "EXISTS (SELECT 1 FROM overrides AS other WHERE other.rotation_id = NEW.rotation_id AND other.id IS NOT NEW.id"
    " AND other.taken_back_at IS NULL AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at)"
)
_REFUSE = f"WHEN NEW.taken_back_at IS NULL AND {_CLASH} BEGIN SELECT RAISE(ABORT, 'overrides overlap'); END"
_APART = (
    "(int4range(rotation_id, rotation_id, '[]') WITH &&, tstzrange(starts_at, ends_at) WITH &&)"
    " WHERE (taken_back_at IS NULL)"
)
NO_OVERLAP = {
    "sqlite": (
        f"CREATE TRIGGER overrides_do_not_overlap BEFORE INSERT ON overrides {_REFUSE}",
        f"CREATE TRIGGER overrides_stay_apart BEFORE UPDATE ON overrides {_REFUSE}",
    ),
    "postgresql": (f"ALTER TABLE overrides ADD CONSTRAINT ex_overrides_do_not_overlap EXCLUDE USING gist {_APART}",),
}
"""What makes the database itself refuse overlapping overrides, by dialect; also when two requests race."""

for _dialect, _statements in NO_OVERLAP.items():
    for _statement in _statements:
        sa.event.listen(Override.__table__, "after_create", sa.DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
