"""The choices that bugs are described with, customers' reports, and the bugs behind them."""

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.customers.models import Customer
from bugintake.intake.option_models import Option as Option
from bugintake.intake.option_models import OptionList as OptionList
from bugintake.intake.word_index import BugWords  # noqa: F401  # a table of this room
from bugintake.team.models import User


class Status(enum.StrEnum):
    """Where a bug stands."""

    NEW = "new"
    NEEDS_INFO = "needs_info"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    FIXED = "fixed"
    LIVE = "live"
    DECLINED = "declined"

    @property
    def label(self) -> str:
        """The status in the team's words."""
        return STATUS_LABELS[self]

    @property
    def is_open(self) -> bool:
        """Whether there is still work or an answer owed."""
        return self in OPEN


STATUS_LABELS = {
    Status.NEW: "New",
    Status.NEEDS_INFO: "Needs info",
    Status.ACCEPTED: "Accepted",
    Status.IN_PROGRESS: "In progress",
    Status.FIXED: "Fixed, not live yet",
    Status.LIVE: "Live",
    Status.DECLINED: "Won't fix",
}
OPEN = (Status.NEW, Status.NEEDS_INFO, Status.ACCEPTED, Status.IN_PROGRESS, Status.FIXED)


class News(enum.StrEnum):
    """What happened to a bug that an engineer has not looked at yet."""

    ANSWERED = "answered"
    CAME_BACK = "came_back"
    WOKEN = "woken"  # a customer was added, or still sees it, while it was snoozed
    WROTE = "wrote"  # a customer added something in their own words, which may mean anything


class RaiseReason(enum.StrEnum):
    """Why somebody puts a bug on top of today's queue.

    Here and not in the catalogue: it describes a moment in the team, not what customers report, and nobody counts it.
    """

    STOPPED = "stopped"
    PROMISED = "promised"
    SPREADING = "spreading"
    LEAVING = "leaving"
    WORKAROUND = "workaround"

    @property
    def label(self) -> str:
        """The reason in the team's words."""
        return RAISE_LABELS[self]


RAISE_LABELS = {
    RaiseReason.STOPPED: "A customer's work has stopped",
    RaiseReason.PROMISED: "An answer is promised for today",
    RaiseReason.SPREADING: "More customers write about it now",
    RaiseReason.LEAVING: "A customer may leave over it",
    RaiseReason.WORKAROUND: "The way round it no longer works",
}


_MERGED = sa.text("merged_into_id IS NOT NULL")
_PINNABLE = "merged_into_id IS NULL AND withdrawn_at IS NULL AND status NOT IN ('live', 'declined')"
_WORST_FIRST = (sa.text("is_pinned DESC"), "impact_rank", sa.text("waiting_count DESC"), "filed_at", "id")
_CAME_BACK, _RESTRICTED = sa.text("came_back_at IS NOT NULL"), sa.text("is_restricted IS true")
_WROTE = sa.text("news = 'wrote'")


