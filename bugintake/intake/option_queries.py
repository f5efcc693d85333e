"""Reading the lists of the catalogue as those who keep them do: a page at a time, and what happened to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import catalogue
from bugintake.intake.catalogue import key_of
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option
from bugintake.team import people
from bugintake.team.models import User

ROWS_SHOWN = 100


@dataclass(frozen=True)
class Wanted:
    """Which choices of a list to show: those with these words, those that lack what customers read in a language."""

    text: str = ""
    lacks: Sequence[str] = ()


class Place(NamedTuple):
    """One choice that is offered, and its place in the list, counted from 1."""

    number: int
    option: Option


def offered(kind: str, wanted: Wanted, *, start: int, size: int) -> list[Place]:
    """List the choices that are offered, in order, with their places."""
    order = (Option.is_unsure, Option.position, Option.id)
    number = sa.func.row_number().over(partition_by=Option.is_unsure, order_by=order)
    every = sa.select(Option.id, number.label("number")).where(*_is_offered(kind)).subquery()
    query = sa.select(every.c.number, Option).join(every, every.c.id == Option.id)
    query = query.where(*_is_wanted(wanted)).order_by(*order)
    return [Place(*row) for row in db.session.execute(query.offset(start).limit(size))]


def lacking_count(kind: str, languages: Sequence[str]) -> int:
    """Count the choices for which customers read the team's word, because nobody wrote one in their language."""
    query = sa.select(sa.func.count(Option.id)).where(*_is_offered(kind), *_is_wanted(Wanted(lacks=languages)))
    return db.session.scalar(query) or 0


def retired(kind: str, *, size: int) -> Sequence[Option]:
    """List the latest choices that are no longer offered."""
    is_retired = (Option.list == kind, Option.retired_at.is_not(None))
    stands = (Option.merged_into_id.is_(None), Option.proposed_at.is_(None))
    query = sa.select(Option).where(*is_retired, *stands).order_by(Option.retired_at.desc(), Option.id.desc())
    return db.session.scalars(query.limit(size)).all()


def _is_offered(kind: str) -> tuple[sa.ColumnElement[bool], ...]:
    return Option.list == kind, Option.retired_at.is_(None)


def _is_wanted(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.text:
        key = key_of(wanted.text)
        aliases = sa.cast(Option.aliases, sa.Text)
        conditions.append(
            sa.or_(Option.label_key.contains(key, autoescape=True), aliases.contains(key, autoescape=True))
        )
    if wanted.lacks:
        words = [sa.func.coalesce(Option.labels[language].as_string(), "") for language in wanted.lacks]
        conditions.append(sa.or_(*(each == "" for each in words)))
    return conditions


# --- What happened to a choice or a list -------------------------------------------------------------------------

FIELDS = {
    "label": "name",
    "aliases": "other names",
    "labels": "what customers read",
    "hint": "few words",
    "deadline_minutes": "deadline",
    "owner_id": "owner",
    "intended": "intended behaviour",
    "is_intended": "whether it works as intended",
    "position": "place",
    "retired_at": "whether it is offered",
    "is_required": "whether it is required",
    "grows": "whether it grows",
    "area_ids": "areas",
}
WORDS = {
    EventKind.OPTION_ADDED: "added it",
    EventKind.OPTION_RETIRED: "retired it",
    EventKind.OPTION_PROPOSED: "used it in a report, while it was not listed",
    EventKind.OPTION_ACCEPTED: "put it on the list",
    EventKind.OPTION_DECLINED: "declined it: what had it has {after} now",
    EventKind.OPTION_MERGED: "merged it into {after}",
    EventKind.OPTION_UNMERGED: "took the merge into {before} back",
    EventKind.AREA_ROTATION_CHANGED: "let {after} answer for its bugs",
    EventKind.LIST_ADDED: "added it",
    EventKind.LIST_RETIRED: "retired it",
    EventKind.RELEASE_LIVE: "said that it is live",
    EventKind.RELEASE_WITHDRAWN: "said that it is not live",
}
WORDS_INTO = {
    EventKind.OPTION_DECLINED: "declined {before}: what had it has this now",
    EventKind.OPTION_MERGED: "merged {before} into it",
    EventKind.OPTION_UNMERGED: "took the merge of {after} back",
}


class Change(NamedTuple):
    """One field, what it was and what it became."""

    field: str
    was: str
    now: str


@dataclass(frozen=True)
class Line:
    """One line of the history of a choice or a list."""

    who: str
    words: str
    at: datetime
    changes: Sequence[Change] = ()
    moved: Mapping[str, int] | None = None


def history(option: Option, *, start: int, size: int) -> list[Line]:
    """Read everything that happened to a choice, and what was merged into it, the latest first."""
    into = sa.and_(Event.kind.in_(WORDS_INTO), Event.details["into"].as_integer() == option.id)
    query = sa.select(Event, User.name).outerjoin(User, User.id == Event.actor_id)
    query = query.where(sa.or_(Event.option_id == option.id, into)).order_by(Event.id.desc())
    return [_line(event, name, option.id) for event, name in db.session.execute(query.offset(start).limit(size))]


def history_of_list(found: FurtherList, *, start: int, size: int) -> list[Line]:
    """Read everything that happened to a further list itself, the latest first."""
    kinds = (EventKind.LIST_ADDED, EventKind.LIST_CHANGED, EventKind.LIST_RETIRED)
    query = sa.select(Event, User.name).outerjoin(User, User.id == Event.actor_id).where(Event.kind.in_(kinds))
    query = query.where(Event.details["list"].as_integer() == found.id).order_by(Event.id.desc())
    return [_line(event, name, None) for event, name in db.session.execute(query.offset(start).limit(size))]


def _line(event: Event, name: str | None, option_id: int | None) -> Line:
    who = name or "bugintake"
    if event.kind in (EventKind.OPTION_CHANGED, EventKind.LIST_CHANGED):
        return Line(who, "changed it", event.at, [_change(each, event.details) for each in event.details["changed"]])
    words = WORDS[event.kind] if event.option_id == option_id else WORDS_INTO[event.kind]
    said = words.format(before=f"“{event.before}”", after=f"“{event.after}”")
    return Line(who, said, event.at, moved=event.details.get("moved"))


def _change(field: str, details: Mapping[str, Any]) -> Change:
    was, now = (details.get(part, {}).get(field) for part in ("was", "now"))
    if field == "retired_at":
        was, now = "retired", "offered"
    return Change(FIELDS[field], _said(field, was), _said(field, now))


def _said(field: str, value: Any) -> str:
    if field == "owner_id" and value:
        return people.names()[value].name
    if field == "area_ids":
        labels = [catalogue.names().choices[area_id].label for area_id in value or ()]
        return ", ".join(labels) or "all areas"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{language}: {words}" for language, words in sorted(value.items())) or "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return str(value) if value not in (None, "") else "–"
