"""The orders that bugs are shown in, and where the next page of each begins."""

import enum
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core.db import ALL, UtcDateTime
from bugintake.intake.models import Bug

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime.max.replace(tzinfo=UTC) - BEGINNING) // timedelta(microseconds=1)


class Sort(enum.StrEnum):
    """What stands first."""

    WORST = "worst"
    WAITING = "waiting"
    OLDEST = "oldest"
    NEWEST = "newest"
    CHANGED = "changed"
    LONGEST = "longest"

    @property
    def label(self) -> str:
        """The order in a word or two."""
        return LABELS[self]

    @property
    def rule(self) -> str:
        """The whole rule, as it stands under the choice."""
        return RULES[self]


LABELS = {
    Sort.WORST: "Worst first",
    Sort.WAITING: "Most waiting",
    Sort.OLDEST: "Oldest",
    Sort.NEWEST: "Newest",
    Sort.CHANGED: "Last changed",
    Sort.LONGEST: "Longest in its column",
}
RULES = {
    Sort.WORST: "Pinned by a lead first, then worst, then most waiting, then oldest",
    Sort.WAITING: "Most people waiting first, pinned or not, then the lowest number",
    Sort.OLDEST: "The oldest first, pinned or not",
    Sort.NEWEST: "The newest first, pinned or not",
    Sort.CHANGED: "Changed last stands first, pinned or not, then the highest number",
    Sort.LONGEST: "Longest in its column first, pinned or not, then the lowest number",
}
BY_STATUS = (Sort.WORST, Sort.WAITING, Sort.LONGEST)  # an index has them in this order within each status


class Key(NamedTuple):
    """One column that bugs are put in order by, and what a card calls it."""

    column: Any
    is_falling: bool
    name: str


ID, LAST_ID = Key(Bug.id, False, "id"), Key(Bug.id, True, "id")
PINNED = Key(Bug.is_pinned, True, "is_pinned")
ORDERS: dict[Sort, tuple[Key, ...]] = {
    Sort.WORST: (
        PINNED,
        Key(Bug.impact_rank, False, "impact_rank"),
        Key(Bug.waiting_count, True, "waiting"),
        Key(Bug.filed_at, False, "filed_at"),
        ID,
    ),
    Sort.WAITING: (Key(Bug.waiting_count, True, "waiting"), ID),
    Sort.OLDEST: (ID,),
    Sort.NEWEST: (LAST_ID,),
    Sort.CHANGED: (Key(Bug.changed_at, True, "changed_at"), LAST_ID),
    Sort.LONGEST: (Key(Bug.status_since_at, False, "status_since_at"), ID),
}
BY_DAY: dict[Sort, tuple[Key, ...]] = {
    Sort.OLDEST: (Key(Bug.filed_at, False, "filed_at"), ID),
    Sort.NEWEST: (Key(Bug.filed_at, True, "filed_at"), LAST_ID),
}
"""The same two orders where days are asked for, read from the index that finds the days."""


def keys(sort: Sort, *, has_days: bool) -> tuple[Key, ...]:
    """List the columns of an order; ties are broken by the number."""
    return BY_DAY.get(sort, ORDERS[sort]) if has_days else ORDERS[sort]


def order_by(order: Sequence[Key]) -> list[sa.ColumnElement[Any]]:
    """Say an order in SQL."""
    return [key.column.desc() if key.is_falling else key.column.asc() for key in order]


def beyond(order: Sequence[Key], *, is_pinned: bool) -> sa.ColumnElement[bool]:
    """Select what comes after the position that read_position gave, whatever became of the bug that stood there.

    Once the few that are pinned have passed, the index begins at the rest of the position.
    """
    if order[0] is PINNED and not is_pinned:
        return sa.and_(PINNED.column.is_(False), beyond(order[1:], is_pinned=False))
    bound = [(key, sa.bindparam(f"after_{key.name}", type_=key.column.type)) for key in order]

    def further(rest: sa.ColumnElement[bool], at: tuple[Key, Any]) -> sa.ColumnElement[bool]:
        return sa.or_(_ahead(*at), sa.and_(at[0].column == at[1], rest))

    condition = reduce(further, reversed(bound[:-1]), _ahead(*bound[-1]))
    first, value = bound[0]
    within = first.column <= value if first.is_falling else first.column >= value  # so that an index begins there
    return condition if len(bound) == 1 else sa.and_(within, condition)


def _ahead(key: Key, value: Any) -> sa.ColumnElement[bool]:
    found: sa.ColumnElement[bool] = key.column < value if key.is_falling else key.column > value
    return found


def position(card: Any, order: Sequence[Key]) -> str:
    """Say in a part of an address where a card stands: 2.31.1773133200000000.57."""
    return ".".join(str(_number(getattr(card, key.name))) for key in order)


def read_position(text: str, order: Sequence[Key]) -> dict[str, Any] | None:
    """Read what position wrote as the values of beyond; nothing where it is not one of this order."""
    parts = text.split(".")
    if len(parts) != len(order) or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        return None
    values: dict[str, Any] = {}
    for key, number in zip(order, map(int, parts), strict=True):
        if number > (1 if key is PINNED else LATEST if _is_time(key) else ALL):
            return None
        values[f"after_{key.name}"] = BEGINNING + timedelta(microseconds=number) if _is_time(key) else number
    return values


def _is_time(key: Key) -> bool:
    return isinstance(key.column.type, UtcDateTime)


def _number(value: int | datetime) -> int:
    return (value - BEGINNING) // timedelta(microseconds=1) if isinstance(value, datetime) else int(value)