class Bug(Model):
    """A problem with the product, and where it stands. Its reports say who waits.

    `canonical_id` is the bug itself, or the last one of the chain it was merged into. `waiting_count` is kept by
    `intake.waiting`; `impact_rank` repeats the impact's position so that the board can be read in order from an index.
    `news` is what brought it back into the duty queue, until an engineer does something with it; `snoozed_until` is the
    day on which it returns there, wherever one looks from: nothing has to happen on that day. One that is paused needs
    an answer that nobody waits for any more.
    """

    __tablename__ = "bugs"
    __table_args__ = (
        sa.CheckConstraint("(status = 'declined') = (decline_reason_id IS NOT NULL)", name="reason_iff_declined"),
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
        sa.CheckConstraint("generation >= 1", name="generation_counts_from_one"),
        sa.CheckConstraint("paused_at IS NULL OR status = 'needs_info'", name="paused_needs_info"),
        sa.CheckConstraint("(news IS NULL) = (news_at IS NULL)", name="news_iff_news_at"),
        sa.CheckConstraint("(raised_at IS NULL) = (raised_by_id IS NULL)", name="raised_at_iff_raised_by"),
        sa.CheckConstraint("(raised_at IS NULL) = (raise_reason IS NULL)", name="raised_at_iff_raise_reason"),
        sa.CheckConstraint(f"NOT is_pinned OR ({_PINNABLE})", name="pinned_while_open"),
        sa.Index("ix_bugs_board", "status", *_WORST_FIRST),
        sa.Index("ix_bugs_area_board", "area_id", "status", *_WORST_FIRST),
        sa.Index("ix_bugs_area_changed", "area_id", "status", "changed_at"),
        sa.Index("ix_bugs_area_newest", "area_id", "id"),
        sa.Index("ix_bugs_area_symptom", "area_id", "symptom_id", "changed_at"),
        sa.Index("ix_bugs_release", "release_id", "status"),
        sa.Index("ix_bugs_status_since", "status", "status_since_at", "id"),
        sa.Index("ix_bugs_waiting", "status", sa.text("waiting_count DESC"), "id"),
        sa.Index("ix_bugs_filed_at", "filed_at", "id"),
        # Not of those that stand for themselves: SQLite takes them for few, and would read all bugs by it.
        sa.Index("ix_bugs_merged_into_id", "merged_into_id", sqlite_where=_MERGED, postgresql_where=_MERGED),
        sa.Index("ix_bugs_wrote", "id", sqlite_where=_WROTE, postgresql_where=_WROTE),
        sa.Index("ix_bugs_came_back", "id", sqlite_where=_CAME_BACK, postgresql_where=_CAME_BACK),
        sa.Index("ix_bugs_restricted", "id", sqlite_where=sa.text("is_restricted IS 1"), postgresql_where=_RESTRICTED),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    status: Mapped[Status] = mapped_column(default=Status.NEW)
    status_since_at: Mapped[datetime] = mapped_column(default=clock.now)
    generation: Mapped[int] = mapped_column(default=1)
    canonical_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bugs.id"))
    is_restricted: Mapped[bool] = mapped_column(default=False)
    is_pinned: Mapped[bool] = mapped_column(default=False)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    symptom_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    impact_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    impact_rank: Mapped[int] = mapped_column(default=0)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    filed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    filed_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    waiting_count: Mapped[int] = mapped_column(default=0)
    came_back_at: Mapped[datetime | None]
    news: Mapped[News | None]
    news_at: Mapped[datetime | None]
    snoozed_until: Mapped[date | None]
    paused_at: Mapped[datetime | None]
    raised_at: Mapped[datetime | None]
    raised_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    raise_reason: Mapped[RaiseReason | None]
    reproduced_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    release_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"))
    decline_reason_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"))
    customer_notes: Mapped[dict[str, str]] = mapped_column(default=dict)
    workarounds: Mapped[dict[str, str]] = mapped_column(default=dict)
    has_no_workaround: Mapped[bool] = mapped_column(default=False)

    area: Mapped[Option] = relationship(foreign_keys=[area_id])
    symptom: Mapped[Option] = relationship(foreign_keys=[symptom_id])
    impact: Mapped[Option] = relationship(foreign_keys=[impact_id])
    release: Mapped[Option | None] = relationship(foreign_keys=[release_id])
    decline_reason: Mapped[Option | None] = relationship(foreign_keys=[decline_reason_id])
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    filed_by: Mapped[User] = relationship(foreign_keys=[filed_by_id])
    raised_by: Mapped[User | None] = relationship(foreign_keys=[raised_by_id])

    @property
    def ref(self) -> str:
        """The name people use for it."""
        return f"BUG-{self.id}"

    @property
    def is_open(self) -> bool:
        """Whether there is still work or an answer owed."""
        return self.status.is_open and self.merged_into_id is None and self.withdrawn_at is None


class SettledBy(enum.StrEnum):
    """How somebody stopped waiting."""

    TOLD = "told"
    TOLD_BY_HAND = "told_by_hand"
    SUPPRESSED = "suppressed"
    WORKS_NOW = "works_now"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"  # into the report of the same person's other record


class Report(Model):
    """What one customer told us, as somebody here filed it. Its words never change; it follows its bug when merged.

    `submission_key` makes the same form sent twice one report; `submission_hash` refuses another body under that key.
    """

    __tablename__ = "reports"
    __table_args__ = (
        sa.UniqueConstraint("bug_id", "customer_id"),
        sa.CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled_at_iff_settled_by"),
        sa.Index("ix_reports_bug_settled", "bug_id", "settled_at"),
        sa.Index("ix_reports_customer_filed", "customer_id", "filed_at"),
        sa.Index("ix_reports_filed_at", "filed_at"),
        sa.Index("ix_reports_platform_bug", "platform_id", "bug_id"),
        sa.Index("ix_reports_version_bug", "version_id", "bug_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"))
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"))
    filed_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    filed_at: Mapped[datetime] = mapped_column(default=clock.now)
    area_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    symptom_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    impact_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    frequency_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    platform_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
    steps: Mapped[str] = mapped_column(sa.Text, default="")
    actual: Mapped[str] = mapped_column(sa.Text, default="")
    expected: Mapped[str] = mapped_column(sa.Text, default="")
    source: Mapped[str] = mapped_column(sa.String(200), default="")
    submission_key: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    submission_hash: Mapped[str | None] = mapped_column(sa.String(64))
    took_seconds: Mapped[int | None]  # from opening the form to filing it
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[SettledBy | None]
    unsubscribed_at: Mapped[datetime | None]

    bug: Mapped[Bug] = relationship()
    customer: Mapped[Customer | None] = relationship()
    filed_by: Mapped[User] = relationship()
    area: Mapped[Option] = relationship(foreign_keys=[area_id])
    symptom: Mapped[Option] = relationship(foreign_keys=[symptom_id])
    impact: Mapped[Option] = relationship(foreign_keys=[impact_id])
    frequency: Mapped[Option] = relationship(foreign_keys=[frequency_id])
    platform: Mapped[Option] = relationship(foreign_keys=[platform_id])
    version: Mapped[Option] = relationship(foreign_keys=[version_id])

    @property
    def is_waiting(self) -> bool:
        """Whether somebody still waits for an answer to it."""
        return self.customer_id is not None and self.settled_at is None


_OPEN = sa.text("answered_at IS NULL")


class Question(Model):
    """One question about a report, and its answer: to the agent who filed it, who passes it on, or to the customer.

    What is for the customer stands on their own page as it was written, in one language. `missing` names in a word or
    two what the form did not tell, so that the form can be made to ask for it. Who does not answer is reminded once.
    """

    __tablename__ = "questions"
    __table_args__ = (
        sa.Index("ix_questions_open", "report_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        sa.Index("ix_questions_asked", "asked_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    text: Mapped[str] = mapped_column(sa.Text)
    missing: Mapped[str] = mapped_column(sa.String(120), default="")
    is_for_customer: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(default=clock.now)
    status_before: Mapped[Status]
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    answered_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]

    report: Mapped[Report] = relationship()
    asked_by: Mapped[User] = relationship()


class Remark(Model):
    """Anything a customer adds to their report later: a second telling, or that it still happens."""

    __tablename__ = "remarks"

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    text: Mapped[str] = mapped_column(sa.Text)
    said_at: Mapped[datetime] = mapped_column(default=clock.now)
    choices: Mapped[dict[str, Any]] = mapped_column(default=dict)

    report: Mapped[Report] = relationship()
