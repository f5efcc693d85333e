"""Further lists: which there are, what a report chose from them, and what it may choose."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time, rows
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.core.kept import apart, kept
from bugintake.intake import catalogue, proposals
from bugintake.intake.catalogue import LABEL_LENGTH, key_of
from bugintake.intake.list_models import FurtherList, ReportChoice
from bugintake.intake.models import Option, OptionList, Report
from bugintake.intake.option_models import SentenceList
from bugintake.team.models import User

NAME_LENGTH = 32
# Names with a meaning of their own: the built-in lists, their pages, and what else a report is made of.
TAKEN = frozenset({*OptionList, "areas", "symptoms", "impacts", "frequencies", "platforms", "versions", "reasons"}) | {
    *(*SentenceList, "fixed", "declined", "questions"),
    *("lists", "proposals", "use", "form", "customer", "email", "name", "company", "language", "account"),
    *("steps", "actual", "expected", "source", "bug", "choices"),
}
Chosen = Sequence[tuple[FurtherList, Option]]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a lead says about a further list."""

    label: str
    labels: Mapping[str, str] = field(default_factory=dict)
    is_required: bool = False
    grows: bool = False
    areas: Sequence[Option] = ()


def add_list(terms: Terms, *, actor: User | None, name: str | None = None) -> FurtherList:
    """Add a list after the others; reports are asked for it once it has a choice, or at once where it grows.

    `name` is what programs should know it by, made from the label where there is none. Records list.added. Raises
    Invalid for an empty or overlong label, Conflict where there is one called that already.
    """
    one_at_a_time("lists")
    label = _label(terms, None)
    last = db.session.scalar(sa.select(sa.func.max(FurtherList.position)))
    found = FurtherList(name=_free_name(name or label), position=(last or 0) + 1, **_columns(terms, label))
    db.session.add(found)
    db.session.flush()
    events.record(EventKind.LIST_ADDED, actor=actor, after=label, list=found.id)
    return found


def change_list(found: FurtherList, terms: Terms, *, actor: User) -> None:
    """Change what is asked, of whom and how; what reports chose stays. Records list.changed. Raises as add_list."""
    one_at_a_time("lists")
    values = _columns(terms, _label(terms, found))
    now = {name: value for name, value in values.items() if getattr(found, name) != value}
    if not now:
        return
    before, was = found.label, {name: getattr(found, name) for name in now}
    for name, value in now.items():
        setattr(found, name, value)
    what: dict[str, Any] = {"changed": list(now), "was": was, "now": now}
    events.record(EventKind.LIST_CHANGED, actor=actor, before=before, after=found.label, list=found.id, **what)


def move_up(found: FurtherList, *, actor: User) -> None:
    """Ask for a list before the one that stands before it; the first one stays. Records list.changed."""
    one_at_a_time("lists")
    before = [each for each in lists() if each.position < found.position]
    if before:
        found.position, before[-1].position = before[-1].position, found.position
        place: dict[str, Any] = {
            "changed": ["position"],
            "was": {"position": len(before) + 1},
            "now": {"position": len(before)},
        }
        events.record(EventKind.LIST_CHANGED, actor=actor, after=found.label, list=found.id, **place)


def retire_list(found: FurtherList, *, actor: User) -> None:
    """Ask for a list no longer; old reports keep what they chose. Records list.retired."""
    if found.retired_at is None:
        found.retired_at = clock.now()
        events.record(EventKind.LIST_RETIRED, actor=actor, before=found.label, list=found.id)


def ask_again(found: FurtherList, *, actor: User) -> None:
    """Ask for a retired list again. Records list.changed."""
    if found.retired_at is not None:
        found.retired_at = None
        events.record(EventKind.LIST_CHANGED, actor=actor, after=found.label, list=found.id, changed=["retired_at"])


def lists(*, with_retired: bool = False) -> Sequence[FurtherList]:
    """List the further lists in order."""
    return db.session.scalars(_ALL if with_retired else _ASKED).all()


_ALL = sa.select(FurtherList).order_by(FurtherList.position, FurtherList.id)
_ASKED = _ALL.where(FurtherList.retired_at.is_(None))


def list_named(name: str) -> FurtherList | None:
    """Find a list by the name that programs know, retired ones too."""
    return db.session.scalar(sa.select(FurtherList).where(FurtherList.name == name))


def asked(choices: Mapping[str, Sequence[object]]) -> list[FurtherList]:
    """List what new reports are asked for: a list without a choice only where it grows."""
    return [each for each in _asked() if each.grows or choices.get(each.name)]


@kept
def _asked() -> Sequence[FurtherList]:
    with apart() as session:
        return session.scalars(_ASKED).all()


