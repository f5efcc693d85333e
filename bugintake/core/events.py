"""What happened: the append-only history that pages, figures and announcements are made from."""

import enum
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core import clock
from bugintake.core.db import Model, db


class EventKind(enum.StrEnum):
    """Every kind of thing that can happen, in the past tense."""

    REPORT_FILED = "report.filed"
    REPORT_ATTACHED = "report.attached"
    REPORT_WITHDRAWN = "report.withdrawn"
    REPORT_SETTLED = "report.settled"
    REPORT_WORKS_NOW = "report.works_now"
    REPORT_STILL_HAPPENING = "report.still_happening"
    REPORT_REMARKED = "report.remarked"
    REPORT_ANSWERED = "report.answered"
    REPORT_SPLIT = "report.split"
    REPORT_REJOINED = "report.rejoined"
    REPORT_FILED_APART = "report.filed_apart"
    REPORT_LINK_RENEWED = "report.link_renewed"
    BUG_ACCEPTED = "bug.accepted"
    BUG_STARTED = "bug.started"
    BUG_STOPPED = "bug.stopped"
    BUG_ASKED = "bug.asked"
    BUG_REMINDED = "bug.reminded"
    BUG_PAUSED = "bug.paused"
    BUG_ANSWERED = "bug.answered"
    BUG_FIXED = "bug.fixed"
    BUG_UNFIXED = "bug.unfixed"
    BUG_LIVE = "bug.live"
    BUG_DECLINED = "bug.declined"
    BUG_CAME_BACK = "bug.came_back"
    BUG_RECONSIDERED = "bug.reconsidered"
    BUG_UNRELEASED = "bug.unreleased"
    BUG_UNDONE = "bug.undone"
    BUG_WITHDRAWN = "bug.withdrawn"
    BUG_EDITED = "bug.edited"
    BUG_ASSIGNED = "bug.assigned"
    BUG_RESTRICTED = "bug.restricted"
    BUG_UNRESTRICTED = "bug.unrestricted"
    BUG_REPRODUCED = "bug.reproduced"
    BUG_MERGED = "bug.merged"
    BUG_OWNER_TOLD = "bug.owner_told"
    BUG_TOOK_IN = "bug.took_in"
    BUG_UNMERGED = "bug.unmerged"
    BUG_GAVE_BACK = "bug.gave_back"
    BUG_SPLIT_OFF = "bug.split_off"
    BUG_SNOOZED = "bug.snoozed"
    BUG_WOKEN = "bug.woken"
    BUG_RAISED = "bug.raised"
    BUG_LOOKED_AT = "bug.looked_at"
    BUG_PINNED = "bug.pinned"
    BUG_UNPINNED = "bug.unpinned"
    BUG_TAKEN_BACK = "bug.taken_back"
    BUG_COMMENTED = "bug.commented"
    BUG_LINKED = "bug.linked"
    BUG_UNLINKED = "bug.unlinked"
    COMMENT_EDITED = "comment.edited"
    COMMENT_REMOVED = "comment.removed"
    RELEASE_LIVE = "release.live"
    RELEASE_WITHDRAWN = "release.withdrawn"
    ANNOUNCEMENT_OPENED = "announcement.opened"
    ANNOUNCEMENT_EDITED = "announcement.edited"
    ANNOUNCEMENT_HELD = "announcement.held"
    ANNOUNCEMENT_RESUMED = "announcement.resumed"
    ANNOUNCEMENT_SENT = "announcement.sent"
    ANNOUNCEMENT_SENDING_UNDONE = "announcement.sending_undone"
    ANNOUNCEMENT_RELEASED = "announcement.released"
    ANNOUNCEMENT_CANCELLED = "announcement.cancelled"
    MESSAGE_SENT = "message.sent"
    MESSAGE_TOLD_BY_HAND = "message.told_by_hand"
    MESSAGE_SUPPRESSED = "message.suppressed"
    MESSAGE_RELEASED = "message.released"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_UNCERTAIN = "delivery.uncertain"
    DELIVERY_JUDGED = "delivery.judged"
    NOTICE_RELEASED = "notice.released"
    NOTICE_DROPPED = "notice.dropped"
    CUSTOMER_ADDED = "customer.added"
    CUSTOMER_CHANGED = "customer.changed"
    CUSTOMER_NOTE_WRITTEN = "customer.note_written"
    CUSTOMER_NOTE_REMOVED = "customer.note_removed"
    ACCOUNT_CHANGED = "account.changed"
    LINK_TEMPLATE_ADDED = "link_template.added"
    LINK_TEMPLATE_CHANGED = "link_template.changed"
    LINK_TEMPLATE_REMOVED = "link_template.removed"
    CUSTOMER_ERASED = "customer.erased"
    CUSTOMER_MERGED = "customer.merged"
    ACCOUNT_MERGED = "account.merged"
    SUPPRESSION_LIFTED = "customer.suppression_lifted"
    CUSTOMER_UNSUBSCRIBED = "customer.unsubscribed"
    CUSTOMER_RESUBSCRIBED = "customer.resubscribed"
    ADDRESS_SUPPRESSED = "customer.address_suppressed"
    OPTION_ADDED = "option.added"
    OPTION_CHANGED = "option.changed"
    OPTION_RETIRED = "option.retired"
    OPTION_PROPOSED = "option.proposed"
    OPTION_ACCEPTED = "option.accepted"
    OPTION_DECLINED = "option.declined"
    OPTION_MERGED = "option.merged"
    OPTION_UNMERGED = "option.unmerged"
    LIST_ADDED = "list.added"
    LIST_CHANGED = "list.changed"
    LIST_RETIRED = "list.retired"
    VIEW_SAVED = "view.saved"
    VIEW_CHANGED = "view.changed"
    VIEW_REMOVED = "view.removed"
    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_DISABLED = "user.disabled"
    USER_SIGNED_IN = "user.signed_in"
    USER_SIGNED_OUT = "user.signed_out"
    USER_INVITED = "user.invited"
    PASSWORD_RESET_REQUESTED = "user.password_reset_requested"
    PASSWORD_CHANGED = "user.password_changed"
    TOKEN_CREATED = "token.created"
    TOKEN_REVOKED = "token.revoked"
    ROTATION_ADDED = "rotation.added"
    ROTATION_CHANGED = "rotation.changed"
    AREA_ROTATION_CHANGED = "area.rotation_changed"
    DUTY_TAKEN_OVER = "duty.taken_over"
    DUTY_HANDED_OVER = "duty.handed_over"
    OVERRIDE_REMOVED = "duty.override_removed"
    SWAP_ASKED = "swap.asked"
    SWAP_REFUSED = "swap.refused"
    SWAP_TRADE_OFFERED = "swap.trade_offered"
    SWAP_TRADE_DECLINED = "swap.trade_declined"
    SWAP_TAKEN = "swap.taken"
    SWAP_WITHDRAWN = "swap.withdrawn"
    CHANNEL_CONNECTED = "channel.connected"
    CHANNEL_DISCONNECTED = "channel.disconnected"
    HANDOFF_WRITTEN = "handoff.written"
    HANDOFF_SENT = "handoff.sent"
    HANDOFF_TAKEN_BACK = "handoff.taken_back"
    HANDOFF_READ = "handoff.read"
    HANDOFF_BUG_DEALT_WITH = "handoff.bug_dealt_with"
    HOLIDAY_ADDED = "holiday.added"
    HOLIDAY_STRUCK = "holiday.struck"
    ABSENCE_NOTED = "absence.noted"
    ABSENCE_CHANGED = "absence.changed"
    ABSENCE_TAKEN_BACK = "absence.taken_back"
    ABSENCE_CALENDAR_ADDED = "absence.calendar_added"
    ABSENCE_CALENDAR_REMOVED = "absence.calendar_removed"
    FEED_MADE = "feed.made"
    FEED_REVOKED = "feed.revoked"
    RULE_MADE = "rule.made"
    RULE_ENDED = "rule.ended"
    WORKSPACE_SET_UP = "workspace.set_up"
    WORKSPACE_CHANGED = "workspace.changed"
    BACKUP_RESTORED = "backup.restored"


