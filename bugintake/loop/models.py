"""What is to be told, to whom, and how each envelope fares on its way."""

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report
from bugintake.team.models import User


class AnnouncementKind(enum.StrEnum):
    """What an announcement tells."""

    LIVE = "live"
    DECLINED = "declined"
    ASKED = "asked"
    REMINDED = "reminded"
    PAUSED = "paused"
    RECEIVED = "received"
    WORKAROUND = "workaround"
    CORRECTION = "correction"


OUTCOMES = (AnnouncementKind.LIVE, AnnouncementKind.DECLINED)
QUESTIONS = (AnnouncementKind.ASKED, AnnouncementKind.REMINDED, AnnouncementKind.PAUSED)
UPDATES = (AnnouncementKind.RECEIVED, AnnouncementKind.WORKAROUND, AnnouncementKind.CORRECTION)
"""What is told on the way: it settles nobody, and is of no use once the outcome is known."""
OF_THE_BUG = (*OUTCOMES, AnnouncementKind.WORKAROUND, AnnouncementKind.CORRECTION)
"""What everybody who waits for a bug is told, after a review; the rest is of one report, and leaves at once."""


TEAM_UNTOLD = sa.text(
    "team_owed_at IS NULL AND released_at IS NOT NULL AND cancelled_at IS NULL"
    " AND kind IN ('live', 'declined', 'correction')"
)
"""An outcome or correction that has left, for which the team has not been owed its mail yet."""


