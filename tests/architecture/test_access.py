"""Every route answers everybody as the table in access.py says, and no route is missing from it."""

import re
from dataclasses import dataclass

import pytest
from werkzeug.test import TestResponse

from bugintake.core.security import limiter
from tests.architecture.access import PAGES, PEOPLE
from tests.architecture.cast import Cast
from tests.visitors import Visitor

pytestmark = pytest.mark.only_on("sqlite")

KEPT_OUT = ("login", "401", "403", "404")
CONVERTER = re.compile(r"<(?:[^<>:]+:)?([a-z_]+)>")


@dataclass(frozen=True)
class Row:
    """One line of the table: what everybody gets from one address for one object."""

    method: str
    address: str
    which: str
    answers: dict[str, str]

    @property
    def route(self) -> str:
        """Name the route, however its parts are converted."""
        return f"{self.method} {plain(self.address)}"

    def __str__(self) -> str:
        return f"{self.method} {self.address} {self.which}".strip()


def plain(address: str) -> str:
    return CONVERTER.sub(r"<\1>", address)


def rows(table: str, columns: tuple[str, ...]) -> list[Row]:
    found = []
    for line in table.splitlines():
        if line and not line.startswith("#"):
            words = line.split()
            method, address, *which = words[: -len(columns)]
            answers = dict(zip(columns, words[-len(columns) :], strict=True))
            found.append(Row(method, address, " ".join(which), answers))
    return found


def answered(response: TestResponse, expected: str) -> str:
    """Say in the words of the table what a response is."""
    if response.status_code in (302, 303) and response.location.startswith("/login?next="):
        return "login"
    code = str(response.status_code)
    if expected == "in" and code not in KEPT_OUT and response.status_code < 500:
        return "in"
    return code


@pytest.fixture
def cast(app, clock):
    app.config["WTF_CSRF_METHODS"] = set()  # forged requests have tests of their own; here the guards answer
    return Cast(app)


@pytest.mark.parametrize("row", rows(PAGES, PEOPLE), ids=str)
def test_everybody_gets_what_the_table_says(cast, row):
    got = {}
    for person in PEOPLE:
        limiter.reset()
        response = send(cast.browser(person), row, cast.address(row.address, row.which))
        got[person] = answered(response, row.answers[person])
    assert got == row.answers


@pytest.mark.parametrize("row", [row for row in rows(PAGES, PEOPLE) if row.which == "restricted"], ids=str)
def test_what_one_may_not_see_answers_as_if_it_were_absent(cast, row):
    for person in [person for person, answer in row.answers.items() if answer == "404"]:
        hidden, absent = (
            neutral(send(cast.browser(person), row, cast.address(row.address, which)), cast)
            for which in ("restricted", "absent")
        )
        assert hidden == absent


def test_no_route_is_missing_from_the_table(app):
    served = {
        f"{method} {plain(rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith("/api/v1")
    }
    assert served ^ {row.route for row in rows(PAGES, PEOPLE)} == set()


def send(browser: Visitor, row: Row, address: str) -> TestResponse:
    return browser.client.open(address, method=row.method)


def neutral(response: TestResponse, cast: Cast) -> tuple[int, dict[str, str], str]:
    """Reduce an answer to what a curious person could tell apart, but for what they asked for themselves."""
    headers = {name: value for name, value in response.headers if name not in ("Content-Length", "Set-Cookie", "Date")}
    text = response.text
    for which in ("restricted", "absent"):
        text = text.replace(cast.values(which)["ref"], "BUG")
    return response.status_code, headers, text
