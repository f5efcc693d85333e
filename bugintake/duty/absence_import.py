"""Days away of many from CSV: what each line does is said first, and nothing is half brought in."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bugintake.core.csv_rows import rows_of
from bugintake.core.errors import Invalid, Refusal
from bugintake.duty import queries
from bugintake.duty.absences import note_absence
from bugintake.team.models import User

MOST_LINES = 1000
COLUMNS = ("e-mail", "from", "to", "word")
OVER = "Those days are over."


class Outcome(enum.StrEnum):
    """What a line does."""

    NEW = "new"
    SAME = "same"
    OVER = "over"
    WRONG = "wrong"


@dataclass(frozen=True)
class Line:
    """One line, what it does and, in words, what there is to say."""

    number: int
    who: str
    outcome: Outcome
    words: str


def bring_in(text: str, *, actor: User) -> list[Line]:
    """Note the absences of a text: e-mail, first day, last day and a word; the caller undoes it if a line is wrong.

    What is noted already is left as it is, and so are days that are over. Records absence.noted for each new one.
    Raises Invalid for a text without a line, with more than a thousand, or that is no CSV.
    """
    rows = _rows(text)
    people = {person.email: person for person in queries.candidates()}
    noted = {(each.user_id, each.first_on, each.last_on) for each in queries.coming_absences()}
    return [_bring_in(number, cells, people.get(cells[0].lower()), noted, actor) for number, cells in rows]


def _bring_in(
    number: int, cells: Sequence[str], person: User | None, noted: set[tuple[int, date, date]], actor: User
) -> Line:
    try:
        if person is None:
            raise Invalid("Nobody who takes duty has this address.")
        if len(cells) not in (3, 4):
            raise Invalid("A line has an address, a first day, a last day and, if you like, a word.")
        first, last = _day(cells[1]), _day(cells[2])
        if (person.id, first, last) in noted:
            return Line(number, person.name, Outcome.SAME, f"{cells[1]} to {cells[2]}")
        note_absence(person, first, last, actor=actor, word="".join(cells[3:]))
    except Refusal as refusal:
        who = person.name if person else cells[0]
        return Line(number, who, Outcome.OVER if refusal.sentence == OVER else Outcome.WRONG, refusal.sentence)
    return Line(number, person.name, Outcome.NEW, f"{cells[1]} to {cells[2]}")


def _rows(text: str) -> list[tuple[int, list[str]]]:
    rows = rows_of(text, MOST_LINES)
    if "@" not in rows[0][1][0]:
        rows = rows[1:]
    if not rows:
        raise Invalid("Paste at least one line.", "text")
    return rows


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"“{text[:20]}” is no day. Write it like 2026-09-14.") from None