class Row(Protocol):
    """Anything with a key."""

    @property
    def id(self) -> int:
        """The key."""


OF_THE_HOUSE = sa.text("bug_id IS NULL OR option_id IS NOT NULL")
"""What may change people, choices, settings and turns; a bug's own events change nothing of them."""
HOUSE_INDEX = "ix_events_of_the_house"
CONTACTS = (
    EventKind.REPORT_FILED,
    EventKind.REPORT_ATTACHED,
    EventKind.REPORT_REMARKED,
    EventKind.REPORT_STILL_HAPPENING,
    EventKind.REPORT_WORKS_NOW,
    EventKind.REPORT_ANSWERED,
    EventKind.BUG_ANSWERED,
    EventKind.BUG_SPLIT_OFF,
    EventKind.MESSAGE_SENT,
    EventKind.MESSAGE_TOLD_BY_HAND,
)
IS_CONTACT = sa.text(f"kind IN {tuple(map(str, CONTACTS))}")
"""A customer told us something, or was told or asked something that has left.

A bug that was split off begins with what its report told."""
CONTACT_INDEX = "ix_events_contacts"
ARRIVALS = (
    EventKind.REPORT_FILED,
    EventKind.BUG_CAME_BACK,
    EventKind.BUG_ANSWERED,
    EventKind.BUG_SPLIT_OFF,
    EventKind.BUG_WOKEN,
)
"""A bug comes into the duty queue."""
LOOKS = (
    EventKind.BUG_ACCEPTED,
    EventKind.BUG_STARTED,
    EventKind.BUG_ASKED,
    EventKind.BUG_FIXED,
    EventKind.BUG_DECLINED,
    EventKind.BUG_MERGED,
    EventKind.BUG_ASSIGNED,
    EventKind.BUG_SNOOZED,
    EventKind.BUG_LOOKED_AT,
)
"""Somebody decides about a bug, or says that they have looked."""
TOUCHES = (
    *LOOKS,
    EventKind.BUG_STOPPED,
    EventKind.BUG_UNFIXED,
    EventKind.BUG_RECONSIDERED,
    EventKind.BUG_REPRODUCED,
)
"""An engineer works on a bug."""


