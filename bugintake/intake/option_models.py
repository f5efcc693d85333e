"""The choices of the catalogue, and how one of them became another."""

import builtins
import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.team.models import User


class OptionList(enum.StrEnum):
    """The built-in lists of the catalogue."""

    AREA = "area"
    SYMPTOM = "symptom"
    IMPACT = "impact"
    FREQUENCY = "frequency"
    PLATFORM = "platform"
    VERSION = "version"
    DECLINE_REASON = "decline_reason"


class SentenceList(enum.StrEnum):
    """The lists of sentences that somebody starts from and finishes, in every language they are written in."""

    FIXED = "fixed_sentence"
    DECLINED = "declined_sentence"
    ASKED = "question_sentence"


_STANDS = sa.text("merged_into_id IS NULL")


class Option(Model):
    """One choice in one list of the catalogue. Its id is its identity, not its label; retired, never deleted.

    A word that somebody proposed carries its reports until a lead decides; one that was merged means another choice by
    now. New reports are offered neither, so both count as retired.
    """

    __tablename__ = "options"
    __table_args__ = (
        sa.Index(
            "uq_options_list_label_key",
            "list",
            "label_key",
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
        sa.CheckConstraint("live_since_at IS NULL OR list = 'version'", name="only_versions_go_live"),
        sa.CheckConstraint("NOT is_intended OR list = 'decline_reason'", name="only_reasons_are_intended"),
        sa.CheckConstraint("proposed_at IS NULL OR retired_at IS NOT NULL", name="proposed_is_not_offered"),
        sa.CheckConstraint("merged_into_id IS NULL OR retired_at IS NOT NULL", name="merged_is_not_offered"),
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    list: Mapped[str] = mapped_column(sa.String(32))  # an OptionList, a SentenceList, or the name of a further list
    label: Mapped[str] = mapped_column(sa.String(300))
    label_key: Mapped[str] = mapped_column(sa.String(300))
    hint: Mapped[str] = mapped_column(sa.String(200), default="")
    aliases: Mapped[builtins.list[str]] = mapped_column(default=builtins.list)
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    position: Mapped[int] = mapped_column(default=0)
    is_unsure: Mapped[bool] = mapped_column(default=False)  # "Not sure": stands last, and no fix is released in it
    intended: Mapped[str] = mapped_column(sa.String(500), default="")  # how an area is meant to behave
    is_intended: Mapped[bool] = mapped_column(default=False)  # what is declined for this reason works as intended
    deadline_minutes: Mapped[int | None]
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    live_since_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    proposed_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"))

    def label_in(self, language: str) -> str:
        """Return the words a customer reads in a language; the team's label where nobody translated it."""
        return self.labels.get(language) or self.label


class OptionMerge(Model):
    """One choice that became another one: what the other got by it, so that it can be taken back.

    `gained` is what the other one has from it, `lists` the areas that further lists were asked for before.
    """

    __tablename__ = "option_merges"

    id: Mapped[int] = mapped_column(primary_key=True)
    option_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"), index=True)
    into_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"), index=True)
    merged_at: Mapped[datetime] = mapped_column(default=clock.now)
    merged_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    event_id: Mapped[int | None] = mapped_column(sa.ForeignKey("events.id"))
    was_retired_at: Mapped[datetime | None]
    gained: Mapped[dict[str, Any]] = mapped_column(default=dict)
    lists: Mapped[dict[str, Any]] = mapped_column(default=dict)
    undone_at: Mapped[datetime | None]

    option: Mapped[Option] = relationship(foreign_keys=[option_id])
    into: Mapped[Option] = relationship(foreign_keys=[into_id])
    merged_by: Mapped[User] = relationship()


class MovedRow(Model):
    """One row that followed a merged choice: the column that named it, as `bugs.area_id`, and the row's key."""

    __tablename__ = "moved_rows"

    merge_id: Mapped[int] = mapped_column(sa.ForeignKey("option_merges.id"), primary_key=True)
    place: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    key: Mapped[int] = mapped_column(primary_key=True)
    second_key: Mapped[int] = mapped_column(primary_key=True, default=0)  # of a table with two, else 0
