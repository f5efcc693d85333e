"""Every route answers everybody as the tables in access.py say, and no route is missing from them."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.security import limiter
from tests import apps
from tests.architecture.access import API, PAGES, PEOPLE, PROGRAMS
from tests.architecture.cast import Cast
from tests.databases import SqliteTemplate

KEPT_OUT = ("401", "403", "404")
FORM_TOKEN = re.compile(r'(name="csrf_token" value=")[^"]*')
CONVERTER = re.compile(r"<(?:[^<>:]+:)?([a-z_]+)>")


@dataclass(frozen=True)
class Row:
    """One line of a table: what everybody gets from one address for one object."""

    method: str
    address: str
    which: str
    answers: dict[str, str]

    @property
    def route(self) -> str:
        """Name the route."""
        return f"{self.method} {self.address}"

    def __str__(self) -> str:
        return f"{self.route} {self.which}".strip()


def rows(table: str, columns: tuple[str, ...]) -> list[Row]:
    found = []
    for line in table.splitlines():
        if line and not line.startswith("#"):
            words = line.split()
            method, address, *which = words[: -len(columns)]
            answers = dict(zip(columns, words[-len(columns) :], strict=True))
            found.append(Row(method, address, " ".join(which), answers))
    return found


ROWS = [*rows(PAGES, PEOPLE), *rows(API, PROGRAMS)]


def answered(response: TestResponse, expected: str) -> str:
    """Say in the words of the table what a response is."""
    if response.status_code in (302, 303) and response.location.startswith("/login?next="):
        return "login"
    code = str(response.status_code)
    if expected == "in" and code not in KEPT_OUT and response.status_code < 500:
        return "in"
    return code


@pytest.fixture(scope="module")
def stage(sqlite_template: SqliteTemplate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cast, Path]]:
    """The cast, made once, and a copy of its database."""
    folder = tmp_path_factory.mktemp("access")
    clock.freeze(datetime(2026, 3, 10, 9, tzinfo=UTC))
    with sqlite_template.copy(folder) as url, apps.opened(apps.make_settings(folder, url)) as app:
        app.config["WTF_CSRF_METHODS"] = set()  # forged requests have tests of their own; here the guards answer
        cast = Cast(app)
        close_database()
        shutil.copyfile(folder / "bugintake.db", folder / "before.db")
        yield cast, folder
    clock.freeze(None)


@pytest.fixture
def cast(stage: tuple[Cast, Path]) -> Iterator[Cast]:
    """The cast, with everything as it was."""
    cast, folder = stage
    yield cast
    close_database()
    shutil.copyfile(folder / "before.db", folder / "bugintake.db")


def close_database() -> None:
    db.session.rollback()
    db.session.expire_all()
    db.engine.dispose()


def plain(rule: str) -> str:
    """Write an address however its parts are converted."""
    return CONVERTER.sub(r"<\1>", rule)


def ask(cast: Cast, person: str, row: Row, which: str) -> TestResponse:
    limiter.reset()
    return cast.send(person, row.method, row.address, which)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_what_the_table_says(cast, row):
    got = {who: answered(ask(cast, who, row, row.which), row.answers[who]) for who in row.answers}
    assert {who: f"{got[who]}, not {said}" for who, said in row.answers.items() if got[who] != said} == {}


@pytest.mark.parametrize("row", [row for row in ROWS if row.which == "restricted"], ids=str)
def test_what_one_may_not_see_answers_as_if_it_were_absent(cast, row):
    kept_out = [person for person, answer in row.answers.items() if answer == "404"]
    hidden = [neutral(ask(cast, person, row, "restricted"), cast) for person in kept_out]
    absent = [neutral(ask(cast, person, row, "absent"), cast) for person in kept_out]
    assert hidden == absent


def test_asking_for_the_head_of_a_page_does_what_asking_for_the_page_does(cast):
    """Scanners ask so, without a form token. A view that takes forms too may mistake that for one."""
    take_forms = {row.address for row in ROWS if row.method == "POST"}
    pages = [row for row in ROWS if row.method == "GET" and row.address in take_forms]
    seen = [(row, who) for row in pages for who, said in row.answers.items() if said not in ("login", *KEPT_OUT)]
    of_each = {row.route: (row, who) for row, who in seen}
    found = {name: tuple(head_and_page(cast, who, row)) for name, (row, who) in of_each.items()}

    assert {name: codes for name, codes in found.items() if codes[0] != codes[1]} == {}


def head_and_page(cast: Cast, who: str, row: Row) -> Iterator[int]:
    for method in ("HEAD", "GET"):
        limiter.reset()
        yield cast.send(who, method, row.address, row.which).status_code


def test_each_customer_sees_their_own_report_and_nothing_of_the_other(cast):
    seen = {person: cast.send(person, "GET", "/s/<language>/report", "").text for person in cast.reports}
    words = {person: report.actual for person, report in cast.reports.items()}
    assert {who: [whose for whose, text in words.items() if text in seen[who]] for who in seen} == {
        "customer": ["customer"],
        "stranger": ["stranger"],
    }


def test_no_route_is_missing_from_the_tables(cast):
    served = {
        f"{method} {plain(rule.rule)}"
        for rule in cast.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served ^ {plain(row.route) for row in ROWS} == set()


def test_no_line_stands_twice_in_the_tables():
    assert len({str(row) for row in ROWS}) == len(ROWS)


def neutral(response: TestResponse, cast: Cast) -> list[str]:
    """Reduce an answer to what a curious person could tell apart, but for what they asked for themselves."""
    own = ("Content-Length", "Set-Cookie", "Date", "X-Request-Id")
    headers = [f"{name}: {value}" for name, value in response.headers if name not in own]
    text = FORM_TOKEN.sub(r"\1", response.text)
    for which in ("restricted", "absent"):
        text = text.replace(cast.value("ref", which), "BUG")
    return [response.status, *headers, *text.splitlines()]
