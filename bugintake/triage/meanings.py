"""What the words of a search mean: choices of the catalogue, people, companies and plans."""

import re
from collections.abc import Iterable, Sequence

from bugintake.core.db import db
from bugintake.intake import catalogue
from bugintake.intake.catalogue import Choice, key_of
from bugintake.intake.customers import adding, queries
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.customers.queries import companies_like, plans
from bugintake.team.people import Colleague, names
from bugintake.triage.filters import number_in

_WORD = re.compile(r"[^\W_]+")


def choices_called(kind: str, typed: str) -> list[Choice]:
    """Find choices of a list by their number (#12), their whole label, another name, or how their words begin.

    `invoices` means Invoices › PDF export and Invoices › Reminders, where no choice is called just that.
    """
    known = [each for each in catalogue.names().choices.values() if each.list == kind and each.merged_into_id is None]
    if (number := numbered(typed)) is not None:
        return [each for each in known if each.id == catalogue.meant(number)]
    key = key_of(typed)
    same = [each for each in known if key_of(each.label) == key]
    same = same or [each for each in known if key in map(key_of, each.aliases)]
    return same or [each for each in known if begin(typed, (each.label, *each.aliases))]


def people_called(typed: str) -> list[Colleague]:
    """Find people who work here or did by their number (#12), their whole name, or how its words begin."""
    known = list(names().values())
    if (number := numbered(typed)) is not None:
        return [each for each in known if each.id == number]
    same = [each for each in known if key_of(each.name, 200) == key_of(typed, 200)]
    return same or [each for each in known if begin(typed, (each.name,))]


def customers_called(typed: str) -> Sequence[Customer]:
    """Find customers by their number (#12), their whole name or address, or how words of it and their company begin."""
    if (number := numbered(typed)) is not None:
        found = db.session.get(Customer, number)
        return [found] if found is not None and found.merged_into_id is None and found.erased_at is None else []
    like = queries.customers_called(typed, None, 2)
    return [each for each in like if each.name_key == key_of(typed, 200)] or like


def accounts_called(typed: str, limit: int = 2) -> Sequence[Account]:
    """Find companies by their number (#12), their whole name, or how its words begin."""
    if (number := numbered(typed)) is not None:
        found = db.session.get(Account, number)
        return [found] if found is not None and found.merged_into_id is None else []
    same = adding.account_called(typed)
    return [same] if same is not None else companies_like(typed, limit)


def plan_called(typed: str) -> str:
    """Find a plan by its name, whatever its case and accents; nothing where no company has it."""
    return typed if typed in plans() else next((each for each in plans() if key_of(each) == key_of(typed)), "")


def numbered(typed: str) -> int | None:
    """Read a number written like #12."""
    return number_in(typed[1:]) if typed.startswith("#") else None


def begin(typed: str, called: Iterable[str]) -> bool:
    """Whether each word of what was typed begins a word of what something is called."""
    wanted = _WORD.findall(key_of(typed, 200))
    words = [word for name in called for word in _WORD.findall(key_of(name, 200))]
    return bool(wanted) and all(any(word.startswith(each) for word in words) for each in wanted)
