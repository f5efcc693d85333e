"""Filters written as a search that reads back as the very same, and what may follow in one that is being typed."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bugintake.intake.catalogue import names
from bugintake.intake.customers.queries import companies_like, customers_called, plans
from bugintake.intake.models import OptionList, Status
from bugintake.team import people
from bugintake.team.models import User
from bugintake.triage import meanings
from bugintake.triage.filters import LISTS, ME, NOBODY, Filters
from bugintake.triage.palette import bugs_like
from bugintake.triage.search import MARKS, tokens
from bugintake.triage.sorting import Sort

SUGGESTED = 8
HELP = {
    "area": "where it happens",
    "impact": "how bad it is",
    "platform": "where it was told from",
    "version": "in which version it was told",
    "status": "where it stands",
    "owner": "whose it is: me, nobody, a name",
    "by": "who filed it",
    "customer": "who told of it",
    "account": "whose people told of it",
    "plan": "of the companies that told",
    "waiting": "people at least, as in >10",
    "filed": "a day, as in >=2026-03-10",
    "is": "came-back, asked, snoozed, restricted, open",
    "sort": ", ".join(Sort),
}
"""Each field in a few words, for those who type and for the help under the field."""


def written(filters: Filters) -> str:
    """Write filters as a search; by number (#12) what is called like something else."""
    return " ".join(_parts(filters))


def _parts(filters: Filters) -> Iterator[str]:
    for kind in LISTS:
        yield from (f"{kind.value}:{_choice(kind, number)}" for number in getattr(filters, kind))
    yield from (f"status:{status.value.replace('_', '-')}" for status in filters.status)
    for field, who in (("owner", filters.owner), ("by", filters.filed_by)):
        if who:
            yield f"{field}:{who if who in (ME, NOBODY) else _person(int(who))}"
    if filters.customer is not None:
        yield f"customer:#{filters.customer}"
    if filters.account is not None:
        yield f"account:#{filters.account}"
    if filters.plan:
        yield f"plan:{quoted(filters.plan)}"
    if filters.waiting is not None:
        yield f"waiting:>={filters.waiting}"
    if filters.since is not None:
        yield f"filed:>={filters.since.isoformat()}"
    if filters.until is not None:
        yield f"filed:<={filters.until.isoformat()}"
    yield from (f"is:{word}" for word, mark in MARKS.items() if getattr(filters, mark))
    if filters.sort is not None:
        yield f"sort:{filters.sort}"
    if filters.text:
        yield filters.text


def _choice(kind: OptionList, number: int) -> str:
    label = names().choices[number].label
    return quoted(label) if [each.id for each in meanings.choices_called(kind, label)] == [number] else f"#{number}"


def _person(number: int) -> str:
    name = people.names()[number].name
    is_alone = name not in (ME, NOBODY) and [each.id for each in meanings.people_called(name)] == [number]
    return quoted(name) if is_alone else f"#{number}"


def quoted(words: str) -> str:
    """Write a value so that it stays one."""
    is_plain = words and all(letter.isalnum() or letter in "-._" for letter in words)
    return words if is_plain else '"' + words.replace('"', '""') + '"'


class Suggestion(NamedTuple):
    """One way to go on: the whole search then, what is shown of it, and a few words beside it."""

    value: str
    label: str
    hint: str = ""


def suggestions(text: str, actor: User) -> list[Suggestion]:
    """List how a search may go on: values of its last field, fields that begin as its last word, and bugs."""
    all_of_it = list(tokens(text))
    if not all_of_it or text.endswith(" "):
        return []
    last = all_of_it[-1]
    before = text[: len(text) - len(last.raw)]
    found = _values(last.field, last.value) if last.field else _fields(last.raw.lower())
    goes_on = [Suggestion(before + value, value, hint) for value, hint in _first(found)]
    meant = [] if any(each.field for each in all_of_it) else bugs_like(text, actor)
    return goes_on + [Suggestion(bug.ref, f"{bug.ref} {bug.title}", bug.status.label) for bug in meant]


def _first(found: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair, _ in zip(found, range(SUGGESTED), strict=False)]


def _fields(begun: str) -> Iterator[tuple[str, str]]:
    yield from ((f"{field}:", words) for field, words in HELP.items() if field.startswith(begun))


def _values(field: str, begun: str) -> Iterator[tuple[str, str]]:
    if field in (kind.value for kind in LISTS):
        kind = OptionList(field)
        offered = names().offered[kind] if not begun else meanings.choices_called(kind, begun)
        yield from ((f"{field}:{_choice(kind, each.id)}", ", ".join(each.aliases)) for each in offered)
    elif field in ("owner", "by"):
        special = (ME, NOBODY) if field == "owner" else (ME,)
        yield from ((f"{field}:{word}", "") for word in special if word.startswith(begun.lower()))
        known = [each for each in people.names().values() if each.is_active]
        yield from (
            (f"{field}:{_person(each.id)}", "") for each in known if not begun or meanings.begin(begun, (each.name,))
        )
    elif field == "customer":
        yield from ((f"customer:#{each.id}", each.full_name) for each in customers_called(begun, None))
    elif field == "account":
        yield from ((f"account:{quoted(each.name)}", each.plan) for each in companies_like(begun))
    elif field in _LISTED:
        words = _LISTED[field] if field != "plan" else plans()
        yield from ((f"{field}:{quoted(word)}", "") for word in words if word.lower().startswith(begun.lower()))


_LISTED = {
    "plan": (),
    "status": tuple(status.value.replace("_", "-") for status in Status),
    "is": (*MARKS, "open"),
    "sort": tuple(Sort),
}
