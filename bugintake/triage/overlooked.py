"""What a lead looks after: bugs that nobody has or can have now, that nobody looked at in time, that are waited for."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core import clock
from bugintake.core.db import UtcDateTime, rows
from bugintake.core.kept import kept_with_bugs
from bugintake.duty.models import Absence
from bugintake.intake import catalogue
from bugintake.intake.models import OPEN, Bug, OptionList, Report, Status
from bugintake.team.models import User
from bugintake.team.workspace import working_hours
from bugintake.triage import area_duty, owners
from bugintake.triage.looking import today_of
from bugintake.triage.queries import ROWS_SHOWN, Card, cards, read_cards
from bugintake.triage.queue import IS_ASLEEP

TOO_LONG = timedelta(weeks=2)
AT_WORK = (Status.NEW, Status.NEEDS_INFO, Status.ACCEPTED, Status.IN_PROGRESS)


class Lack(enum.StrEnum):
    """What a bug lacks."""

    OWNER = "owner"
    LOOK = "look"
    ANSWER = "answer"

    @property
    def label(self) -> str:
        """The list's name."""
        return LABELS[self]


LABELS = {
    Lack.OWNER: "Nobody has it",
    Lack.LOOK: "New and past the deadline",
    Lack.ANSWER: "Waiting longest",
}


@dataclass(frozen=True)
class Counts:
    """How many bugs are on each list, and on any of them."""

    by_lack: Mapping[Lack, int]
    total: int


@dataclass(frozen=True)
class Limits:
    """What the lists are drawn from: the last arrival that is late, for each impact, and whether somebody stands in.

    `covered` are the areas for which somebody does by a rotation of their own.

    Beside the instant stands the last day whose work began by then: what was snoozed arrived when its day began.
    """

    latest: tuple[tuple[int, datetime, date], ...]
    is_nobody_there: bool
    covered: tuple[int, ...]

    @property
    def values(self) -> dict[str, Any]:
        """The values of the statements."""
        arrivals = {f"latest_{rank}": at for rank, at, _day in self.latest}
        days = {f"latest_day_{rank}": day for rank, _at, day in self.latest}
        return {
            **arrivals,
            **days,
            "too_long": clock.now() - TOO_LONG,
            "now": clock.now(),
            "covered": list(self.covered),
        }

    @property
    def shape(self) -> tuple[tuple[int, ...], bool]:
        """What the statements themselves depend on."""
        return tuple(rank for rank, _at, _day in self.latest), self.is_nobody_there


def counted(viewer: User) -> Counts:
    """Count the bugs on each list for a lead, who sees every bug; asked once a minute while nothing happens."""
    return _counted(clock.now().replace(second=0, microsecond=0), today_of(viewer).isoformat())


@kept_with_bugs
def _counted(_minute: datetime, today: str) -> Counts:
    limits = _limits()
    values = {**limits.values, "today": datetime.fromisoformat(today).date()}
    *each, total = rows(_count(*limits.shape), **values)[0]
    return Counts(dict(zip(Lack, each, strict=True)), total)


def listed(lack: Lack, viewer: User, *, start: int) -> list[Card]:
    """Read one page of a list, and one more: the worst first, the oldest first, or who waits longest first."""
    limits = _limits()
    statement = _listed(lack, *limits.shape)
    return read_cards(statement, **limits.values, today=today_of(viewer), start=start)


def waiting_since(bug_ids: Sequence[int]) -> dict[int, datetime]:
    """Tell since when somebody waits for each of some bugs."""
    return {row[0]: row[1] for row in rows(_SINCE, bugs=list(bug_ids))}


def _limits() -> Limits:
    hours, now = working_hours(), clock.now()
    impacts = [choice for choice in catalogue.names().choices.values() if choice.list == OptionList.IMPACT]
    minutes = {impact.position: impact.deadline_minutes for impact in impacts}
    starts = {rank: hours.latest_start(now, allowed) for rank, allowed in minutes.items() if allowed is not None}
    latest = [(rank, at, hours.last_begun(at)) for rank, at in sorted(starts.items())]
    opens = hours.next_open(now)
    return Limits(tuple(latest), owners.stand_in(opens) is None, tuple(area_duty.covered(opens)))


