"""Reading the board and the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.events import Event
from bugintake.intake.models import OPEN, Bug, Customer, Option, Report, Status
from bugintake.intake.queries import visible_to
from bugintake.team.models import User

CARDS_SHOWN = 100
ROWS_SHOWN = 50
CLOSED_SHOWN = 20
CLOSED_WITHIN = timedelta(days=7)


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
        return cls(
            area=_number(args.get("area")),
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

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Say these filters in SQL."""
        found: list[sa.ColumnElement[bool]] = []
        if self.area is not None:
            found.append(Bug.area_id == self.area)
        if self.owner is not None:
            found.append(Bug.owner_id == self.owner)
        if self.waiting is not None:
            found.append(Bug.waiting_count >= self.waiting)
        if self.came_back:
            found.append(Bug.came_back_at.is_not(None))
        if self.text:
            found.append(Bug.title.icontains(self.text, autoescape=True))
        return found


@dataclass(frozen=True)
class Card:
    """One bug as the board and lists show it."""

    id: int
    title: str
    status: Status
    area: str
    impact_rank: int
    impact: str
    waiting: int
    filed_at: datetime
    status_since_at: datetime
    came_back_at: datetime | None
    is_restricted: bool
    owner_id: int | None
    owner: str | None
    release: str | None
    changed_at: datetime

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
    """Select cards of bugs that stand for themselves, worst first, then most waited for, then oldest."""
    area, impact, release = aliased(Option), aliased(Option), aliased(Option)
    return (
        sa.select(
            Bug.id,
            Bug.title,
            Bug.status,
            area.label,
            Bug.impact_rank,
            impact.label,
            Bug.waiting_count,
            Bug.filed_at,
            Bug.status_since_at,
            Bug.came_back_at,
            Bug.is_restricted,
            Bug.owner_id,
            User.name,
            release.label,
            Bug.changed_at,
        )
        .join(area, area.id == Bug.area_id)
        .join(impact, impact.id == Bug.impact_id)
        .outerjoin(release, release.id == Bug.release_id)
        .outerjoin(User, User.id == Bug.owner_id)
        .where(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), *conditions)
        .order_by(Bug.impact_rank, Bug.waiting_count.desc(), Bug.filed_at, Bug.id)
    )


def board(filters: Filters, actor: User, more: Mapping[Status, int] | None = None) -> list[Column]:
    """Read the columns of all open bugs; `more` asks for further cards of a status. Columns add up to the open bugs."""
    seen = [visible_to(actor), *filters.conditions()]
    totals = _totals(seen)
    columns = []
    for status in OPEN:
        bug_count, people_count = totals.get(status, (0, 0))
        limit = max(CARDS_SHOWN, (more or {}).get(status, 0))
        found = db.session.execute(cards(Bug.status == status, *seen).limit(limit)).all()
        columns.append(Column(status, bug_count, people_count, [Card(*row) for row in found]))
    return columns


def closed(filters: Filters, actor: User) -> dict[Status, list[Card]]:
    """Read what became live or was declined in the last seven days, the newest first."""
    found: dict[Status, list[Card]] = {}
    for status in (Status.LIVE, Status.DECLINED):
        query = cards(
            Bug.status == status,
            Bug.changed_at > clock.now() - CLOSED_WITHIN,
            Bug.status_since_at > clock.now() - CLOSED_WITHIN,
            visible_to(actor),
            *filters.conditions(),
        )
        newest = query.order_by(None).order_by(Bug.changed_at.desc(), Bug.id.desc()).limit(CLOSED_SHOWN)
        found[status] = [Card(*row) for row in db.session.execute(newest)]
    return found


def version_of_board(filters: Filters, actor: User) -> tuple[int, datetime | None]:
    """Tell whether the board changed: the number of open bugs, and when one of all bugs last did."""
    newest = sa.select(sa.func.max(Bug.changed_at)).scalar_subquery()
    last_event = sa.select(sa.func.max(Event.id)).scalar_subquery()
    row = db.session.execute(sa.select(last_event, newest)).one()
    return row[0] or 0, row[1]


def _totals(conditions: Sequence[sa.ColumnElement[bool]]) -> dict[Status, tuple[int, int]]:
    query = (
        sa.select(Bug.status, sa.func.count(), sa.func.coalesce(sa.func.sum(Bug.waiting_count), 0))
        .where(Bug.status.in_(OPEN), Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), *conditions)
        .group_by(Bug.status)
    )
    return {status: (count, int(people)) for status, count, people in db.session.execute(query)}


def listed(filters: Filters, statuses: Sequence[Status], actor: User, after: int | None = None) -> Sequence[Card]:
    """Read one page of bugs of some statuses, the newest first, older than the bug with the number `after`."""
    query = cards(Bug.status.in_(statuses), visible_to(actor), *filters.conditions())
    if after is not None:
        query = query.where(Bug.id < after)
    found = db.session.execute(query.order_by(None).order_by(Bug.id.desc()).limit(ROWS_SHOWN + 1)).all()
    return [Card(*row) for row in found]


def languages_waiting(bug: Bug) -> dict[str, int]:
    """Count the people who wait for a bug by the language they read."""
    part = aliased(Bug)
    query = (
        sa.select(Customer.language, sa.func.count(sa.distinct(Customer.id)))
        .join(Report, Report.customer_id == Customer.id)
        .join(part, part.id == Report.bug_id)
        .where(part.canonical_id == bug.id, Report.settled_at.is_(None))
        .group_by(Customer.language)
        .order_by(sa.func.count(sa.distinct(Customer.id)).desc(), Customer.language)
    )
    return dict(db.session.execute(query).all())


def colleagues() -> Sequence[User]:
    """List everybody who works here now, by name."""
    return db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.name)).all()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
