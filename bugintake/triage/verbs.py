"""The verbs of triage: which there are, the key of each, of which bugs, and for whom.

Board, list, duty queue, bug page, key sheet and palette all offer what stands here, and nothing else.
"""

import enum
from collections.abc import Collection
from datetime import date
from typing import NamedTuple, Protocol

from bugintake.intake.models import OPEN, Bug, News, RaiseReason, Status
from bugintake.team.models import Role, User
from bugintake.triage.looking import today_of

ALL = tuple(Status)
UNDECIDED = (Status.NEW, Status.NEEDS_INFO)
UNFIXED = (*UNDECIDED, Status.ACCEPTED, Status.IN_PROGRESS)


class Mark(enum.StrEnum):
    """What is so of a bug besides its status, as far as verbs depend on it."""

    MINE = "mine"
    NEWS = "news"
    PINNED = "pinned"
    RAISED = "raised"
    RESTRICTED = "restricted"
    SNOOZED = "snoozed"


class Verb(NamedTuple):
    """Something that people do with a bug; `address` follows the bug's own, and is a page where the verb `asks`.

    `leads_to` is the column that it brings a card to. On a bug's own page what is `aside` is in the menu behind
    the others, and what `has_field` stands there as a field.
    """

    address: str
    key: str
    label: str
    statuses: tuple[Status, ...]
    leads_to: Status | None = None
    role: Role = Role.ENGINEER
    asks: bool = False
    is_for_many: bool = True
    only: Mark | None = None
    unless: Mark | None = None
    fields: tuple[tuple[str, str], ...] = ()
    aside: bool = False
    has_field: bool = False

    def is_for(self, actor: User) -> bool:
        """Whether somebody's role has it."""
        return actor.can(self.role)

    def is_of(self, status: Status, marks: Collection[Mark]) -> bool:
        """Whether it can be done with a bug that stands so."""
        if (self.only and self.only not in marks) or (self.unless and self.unless in marks):
            return False
        return status in self.statuses


VERBS = (
    Verb("/acceptance", "1", "Accept", UNDECIDED, Status.ACCEPTED),
    Verb("/work", "s", "Start work", (*UNDECIDED, Status.ACCEPTED), Status.IN_PROGRESS),
    Verb("/work", "s", "Not fixed after all", (Status.FIXED,), Status.IN_PROGRESS),
    Verb("/rest", "b", "Put down", (Status.IN_PROGRESS,), Status.ACCEPTED),
    Verb("/return", "b", "It came back", (Status.LIVE,), Status.ACCEPTED),
    Verb("/reconsideration", "b", "Fix it after all", (Status.DECLINED,), Status.ACCEPTED),
    Verb("/merge", "2", "Duplicate…", ALL, asks=True),
    Verb("/decline", "3", "Won't fix…", UNFIXED, Status.DECLINED, asks=True),
    Verb("/question", "4", "Ask…", (Status.NEW, Status.ACCEPTED, Status.IN_PROGRESS), Status.NEEDS_INFO, asks=True),
    Verb("/fix", "5", "Fixed…", UNFIXED, Status.FIXED, asks=True),
    Verb("/snooze", "z", "Snooze…", OPEN, asks=True),
    Verb("/waking", "Z", "Wake it", OPEN, only=Mark.SNOOZED, aside=True),
    Verb("/look", "v", "I have looked", ALL, only=Mark.NEWS),
    Verb("/assignment", "i", "Take it", OPEN, unless=Mark.MINE, fields=(("owner", "me"),)),
    Verb("/assignment", "a", "Assign to…", OPEN, asks=True, aside=True),
    Verb("/help", "H", "Ask for help…", OPEN, asks=True, is_for_many=False, aside=True),
    Verb("/raise", "t", "Raise…", OPEN, role=Role.AGENT, asks=True, unless=Mark.RAISED),
    Verb(
        "/pin", "P", "Pin to the top", OPEN, role=Role.LEAD, unless=Mark.PINNED, fields=(("pinned", "1"),), aside=True
    ),
    Verb("/pin", "P", "Unpin", OPEN, role=Role.LEAD, only=Mark.PINNED, fields=(("pinned", "0"),), aside=True),
    Verb("/attach", "p", "Attach a customer", ALL, role=Role.AGENT, asks=True, is_for_many=False),
    Verb("/comments", "c", "Comment…", ALL, role=Role.AGENT, asks=True, has_field=True),
    Verb("#edit", "e", "Edit", ALL, asks=True, is_for_many=False, has_field=True),
    Verb("/restriction", "", "Restrict", ALL, unless=Mark.RESTRICTED, fields=(("restricted", "1"),), has_field=True),
    Verb(
        "/restriction",
        "",
        "Show to everybody",
        ALL,
        role=Role.LEAD,
        is_for_many=False,
        only=Mark.RESTRICTED,
        fields=(("restricted", "0"),),
        has_field=True,
    ),
)
OF_WITHDRAWN = ("/attach", "/comments")


class Standing(Protocol):
    """A bug or a card of it."""

    @property
    def owner_id(self) -> int | None:
        """Whose it is."""

    @property
    def is_restricted(self) -> bool:
        """Whether only some see it."""

    @property
    def is_pinned(self) -> bool:
        """Whether it stands first in its column."""

    @property
    def news(self) -> News | None:
        """What nobody has looked at."""

    @property
    def raise_reason(self) -> RaiseReason | None:
        """Why it was raised."""

    @property
    def snoozed_until(self) -> date | None:
        """Until when it was put off."""


def marks_of(bug: Standing, reader_id: int, today: date) -> tuple[Mark, ...]:
    """Name what is so of a bug for somebody, on their day."""
    until = bug.snoozed_until
    is_so = {
        Mark.MINE: bug.owner_id == reader_id,
        Mark.NEWS: bug.news is not None or bug.raise_reason is not None or (until is not None and until <= today),
        Mark.PINNED: bug.is_pinned,
        Mark.RAISED: bug.raise_reason is not None,
        Mark.RESTRICTED: bug.is_restricted,
        Mark.SNOOZED: until is not None and until > today,
    }
    return tuple(mark for mark, holds in is_so.items() if holds)


def verbs_for(actor: User) -> list[Verb]:
    """List the verbs that somebody's role has."""
    return [verb for verb in VERBS if verb.is_for(actor)]


def verbs_of(bug: Bug, actor: User) -> list[Verb]:
    """List what somebody may do with a bug as it stands; what was taken back is only attached to or talked about."""
    marks = marks_of(bug, actor.id, today_of(actor))
    found = [verb for verb in verbs_for(actor) if verb.is_of(bug.status, marks)]
    return found if bug.withdrawn_at is None else [verb for verb in found if verb.address in OF_WITHDRAWN]