def check(found: FurtherList, given: int | str, area_id: int) -> Option | None:
    """Find what a report about an area chose; nothing where it chose nothing, or words that the list may grow by.

    Raises Invalid, naming the list, for a choice that is unknown, retired or of another list, and for any where the
    area is not asked.
    """
    if given in ("", None):
        return None
    if not found.is_asked_for(area_id):
        raise Invalid(f"{found.label} is not asked for this area. Leave it empty.", found.name)
    if found.grows and isinstance(given, str):
        if len(clean_line(given)) > LABEL_LENGTH:
            raise Invalid(f"A choice has at most {LABEL_LENGTH} characters.", found.name)
        return proposals.known(found.name, given, called=found.label)
    return catalogue.choose(found.name, given, called=found.label)


def chosen(
    given: Mapping[str, int | str], area: Option, *, is_complete: bool = True
) -> list[tuple[FurtherList, Option]]:
    """Find what a report chose from the further lists, by name; an id is a number, words are a label or an alias.

    Words that a growing list lacks are proposed for it. Raises Invalid, naming the list, as check; for a list that
    nobody knows or that is retired; and, where the report must be complete, for a required one that was left out.
    """
    known = {each.name: each for each in lists()}
    for name, value in given.items():
        if value not in ("", None) and name not in known:
            raise Invalid(f"There is no list “{clean_line(name)[:60]}”.", "choices")
    found: list[tuple[FurtherList, Option]] = []
    for name, each in known.items():
        value = given.get(name, "")
        option = check(each, value, area.id)
        if option is None and value not in ("", None):
            option = proposals.propose(name, str(value), called=each.label)
        if option is not None:
            found.append((each, option))
        elif is_complete and is_owed(each, area.id):
            raise Invalid(missing(each), name)
    return found


def is_owed(found: FurtherList, area_id: int) -> bool:
    """Whether a report about an area must choose from a list: not where there is nothing to choose."""
    is_needed = found.is_required and found.is_asked_for(area_id)
    return is_needed and (found.grows or bool(catalogue.options_of(found.name)))


def missing(found: FurtherList) -> str:
    """Say that a list was left out."""
    return f"Choose “{found.label}”."


def keep(report: Report, choices: Chosen) -> None:
    """Write down what a report chose."""
    db.session.add_all(
        ReportChoice(report_id=report.id, list_id=each.id, option_id=option.id) for each, option in choices
    )


def kept_in(report: Report) -> Chosen:
    """Return what a report chose, as it was kept."""
    found = sa.select(FurtherList, Option).join(ReportChoice, ReportChoice.list_id == FurtherList.id)
    found = found.join(Option, Option.id == ReportChoice.option_id).where(ReportChoice.report_id == report.id)
    return [(row[0], row[1]) for row in db.session.execute(found.order_by(FurtherList.position))]


class ListChoice(NamedTuple):
    """What a report chose from one of the further lists, in words."""

    list: str
    label: str
    choice: str


_CHOSEN = (
    sa.select(ReportChoice.report_id, FurtherList.name, FurtherList.label, Option.label)
    .join(FurtherList, FurtherList.id == ReportChoice.list_id)
    .join(Option, Option.id == ReportChoice.option_id)
    .where(ReportChoice.report_id.in_(sa.bindparam("report_ids", expanding=True)))
    .order_by(FurtherList.position, FurtherList.id)
)


def chosen_in(report_ids: Sequence[int]) -> dict[int, list[ListChoice]]:
    """Read what reports chose, in the order of the lists, by report."""
    found: dict[int, list[ListChoice]] = {}
    for report_id, *words in rows(_CHOSEN, report_ids=report_ids):
        found.setdefault(report_id, []).append(ListChoice(*words))
    return found


def _label(terms: Terms, found: FurtherList | None) -> str:
    label = clean_line(terms.label)
    if not label:
        raise Invalid("Give the list a name.", "label")
    if any(len(words) > LABEL_LENGTH for words in (label, *terms.labels.values())):
        raise Invalid(f"A name has at most {LABEL_LENGTH} characters.", "label")
    same = next((each for each in lists(with_retired=True) if key_of(each.label) == key_of(label)), None)
    if same is not None and same is not found:
        raise Conflict(f"There is already a list called {same.label}" + (", retired." if same.retired_at else "."))
    return label


def _columns(terms: Terms, label: str) -> dict[str, object]:
    return {
        "label": label,
        "labels": dict(terms.labels),
        "is_required": terms.is_required,
        "grows": terms.grows,
        "area_ids": sorted(area.id for area in terms.areas),
    }


def _free_name(label: str) -> str:
    words = re.sub(r"[^a-z0-9-]+", "_", key_of(label)).strip("_-")
    stem = words if words[:1].isalpha() else f"list_{words}".rstrip("_")
    taken = TAKEN | {each.name for each in lists(with_retired=True)}
    number = 1
    while True:
        name = stem[:NAME_LENGTH] if number == 1 else f"{stem[: NAME_LENGTH - 4]}_{number}"
        if name not in taken and not name.endswith(("_new", "_other")):  # the form calls words that are not listed so
            return name
        number += 1
