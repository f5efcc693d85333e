"""Searching by words and by fields: `area:invoices waiting:>10 "tax line"` is a filter, which has an address."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple

from werkzeug.datastructures import MultiDict

from bugintake.core.db import db
from bugintake.core.forms import clean_line
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import OPEN, OptionList, Status
from bugintake.triage import meanings
from bugintake.triage.filters import LISTS, LONGEST, ME, NOBODY, Filters, number_in, read_address, shown
from bugintake.triage.phrases import MOST, Phrases
from bugintake.triage.sorting import Sort

MOST_CHOICES = 20
Changes = dict[str, Any]
MARKS = {"came-back": "came_back", "asked": "asked", "snoozed": "snoozed", "restricted": "restricted"}


class Asked(NamedTuple):
    """What an address asks for, a sentence about each part not understood, and whether it may stay as it is."""

    filters: Filters
    said: list[str]
    is_tidy: bool


def read(args: MultiDict[str, str]) -> Asked:
    """Read the query string, and the fields in what was typed into its search field.

    One that says the same in more words than needed does not stay: a form names each of its fields, the empty ones too.
    """
    filters, said = read_address(args)
    if "told_by" in args:
        filters = replace(filters, **_told_by(clean_line(args["told_by"]), filters.customer, said))
    found = typed(args.get("q", ""))
    is_short = not found.changes and args.keys().isdisjoint(("company", "told_by")) and "" not in args.values()
    would_be_lost = bool(said) or len(args.get("q", "")) > LONGEST  # what is said of words is said again
    stays = is_short or would_be_lost
    return Asked(replace(filters, **found.changes, text=found.rest), said + found.said, stays)


def _told_by(name: str, picked: int | None, said: list[str]) -> Changes:
    """Read who told of it by their name; whoever was picked is meant while theirs still stands in the field."""
    if name and picked is not None and name == clean_line(db.session.get_one(Customer, picked).full_name):
        return {"customer": picked}
    changes: Changes = {"customer": None}
    refusal = _customer(name, changes) if name else None
    if refusal is not None:
        said.append(f"{refusal} It narrows nothing.")
    return changes


class Typed(NamedTuple):
    """What was typed: the filters it names, what is left to search for as words, and what is to be said about it."""

    changes: dict[str, Any]
    rest: str
    said: list[str]


def typed(text: str) -> Typed:
    """Read a search. Whatever is not understood is searched for as words, and said; nothing that is typed raises."""
    line = clean_line(text)
    said = [] if len(line) <= LONGEST else [f"Only the first {LONGEST} characters of it are searched for."]
    changes: dict[str, Any] = {}
    rest: list[str] = []
    for token in tokens(line[:LONGEST].strip()):
        read_field = FIELDS.get(token.field)
        if read_field is None:
            rest.append(token.raw)
            if token.field:
                said.append(f"There is no field “{shown(token.field)}”; it is searched for as words.")
        elif (refusal := read_field(token.value, changes)) is not None:
            rest.append(token.raw)
            said.append(f"{refusal} “{shown(token.raw)}” is searched for as words.")
        if not token.is_closed:
            said.append("A quotation mark is never closed, so all that follows it is one phrase.")
    left = " ".join(rest)
    return Typed(changes, left, said + _about(left))


def _about(text: str) -> list[str]:
    words = Phrases.of(text)
    if text and not words.terms:
        return [f"“{shown(text)}” stands in nearly every report, so it narrows nothing."]
    return [f"Only the first {MOST} words count."] if words.has_more else []


class Token(NamedTuple):
    """One word, phrase or field of a search as it was typed, and what it says."""

    raw: str
    field: str
    value: str
    is_closed: bool = True


def tokens(text: str) -> Iterator[Token]:
    """Split a search at its spaces, but not within quotation marks; two of them stand for one."""
    place = 0
    while place < len(text):
        if text[place] == " ":
            place += 1
            continue
        start = place
        name, colon, _rest = text[start:].partition(" ")[0].partition(":")
        field = name.lower() if colon and name.isascii() and name.replace("-", "").isalpha() else ""
        place += len(name) + 1 if field else 0
        if text[place : place + 1] == '"':
            value, place, is_closed = _quoted(text, place + 1)
        else:
            value, is_closed = text[place:].partition(" ")[0], True
            place += len(value)
        yield Token(text[start:place], field, value, is_closed)


def _quoted(text: str, place: int) -> tuple[str, int, bool]:
    value = ""
    while place < len(text):
        if text[place] == '"':
            if text[place + 1 : place + 2] != '"':
                return value, place + 1, True
            place += 1
        value += text[place]
        place += 1
    return value, place, False


# --- What each field means: it writes into the changes, or answers with why it cannot --------------------------------


def _choices(kind: OptionList, value: str, changes: Changes) -> str | None:
    found = meanings.choices_called(kind, value)
    if not found:
        return f"No {kind.value} is called “{shown(value)}”."
    if len(found) > MOST_CHOICES:
        return f"“{shown(value)}” may mean {len(found)} choices."
    changes[kind.value] = tuple(sorted({*changes.get(kind.value, ()), *(each.id for each in found)}))
    return None


def _status(value: str, changes: Changes) -> str | None:
    key = key_of(value.replace("_", " ").replace("-", " "))
    called = {status: (key_of(status.label), status.value.replace("_", " ")) for status in Status}
    found = [status for status, names in called.items() if key in names]
    found = found or [status for status, names in called.items() if meanings.begin(key, names)]
    if not found:
        return f"No status is called “{shown(value)}”."
    _also(found, changes)
    return None


def _also(found: list[Status] | tuple[Status, ...], changes: Changes) -> None:
    wanted = {*changes.get("status", ()), *found}
    changes["status"] = tuple(status for status in Status if status in wanted)


def _person(name: str, value: str, changes: Changes) -> str | None:
    if value in (ME, NOBODY) and (name == "owner" or value == ME):
        changes[name] = value
        return None
    found = meanings.people_called(value)
    if len(found) == 1:
        changes[name] = str(found[0].id)
        return None
    return f"{'Nobody' if not found else 'More than one person'} is called “{shown(value)}”."


def _one(
    name: str, word: str, called: Callable[[str], Sequence[Customer | Account]], value: str, changes: Changes
) -> str | None:
    found = called(value)
    if len(found) == 1:
        changes[name] = found[0].id
        return None
    return f"{'No' if not found else 'More than one'} {word} is called “{shown(value)}”."


_customer = partial(_one, "customer", "customer", meanings.customers_called)


def _plan(value: str, changes: Changes) -> str | None:
    found = meanings.plan_called(value)
    if not found:
        return f"No plan is called “{shown(value)}”."
    changes["plan"] = found
    return None


def _waiting(value: str, changes: Changes) -> str | None:
    number = number_in(value.removeprefix(">").removeprefix("="))
    least = None if number is None else number + (value.startswith(">") and not value.startswith(">="))
    if not least or number_in(str(least)) is None:
        return "Say how many people wait at the least, as in waiting:10 or waiting:>10."
    changes["waiting"] = least
    return None


def _filed(value: str, changes: Changes) -> str | None:
    first, dots, last = value.partition("..")
    try:
        if dots:
            found = {"since": date.fromisoformat(first), "until": date.fromisoformat(last)}
        else:
            sign = value[: len(value) - len(value.lstrip("<>="))]
            day, one = date.fromisoformat(value.removeprefix(sign)), timedelta(days=1)
            found = {
                ">": lambda: {"since": day + one},
                ">=": lambda: {"since": day},
                "<": lambda: {"until": day - one},
                "<=": lambda: {"until": day},
                "": lambda: {"since": day, "until": day},
            }[sign]()
    except (ValueError, KeyError, OverflowError):
        return "Say a day, as in filed:2026-03-10, filed:>=2026-03-10 or filed:2026-03-01..2026-03-10."
    changes |= found
    return None


def _is(value: str, changes: Changes) -> str | None:
    if value.lower() == "open":
        _also(OPEN, changes)
    elif (mark := MARKS.get(value.lower().replace("_", "-"))) is not None:
        changes[mark] = True
    else:
        return f"A bug can be {', '.join(MARKS)} or open."
    return None


def _sort(value: str, changes: Changes) -> str | None:
    if value.lower() not in set(Sort):
        return f"The orders are {', '.join(Sort)}."
    changes["sort"] = Sort(value.lower())
    return None


FIELDS: Mapping[str, Callable[[str, Changes], str | None]] = {
    **{kind.value: partial(_choices, kind) for kind in LISTS},
    "status": _status,
    "owner": partial(_person, "owner"),
    "by": partial(_person, "filed_by"),
    "customer": _customer,
    "account": partial(_one, "account", "company", meanings.accounts_called),
    "plan": _plan,
    "waiting": _waiting,
    "filed": _filed,
    "is": _is,
    "sort": _sort,
}
