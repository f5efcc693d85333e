"""The small bugs of Fakturo: each is one row that says who told it, and what became of it."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from bugintake.cli.fakturo import CUSTOMERS, DIEGO, LEA, Calendar, Person, Scene, Words
from bugintake.cli.fakturo_company import NOTHING_MORE, Company

SPEAK_SPANISH = frozenset(caller.name.split()[0] for caller in CUSTOMERS if caller.language == "es")

accept, start, ask, answer = Company.accept, Company.start, Company.ask, Company.answer
restrict, withdraw, works_now = Company.restrict, Company.withdraw, Company.works_now

Step = tuple[str, Callable[..., None], *tuple[Any, ...]]


class Told(NamedTuple):
    """What a customer said, in their words; only the first of them has to say how to see it. Read `Calendar.at`."""

    at: str
    caller: str
    actual: str
    steps: str = ""
    expected: str = ""


class Tale(NamedTuple):
    """A bug that one row can tell: its choices, the tellings, and each step with its moment, its verb and its words."""

    choices: tuple[str, str, str, str, str, str]
    told: tuple[Told, ...]
    course: tuple[Step, ...] = ()
    title: str = ""
    further: Mapping[str, str] = NOTHING_MORE


def fixed(at: str, by: Person, version: str, **note: str) -> Step:
    """Say that it is fixed, with a note in each language that somebody waits in."""
    return at, Company.fix, by, version, note


def declined(at: str, by: Person, reason: str, note: Words, way: Words | None = None) -> Step:
    """Close it without a fix; with no way round, its customers read that there is none."""
    return at, Company.decline, by, reason, note, way or {}


def tell(key: str, tale: Tale, c: Company, when: Calendar) -> Iterator[Scene]:
    """Turn a row into scenes. Whoever speaks Spanish talks to Diego."""
    for told in tale.told:
        words = (told.steps, told.actual, told.expected)
        by = DIEGO if told.caller in SPEAK_SPANISH else LEA
        if told is tale.told[0]:
            yield (
                when.at(told.at),
                partial(c.file, key, told.caller, words, *tale.choices, by=by, title=tale.title, further=tale.further),
            )
        else:
            yield when.at(told.at), partial(c.attach, key, told.caller, words, *tale.choices, by=by)
    for at, verb, *words_of_it in tale.course:
        yield when.at(at), partial(verb, c, key, *words_of_it)
