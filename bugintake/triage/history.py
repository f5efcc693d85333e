"""What happened to a bug, as its page and the API tell it."""

from dataclasses import dataclass

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.events import Event, EventKind
from bugintake.intake.models import Bug, Status
from bugintake.team.models import User

SHOWN = 50

WORDS = {
    EventKind.REPORT_FILED: "filed it",
    EventKind.REPORT_ATTACHED: "attached one more customer",
    EventKind.REPORT_WITHDRAWN: "took a report back",
    EventKind.REPORT_WORKS_NOW: "says that it works now",
    EventKind.REPORT_STILL_HAPPENING: "says that it still happens",
    EventKind.REPORT_REMARKED: "added something",
    EventKind.REPORT_LINK_RENEWED: "renewed a customer's private link",
    EventKind.CUSTOMER_UNSUBSCRIBED: "asked for no mail about it",
    EventKind.CUSTOMER_RESUBSCRIBED: "wants mail about it after all",
    EventKind.BUG_ACCEPTED: "accepted it",
    EventKind.BUG_STARTED: "began to work on it",
    EventKind.BUG_STOPPED: "put it down",
    EventKind.BUG_ASKED: "asked a question",
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
    EventKind.BUG_RESTRICTED: "restricted who sees it",
    EventKind.BUG_UNRESTRICTED: "showed it to everybody again",
    EventKind.BUG_WITHDRAWN: "took the bug back with its last report",
    EventKind.ANNOUNCEMENT_OPENED: "made ready what {people} customers are told",
    EventKind.ANNOUNCEMENT_EDITED: "changed what customers are told",
    EventKind.ANNOUNCEMENT_HELD: "held the mail to customers",
    EventKind.ANNOUNCEMENT_RESUMED: "let the mail to customers go on",
    EventKind.ANNOUNCEMENT_SENT: "sent the mail to customers",
    EventKind.ANNOUNCEMENT_SENDING_UNDONE: "took the sending back",
    EventKind.ANNOUNCEMENT_RELEASED: "let the mail to customers go",
    EventKind.ANNOUNCEMENT_CANCELLED: "cancelled what customers were to be told",
    EventKind.MESSAGE_TOLD_BY_HAND: "told a customer by hand",
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
        EventKind.REPORT_REMARKED,
        EventKind.CUSTOMER_UNSUBSCRIBED,
        EventKind.CUSTOMER_RESUBSCRIBED,
    }
)


@dataclass(frozen=True)
class Entry:
    """One line of a bug's history."""

    event: Event
    actor: User | None

    @property
    def who(self) -> str:
        """Who did it."""
        if self.actor is not None:
            return self.actor.name
        return "A customer" if self.event.kind in BY_CUSTOMERS else "bugintake"

    @property
    def words(self) -> str:
        """What happened, as the end of a sentence that starts with who did it."""
        words, details = WORDS[self.event.kind], self.event.details
        if self.event.kind == EventKind.BUG_EDITED and self.event.after is None:
            words = "changed the {field}"
        if self.event.kind == EventKind.ANNOUNCEMENT_OPENED and details.get("people") == 1:
            words = "made ready what one customer is told"
        after = _label(self.event.after)
        return words.format(after=after, field=details.get("field", ""), people=details.get("people", 0))


def history(bug: Bug) -> list[Entry]:
    """Read everything that happened to a bug, oldest first."""
    return _read(sa.select(Event, User).where(Event.bug_id == bug.id).order_by(Event.id))


def lines(bug: Bug, *, whole: bool = False) -> tuple[list[Entry], int]:
    """Read what the page tells of a bug, oldest first: the last SHOWN lines or all, and how many came before them."""
    told = (Event.bug_id == bug.id, Event.kind.not_in(TOLD_ELSEWHERE))
    newest = sa.select(Event, User).where(*told).order_by(Event.id.desc())
    found = _read(newest if whole else newest.limit(SHOWN + 1))
    if whole or len(found) <= SHOWN:
        return found[::-1], 0
    count = db.session.scalar(sa.select(sa.func.count()).select_from(Event).where(*told)) or 0
    return found[:SHOWN][::-1], count - SHOWN


def _read(query: sa.Select[Event, User]) -> list[Entry]:
    rows = db.session.execute(query.outerjoin(User, User.id == Event.actor_id))
    return [Entry(event, actor) for event, actor in rows]


def _label(value: str | None) -> str:
    if value is None:
        return "whoever is on duty"
    return Status(value).label if value in set(Status) else value.replace("_", " ")
