"""What a board or list is narrowed to. Every field is a part of the address, so that a view can be shared."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple, TypeVar

from werkzeug.datastructures import MultiDict

from bugintake.core.db import db
from bugintake.core.forms import clean_line
from bugintake.intake import catalogue
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.customers.queries import plans
from bugintake.intake.models import OptionList, Status
from bugintake.team.people import names
from bugintake.triage.sorting import Sort

LISTS = (OptionList.AREA, OptionList.IMPACT, OptionList.PLATFORM, OptionList.VERSION)
PEOPLE = ("owner", "filed_by")
MARKS = ("came_back", "asked", "snoozed", "restricted")
DAYS = ("since", "until")
ME, NOBODY = "me", "nobody"
LONGEST = 1000

Known = TypeVar("Known", Customer, Account)


@dataclass(frozen=True)
class Filters:
    """What a board or list is narrowed to, and the order.

    `owner` and `filed_by` are ME, a person's number, or, of the owner, NOBODY. `platform`, `version`, `customer`,
    `account` and `plan` ask for one report that has them all. Days are those of whoever looks.
    """

    area: tuple[int, ...] = ()
    impact: tuple[int, ...] = ()
    platform: tuple[int, ...] = ()
    version: tuple[int, ...] = ()
    status: tuple[Status, ...] = ()
    owner: str = ""
    filed_by: str = ""
    customer: int | None = None
    account: int | None = None
    plan: str = ""
    waiting: int | None = None
    came_back: bool = False
    asked: bool = False
    snoozed: bool = False
    restricted: bool = False
    since: date | None = None
    until: date | None = None
    text: str = ""
    sort: Sort | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out."""
        return replace(self, sort=None) != Filters()

    @property
    def has_days(self) -> bool:
        """Whether it matters when a bug was filed."""
        return self.since is not None or self.until is not None

    def is_mine(self, number: int) -> bool:
        """Whether these are the bugs of the person who looks."""
        return self.owner in (ME, str(number))

    def address(self, **changes: Any) -> dict[str, Any]:
        """Say these filters as query parameters, with some of them changed."""
        now: dict[str, Any] = {kind.value: ".".join(map(str, getattr(self, kind))) for kind in LISTS}
        now |= {"status": tuple(status.value for status in self.status), "owner": self.owner, "filed_by": self.filed_by}
        now |= {"customer": self.customer, "account": self.account, "plan": self.plan, "waiting": self.waiting}
        now |= {mark: 1 if getattr(self, mark) else None for mark in MARKS}
        now |= {day: getattr(self, day).isoformat() if getattr(self, day) else None for day in DAYS}
        now |= {"q": self.text, "sort": self.sort.value if self.sort else None}
        return {name: value for name, value in {**now, **changes}.items() if value not in (None, "", ())}


class Read(NamedTuple):
    """What an address asks for, and a sentence about each part of it that narrows nothing."""

    filters: Filters
    said: list[str]


def read_address(args: MultiDict[str, str]) -> Read:
    """Read the query string but for what was typed to search for; what cannot be read narrows nothing, and is said."""
    said: list[str] = []
    given: dict[str, Any] = {kind.value: _options(kind, args.get(kind, "")[:LONGEST], said) for kind in LISTS}
    given["status"] = _statuses(args.getlist("status"), said)
    given |= {name: _person(name, args.get(name, ""), said) for name in PEOPLE}
    if "company" in args:
        given["account"] = _company(args["company"][:LONGEST], said)
    else:
        given["account"] = _standing(Account, "company", args.get("account", ""), said)
    given["customer"] = _standing(Customer, "customer", args.get("customer", ""), said)
    given["plan"] = _plan(clean_line(args.get("plan", "")[:LONGEST]), said)
    given["waiting"] = _count(args.get("waiting", ""), said)
    given |= {mark: args.get(mark) == "1" for mark in MARKS}
    given |= {name: _day(args.get(name, ""), said) for name in DAYS}
    given["sort"] = Sort(args["sort"]) if args.get("sort") in set(Sort) else None
    return Read(Filters(**given), said)


def number_in(text: str) -> int | None:
    """Read a number that a row or a count may have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _options(kind: OptionList, text: str, said: list[str]) -> tuple[int, ...]:
    found = set()
    for part in text.split(".") if text else ():
        number = number_in(part)
        choice = catalogue.names().choices.get(catalogue.meant(number)) if number is not None else None
        if choice is not None and choice.list == kind:
            found.add(choice.id)
        else:
            _ignore(kind.value, part, said)
    return tuple(sorted(found))


def _statuses(given: list[str], said: list[str]) -> tuple[Status, ...]:
    known = {text for text in given if text in set(Status)}
    for text in given:
        if text and text not in known:
            _ignore("status", text, said)
    return tuple(status for status in Status if status in known)


def _person(name: str, text: str, said: list[str]) -> str:
    if text in ("", ME) or (text == NOBODY and name == "owner"):
        return text
    number = number_in(text)
    if number in names():
        return str(number)
    _ignore("person", text, said)
    return ""


def _standing(kind: type[Known], word: str, text: str, said: list[str]) -> int | None:
    """Read the number of a person or a company; one that was merged leads to the one that stands for it."""
    number = number_in(text)
    found = db.session.get(kind, number) if number else None
    while found is not None and found.merged_into_id is not None:
        found = db.session.get_one(kind, found.merged_into_id)
    if found is None and text:
        _ignore(word, text, said)
    return found.id if found is not None else None


def _company(text: str, said: list[str]) -> int | None:
    name = clean_line(text)
    found = adding.account_called(name) if name else None
    if found is None and name:
        _ignore("company", name, said)
    return found.id if found is not None else None


def _plan(text: str, said: list[str]) -> str:
    if not text or text in plans():
        return text
    _ignore("plan", text, said)
    return ""


def _count(text: str, said: list[str]) -> int | None:
    number = number_in(text)
    if text and not number:
        said.append(f"“{shown(text)}” is no number of people from 1, so it narrows nothing.")
    return number or None


def _day(text: str, said: list[str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        said.append(f"“{shown(text)}” is no day such as 2026-03-10, so it narrows nothing.")
        return None


def _ignore(what: str, text: str, said: list[str]) -> None:
    said.append(f"There is no {what} “{shown(text)}”, so it narrows nothing.")


def shown(text: str) -> str:
    """Cut what was typed to what fits in a sentence."""
    return text if len(text) <= 40 else f"{text[:40]}…"
