"""Reading a rota that somebody kept elsewhere, as a calendar or as CSV: who has which days or hours."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bugintake.core.csv_rows import rows_of
from bugintake.core.errors import Invalid
from bugintake.duty.calendar_events import events_between
from bugintake.duty.queries import day_start
from bugintake.team.models import User

MOST_LINES = 1000
COLUMNS = ("who", "from", "to")
OTHER_NAMES = {
    "name": "who",
    "person": "who",
    "engineer": "who",
    "e-mail": "who",
    "email": "who",
    "start": "from",
    "date": "from",
    "day": "from",
    "end": "to",
    "until": "to",
}
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """One line of a rota: whole days, the last included, or from one instant to another. Unread, `trouble` says why.

    A datetime without a zone is local time of the rotation. `number` is the line's, or the event's in order of time.
    """

    number: int
    who: str
    first: date = date.min
    last: date = date.min
    trouble: str = ""


def read(text: str, since: date, to: date) -> list[Entry]:
    """Read a calendar's events within [since, to), or every line of CSV.

    CSV has the columns that its first line names, in any order: who, from and to, or without such a line just those. A
    line without its last day is one day. Raises Invalid for what is neither, and for too much of it.
    """
    if text.lstrip("\ufeff\r\n\t ")[:15].upper() == "BEGIN:VCALENDAR":
        return _of_calendar(text, since, to)
    rows = rows_of(text, MOST_LINES)
    header = [OTHER_NAMES.get(cell.lower(), cell.lower()) for cell in rows[0][1]]
    if {"who", "from"} <= set(header):
        columns, rows = header, rows[1:]
    else:
        columns = list(COLUMNS)
    if not rows:
        raise Invalid("Paste at least one line.", "text")
    return [_of_line(number, dict(zip(columns, cells, strict=False))) for number, cells in rows]


class Names:
    """Whom a rota means by what it calls people. `given` says it of what cannot be told; None is somebody left out."""

    def __init__(self, people: Sequence[User], given: Mapping[str, User | None]) -> None:
        self.given = {_key(called): person for called, person in given.items()}
        self.words = [
            [(re.compile(rf"(?<!\w){re.escape(_key(word))}(?!\w)"), person) for word, person in words]
            for words in (
                [(person.email, person) for person in people],
                [(person.name, person) for person in people],
                [(person.first_name, person) for person in people],
            )
        ]

    def is_given(self, who: str) -> bool:
        """Whether somebody said whom this means."""
        return _key(who) in self.given

    def find(self, who: str) -> User | None:
        """Return the one person whose address, whole name or first name, in this order, is in the words; or None."""
        key = _key(who)
        if key in self.given:
            return self.given[key]
        for words in self.words:
            found = {person.id: person for word, person in words if word.search(key)}
            if found:
                return next(iter(found.values())) if len(found) == 1 else None
        return None


def _of_calendar(text: str, since: date, to: date) -> list[Entry]:
    events = events_between(text, since, to)
    if len(events) > MOST_LINES:
        raise Invalid(f"Bring in at most {MOST_LINES:,} events at once.", "text")
    if not events:
        raise Invalid(f"The calendar has no event from {since:%d %b %Y} to {to - ONE_DAY:%d %b %Y}.", "text")
    entries = []
    for event in events:
        who = " ".join([event.summary, *(each for each in event.addresses if each not in event.summary.lower())])
        last = event.end if isinstance(event.end, datetime) else max(event.start, event.end - ONE_DAY)
        entries.append((who.strip(), max(event.start, _on(since, event.start)), min(last, _on(to, last))))
    in_order = sorted(entries, key=lambda entry: (str(entry[1]), entry[0]))
    return [Entry(number, *entry) for number, entry in enumerate(in_order, 1)]


def _on(day: date, like: date) -> date:
    """Return the beginning of a day, as a day or as an instant."""
    return datetime.combine(day, time.min, like.tzinfo) if isinstance(like, datetime) else day


def _of_line(number: int, cells: Mapping[str, str]) -> Entry:
    who = cells.get("who", "")
    try:
        if not who or not cells.get("from"):
            raise Invalid("A line says who, and from when to when.")
        first = _day_or_time(cells["from"])
        last = _day_or_time(cells.get("to") or cells["from"])
        if isinstance(first, datetime) != isinstance(last, datetime):
            raise Invalid("Give both a time of day, or neither.")
        if _is_before(last, first):
            raise Invalid("The end lies before the start.")
    except Invalid as refusal:
        return Entry(number, who, trouble=refusal.sentence)
    return Entry(number, who, first, last)


def _day_or_time(text: str) -> date:
    try:
        at = date.fromisoformat(text) if len(text) <= len("2026-09-14") else datetime.fromisoformat(text)
        day_start(at, ZoneInfo("UTC"))
        return at
    except ValueError:
        raise Invalid(f"“{text[:30]}” is no day. Write it like 2026-09-14, or 2026-09-14 09:00.") from None


def _is_before(one: date, other: date) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime) and (one.tzinfo is None) != (other.tzinfo is None):
        raise Invalid("Give both times in a zone, or neither.")
    return one < other


def _key(words: str) -> str:
    """Take away what people leave out where they type fast: capitals, accents and blanks around."""
    apart = unicodedata.normalize("NFKD", words)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold().strip()
