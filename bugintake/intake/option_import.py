"""Choices from pasted lines or CSV: what each line would do is said first, and nothing is half brought in."""

import csv
import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue, proposals
from bugintake.intake.catalogue import key_of
from bugintake.intake.models import Option, OptionList
from bugintake.intake.option_editing import aliases_in
from bugintake.intake.option_queries import FIELDS
from bugintake.team import people
from bugintake.team.models import LANGUAGES, User

MOST_LINES = 5000
COLUMNS = ("label", "aliases", *LANGUAGES, "hint")
ONLY_IN = {"owner": OptionList.AREA, "deadline": OptionList.IMPACT}
DELIMITERS = "\t;,"
_BREAK = re.compile(r"\r\n?|\n")


class Outcome(enum.StrEnum):
    """What a line would do."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line, what it would do and, in words, what else there is to say; `values` are columns of the choice."""

    number: int
    label: str
    outcome: Outcome
    words: str = ""
    option: Option | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def columns_of(kind: str) -> list[str]:
    """Name the columns that a list takes."""
    return [*COLUMNS, *(name for name, only in ONLY_IN.items() if only == kind)]


def plan(kind: str, text: str) -> list[Line]:
    """Say what each line would do: a label, or several columns that the first line names.

    Raises Invalid for a text without a line, with more than 5,000, or with a column that the list does not have.
    """
    lines = [(n, line) for n, line in enumerate(_BREAK.split(text.lstrip("\ufeff")), 1) if line.strip()]
    if not lines:
        raise Invalid("Paste at least one line.", "text")
    if len(lines) > MOST_LINES:
        raise Invalid(f"Bring in at most {MOST_LINES:,} lines at once.", "text")
    first = lines[0][1]
    delimiter = next((each for each in DELIMITERS if each in first), "")
    names = [key_of(cell).strip('"') for cell in first.split(delimiter or None)]
    if names[0] in ("label", "name"):
        columns, lines = ["label", *names[1:]], lines[1:]
    else:
        columns = ["label", "aliases"]  # which may hold a comma
        delimiter = next((each for each in DELIMITERS if each != "," and any(each in line for _, line in lines)), "")
    for column in columns:
        if column not in columns_of(kind):
            known = ", ".join(columns_of(kind))
            raise Invalid(f"There is no column “{column[:40]}” in this list. There are: {known}.", "text")
    planning = _Planning(kind, columns)
    return [planning.line(number, _cells(line, delimiter)) for number, line in lines]


def bring_in(kind: str, text: str, *, actor: User) -> list[Line]:
    """Do what plan says, all of it or nothing. Records what adding, changing and accepting a choice record.

    Raises Invalid as plan, and where a line is wrong.
    """
    one_at_a_time(f"option {kind}")
    lines = plan(kind, text)
    wrong = sum(line.outcome == Outcome.WRONG for line in lines)
    if wrong:
        raise Invalid(f"{wrong} line{' is' if wrong == 1 else 's are'} wrong, so nothing was brought in.", "text")
    _add(kind, [line for line in lines if line.option is None], actor)
    for line in lines:
        if line.option is not None and line.outcome != Outcome.UNCHANGED:
            if line.option.proposed_at is not None:
                proposals.accept(line.option, line.label, actor=actor)
            catalogue.write(line.option, line.values, actor=actor)
    return lines


def _add(kind: str, lines: list[Line], actor: User) -> None:
    if not lines:
        return
    last = db.session.scalar(sa.select(sa.func.max(Option.position)).where(Option.list == kind)) or 0
    rows = [
        {"list": kind, "label": line.label, "label_key": key_of(line.label), "position": last + place, **line.values}
        for place, line in enumerate(lines, 1)
    ]
    names = sorted({name for row in rows for name in row})
    empty = {"hint": "", "owner_id": None, "deadline_minutes": None}
    db.session.execute(sa.insert(Option), [{name: row.get(name, empty.get(name)) for name in names} for row in rows])
    what = {"kind": EventKind.OPTION_ADDED, "at": clock.now(), "actor_id": actor.id, "details": {}}
    added = sa.select(Option.id, Option.label).where(Option.list == kind, Option.position > last).order_by(Option.id)
    events.record_many([{**what, "option_id": key, "after": label} for key, label in db.session.execute(added)])


