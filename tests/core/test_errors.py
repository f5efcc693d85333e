"""Refusals and failures: said in words, nothing given away, nothing lost."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from bugintake.core.errors import Conflict, Invalid
from bugintake.team.guards import public

pytestmark = pytest.mark.only_on("sqlite")

TYPED = {"actual": "The VAT line is missing.\nOnly the total is there.", "password": "hunter2", "area": "7"}


@pytest.fixture
def broken(app: Flask) -> FlaskClient:
    """A browser before addresses that fail in every way."""
    app.config["WTF_CSRF_METHODS"] = set()
    failures = {
        "conflict": Conflict("Jonas moved it 20 s ago."),
        "bug": ZeroDivisionError("the secret is hunter2"),
        "busy": OperationalError("SELECT secret", {}, Exception("database is locked")),
        "full": OperationalError("INSERT secret", {}, Exception("database or disk is full")),
        "field": Invalid("Choose where it happens.", "area"),
    }

    @public
    def fail(kind: str) -> str:
        raise failures[kind]

    for prefix in ("", "/api/v1"):
        app.add_url_rule(f"{prefix}/test/<kind>", f"fail{prefix}", fail, methods=["POST"])
    return app.test_client()


@pytest.mark.parametrize(
    ("kind", "status", "sentence"),
    [
        ("conflict", 409, "Jonas moved it 20 s ago."),
        ("busy", 503, "It did not answer in time, so nothing was saved."),
        ("full", 507, "The disk is full, so nothing was saved."),
        ("bug", 500, "Something broke here, and nothing was saved."),
    ],
)
def test_a_page_says_what_happened_and_keeps_what_was_typed(broken, kind, status, sentence):
    answer = broken.post(f"/test/{kind}", data=TYPED)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "The VAT line is missing.\nOnly the total is there." in answer.text
    assert 'name="area" value="7"' in answer.text


@pytest.mark.parametrize("kind", ["bug", "busy", "full"])
@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_a_failure_gives_nothing_of_the_inside_away(broken, kind, prefix):
    answer = broken.post(f"{prefix}/test/{kind}", data=TYPED)
    inside = ("hunter2", "secret is", "SELECT", "INSERT", "Traceback", "ZeroDivision", "locked", ".py")
    assert [word for word in inside if word in answer.text] == []


@pytest.mark.parametrize("kind", ["busy", "full"])
def test_a_database_that_may_answer_later_says_when_to_ask_again(broken, kind):
    again = {"busy": "5", "full": None}
    assert broken.post(f"/test/{kind}").headers.get("Retry-After") == again[kind]


def test_what_another_site_filled_in_is_not_offered_for_sending(broken):
    for site, is_kept in (("same-origin", True), ("none", True), ("cross-site", False), ("same-site", False)):
        answer = broken.post("/test/conflict", data=TYPED, headers={"Sec-Fetch-Site": site})
        assert ("The VAT line" in answer.text) is is_kept, site


def test_a_program_gets_a_problem_document(broken):
    answer = broken.post("/api/v1/test/field")
    assert answer.mimetype == "application/problem+json"
    assert answer.json == {
        "type": "about:blank",
        "title": "Something is missing or wrong",
        "status": 422,
        "detail": "Choose where it happens.",
        "errors": {"area": ["Choose where it happens."]},
    }


@pytest.mark.parametrize(
    "path", ["/nothing", "/bugs/%00", "/bugs/BUG-99999999999999999999", "/loop/99999999999999999999"]
)
def test_an_address_of_nothing_is_never_a_failure(client, path):
    assert client.get(path).status_code in (302, 404)
