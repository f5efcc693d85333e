"""What a board or list is narrowed to, in words, each with the address without it."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from flask_babel import gettext as _

from bugintake.core.db import db
from bugintake.core.templating import plural, whole_day
from bugintake.intake import catalogue
from bugintake.intake.customers.models import Account, Customer
from bugintake.team.people import names
from bugintake.triage.filters import LISTS, ME, NOBODY, Filters

MARK_LABELS = {
    "came_back": "Came back",
    "asked": "Asked, no answer yet",
    "snoozed": "Snoozed",
    "restricted": "Restricted",
}
LIST_LABELS = {"area": "Area", "impact": "Impact", "platform": "Platform", "version": "Version"}


class Chip(NamedTuple):
    """One thing that is asked for, and the query parameters that ask for all others."""

    words: str
    without: dict[str, Any]


def chips(filters: Filters) -> list[Chip]:
    """List what is asked for, in the order of the form."""
    return [Chip(words, filters.address(**changes)) for words, changes in _each(filters)]


def company_of(filters: Filters) -> str:
    """Name the company that is asked for."""
    return db.session.get_one(Account, filters.account).name if filters.account is not None else ""


def customer_of(filters: Filters) -> str:
    """Name the customer who is asked for."""
    return db.session.get_one(Customer, filters.customer).full_name if filters.customer is not None else ""


def _each(filters: Filters) -> Iterator[tuple[str, dict[str, Any]]]:
    if filters.text:
        yield f"{_('Words')}: {filters.text}", {"q": None}
    known = catalogue.names().choices
    for kind in LISTS:
        chosen = getattr(filters, kind)
        for number in chosen:
            others = ".".join(str(other) for other in chosen if other != number)
            yield f"{_(LIST_LABELS[kind])}: {known[number].label}", {kind.value: others}
    for status in filters.status:
        left = tuple(other.value for other in filters.status if other != status)
        yield f"{_('Status')}: {status.label}", {"status": left}
    if filters.owner:
        yield f"{_('Owner')}: {_person(filters.owner)}", {"owner": None}
    if filters.filed_by:
        yield f"{_('Filed by')}: {_person(filters.filed_by)}", {"filed_by": None}
    if filters.customer is not None:
        yield f"{_('Customer')}: {customer_of(filters)}", {"customer": None}
    if filters.account is not None:
        yield f"{_('Company')}: {company_of(filters)}", {"account": None}
    if filters.plan:
        yield f"{_('Plan')}: {filters.plan}", {"plan": None}
    if filters.waiting is not None:
        yield _("%(people)s or more waiting", people=plural(filters.waiting, "person", "people")), {"waiting": None}
    for mark, words in MARK_LABELS.items():
        if getattr(filters, mark):
            yield _(words), {mark: None}
    yield from _days(filters.since, filters.until)


def _days(since: date | None, until: date | None) -> Iterator[tuple[str, dict[str, Any]]]:
    if since is not None:
        yield _("Filed from %(day)s", day=whole_day(since)), {"since": None}
    if until is not None:
        yield _("Filed until %(day)s", day=whole_day(until)), {"until": None}


def _person(who: str) -> str:
    return {ME: _("me"), NOBODY: _("nobody yet")}.get(who) or names()[int(who)].name