def _cells(line: str, delimiter: str) -> list[str] | None:
    """Split a line into its cells; nothing where a quotation mark is open."""
    if not delimiter:
        return [clean_line(line)]
    try:
        return [clean_line(cell) for cell in next(csv.reader([line], delimiter=delimiter, strict=True))]
    except csv.Error:
        return None


class _Planning:
    """What the list has, and what the lines so far would add to it."""

    def __init__(self, kind: str, columns: Sequence[str]) -> None:
        self.kind, self.columns = kind, columns
        stands = sa.select(Option).where(Option.list == kind, Option.merged_into_id.is_(None))
        self.options = {option.label_key: option for option in db.session.scalars(stands)}
        self.owners = {user.email: user for user in people.working_here()} if "owner" in columns else {}
        self.lines: dict[str, int] = {}
        self.called: dict[str, str] = {}  # each label and other name, and the label that it stands for
        for option in self.options.values():
            if option.retired_at is None:
                self.called |= {key_of(alias): option.label for alias in option.aliases}
        self.called |= {key: option.label for key, option in self.options.items()}

    def line(self, number: int, cells: Sequence[str] | None) -> Line:
        """Say what one line would do."""
        label = cells[0] if cells else ""
        try:
            if cells is None:
                raise Invalid("A quotation mark is not closed.")
            if any(cells[len(self.columns) :]):
                raise Invalid(f"It has more than the columns {', '.join(self.columns)}. Name them in the first line.")
            given = {name: cell for name, cell in zip(self.columns, cells, strict=False) if cell}
            return self._line(number, label, given)
        except Invalid as refusal:
            return Line(number=number, label=label, outcome=Outcome.WRONG, words=refusal.sentence)

    def _line(self, number: int, label: str, given: Mapping[str, str]) -> Line:
        values = self._values(given)
        catalogue.check_lengths(
            self.kind, label, values.get("hint", ""), values["labels"], values.get("deadline_minutes")
        )
        key = key_of(label)
        if key in self.lines:
            raise Invalid(f"Line {self.lines[key]} has it already.")
        option = self.options.get(key)
        own = option.label if option else label
        for name in (key, *values["aliases"]):
            if self.called.get(name, own) != own:
                raise Invalid(f"“{name}” means {self.called[name]} already.")
        self.lines[key] = number
        self.called |= dict.fromkeys((key, *values["aliases"]), own)
        if option is None:
            return Line(number=number, label=label, outcome=Outcome.NEW, values=values)
        return self._known(number, option, values)

    def _known(self, number: int, option: Option, values: dict[str, Any]) -> Line:
        if option.retired_at is not None and option.proposed_at is None:
            raise Invalid("It is retired. Offer it again first, or leave the line out.")
        known = {option.label_key, *map(key_of, option.aliases)}
        values["aliases"] = [*option.aliases, *(alias for alias in values["aliases"] if alias not in known)]
        values["labels"] = {**option.labels, **values["labels"]}
        changed = {name: value for name, value in values.items() if getattr(option, name) != value}
        is_proposed = option.proposed_at is not None
        words = "It was proposed, and is accepted." if is_proposed else ", ".join(FIELDS[name] for name in changed)
        outcome = Outcome.NEW if is_proposed else Outcome.CHANGED if changed else Outcome.UNCHANGED
        return Line(number=number, label=option.label, outcome=outcome, words=words, option=option, values=changed)

    def _values(self, given: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {
            "aliases": aliases_in(given.get("aliases", "").replace("|", ",")),
            "labels": {language: given[language] for language in LANGUAGES if language in given},
        }
        if "hint" in given:
            values["hint"] = given["hint"]
        if "deadline" in given:
            if not re.fullmatch(r"[0-9]{1,6}", given["deadline"]):
                raise Invalid("A deadline is a whole number of working minutes.")
            values["deadline_minutes"] = int(given["deadline"])
        if "owner" in given:
            owner = self.owners.get(given["owner"].lower())
            if owner is None:
                raise Invalid(f"Nobody who works here has the address {given['owner'][:80]}.")
            values["owner_id"] = owner.id
        return values
