"""Reading the board and the list."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock
from bugintake.core.db import ALL, UtcDateTime, db, rows
from bugintake.intake import catalogue
from bugintake.intake.catalogue import Choice
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import OPEN, Bug, Report, Status
from bugintake.intake.queries import VISIBLE_TO_READER
from bugintake.team.models import Role, User
from bugintake.team.people import Colleague, names

CARDS_SHOWN = 100
ROWS_SHOWN = 50
CLOSED_SHOWN = 20
CLOSED_WITHIN = timedelta(days=7)
CLOSED = (Status.LIVE, Status.DECLINED)


@dataclass(frozen=True)
class Filters:
    """What a board or list is narrowed to; every field is a part of the address, so a view can be shared."""

    area: int | None = None
    owner: int | None = None
    waiting: int | None = None
    came_back: bool = False
    text: str = ""

    @classmethod
    def from_address(cls, args: Mapping[str, str]) -> "Filters":
        """Read the query string; what cannot be read narrows nothing."""
        area = _number(args.get("area"))
        return cls(
            area=catalogue.meant(area) if area is not None else None,
            owner=_number(args.get("owner")),
            waiting=_number(args.get("waiting")),
            came_back=args.get("came_back") == "1",
            text=args.get("q", "").strip()[:100],
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return self != Filters()

    def address(self, **changes: Any) -> dict[str, Any]:
        """Say these filters as query parameters, with some of them changed."""
        now = {"area": self.area, "owner": self.owner, "waiting": self.waiting, "q": self.text or None}
        now["came_back"] = 1 if self.came_back else None
        return {name: value for name, value in {**now, **changes}.items() if value not in (None, "")}

    def values(self) -> dict[str, Any]:
        """Say what is narrowed to as the values of NARROWED."""
        given: dict[str, Any] = {"area": self.area, "owner": self.owner, "waiting": self.waiting}
        given |= {"came_back": self.came_back or None, "text": _ESCAPED.sub(r"/\g<0>", self.text) or None}
        return {name: value for name, value in given.items() if value is not None}


_ESCAPED = re.compile("[/%_]")
NARROWED: Mapping[str, sa.ColumnElement[bool]] = {
    "area": Bug.area_id == sa.bindparam("area"),
    "owner": Bug.owner_id == sa.bindparam("owner"),
    "waiting": Bug.waiting_count >= sa.bindparam("waiting"),
    "came_back": Bug.came_back_at.is_not(None),
    "text": Bug.title.icontains(sa.bindparam("text", type_=sa.String()), escape="/"),
    "reader": VISIBLE_TO_READER,
}
"""What a board or list can be narrowed to, in SQL. A statement is made once for each combination of names."""


class Card(NamedTuple):
    """One bug as the board and lists show it."""

    id: int
    title: str
    status: Status
    impact_rank: int
    waiting: int
    filed_at: datetime
    status_since_at: datetime
    came_back_at: datetime | None
    is_restricted: bool
    changed_at: datetime
    owner_id: int | None
    owner: str | None
    area: str
    impact: str
    release: str | None

    @property
    def version(self) -> int:
        """A number that grows with every change, so that a page can tell an old card from a new one."""
        return int(self.changed_at.timestamp() * 1000)

    @property
    def ref(self) -> str:
        """The name people use for it."""
        return f"BUG-{self.id}"

    @property
    def has_come_back(self) -> bool:
        """Whether it was live before and still happens."""
        return self.came_back_at is not None and self.status.is_open


@dataclass(frozen=True)
class Column:
    """One status on the board: how many bugs and people, and the cards that are shown."""

    status: Status
    bug_count: int
    people_count: int
    cards: Sequence[Card] = field(default_factory=list)

    @property
    def hidden_count(self) -> int:
        """How many more there are than shown."""
        return self.bug_count - len(self.cards)


def cards(*conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """Select bugs that stand for themselves, worst first, then most waited for, then oldest; read_cards names them."""
    return (
        sa.select(
            Bug.id,
            Bug.title,
            Bug.status,
            Bug.impact_rank,
            Bug.waiting_count,
            Bug.filed_at,
            Bug.status_since_at,
            Bug.came_back_at,
            Bug.is_restricted,
            Bug.changed_at,
            Bug.owner_id,
            Bug.area_id,
            Bug.impact_id,
            Bug.release_id,
        )
        .where(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), *conditions)
        .order_by(Bug.impact_rank, Bug.waiting_count.desc(), Bug.filed_at, Bug.id)
    )


def read_cards(statement: sa.Executable, **values: Any) -> list[Card]:
    """Read what cards() selects, with the names of choices and people."""
    found = rows(statement, **values)
    try:
        return _named(found, catalogue.names().choices, names())
    except KeyError:  # PostgreSQL may show a card that is younger than the names kept
        return _named(found, catalogue.names.anew().choices, names.anew())


def _named(found: Sequence[Any], choices: Mapping[int, Choice], people: Mapping[int, Colleague]) -> list[Card]:
    return [
        Card._make(
            (
                *row[:11],
                people[row.owner_id].name if row.owner_id else None,
                choices[row.area_id].label,
                choices[row.impact_id].label,
                choices[row.release_id].label if row.release_id else None,
            )
        )
        for row in found
    ]


def board(
    filters: Filters, actor: User, more: Mapping[Status, int] | None = None
) -> tuple[list[Column], dict[Status, list[Card]]]:
    """Read the columns of all open bugs, and what became live or was declined in the last seven days, newest first.

    `more` asks for further cards of a status. Columns add up to the open bugs.
    """
    values = _values(filters, actor)
    totals = {status: (count, int(people)) for status, count, people in rows(_totals(frozenset(values)), **values)}
    limits = {status.value: max(CARDS_SHOWN, (more or {}).get(status, 0)) for status in OPEN}
    found: dict[Status, list[Card]] = {status: [] for status in (*OPEN, *CLOSED)}
    for card in read_cards(_board(frozenset(values)), since=clock.now() - CLOSED_WITHIN, **limits, **values):
        found[card.status].append(card)
    columns = [Column(status, *totals.get(status, (0, 0)), found[status]) for status in OPEN]
    return columns, {status: found[status] for status in CLOSED}


@cache
def _board(narrowed: frozenset[str]) -> sa.CompoundSelect[*tuple[Any, ...]]:
    seen = [NARROWED[name] for name in sorted(narrowed)]
    since = sa.bindparam("since", type_=UtcDateTime())
    recent = (Bug.changed_at > since, Bug.status_since_at > since)
    newest = (Bug.changed_at.desc(), Bug.id.desc())
    parts = [cards(Bug.status == status, *seen).limit(sa.bindparam(status.value)) for status in OPEN]
    parts += [
        cards(Bug.status == s, *recent, *seen).order_by(None).order_by(*newest).limit(CLOSED_SHOWN) for s in CLOSED
    ]
    return sa.union_all(*(sa.select(part.subquery()) for part in parts))


@cache
def _totals(narrowed: frozenset[str]) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Bug.status, sa.func.count(), sa.func.coalesce(sa.func.sum(Bug.waiting_count), 0))
        .where(Bug.status.in_(OPEN), Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None))
        .where(*(NARROWED[name] for name in sorted(narrowed)))
        .group_by(Bug.status)
    )


def listed(filters: Filters, statuses: Sequence[Status], actor: User, after: int | None = None) -> Sequence[Card]:
    """Read one page of bugs of some statuses, the newest first, older than the bug with the number `after`."""
    values = _values(filters, actor)
    statement = _listed(frozenset(values), frozenset(statuses))
    return read_cards(statement, after=ALL if after is None else after, **values)


@cache
def _listed(narrowed: frozenset[str], statuses: frozenset[Status]) -> sa.Select[*tuple[Any, ...]]:
    seen = [NARROWED[name] for name in sorted(narrowed)]
    found = cards(Bug.id < sa.bindparam("after"), *([Bug.status.in_(statuses)] if statuses else []), *seen)
    return found.order_by(None).order_by(Bug.id.desc()).limit(ROWS_SHOWN + 1)


def _values(filters: Filters, actor: User) -> dict[str, Any]:
    return filters.values() | ({} if actor.can(Role.LEAD) else {"reader": actor.id})


def languages_waiting(*bugs: Bug) -> dict[str, int]:
    """Count the people who wait for one of some bugs by the language they read."""
    part = aliased(Bug)
    query = (
        sa.select(Customer.language, sa.func.count(sa.distinct(Customer.id)))
        .join(Report, Report.customer_id == Customer.id)
        .join(part, part.id == Report.bug_id)
        .where(part.canonical_id.in_([bug.id for bug in bugs]), Report.settled_at.is_(None))
        .group_by(Customer.language)
        .order_by(sa.func.count(sa.distinct(Customer.id)).desc(), Customer.language)
    )
    return dict(db.session.execute(query).all())


def colleagues() -> Sequence[User]:
    """List everybody who works here now, by name."""
    return db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.name)).all()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