class Announcement(Model):
    """One thing to be told about a bug. At most one uncancelled outcome per bug and generation.

    `due_at` is when it goes out by itself; without one it waits until somebody sends it, or, where there is a `worder`,
    until the words are changed. Notes are per language; what is said of a way round is its bug's. Questions and updates
    settle nobody.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        sa.Index(
            "uq_announcements_outcome",
            "bug_id",
            "generation",
            unique=True,
            sqlite_where=sa.text("cancelled_at IS NULL AND kind IN ('live', 'declined')"),
            postgresql_where=sa.text("cancelled_at IS NULL AND kind IN ('live', 'declined')"),
        ),
        sa.CheckConstraint(
            "(kind IN ('live', 'declined', 'workaround', 'correction')) = (report_id IS NULL)", name="of_the_bug"
        ),
        sa.CheckConstraint("worder_id IS NULL OR due_at IS NULL", name="waits_for_its_words"),
        sa.CheckConstraint("(worder_id IS NULL) = (worder_asked_at IS NULL)", name="worder_iff_asked"),
        sa.Index("ix_announcements_due", "released_at", "due_at"),
        sa.Index("ix_announcements_untold_team", "id", sqlite_where=TEAM_UNTOLD, postgresql_where=TEAM_UNTOLD),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AnnouncementKind]
    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reports.id"))
    generation: Mapped[int]
    notes: Mapped[dict[str, str]] = mapped_column(default=dict)
    opened_at: Mapped[datetime] = mapped_column(default=clock.now)
    due_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    sent_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    released_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    worder_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    worder_asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    worder_asked_at: Mapped[datetime | None]
    team_owed_at: Mapped[datetime | None]

    bug: Mapped[Bug] = relationship()
    sent_by: Mapped[User | None] = relationship(foreign_keys=[sent_by_id])
    worder: Mapped[User | None] = relationship(foreign_keys=[worder_id])
    worder_asked_by: Mapped[User | None] = relationship(foreign_keys=[worder_asked_by_id])


class MessageState(enum.StrEnum):
    """Where what one person is owed stands. Held, failed and uncertain are shown until a person deals with them."""

    PENDING = "pending"
    HELD = "held"
    SENT = "sent"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    TOLD_BY_HAND = "told_by_hand"


class HeldBecause(enum.StrEnum):
    """Why a message waits: for a person, or for the day until which somebody is quiet."""

    NO_NOTE = "no_note"
    NO_ADDRESS = "no_address"
    RESTORED = "restored"
    REOPENED = "reopened"
    QUIET = "quiet"
    UNFILLED = "unfilled"


class Message(Model):
    """What one customer is owed by one announcement."""

    __tablename__ = "messages"
    __table_args__ = (
        sa.UniqueConstraint("announcement_id", "customer_id"),
        sa.Index("ix_messages_state", "state", "id"),
        sa.Index("ix_messages_customer_state", "customer_id", "state"),
        sa.Index("ix_messages_announcement_state", "announcement_id", "state", "id"),
        sa.Index("ix_messages_announcement_counts", "announcement_id", "language", "state", "held_because"),
        sa.Index("ix_messages_announcement_longest", "announcement_id", "language", sa.text("words_length DESC"), "id"),
        sa.Index(
            "ix_messages_announcement_lines",
            "announcement_id",
            sqlite_where=sa.text("personal_line <> ''"),
            postgresql_where=sa.text("personal_line <> ''"),
        ),
        sa.Index(
            "ix_messages_delivery_id",
            "delivery_id",
            sqlite_where=sa.text("delivery_id IS NOT NULL"),
            postgresql_where=sa.text("delivery_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_messages_ready",
            "id",
            sqlite_where=sa.text("state = 'pending' AND delivery_id IS NULL"),
            postgresql_where=sa.text("state = 'pending' AND delivery_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    announcement_id: Mapped[int] = mapped_column(sa.ForeignKey("announcements.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    language: Mapped[str] = mapped_column(sa.String(8))
    words_length: Mapped[int] = mapped_column(default=0)  # of what they told us: long words are where a mail fits worst
    state: Mapped[MessageState] = mapped_column(default=MessageState.PENDING)
    held_because: Mapped[HeldBecause | None]
    reason: Mapped[str] = mapped_column(sa.String(200), default="")
    delivery_id: Mapped[int | None] = mapped_column(sa.ForeignKey("deliveries.id"))
    text: Mapped[str] = mapped_column(sa.Text, default="")
    personal_line: Mapped[str] = mapped_column(sa.String(500), default="")
    told_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    state_at: Mapped[datetime] = mapped_column(default=clock.now)

    announcement: Mapped[Announcement] = relationship()
    customer: Mapped[Customer] = relationship()
    report: Mapped[Report] = relationship()
    told_by: Mapped[User | None] = relationship()

    @property
    def words_read(self) -> str:
        """What the customer read: nothing of what was written and did not leave, or not for certain."""
        return self.text if self.state is MessageState.SENT else ""


class DeliveryKind(enum.StrEnum):
    """What an envelope carries: outcomes, questions or updates for a customer, or a notice to somebody of the team."""

    OUTCOME = "outcome"
    QUESTION = "question"
    UPDATE = "update"
    PAUSED = "paused"
    DUTY_REMINDER = "duty_reminder"
    DUTY_CHANGED = "duty_changed"
    DUTY_GAP = "duty_gap"
    DUTY_WEEK = "duty_week"
    SWAP_ASKED = "swap_asked"
    SWAP_TRADE = "swap_trade"
    SWAP_TAKEN = "swap_taken"
    SWAP_UNTAKEN = "swap_untaken"
    HANDOFF_UNSENT = "handoff_unsent"
    MENTION = "mention"
    WORSE_DUPLICATE = "worse_duplicate"
    OVERLOOKED = "overlooked"
    YOUR_CUSTOMERS = "your_customers"
    WORDING = "wording"
    STAND_IN = "stand_in"
    PASSWORD_RESET = "password_reset"
    WEBHOOK_OFF = "webhook_off"
    TEST = "test"


class DeliveryState(enum.StrEnum):
    """Where an envelope is. `sending` is committed right before DATA; what is found there later is uncertain.

    `accepted` is what the server has, until those in it are noted as told, which happens for many at once.
    """

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    HELD = "held"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    FAILED = "failed"


LEAVING = (DeliveryState.SENDING, DeliveryState.ACCEPTED)
"""Nobody can call it back, and nobody is noted as told by it yet."""


FOR_TEAM = sa.text("is_for_team")


class Delivery(Model):
    """One envelope on its way: its Message-ID, lease, phase and attempts.

    One that `is_for_team` was not delivered, and those whose customer it was for have not been owed a mail of it yet.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.CheckConstraint("(customer_id IS NULL) <> (user_id IS NULL)", name="one_recipient"),
        sa.Index("ix_deliveries_due", "state", "not_before", "id"),
        sa.Index("ix_deliveries_for_team", "id", sqlite_where=FOR_TEAM, postgresql_where=FOR_TEAM),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    kind: Mapped[DeliveryKind]
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message_id: Mapped[str] = mapped_column(sa.String(200), unique=True)
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(default=clock.now)
    lease_owner: Mapped[str | None] = mapped_column(sa.String(64))
    lease_until: Mapped[datetime | None]
    last_phase: Mapped[str] = mapped_column(sa.String(16), default="")
    last_code: Mapped[int | None]
    last_enhanced_code: Mapped[str] = mapped_column(sa.String(16), default="")
    last_error: Mapped[str] = mapped_column(sa.String(500), default="")
    subject: Mapped[str] = mapped_column(sa.String(300), default="")
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    sent_at: Mapped[datetime | None]
    is_for_team: Mapped[bool] = mapped_column(default=False)

    customer: Mapped[Customer | None] = relationship()
    user: Mapped[User | None] = relationship()


class LinkPurpose(enum.StrEnum):
    """What a customer's link opens; one never opens the other."""

    REPORT = "report"
    UNSUBSCRIBE = "unsubscribe"


class CustomerLink(Model):
    """A customer's way to one report without an account. Only the fingerprint of the secret is kept."""

    __tablename__ = "customer_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    purpose: Mapped[LinkPurpose]
    report_id: Mapped[int] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    made_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]

    report: Mapped[Report] = relationship()
    customer: Mapped[Customer] = relationship()


class Circuit(Model):
    """What refuses mail: `mail`, a server that takes no password of ours; `mail:example.com`, a domain that is slow."""

    __tablename__ = "circuits"

    channel: Mapped[str] = mapped_column(sa.String(260), primary_key=True)
    open_until: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    since_at: Mapped[datetime] = mapped_column(default=clock.now)
