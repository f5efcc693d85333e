"""Reading the board and the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock
from bugintake.core.db import UtcDateTime, db, rows
from bugintake.intake import catalogue
from bugintake.intake.catalogue import Choice
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import OPEN, Bug, News, RaiseReason, Report, Status
from bugintake.team.models import User
from bugintake.team.people import Colleague, names
from bugintake.triage import narrowing, sorting
from bugintake.triage.contacts import with_contact
from bugintake.triage.filters import Filters
from bugintake.triage.sorting import Sort

CARDS_SHOWN = 100
ROWS_SHOWN = 50
CLOSED_SHOWN = 20
CLOSED_WITHIN = timedelta(days=7)
CLOSED = (Status.LIVE, Status.DECLINED)


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
    is_pinned: bool
    changed_at: datetime
    owner_id: int | None
    news: News | None
    news_at: datetime | None
    snoozed_until: date | None
    paused_at: datetime | None
    raise_reason: RaiseReason | None
    owner: str | None
    area: str
    impact: str
    release: str | None
    raised_by: str | None
    contacted_at: datetime | None

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

    def put_off_until(self, today: date) -> date | None:
        """Return the day on which it comes back, for one that is snoozed on a day."""
        return self.snoozed_until if self.snoozed_until is not None and self.snoozed_until > today else None


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
    """Select bugs that stand for themselves, in no order; read_cards names them."""
    return sa.select(
        Bug.id,
        Bug.title,
        Bug.status,
        Bug.impact_rank,
        Bug.waiting_count,
        Bug.filed_at,
        Bug.status_since_at,
        Bug.came_back_at,
        Bug.is_restricted,
        Bug.is_pinned,
        Bug.changed_at,
        Bug.owner_id,
        Bug.news,
        Bug.news_at,
        Bug.snoozed_until,
        Bug.paused_at,
        Bug.raise_reason,
        Bug.raised_by_id,
        Bug.area_id,
        Bug.impact_id,
        Bug.release_id,
    ).where(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), *conditions)


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
                *row[:17],
                people[row.owner_id].name if row.owner_id else None,
                choices[row.area_id].label,
                choices[row.impact_id].label,
                choices[row.release_id].label if row.release_id else None,
                people[row.raised_by_id].name if row.raised_by_id else None,
                getattr(row, "contacted_at", None),
            )
        )
        for row in found
    ]


def board(filters: Filters, actor: User, more: Mapping[Status, int] | None = None) -> tuple[list[Column], list[Column]]:
    """Read the columns of all open bugs, and of what became live or was declined in the last seven days, newest first.

    `more` asks for further cards of a status. The first columns add up to the open bugs.
    """
    values = narrowing.of_board(filters, actor)
    shape = frozenset(values), frozenset(filters.status)
    since = clock.now() - CLOSED_WITHIN
    counted = rows(_totals(*shape), closed_since=since, **values)
    totals = {status: (count, int(people)) for status, count, people in counted}
    limits = {status.value: max(CARDS_SHOWN, (more or {}).get(status, 0)) for status in OPEN}
    found: dict[Status, list[Card]] = {status: [] for status in (*OPEN, *CLOSED)}
    statement = _board(*shape, filters.sort or Sort.WORST)
    for card in read_cards(statement, closed_since=since, **limits, **values):
        found[card.status].append(card)
    columns = {status: Column(status, *totals.get(status, (0, 0)), found[status]) for status in found}
    return [columns[status] for status in OPEN], [columns[status] for status in CLOSED]


@cache
def _board(narrowed: frozenset[str], statuses: frozenset[Status], sort: Sort) -> sa.Select[*tuple[Any, ...]]:
    seen = _seen(narrowed, statuses)
    newest = (Bug.changed_at.desc(), Bug.id.desc())
    order = sorting.order_by(sorting.keys(sort, has_days=False))
    parts = [cards(Bug.status == s, *seen).order_by(*order).limit(sa.bindparam(s.value)) for s in OPEN]
    parts += [cards(Bug.status == s, *_RECENT, *seen).order_by(*newest).limit(CLOSED_SHOWN) for s in CLOSED]
    return with_contact(sa.union_all(*(sa.select(part.subquery()) for part in parts)))


_SINCE = sa.bindparam("closed_since", type_=UtcDateTime())
_RECENT = (Bug.changed_at > _SINCE, Bug.status_since_at > _SINCE)


@cache
def _totals(narrowed: frozenset[str], statuses: frozenset[Status]) -> sa.CompoundSelect[*tuple[Any, ...]]:
    stands = (Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), *_seen(narrowed, statuses))
    counted = sa.select(Bug.status, sa.func.count(), sa.func.coalesce(sa.func.sum(Bug.waiting_count), 0))
    counted = counted.where(*stands).group_by(Bug.status)
    recent = [counted.where(Bug.status == status, *_RECENT) for status in CLOSED]
    return sa.union_all(counted.where(Bug.status.in_(OPEN)), *recent)


def listed(filters: Filters, actor: User, after: Mapping[str, Any] | None = None) -> Sequence[Card]:
    """Read one page of bugs and one bug more, those after a position; the newest first where no order is asked for."""
    values = narrowing.of_list(filters, actor)
    sort = filters.sort or Sort.NEWEST
    after_pinned = None if after is None else bool(after.get("after_is_pinned"))
    statement = _listed(frozenset(values), frozenset(filters.status), sort, filters.has_days, after_pinned)
    return read_cards(statement, **(after or {}), **values)


@cache
def _listed(
    narrowed: frozenset[str], statuses: frozenset[Status], sort: Sort, has_days: bool, after_pinned: bool | None
) -> sa.Select[*tuple[Any, ...]]:
    keys = sorting.keys(sort, has_days=has_days)
    order = sorting.order_by(keys)
    further = [] if after_pinned is None else [sorting.beyond(keys, is_pinned=after_pinned)]
    are_few = narrowing.finds_few(narrowed)
    if are_few or sort not in sorting.BY_STATUS:
        seen = _seen(narrowed, statuses) if are_few or statuses <= set(OPEN) else _seen_in_order(narrowed, statuses)
        return with_contact(cards(*further, *seen).order_by(*order).limit(ROWS_SHOWN + 1))
    seen = [*further, *narrowing.conditions(narrowed)]
    each = [status for status in Status if status in statuses or not statuses]
    parts = [cards(Bug.status == status, *seen).order_by(*order).limit(ROWS_SHOWN + 1) for status in each]
    found = sa.union_all(*(sa.select(part.subquery()) for part in parts)).subquery()
    columns = [(found.c[key.column.key], key.is_falling) for key in keys]
    order = [column.desc() if is_falling else column.asc() for column, is_falling in columns]
    return with_contact(sa.select(found).order_by(*order).limit(ROWS_SHOWN + 1))


def _seen(narrowed: frozenset[str], statuses: frozenset[Status]) -> list[sa.ColumnElement[bool]]:
    found = narrowing.conditions(narrowed)
    return [*found, Bug.status.in_(sorted(statuses))] if statuses else found


def _seen_in_order(narrowed: frozenset[str], statuses: frozenset[Status]) -> list[sa.ColumnElement[bool]]:
    """Hide from the index of statuses that most bugs of a grown house are live: SQLite would sort all of these."""
    return [*narrowing.conditions(narrowed), Bug.status.concat("").in_(sorted(statuses))]


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
