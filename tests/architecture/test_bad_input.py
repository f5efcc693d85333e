"""Nothing that can be sent breaks anything: each parameter of each route, with everything nobody means (A-24, A-42)."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from bugintake.core.security import limiter
from bugintake.team.models import Role
from tests.architecture.bad_input import TEXTS, VALUES, encoded, forms_of, rule_of, words_asked
from tests.architecture.cast import Cast
from tests.architecture.test_access import CONVERTER, plain
from tests.visitors import Visitor, visit

pytestmark = pytest.mark.long_on("sqlite")

FORM = "application/x-www-form-urlencoded"
ENDS_THE_SIGN_IN = {"/logout", "/settings/password"}
Requests = Iterator[tuple[str, TestResponse]]


class Attacker:
    """An admin who sends what nobody means, signed in again whenever that ended the sign-in."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.visitor = self._enter()

    def _enter(self) -> Visitor:
        return visit(self.cast.app, self.cast.staff[Role.ADMIN.value])

    def send(self, address: str, fields: list[tuple[str, bytes]]) -> TestResponse:
        limiter.reset()
        token = [("csrf_token", self.visitor.token.encode())]
        answer = self.visitor.client.post(address, data=encoded(token + fields), content_type=FORM)
        if answer.status_code == 401 or address in ENDS_THE_SIGN_IN:
            self.visitor = self._enter()
        return answer

    def pages(self) -> Iterator[tuple[str, str]]:
        """Every page with its text."""
        for rule in self.cast.app.url_map.iter_rules():
            if "GET" in (rule.methods or ()) and not rule.rule.startswith(("/api/", "/static/")):
                address = self.cast.address(plain(rule.rule), "")
                answer = self.visitor.get(address)
                if answer.status_code == 200 and answer.mimetype == "text/html":
                    yield address, answer.text


@pytest.fixture
def attacker(app: Any, clock: Any) -> Attacker:
    return Attacker(Cast(app))


@pytest.fixture
def every(request: Any) -> int:
    """Which ones of the bad values are tried: every fourth, in the long tier each."""
    return 1 if request.config.getoption("--long") else 4


def posts(attacker: Attacker) -> dict[str, tuple[str, dict[str, str]]]:
    """Give each POST route the address and the fields of its form; one that no page shows has what views ask for."""
    app, found = attacker.cast.app, {}
    for address, page in attacker.pages():
        for path, fields in forms_of(page, address).items():
            endpoint = rule_of(app, path)
            if endpoint and len(fields) >= len(found.get(endpoint, ("", {}))[1]):
                found[endpoint] = path, fields
    asked = dict.fromkeys(words_asked("form"), "1")
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.rule.startswith("/api/"):
            address, fields = found.get(rule.endpoint, (attacker.cast.address(plain(rule.rule), ""), asked))
            found[rule.endpoint] = address, fields or asked
    return found


def broken(requests: Requests) -> list[str]:
    """Name the requests whose answer is a failure of ours."""
    return [f"{what}: {answer.status}" for what, answer in requests if answer.status_code >= 500]


def test_a_24_a_42_no_form_breaks_whatever_stands_in_its_fields(attacker, every):
    """Each field is bad in several ways, in the long tier in each, while the others are bad in other ways."""

    def requests() -> Requests:
        for address, fields in posts(attacker).values():
            for turn in range(0, len(WAYS), every):
                chosen = {name: WAYS[(turn + place) % len(WAYS)] for place, name in enumerate(fields)}
                sent = [pair for name, way in chosen.items() for pair in way_of(way, name, fields[name])]
                yield f"{address} {chosen}", attacker.send(address, sent)

    assert broken(requests()) == []


def test_a_42_no_form_breaks_over_a_megabyte_in_a_field(attacker):
    def requests() -> Requests:
        for address, fields in posts(attacker).values():
            for name in list(fields)[-1:]:
                good = [(other, value.encode()) for other, value in fields.items() if other != name]
                yield f"{address} {name}", attacker.send(address, [*good, (name, b"x" * MEGABYTE)])

    assert broken(requests()) == []


@pytest.mark.long
def test_a_24_a_42_no_form_breaks_when_one_of_its_fields_is_bad_and_the_others_are_fine(attacker):
    def requests() -> Requests:
        for address, fields in posts(attacker).values():
            for name in fields:
                good = [(other, value.encode()) for other, value in fields.items() if other != name]
                for way in WAYS:
                    sent = good + way_of(way, name, fields[name])
                    yield f"{address} {name} {way}", attacker.send(address, sent)

    assert broken(requests()) == []


NOT_THERE, TWICE = "not there", "there twice"
WAYS = (*TEXTS, NOT_THERE, TWICE)
MEGABYTE = 1_000_000


def way_of(way: str, name: str, good: str) -> list[tuple[str, bytes]]:
    """Fill in a field in one of the ways."""
    if way == NOT_THERE:
        return []
    if way == TWICE:
        return [(name, b"1"), (name, good.encode()), (f"{name}[]", b"1")]
    return [(name, TEXTS[way])]