class Event(Model):
    """One thing that happened: who, when, to what, before and after. Never a customer's words or address."""

    __tablename__ = "events"
    __table_args__ = (
        sa.Index(HOUSE_INDEX, "id", sqlite_where=OF_THE_HOUSE, postgresql_where=OF_THE_HOUSE),
        sa.Index(CONTACT_INDEX, "bug_id", "id", sqlite_where=IS_CONTACT, postgresql_where=IS_CONTACT),
        sa.Index("ix_events_kind_at", "kind", "at"),
        {"sqlite_autoincrement": True},  # the last number names the state of the house, see core.kept
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EventKind]
    at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    actor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    bug_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    option_id: Mapped[int | None] = mapped_column(sa.ForeignKey("options.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    before: Mapped[str | None] = mapped_column(sa.Text)
    after: Mapped[str | None] = mapped_column(sa.Text)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


Subscriber = Callable[[Event], None]
_subscribers: dict[EventKind, list[Subscriber]] = defaultdict(list)


def subscribe(kind: EventKind, subscriber: Subscriber) -> None:
    """Call a function inside the same transaction each time something of this kind happens."""
    if subscriber not in _subscribers[kind]:
        _subscribers[kind].append(subscriber)


def record(
    kind: EventKind,
    *,
    actor: Row | None,
    bug: Row | None = None,
    report: Row | None = None,
    option: Row | None = None,
    user: Row | None = None,
    before: str | None = None,
    after: str | None = None,
    **details: Any,
) -> Event:
    """Write down what happened, and let those who listen add their rows to the same transaction.

    `actor` is None where the machine or a customer acted; `details` hold ids, choices and counts, JSON-ready.
    """
    event = Event(
        kind=kind,
        at=clock.now(),
        actor_id=_id(actor),
        bug_id=_id(bug),
        report_id=_id(report),
        option_id=_id(option),
        user_id=_id(user),
        before=before,
        after=after,
        details=details,
    )
    db.session.add(event)
    db.session.flush()
    for subscriber in _subscribers[kind]:
        subscriber(event)
    return event


def record_many(rows: list[dict[str, Any]]) -> None:
    """Write down much at once, of kinds that nobody listens to. Raises RuntimeError where somebody does."""
    if any(_subscribers[row["kind"]] for row in rows):
        raise RuntimeError("Somebody listens to this: record() it.")
    db.session.connection().execute(sa.insert(Event), rows)


def _id(row: Row | None) -> int | None:
    return row.id if row is not None else None
