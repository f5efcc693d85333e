"""A workspace with a filled catalogue, and people who file into it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue
from bugintake.intake.catalogue import option_labelled
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Option, OptionList
from bugintake.team.models import Role, User
from tests.factories import add_choices, make_customer, make_report, make_user, make_workspace
from tests.visitors import Visitor, served, visit

LISTS = {
    OptionList.AREA: ("Search", "Settings", "Export › PDF and print", "Not sure"),
    OptionList.SYMPTOM: ("Shows or saves the wrong thing", "Nothing happens", "Looks wrong"),
    OptionList.IMPACT: ("Cannot work", "Hard to work", "Annoying", "Looks off"),
    OptionList.FREQUENCY: ("Always", "Not sure"),
    OptionList.PLATFORM: ("Chrome on Windows", "Firefox", "Safari on Mac", "Not sure"),
    OptionList.VERSION: ("Not sure", "4.12.0", "4.12.1"),
}

FIRST = ("Ana", "Bruno", "Clara", "Dario", "Elena", "Franz", "Greta", "Hugo", "Ines", "Jonas")
LAST = ("Novak", "Müller", "García", "Rossi", "Kowalski", "Jansen", "Silva", "Horvat", "Bauer", "López")
PAGES = ("Overview", "Details", "History", "Sharing", "Comments", "Files", "Rights", "Printing", "Totals", "Filters")
MODULES = ("Orders", "Stock", "Returns", "Invoices", "Calendar", "Mailing", "Payroll", "Contracts", "Projects", "Tasks")


@pytest.fixture
def company(app: Flask) -> None:
    """A workspace with a few choices in every list."""
    make_workspace()
    with transaction():
        add_choices([(kind, label) for kind, labels in LISTS.items() for label in labels])


@pytest.fixture
def lea(company: None) -> User:
    """An agent."""
    return make_user(Role.AGENT, "Lea Agent")


@pytest.fixture
def mira(company: None) -> User:
    """An engineer."""
    return make_user(Role.ENGINEER, "Mira Engineer")


@pytest.fixture
def as_user(app: Flask) -> Callable[[User], Visitor]:
    """Open a browser without a screen, signed in."""
    return lambda user: visit(app, user)


@pytest.fixture
def agent(app: Flask, lea: User) -> Visitor:
    """Lea's browser."""
    return visit(app, lea)


@pytest.fixture
def engineer(app: Flask, mira: User) -> Visitor:
    """Mira's browser."""
    return visit(app, mira)


@pytest.fixture
def option(company: None) -> Callable[[OptionList, str], Option]:
    """Find a choice by its label."""

    def find(kind: OptionList, label: str) -> Option:
        found = option_labelled(kind, label)
        assert found is not None, label
        return found

    return find


@pytest.fixture
def filled(option: Callable[[OptionList, str], Option]) -> Callable[..., dict[str, str]]:
    """Fill the form in as a browser sends it; values given by name replace the usual ones."""

    def fill(**values: str) -> dict[str, str]:
        chosen = {
            "area": option(OptionList.AREA, "Search"),
            "symptom": option(OptionList.SYMPTOM, "Nothing happens"),
            "impact": option(OptionList.IMPACT, "Hard to work"),
            "frequency": option(OptionList.FREQUENCY, "Always"),
            "platform": option(OptionList.PLATFORM, "Firefox"),
            "version": option(OptionList.VERSION, "4.12.1"),
        }
        texts = {
            "steps": "1. Open the search\r\n2. Type a name",
            "actual": "The list stays empty. No message.",
            "expected": "The people with that name.",
        }
        ids = {name: str(found.id) for name, found in chosen.items()}
        db.session.rollback()
        return {"customer": "", "customer_id": "", "key": "a key", **ids, **texts, **values}

    return fill


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The address of the app, served to a real browser."""
    with served(app) as address:
        yield address


@pytest.fixture
def desk(address: str, agent: Visitor, context: Any) -> str:
    """The address of the app, with Lea signed in to the browser."""
    cookie = agent.client.get_cookie("session")
    assert cookie is not None
    context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
    return address


@pytest.fixture
def deadlock(app):
    """End a transaction that adds to a table, once, as PostgreSQL does with one of two that wait for each other."""
    ended = []

    def prepare(table):
        def end(_connection, _cursor, statement, *_others):
            if statement.startswith(f"INSERT INTO {table} ") and not ended:
                ended.append(table)
                error = Exception("deadlock detected")
                error.sqlstate = "40P01"
                raise sa.exc.OperationalError(statement, {}, error)

        sa.event.listen(db.engine, "before_cursor_execute", end)
        return ended

    return prepare


@pytest.fixture
def crowd(company: None, lea: User) -> Customer:
    """500 customers, 200 areas, and one of each that the test is about."""
    with transaction():
        for number in range(499):
            name = f"{FIRST[number % 10]} {LAST[number // 10 % 10]} {number}"
            adding.add_customer(email=f"person{number}@example.com", name=name, language="en", actor=None)
        for number in range(195):
            label = f"{MODULES[number % 10]} › {PAGES[number // 10 % 10]} {number}"
            catalogue.add_option(OptionList.AREA, label, actor=None)
        catalogue.add_option(OptionList.AREA, "Invoices › PDF export", actor=None, aliases=["print", "bill"])
    hana = make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline")
    make_report(hana, area="Invoices › PDF export", symptom="Looks wrong", platform="Chrome on Windows")
    return hana
