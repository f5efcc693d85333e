"""What happened to a bug, as its page and the API tell it."""

from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core.db import ALL, rows
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.templating import short_day
from bugintake.intake.models import Bug, RaiseReason, Status
from bugintake.team.models import User

SHOWN = 50

WORDS = {
    EventKind.REPORT_FILED: "filed it",
    EventKind.REPORT_ATTACHED: "attached one more customer",
    EventKind.REPORT_WITHDRAWN: "took a report back",
    EventKind.OPTION_PROPOSED: "used “{after}”, which was not listed",
    EventKind.REPORT_WORKS_NOW: "says that it works now",
    EventKind.REPORT_STILL_HAPPENING: "says that it still happens",
    EventKind.REPORT_REMARKED: "added something",
    EventKind.REPORT_ANSWERED: "answered a question after the bug was moved",
    EventKind.REPORT_SPLIT: "made {after} of one of its reports",
    EventKind.REPORT_NOT_THEIRS: "says that it is another problem",
    EventKind.REPORT_FILED_APART: "filed {after} of what one of its reports tells besides",
    EventKind.REPORT_REJOINED: "took a report back from {after}",
    EventKind.REPORT_LINK_RENEWED: "renewed a customer's private link",
    EventKind.CUSTOMER_UNSUBSCRIBED: "asked for no mail about it",
    EventKind.CUSTOMER_RESUBSCRIBED: "wants mail about it after all",
    EventKind.BUG_ACCEPTED: "accepted it",
    EventKind.BUG_STARTED: "began to work on it",
    EventKind.BUG_STOPPED: "put it down",
    EventKind.BUG_ASKED: "asked a question",
    EventKind.BUG_REMINDED: "reminded of the question",
    EventKind.BUG_PAUSED: "paused it, since no answer came",
    EventKind.BUG_ANSWERED: "took down the answer",
    EventKind.BUG_FIXED: "fixed it",
    EventKind.BUG_UNFIXED: "said it is not fixed after all",
    EventKind.BUG_LIVE: "said that its release is live",
    EventKind.BUG_UNRELEASED: "withdrew its release",
    EventKind.BUG_DECLINED: "declined it",
    EventKind.BUG_CAME_BACK: "saw it come back",
    EventKind.BUG_RECONSIDERED: "changed the mind: it will be fixed",
    EventKind.BUG_UNDONE: "undid that: it is {after} again",
    EventKind.BUG_ASSIGNED: "gave it to {after}",
    EventKind.BUG_EDITED: "changed the {field}: {after}",
    EventKind.BUG_REPRODUCED: "saw it happen too",
    EventKind.BUG_MERGED: "made it a part of {after}",
    EventKind.BUG_TOOK_IN: "merged {after} into it",
    EventKind.BUG_OWNER_TOLD: "told its owner that {after} is worse",
    EventKind.BUG_UNMERGED: "separated it from {after} again",
    EventKind.BUG_GAVE_BACK: "separated {after} from it again",
    EventKind.BUG_SPLIT_OFF: "made it of a report about {after}",
    EventKind.BUG_SNOOZED: "snoozed it until {after}",
    EventKind.BUG_WOKEN: "woke it",
    EventKind.BUG_RAISED: "raised it: {after}",
    EventKind.BUG_LOOKED_AT: "has looked",
    EventKind.BUG_PUBLISHED: "published it",
    EventKind.BUG_UNPUBLISHED: "took it off the public list",
    EventKind.BUG_PINNED: "pinned it to the top of its column",
    EventKind.BUG_UNPINNED: "unpinned it",
    EventKind.BUG_TAKEN_BACK: "took that back",
    EventKind.BUG_COMMENTED: "wrote",
    EventKind.BUG_LINKED: "linked it to: {after}",
    EventKind.BUG_UNLINKED: "removed a link: {after}",
    EventKind.COMMENT_EDITED: "changed a comment",
    EventKind.COMMENT_REMOVED: "removed a comment",
    EventKind.BUG_RESTRICTED: "restricted who sees it",
    EventKind.BUG_UNRESTRICTED: "showed it to everybody again",
    EventKind.BUG_WITHDRAWN: "took the bug back with its last report",
    EventKind.ANNOUNCEMENT_OPENED: "made ready what {people} customers are told",
    EventKind.ANNOUNCEMENT_EDITED: "changed what customers are told",
    EventKind.ANNOUNCEMENT_HELD: "held the mail to customers",
    EventKind.ANNOUNCEMENT_RESUMED: "let the mail to customers go on",
    EventKind.ANNOUNCEMENT_SENT: "sent the mail to customers",
    EventKind.ANNOUNCEMENT_SENDING_UNDONE: "took the sending back",
    EventKind.ANNOUNCEMENT_WORDING_ASKED: "asked {after} to word what customers are told",
    EventKind.ANNOUNCEMENT_WORDING_TAKEN_BACK: "asked nobody any more to word what customers are told",
    EventKind.ANNOUNCEMENT_RELEASED: "let the mail to customers go",
    EventKind.ANNOUNCEMENT_CANCELLED: "cancelled what customers were to be told",
    EventKind.MESSAGE_TOLD_BY_HAND: "told a customer by hand",
    EventKind.MESSAGE_LINE_WRITTEN: "wrote a customer a personal line",
    EventKind.MESSAGE_SUPPRESSED: "left a customer untold",
    EventKind.MESSAGE_RELEASED: "let a held mail go",
    EventKind.DELIVERY_FAILED: "could not reach a customer",
    EventKind.DELIVERY_UNCERTAIN: "cannot tell whether a mail arrived",
    EventKind.DELIVERY_JUDGED: "said whether a mail arrived",
}
# Each told customer has a line of their own beside the history; a report settles because of what another line says.
TOLD_ELSEWHERE = frozenset({EventKind.MESSAGE_SENT, EventKind.REPORT_SETTLED})
BY_CUSTOMERS = frozenset(
    {
        EventKind.REPORT_WORKS_NOW,
        EventKind.REPORT_STILL_HAPPENING,
        EventKind.REPORT_NOT_THEIRS,
        EventKind.REPORT_REMARKED,
        EventKind.REPORT_ANSWERED,
        EventKind.CUSTOMER_UNSUBSCRIBED,
        EventKind.CUSTOMER_RESUBSCRIBED,
    }
)