def _lacks(ranks: tuple[int, ...], is_nobody_there: bool) -> dict[Lack, sa.ColumnElement[bool]]:
    """Say in SQL what is on each list. At night nobody is on duty; what counts is who is when work begins."""
    now = sa.bindparam("now", type_=UtcDateTime())
    away = (Absence.taken_back_at.is_(None), Absence.starts_at <= now, Absence.ends_at > now)
    gone = sa.or_(
        Bug.owner_id.in_(sa.select(User.id).where(User.disabled_at.is_not(None))),
        Bug.owner_id.in_(sa.select(Absence.user_id).where(*away)),
    )
    is_covered = Bug.area_id.in_(sa.bindparam("covered", expanding=True))
    nobodys = sa.or_(gone, sa.and_(Bug.owner_id.is_(None), ~is_covered)) if is_nobody_there else gone
    part = aliased(Bug)
    is_old = Report.filed_at <= sa.bindparam("too_long", type_=UtcDateTime())
    waits = (Report.customer_id.is_not(None), Report.settled_at.is_(None), is_old)
    return {
        Lack.OWNER: sa.and_(Bug.status.in_(AT_WORK), nobodys),
        Lack.LOOK: sa.and_(
            Bug.status == Status.NEW, ~_sleeps(), sa.or_(sa.false(), *(_is_late(rank) for rank in ranks))
        ),
        Lack.ANSWER: sa.and_(
            Bug.waiting_count > 0, sa.exists().where(part.canonical_id == Bug.id, Report.bug_id == part.id, *waits)
        ),
    }


def _is_late(rank: int) -> sa.ColumnElement[bool]:
    """Say that a bug of an impact was in the duty queue for too long: since it was filed, or got there again."""
    latest = sa.bindparam(f"latest_{rank}", type_=UtcDateTime())
    day = sa.bindparam(f"latest_day_{rank}", type_=sa.Date())
    again = [sa.or_(at.is_(None), at <= latest) for at in (Bug.came_back_at, Bug.news_at)]
    woke = sa.or_(Bug.snoozed_until.is_(None), Bug.snoozed_until <= day)
    return sa.and_(Bug.impact_rank == rank, Bug.filed_at <= latest, *again, woke)


def _sleeps() -> sa.ColumnElement[bool]:
    return sa.and_(Bug.snoozed_until.is_not(None), IS_ASLEEP)


@cache
def _count(ranks: tuple[int, ...], is_nobody_there: bool) -> sa.Select[*tuple[Any, ...]]:
    lacks = _lacks(ranks, is_nobody_there)
    counts = [sa.func.count().filter(lack) for lack in (*lacks.values(), sa.or_(*lacks.values()))]
    open_ones = (Bug.status.in_(OPEN), Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None))
    return sa.select(*counts).select_from(Bug).where(*open_ones)


@cache
def _listed(lack: Lack, ranks: tuple[int, ...], is_nobody_there: bool) -> sa.Select[*tuple[Any, ...]]:
    found = cards(Bug.status.in_(OPEN), _lacks(ranks, is_nobody_there)[lack])
    order: dict[Lack, tuple[Any, ...]] = {
        Lack.OWNER: (Bug.impact_rank, Bug.waiting_count.desc(), Bug.filed_at),
        Lack.LOOK: (Bug.filed_at,),
        Lack.ANSWER: (_since(Bug.id).scalar_subquery(),),
    }
    return found.order_by(*order[lack], Bug.id).offset(sa.bindparam("start")).limit(ROWS_SHOWN + 1)


def _since(bug_id: Any) -> sa.Select[datetime]:
    part = aliased(Bug)
    waits = (Report.customer_id.is_not(None), Report.settled_at.is_(None))
    return (
        sa.select(sa.func.min(Report.filed_at))
        .join(part, part.id == Report.bug_id)
        .where(part.canonical_id == bug_id, *waits)
    )


_PART = aliased(Bug)
_SINCE = (
    sa.select(_PART.canonical_id, sa.func.min(Report.filed_at))
    .join(_PART, _PART.id == Report.bug_id)
    .where(_PART.canonical_id.in_(sa.bindparam("bugs", expanding=True)))
    .where(Report.customer_id.is_not(None), Report.settled_at.is_(None))
    .group_by(_PART.canonical_id)
)