def test_a_42_no_page_breaks_whatever_its_address_asks_for(attacker, every):
    names = words_asked("args")

    def requests() -> Requests:
        for rule in attacker.cast.app.url_map.iter_rules():
            if "GET" not in (rule.methods or ()) or rule.rule == "/healthz":
                continue
            address = attacker.cast.address(plain(rule.rule), "")
            for what, text in list(TEXTS.items())[::every]:
                asked = encoded([(name, text) for name in names]).decode()
                yield f"{address} {what}", attacker.visitor.get(f"{address}?{asked}")

    assert broken(requests()) == []


PARTS = ("99999999999999999999", "%ED%A0%80", "-1", "0", "2147483648", "%00", "%FF", "٣", "BUG-1%0d%0a", "x" * 2000)


def test_a_42_no_route_breaks_whatever_stands_in_its_address(attacker, every):
    def requests() -> Requests:
        for rule in attacker.cast.app.url_map.iter_rules():
            for part in PARTS[::every] if rule.arguments else ():
                address = CONVERTER.sub(part, rule.rule)
                if "GET" in (rule.methods or ()):
                    yield f"GET {address}", attacker.visitor.get(address)
                if "POST" in (rule.methods or ()):
                    yield f"POST {address}", attacker.send(address, [])

    assert broken(requests()) == []


# --- The API -----------------------------------------------------------------------------------------------------


class Program:
    """A program with every scope of a lead."""

    def __init__(self, cast: Cast) -> None:
        self.cast, self.client = cast, cast.app.test_client()
        self.headers = {"Authorization": f"Bearer {cast.tokens['engineer']}"}

    def post(self, address: str, body: str) -> TestResponse:
        limiter.reset()
        return self.client.post(address, data=body, content_type="application/json", headers=self.headers)


@pytest.fixture
def program(app: Any, clock: Any) -> Program:
    return Program(Cast(app))


def bodies(cast: Cast) -> dict[str, dict[str, Any]]:
    """Give each call what it takes, with something in every field."""
    report = cast._body("/api/v1/reports", "") | {"bug": cast.bugs[""].ref}
    customer = {"email": "new@example.com", "name": "New", "language": "de", "account": "Fresh"}
    words = {"version": "5", "customer_note": "Back.", "reason": 1, "workaround": {"en": "Print."}, "question": "Who?"}
    return {
        "/api/v1/reports": report | {"customer": customer},
        f"/api/v1/bugs/{cast.bugs[''].ref}/transitions": {"to": "fixed", **words},
        "/api/v1/releases": {"version": "9", "live_at": "2026-03-10T09:00:00Z"},
        cast.address("/api/v1/announcements/<announcement_id>/sending", ""): {},
    }


def test_a_24_no_call_breaks_whatever_its_fields_are_and_each_refusal_is_a_problem_document(program):
    def requests() -> Requests:
        for address, body in bodies(program.cast).items():
            for name in body:
                for what, value in VALUES.items():
                    sent = json.dumps(body | {name: value})
                    yield f"{address} {name} {what}", program.post(address, sent)
            for name in body.get("customer") or {}:
                for what, value in VALUES.items():
                    sent = json.dumps(body | {"customer": body["customer"] | {name: value}})
                    yield f"{address} customer {name} {what}", program.post(address, sent)

    answers = list(requests())
    assert broken(iter(answers)) == []
    assert [what for what, answer in answers if answer.status_code >= 400 and not is_problem(answer)] == []


def is_problem(answer: TestResponse) -> bool:
    """Whether a refusal is a problem document that says what is wrong in a sentence."""
    body = answer.get_json(force=True, silent=True) or {}
    is_whole = body.get("status") == answer.status_code and bool(body.get("detail")) and bool(body.get("title"))
    return answer.mimetype == "application/problem+json" and is_whole


NO_OBJECTS = ("", "{", "[]", "null", "1", '"a"', "NaN", '{"to": NaN}', "[" * 5000, "\x00", "\ufeff{}")


def test_a_24_what_is_no_object_of_json_is_refused_with_a_problem_document(program):
    for address, body in itertools.product(bodies(program.cast), NO_OBJECTS):
        answer = program.post(address, body)
        assert (address, body[:20], answer.status_code < 500) == (address, body[:20], True)
        assert answer.status_code == 200 or is_problem(answer), (address, body[:20])


def test_a_23_an_unknown_key_is_refused_by_name(program):
    for address, body in bodies(program.cast).items():
        for name in ("role", "status", "is_restricted", "filed_by_id", "bug_id"):
            answer = program.post(address, json.dumps(body | {name: 1}))
            if body:
                assert (address, answer.status_code, answer.get_json()["errors"]) == (
                    address,
                    422,
                    {name: ["Unknown field."]},
                )


def test_a_24_the_last_of_a_key_that_stands_twice_counts(program):
    body = json.dumps(bodies(program.cast)["/api/v1/releases"])[:-1] + ', "version": ["a"]}'

    answer = program.post("/api/v1/releases", body)

    assert (answer.status_code, answer.get_json()["errors"]) == (422, {"version": ["Not a valid string."]})