class Entry(NamedTuple):
    """One line of a bug's history."""

    kind: EventKind
    at: datetime
    before: str | None
    after: str | None
    details: dict[str, Any]
    actor: str | None
    number: int
    actor_id: int | None

    @property
    def who(self) -> str:
        """Who did it."""
        if self.actor is not None:
            return self.actor
        if "rule" in self.details:
            return "A rule"
        return "A customer" if self.kind in BY_CUSTOMERS else "bugintake"

    @property
    def comment(self) -> int | None:
        """The number of the comment that it tells, or was done with."""
        tells = self.kind in (EventKind.BUG_COMMENTED, EventKind.BUG_ASSIGNED)
        return self.details.get("comment") if tells else None

    @property
    def words(self) -> str:
        """What happened, as the end of a sentence that starts with who did it."""
        words, details = WORDS[self.kind], self.details
        if self.kind == EventKind.BUG_EDITED and self.after is None:
            words = "changed the {field}"
        if self.kind == EventKind.ANNOUNCEMENT_OPENED and details.get("people") == 1:
            words = "made ready what one customer is told"
        if self.kind == EventKind.BUG_ASSIGNED and self.comment is not None:
            words = "asked {after} for help, and handed it over"
        if self.kind == EventKind.BUG_SNOOZED and self.after:
            return words.format(after=short_day(date.fromisoformat(self.after)))
        if self.kind == EventKind.BUG_RAISED and self.after:
            return words.format(after=RaiseReason(self.after).label)
        after = self.after if self.kind == EventKind.OPTION_PROPOSED else _label(self.after)
        return words.format(after=after, field=details.get("field", ""), people=details.get("people", 0))


def history(bug: Bug) -> list[Entry]:
    """Read everything that happened to a bug, oldest first."""
    return [Entry._make(row) for row in rows(_EVERYTHING, bug=bug.id)]


def lines(bug: Bug, *, whole: bool = False) -> tuple[list[Entry], int]:
    """Read what the page tells of a bug, oldest first: the last SHOWN lines or all, and how many came before them."""
    found = rows(_NEWEST, bug=bug.id, most=ALL if whole else SHOWN + 1)
    shown = [Entry._make(row) for row in reversed(found if whole else found[:SHOWN])]
    if len(shown) == len(found):
        return shown, 0
    [[count]] = rows(_COUNT, bug=bug.id)
    return shown, count - SHOWN


_EVERYTHING = (
    sa.select(Event.kind, Event.at, Event.before, Event.after, Event.details, User.name, Event.id, Event.actor_id)
    .outerjoin(User, User.id == Event.actor_id)
    .where(Event.bug_id == sa.bindparam("bug"))
    .order_by(Event.id)
)
_IS_TOLD = Event.kind.not_in(TOLD_ELSEWHERE)
_NEWEST = _EVERYTHING.where(_IS_TOLD).order_by(None).order_by(Event.id.desc()).limit(sa.bindparam("most"))
_COUNT = sa.select(sa.func.count()).where(Event.bug_id == sa.bindparam("bug"), _IS_TOLD)


def _label(value: str | None) -> str:
    if value is None:
        return "whoever is on duty"
    return Status(value).label if value in set(Status) else value.replace("_", " ")
