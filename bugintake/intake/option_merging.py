"""Merging choices: one becomes another name of the other, what chose it follows, and can be given back for 30 days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import Model, changed, db, hold, one_at_a_time, update_one
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import catalogue
from bugintake.intake.catalogue import key_of
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Bug, Option, OptionList, Remark
from bugintake.intake.option_models import MovedRow, OptionMerge
from bugintake.team.models import User

UNDO_WITHIN = timedelta(days=30)
SHOWN = 50
STAYS = frozenset({"options.merged_into_id", "option_merges.option_id", "option_merges.into_id", "events.option_id"})
REMARKS = "remarks.choices"
INHERITED: dict[str, Any] = {"intended": "", "owner_id": None}  # what a choice takes over that has nothing of it
# What chooses anew for a bug, so that it no longer goes back with a merge; an edit says in `field` what it chose.
CHOSEN_ANEW = {"release_id": EventKind.BUG_FIXED, "decline_reason_id": EventKind.BUG_DECLINED}


@dataclass(frozen=True)
class Effect:
    """What merging would do: how many rows follow, by table, and the words that the other choice gains."""

    moved: dict[str, int]
    aliases: Sequence[str]

    @property
    def bugs(self) -> int:
        """How many bugs follow."""
        return self.moved.get("bugs", 0)

    @property
    def reports(self) -> int:
        """How many reports follow."""
        return self.moved.get("reports", 0) + self.moved.get("report_choices", 0)

    @property
    def others(self) -> int:
        """How many rows follow besides: remarks, and lists that are asked for an area."""
        return sum(self.moved.values()) - self.bugs - self.reports


def places(kind: str) -> list[sa.Column[Any]]:
    """List the columns that may hold a choice of a list, by what the tables say, so that none is forgotten.

    What happened to a choice stays its own. A column that is named after a built-in list holds only that one's.
    """
    others = {f"{other}_id" for other in OptionList} - {f"{kind}_id"}
    found = [
        key.parent
        for table in Model.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table is Option.__table__ and f"{table.name}.{key.parent.name}" not in STAYS
    ]
    return sorted((column for column in found if column.name not in others), key=str)


def check(option: Option, into: Option) -> None:
    """Raise Conflict, saying why, where a choice cannot become another one."""
    if option.id == into.id:
        raise Conflict(f"{option.label} cannot be merged into itself. Choose another one.")
    if option.list != into.list:
        raise Conflict(f"{option.label} and {into.label} are of different lists.")
    if option.merged_into_id is not None:
        raise Conflict(f"{option.label} was merged into {catalogue.standing_for(option).label} already.")
    catalogue.check_stands(into)
    if into.retired_at is not None and option.retired_at is None:
        raise Conflict(f"{into.label} is no longer offered. Offer it again first, or choose another one.")
    if option.is_unsure:
        raise Conflict(f"“{option.label}” says that nobody knows: it is not another name of something.")
    if into.is_unsure and db.session.scalar(sa.select(Bug.id).where(Bug.release_id == option.id).limit(1)):
        raise Conflict(f"Bugs are fixed in {option.label}, and no fix is released in “{into.label}”.")
    _check_live(option, into)


def effect(option: Option, into: Option) -> Effect:
    """Count what would follow. Raises Conflict as check."""
    check(option, into)
    moved: dict[str, int] = {}
    for column in places(option.list):
        count = sa.select(sa.func.count()).select_from(column.table).where(column == option.id)
        moved[column.table.name] = moved.get(column.table.name, 0) + (db.session.scalar(count) or 0)
    moved["remarks"] = len(_remarks_with(option))
    moved["lists"] = len(_lists_with(option))
    return Effect(moved, _new_aliases(option, into))


def merge(option: Option, into: Option, *, actor: User, keeps_word: bool = True) -> OptionMerge:
    """Let one choice mean another from now on: reports, bugs and whatever else chose it follow, in this transaction.

    With `keeps_word` its words find the other one from now on; without, a proposed word is declined. Records
    option.merged or option.declined with how many rows moved. Raises Conflict as check.
    """
    one_at_a_time(f"option {option.list}")
    _hold(option, into)
    check(option, into)
    gained = _gained(option, into) if keeps_word else {}
    found = OptionMerge(
        option_id=option.id, into_id=into.id, merged_by_id=actor.id, was_retired_at=option.retired_at, gained=gained
    )
    db.session.add(found)
    db.session.flush()
    moved = {}
    for column in places(option.list):
        moved[str(column)] = _move(found, column, into)
    moved[REMARKS] = _move_remarks(found, option, into)
    found.lists = _move_lists(option, into)
    option.merged_into_id, option.retired_at = into.id, option.retired_at or clock.now()
    into.aliases = [*into.aliases, *gained.get("aliases", ())]
    for name in gained.keys() & INHERITED.keys():
        setattr(into, name, gained[name])
    kind = EventKind.OPTION_MERGED if keeps_word else EventKind.OPTION_DECLINED
    counts = {place: count for place, count in moved.items() if count}
    what: dict[str, Any] = {"merge": found.id, "into": into.id, "moved": counts}
    event = events.record(kind, actor=actor, option=option, before=option.label, after=into.label, **what)
    found.event_id = event.id
    db.session.flush()
    db.session.expire_all()
    return found


def undo(found: OptionMerge, *, actor: User) -> None:
    """Take a merge back: exactly the rows that moved and were not chosen anew since return. Records option.unmerged.

    Raises Conflict after 30 days, where it was taken back already, where the other choice was itself merged since,
    where its label belongs to another choice by now, and where one of two versions went live since.
    """
    option, into = found.option, found.into
    one_at_a_time(f"option {option.list}")
    _hold(into, option)
    if found.undone_at is not None:
        raise Conflict(f"{option.label} is a choice of its own again already.")
    if clock.now() - found.merged_at > UNDO_WITHIN:
        raise Conflict("That was more than 30 days ago. Add the choice again instead; its old reports stay here.")
    if into.merged_into_id is not None:
        raise Conflict(f"{into.label} was merged into {catalogue.standing_for(into).label} since. Undo that first.")
    same = catalogue.option_labelled(option.list, option.label)
    if same is not None:
        raise Conflict(f"The list has another {same.label} by now. Rename that one first.")
    _check_live(option, into)
    moved = {str(column): _give_back(found, column, option, into) for column in places(option.list)}
    moved[REMARKS] = _give_back_remarks(found, option, into)
    _give_back_lists(found, option, into)
    option.merged_into_id, option.retired_at = None, found.was_retired_at
    into.aliases = [alias for alias in into.aliases if alias not in found.gained.get("aliases", ())]
    for name in found.gained.keys() & INHERITED.keys():
        if getattr(into, name) == found.gained[name]:
            setattr(into, name, INHERITED[name])
    found.undone_at = clock.now()
    counts = {place: count for place, count in moved.items() if count}
    what: dict[str, Any] = {"merge": found.id, "into": into.id, "moved": counts}
    kind = EventKind.OPTION_UNMERGED
    events.record(kind, actor=actor, option=option, before=into.label, after=option.label, **what)
    db.session.flush()
    db.session.expire_all()


def undoable(kind: str) -> Sequence[OptionMerge]:
    """List the merges of a list that can still be taken back, the latest first."""
    parts = [joinedload(each) for each in (OptionMerge.option, OptionMerge.into, OptionMerge.merged_by)]
    query = sa.select(OptionMerge).join(Option, Option.id == OptionMerge.option_id).where(Option.list == kind)
    query = query.where(OptionMerge.undone_at.is_(None), OptionMerge.merged_at >= clock.now() - UNDO_WITHIN)
    return db.session.scalars(query.options(*parts).order_by(OptionMerge.id.desc()).limit(SHOWN)).all()


def _check_live(option: Option, into: Option) -> None:
    live = next((each for each in (option, into) if each.live_since_at is not None), None)
    other = into if live is option else option
    if live is not None and other.live_since_at is None:
        raise Conflict(f"{live.label} is live and {other.label} is not: their bugs cannot stand in one release.")


def _hold(option: Option, into: Option) -> None:
    """Wait for those who are choosing the one, and let nobody change the other."""
    for each in (option, into):
        hold(each, is_leaving=each is option)


def _gained(option: Option, into: Option) -> dict[str, Any]:
    found: dict[str, Any] = {"aliases": list(_new_aliases(option, into))}
    for name in INHERITED:
        if getattr(option, name) and not getattr(into, name):
            found[name] = getattr(option, name)
    return found


def _new_aliases(option: Option, into: Option) -> Sequence[str]:
    known = {into.label_key, *(key_of(alias) for alias in into.aliases)}
    return [key for key in dict.fromkeys(map(key_of, (option.label, *option.aliases))) if key not in known]


def _values(column: sa.Column[Any], chosen: Option) -> dict[str, Any]:
    values: dict[str, Any] = {column.name: chosen.id}
    if column is Bug.__table__.c.impact_id:
        values["impact_rank"] = chosen.position
    return values


def _move(found: OptionMerge, column: sa.Column[Any], into: Option) -> int:
    keys = [*column.table.primary_key.columns, sa.literal(0)][:2]
    rows = sa.select(sa.literal(found.id), sa.literal(str(column)), *keys).where(column == found.option_id)
    db.session.execute(sa.insert(MovedRow).from_select(["merge_id", "place", "key", "second_key"], rows))
    change = sa.update(column.table).where(column == found.option_id).values(_values(column, into))
    return changed(change)


def _give_back(found: OptionMerge, column: sa.Column[Any], option: Option, into: Option) -> int:
    keys = column.table.primary_key.columns.values()
    moved = sa.select(*(MovedRow.key, MovedRow.second_key)[: len(keys)]).where(*_moved(found, str(column)))
    change = sa.update(column.table).where(column == into.id, sa.tuple_(*keys).in_(moved))
    if column.table is Bug.__table__:
        change = change.where(~_chosen_anew(found, column))
    return changed(change.values(_values(column, option)))


def _moved(found: OptionMerge, place: str) -> tuple[sa.ColumnElement[bool], ...]:
    return MovedRow.merge_id == found.id, MovedRow.place == place


def _chosen_anew(found: OptionMerge, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    is_edit = Event.details["field"].as_string() == column.name.removesuffix("_id")
    is_choice = sa.and_(Event.kind == EventKind.BUG_EDITED, is_edit)
    if column.name in CHOSEN_ANEW:
        is_choice = Event.kind == CHOSEN_ANEW[column.name]
    return sa.exists().where(Event.bug_id == column.table.c.id, Event.id > found.event_id, is_choice)


# --- What names a choice inside a document -----------------------------------------------------------------------


def _remarks_with(option: Option) -> dict[int, dict[str, Any]]:
    named = Remark.choices[option.list].as_integer() == option.id
    return {row[0]: row[1] for row in db.session.execute(sa.select(Remark.id, Remark.choices).where(named))}


def _write_remarks(remarks: dict[int, dict[str, Any]], chosen: Option) -> int:
    for key, choices in remarks.items():
        now = {**choices, chosen.list: chosen.id}
        update_one(sa.update(Remark).where(Remark.id == key).values(choices=now))
    return len(remarks)


def _move_remarks(found: OptionMerge, option: Option, into: Option) -> int:
    remarks = _remarks_with(option)
    if remarks:
        rows = [{"merge_id": found.id, "place": REMARKS, "key": key, "second_key": 0} for key in remarks]
        db.session.execute(sa.insert(MovedRow), rows)
    return _write_remarks(remarks, into)


def _give_back_remarks(found: OptionMerge, option: Option, into: Option) -> int:
    moved = set(db.session.scalars(sa.select(MovedRow.key).where(*_moved(found, REMARKS))))
    return _write_remarks({key: choices for key, choices in _remarks_with(into).items() if key in moved}, option)


def _lists_with(option: Option) -> list[FurtherList]:
    """List the further lists that are asked for an area."""
    if option.list != OptionList.AREA:
        return []
    return [each for each in db.session.scalars(sa.select(FurtherList)) if option.id in each.area_ids]


def _move_lists(option: Option, into: Option) -> dict[str, list[int]]:
    before = {}
    for each in _lists_with(option):
        before[str(each.id)] = each.area_ids
        each.area_ids = _with(each.area_ids, option, into)
    return before


def _give_back_lists(found: OptionMerge, option: Option, into: Option) -> None:
    for each in _lists_with(into):
        before = found.lists.get(str(each.id))
        if before is not None and each.area_ids == _with(before, option, into):
            each.area_ids = before


def _with(area_ids: Sequence[int], option: Option, into: Option) -> list[int]:
    return sorted({into.id if area_id == option.id else area_id for area_id in area_ids})
