"""Narrowing in SQL: what each filter selects, and which way a statement finds it.

A statement is made once for each combination of names. There are two ways to what reports and words tell: to try each
bug in the order of the page until there are enough, or, of what few have, to collect those few first. Either costs
little where the other would read every bug.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import cache, reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core.db import UtcDateTime, db, rows
from bugintake.core.forms import zone_or_utc
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, Question, Report, SettledBy, Status
from bugintake.intake.queries import VISIBLE_TO_READER, in_sight_of_reader
from bugintake.intake.word_index import BugWords, all_of, before_latest, hits_of_all
from bugintake.team.models import Role, User
from bugintake.triage.filters import LISTS, ME, NOBODY, Filters
from bugintake.triage.looking import today_of
from bugintake.triage.phrases import Phrases

LATEST, ENOUGH_REPORTS, ENOUGH_BUGS = 1000, 40, 60  # so many among the latest bugs soon fill a page of fifty
MOST = 20_000

_EDGE, _NOTHING = sa.literal_column("' '", sa.Text), sa.literal_column("0", sa.Integer)
_part, _other = aliased(Bug), aliased(Bug)
_ASKED = (
    sa.select(_part.canonical_id)
    .join(Report, Report.bug_id == _part.id)
    .join(Question, Question.report_id == Report.id)
    .where(Question.answered_at.is_(None))
)
NARROWED: Mapping[str, sa.ColumnElement[bool]] = {
    "area": Bug.area_id == sa.bindparam("area"),
    "areas": Bug.area_id.in_(sa.bindparam("areas", expanding=True)),
    # The same where many bugs are in one of them, hidden from the index: SQLite would sort all of these.
    "common_areas": (Bug.area_id + _NOTHING).in_(sa.bindparam("common_areas", expanding=True)),
    "impact": Bug.impact_id.in_(sa.bindparam("impact", expanding=True)),
    "owner": Bug.owner_id == sa.bindparam("owner"),
    "nobody": Bug.owner_id.is_(None),
    "filed_by": Bug.filed_by_id == sa.bindparam("filed_by"),
    "waiting": Bug.waiting_count >= sa.bindparam("waiting"),
    "came_back": Bug.came_back_at.is_not(None),
    "asked": Bug.id.in_(_ASKED),
    "snoozed": Bug.snoozed_until > sa.bindparam("snoozed", type_=sa.Date()),
    "restricted": Bug.is_restricted.is_(True),
    # The same for a list, which goes through all bugs: an index of their own tells which few they are.
    "those_waiting": Bug.id.in_(
        sa.select(_other.id).where(_other.status.in_(Status), _other.waiting_count >= sa.bindparam("those_waiting"))
    ),
    "those_came_back": Bug.id.in_(sa.select(_other.id).where(_other.came_back_at.is_not(None))),
    "those_restricted": Bug.id.in_(sa.select(_other.id).where(_other.is_restricted.is_(True))),
    "since": Bug.filed_at >= sa.bindparam("since", type_=UtcDateTime()),
    "until": Bug.filed_at < sa.bindparam("until", type_=UtcDateTime()),
    "reader": VISIBLE_TO_READER,
}
"""What a board or list can be narrowed to by the columns of a bug."""

TOLD: Mapping[str, Callable[[Any], sa.ColumnElement[bool]]] = {
    "platform": lambda column: column.in_(sa.bindparam("platform", expanding=True)),
    "version": lambda column: column.in_(sa.bindparam("version", expanding=True)),
    "customer": lambda column: column == sa.bindparam("customer"),
    "account": lambda column: column == sa.bindparam("account"),
    "plan": lambda column: column.in_(sa.select(Account.id).where(Account.plan == sa.bindparam("plan"))),
}
COLUMNS: Mapping[str, Any] = {
    "platform": Report.platform_id,
    "version": Report.version_id,
    "account": Customer.account_id,
    "plan": Customer.account_id,
    "customer": Report.customer_id,
}
"""What one report of a bug has."""
OF_THE_COMPANY = frozenset(("account", "plan"))
FEW_TOLD, FEW_SAY = "few_told", {"sqlite": "few_say_in_sqlite", "postgresql": "few_say_in_postgresql"}
THOSE = {name: f"those_{name}" for name in ("waiting", "came_back", "restricted")}
FEW = frozenset((*THOSE.values(), FEW_TOLD, *FEW_SAY.values(), "asked", "owner", "filed_by"))
"""Names that leave few bugs, which are put in order once they are found."""


def of_board(filters: Filters, actor: User) -> dict[str, Any]:
    """Say what a board is narrowed to as the values of a statement; it tries each open bug."""
    return _values(filters, actor)


def of_list(filters: Filters, actor: User) -> dict[str, Any]:
    """Say what a list is narrowed to as the values of a statement, and which way it finds what is asked for."""
    values = _values(filters, actor)
    values = {THOSE.get(name, name): value for name, value in values.items()}
    told, terms = sorted(values.keys() & TOLD.keys()), Phrases.of(filters.text).terms
    # A page is soon filled by trying the latest bugs one by one where enough of them have it; else few are collected.
    if told or "areas" in values:
        before = (rows(sa.select(sa.func.max(Bug.id)))[0][0] or 0) - LATEST
        areas = {"areas": values["areas"], "enough": ENOUGH_REPORTS} if "areas" in values else {}
        if areas and rows(_LATEST_IN_AREAS, before=before, **areas)[0][0] == ENOUGH_REPORTS:
            values["common_areas"] = values.pop("areas")
        if any(rows(_latest(name), before=before, **{name: values[name]})[0][0] < ENOUGH_REPORTS for name in told):
            values[FEW_TOLD] = True
    if terms:
        every, count = all_of(terms), sa.select(sa.func.count()).select_from(hits_of_all())
        if rows(count, every=every, beyond=before_latest(), most=ENOUGH_BUGS)[0][0] < ENOUGH_BUGS:
            values |= {FEW_SAY[db.engine.dialect.name]: True, "every": every, "beyond": 0, "most": MOST}
    return values


def finds_few(names: frozenset[str]) -> bool:
    """Whether what is asked for leaves few bugs, which an index names."""
    return not names.isdisjoint(FEW)


def _values(filters: Filters, actor: User) -> dict[str, Any]:
    chosen = {kind.value: getattr(filters, kind) for kind in LISTS if getattr(filters, kind)}
    given: dict[str, Any] = {name: list(ids) for name, ids in chosen.items()}
    if len(filters.area) == 1:
        given["area"] = filters.area[0]
    elif filters.area:
        given["areas"] = given.pop("area")
    if filters.owner == NOBODY:
        given["nobody"] = True
    elif filters.owner:
        given["owner"] = _person(filters.owner, actor)
    if filters.filed_by:
        given["filed_by"] = _person(filters.filed_by, actor)
    given |= {
        "customer": filters.customer,
        "account": filters.account,
        "plan": filters.plan or None,
        "waiting": filters.waiting,
    }
    given |= {mark: getattr(filters, mark) or None for mark in ("came_back", "asked", "restricted")}
    given["snoozed"] = today_of(actor) if filters.snoozed else None
    given |= {"since": _begin(filters.since, actor), "until": _end(filters.until, actor)}
    given |= _words(filters.text)
    if not actor.can(Role.LEAD):
        given["reader"] = actor.id
    return {name: value for name, value in given.items() if value is not None}


def _person(who: str, actor: User) -> int:
    return actor.id if who == ME else int(who)


def _begin(day: date | None, actor: User) -> datetime | None:
    return datetime.combine(day, time(), zone_or_utc(actor.zone)) if day is not None else None


def _end(day: date | None, actor: User) -> datetime | None:
    return _begin(day + timedelta(days=1), actor) if day is not None and day < date.max else None


def _words(text: str) -> dict[str, Any]:
    words = Phrases.of(text)
    return {f"word{place}": f" {words} " for place, words in enumerate((*words.single, *words.several))}


_IN_AREAS = sa.select(Bug.id).where(Bug.id > sa.bindparam("before"), NARROWED["areas"])
_LATEST_IN_AREAS = sa.select(sa.func.count()).select_from(_IN_AREAS.limit(sa.bindparam("enough")).subquery())


@cache
def _latest(name: str) -> sa.Select[int]:
    found = sa.select(Report.bug_id).where(Report.bug_id > sa.bindparam("before"), _tried(name)).limit(ENOUGH_REPORTS)
    return sa.select(sa.func.count()).select_from(found.subquery())


def conditions(names: frozenset[str]) -> list[sa.ColumnElement[bool]]:
    """Select the bugs that are narrowed to some names, with their values as parameters."""
    found = [NARROWED[name] for name in sorted(names & NARROWED.keys())]
    told = names & TOLD.keys()
    if told:
        found.append(_told_by_few(told) if FEW_TOLD in names else _told_by_it(told))
    words = sorted(name for name in names if name.startswith("word"))
    if words:
        found.append(_says(words, names) if names.isdisjoint(FEW_SAY.values()) else _few_say(words, names))
    return found


def _told_by_it(names: frozenset[str]) -> sa.ColumnElement[bool]:
    part = aliased(Bug)
    query = sa.select(Report.id).join(part, part.id == Report.bug_id).where(*map(_tried, sorted(names)), _counts())
    return _is_any(query.where(part.canonical_id == Bug.id))


def _tried(name: str) -> sa.ColumnElement[bool]:
    """Try one report, by no index of what it tells: that would go through the reports of all bugs."""
    if name in OF_THE_COMPANY:
        company = sa.select(Customer.account_id).where(Customer.id == Report.customer_id).correlate(Report)
        return TOLD[name](company.scalar_subquery())
    return TOLD[name](COLUMNS[name] + _NOTHING)


def _told_by_few(names: frozenset[str]) -> sa.ColumnElement[bool]:
    part = aliased(Bug)
    told = sa.select(Report.bug_id).where(*(TOLD[name](COLUMNS[name]) for name in sorted(names)), _counts())
    if names & OF_THE_COMPANY:
        told = told.join(Customer, Customer.id == Report.customer_id)
    return _is_among(sa.select(part.canonical_id).where(part.id.in_(told)), "few_told")


def _counts() -> sa.ColumnElement[bool]:
    return sa.or_(Report.settled_by.is_(None), Report.settled_by.not_in((SettledBy.WITHDRAWN, SettledBy.MERGED)))


def _says(words: list[str], names: frozenset[str]) -> sa.ColumnElement[bool]:
    part = aliased(Bug)
    query = sa.select(part.id).join(BugWords, BugWords.bug_id == part.id).where(*_heard(part, names), *_hold(words))
    return _is_any(query.where(part.canonical_id == Bug.id))


def _few_say(words: list[str], names: frozenset[str]) -> sa.ColumnElement[bool]:
    part, hits = aliased(Bug), hits_of_all(of_few=True)
    query = sa.select(part.canonical_id).join(hits, hits.c.bug_id == part.id)
    query = query.join(BugWords, BugWords.bug_id == part.id).where(*_heard(part, names), *_hold(words))
    return _is_among(query, "few_say")


def _heard(part: type[Bug], names: frozenset[str]) -> list[sa.ColumnElement[bool]]:
    """Leave out what was merged while it was hidden from the reader, and what was taken back."""
    return [part.withdrawn_at.is_(None), *([in_sight_of_reader(part)] if "reader" in names else [])]


def _hold(words: list[str]) -> list[sa.ColumnElement[bool]]:
    parts = (BugWords.title, BugWords.told, BugWords.said)
    said = reduce(operator.add, (_EDGE + part + _EDGE for part in parts))
    return [said.contains(sa.bindparam(word, type_=sa.Text())) for word in words]


def _is_among(query: sa.Select[Any], name: str) -> sa.ColumnElement[bool]:
    """Collect the few first: left to itself, PostgreSQL may go through all bugs and look for each among them."""
    few = query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")
    return Bug.id.in_(sa.select(few.c.canonical_id))


def _is_any(query: sa.Select[Any]) -> sa.ColumnElement[bool]:
    """Ask for one row at each bug: an EXISTS would let PostgreSQL read all of them at once."""
    return query.correlate(Bug).limit(1).scalar_subquery().is_not(None)
