"""Hints stand beside what is typed and never in its way; masking takes secrets out, and nothing else."""

import re

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from bugintake.core.db import db
from bugintake.intake import hints
from bugintake.intake.draft_models import Draft
from bugintake.intake.hints import MASK, masked, secrets_in
from bugintake.intake.models import Report
from tests.factories import make_bug

FINE = {"steps": "1. Open the search\n2. Type a name", "actual": "Nothing comes.", "expected": "The list."}
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
SECRETS = {
    "password: hunter2": "hunter2",
    'Kennwort = "geheim!99"': "geheim!99",
    "'pwd':'sanford1000', ": "sanford1000",
    "https://lea:s3same@example.com/": "s3same",
    "api_key=645bf1d897d1fa8dc93ed45bc37edc04&x=1": "645bf1d897d1fa8dc93ed45bc37edc04",
    "?access_token=134793934930%7C0e5b712c": "134793934930%7C0e5b712c",
    "Authorization: Bearer abcdefghij": "abcdefghij",
    f"The cookie is {JWT}.": JWT,
    "AKIAIOSFODNN7EXAMPLE": "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9: "ghp_" + "a1B2" * 9,
    "paid with 4111 1111 1111 1111 today": "4111 1111 1111 1111",
    "paid with 5500-0055-5555-5559": "5500-0055-5555-5559",
    "378282246310005": "378282246310005",
}
NONE = (
    "Password: the field is empty, token: none, secret = response.token",
    "PWD=/Users/lea/Desktop/7",
    "password: Ti.Utils.md5HexDigest(password)",
    "token=ActivityRecord{40decca0 token = android.os.BinderProxy@42a76558",
    "token: 00000000, password: ****1",
    "d18 4028000000000000 d19 3ff0000000000000",
    "4111 1111 1111 1112 is no number that anybody issued",
    "order 1234567890123452, at 2026-11-28 10:42:00, phone +49 30 1234567890",
    "a1b2c3d4-4111-1111-1111-111111111111",
)
PIECES = [*SECRETS, *NONE, ":", "=", " ", "token", "password", "-----BEGIN PRIVATE KEY-----", "4", "1", "•", "://", "@"]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=8)).map("".join)


def said(**changes):
    return [(hint.field, hint.sentence) for hint in hints.hints(**{**FINE, **changes})]


def test_a_good_report_gets_no_hint():
    assert said() == []


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"steps": "Open it."}, "steps", hints.VERY_SHORT),
        ({"expected": "nothing  comes"}, "expected", hints.SAME_AS_ACTUAL),
        ({"actual": "1. OPEN the search; 2. type a name!"}, "actual", hints.SAME_AS_STEPS),
        ({"actual": "Nothing comes. Another problem: the page is slow."}, "actual", hints.TWO_PROBLEMS),
        ({"expected": "Log in with password: hunter2"}, "expected", hints.SECRET.format(what="a password")),
    ],
)
def test_each_hint_names_its_field(changes, field, sentence):
    assert said(**changes) == [(field, sentence)]


def test_empty_texts_get_no_hint_because_they_are_asked_for_anyway():
    assert hints.hints(steps="", actual="", expected="") == []


@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
def test_a_secret_is_found_and_masked_alone(text, secret):
    assert [text[start:end] for start, end, _ in secrets_in(text)][:1] == [secret]
    assert masked(text) == text.replace(secret, MASK)


@pytest.mark.parametrize("text", NONE)
def test_what_only_looks_like_one_is_left_alone(text):
    assert list(secrets_in(text)) == []
    assert masked(text) == text


@given(texts)
@example("password:4111 1111 1111 1111")
def test_masking_leaves_no_secret_and_changes_nothing_when_it_is_repeated(text):
    once = masked(text)

    assert list(secrets_in(once)) == []
    assert masked(once) == once


@given(texts)
def test_masking_touches_nothing_else(text):
    rest = [re.escape(part) for part in masked(text).split(MASK)]

    assert re.fullmatch(".+?".join(rest), text, re.DOTALL)


def test_a_text_that_is_too_long_to_be_kept_is_not_looked_at():
    assert hints.hints(**{**FINE, "actual": "password: hunter2 " * 2000}) == []


def test_without_a_script_a_secret_is_shown_once_and_the_form_is_filed_as_it_is_the_second_time(agent, filled):
    sent = filled(found_by_us="y", ask="1", actual="It says password: hunter2.")

    page = agent.post("/new", sent)
    assert page.status_code == 200
    assert hints.SECRET.format(what="a password") in page.text
    assert 'name="hinted" value="1"' in page.text
    agent.post("/new", {**sent, "hinted": "1"})

    assert db.session.scalars(sa.select(Report.actual)).all() == ["It says password: hunter2."]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ({"steps": "Look."}, hints.VERY_SHORT),
        ({"expected": "The list stays empty. No message."}, hints.SAME_AS_ACTUAL),
    ],
)
def test_without_a_script_every_hint_is_shown_once_before_filing_and_stands_in_nobodys_way(agent, filled, words, hint):
    sent = filled(found_by_us="y", ask="1", **words)

    page = agent.post("/new", sent)

    assert "Nothing is filed yet: there are hints beside the texts." in page.text
    assert hint in page.text
    assert agent.post("/new", {**sent, "hinted": "1"}).status_code == 303


def test_steps_that_nobody_asks_for_are_missed_where_a_customer_is_attached(agent, filled):
    bug = make_bug()

    page = agent.post(f"/bugs/{bug.ref}/attach", {"actual": "Nothing comes."})
    draft = agent.post(f"/drafts?bug={bug.ref}", {"actual": "Nothing comes."}, headers={"Accept": "application/json"})

    assert f'data-hints="steps"><li>{hints.NO_STEPS}' in page.text
    assert [each["sentence"] for each in draft.json["hints"]] == [hints.NO_STEPS]
    assert hints.NO_STEPS not in agent.get(f"/bugs/{bug.ref}/attach").text


def test_a_refused_form_shows_its_hints_beside_the_fields(agent, filled):
    page = agent.post("/new", filled(steps="Look."))

    assert page.status_code == 422
    assert f'data-hints="steps"><li>{hints.VERY_SHORT}' in page.text


def test_masking_shows_the_form_again_with_dots_and_keeps_everything_else(agent, filled):
    key = re.search(r'name="key" value="([^"]+)"', agent.get("/new").text)[1]
    sent = filled(key=key, actual="  It says password: hunter2\r\nAnd  more ")
    agent.post("/drafts", sent)

    page = agent.post("/new/masking", {**sent, "revision": "1"})

    assert f"  It says password: {MASK}\r\nAnd  more </textarea>" in page.text
    assert 'name="revision" value="2"' in page.text
    db.session.rollback()
    drafts = db.session.scalars(sa.select(Draft)).all()
    assert [each.fields["actual"] for each in drafts] == [f"  It says password: {MASK}\r\nAnd  more "]


def test_a_script_gets_the_masked_texts_and_hears_the_hints_with_each_saving(agent, filled):
    script = {"Accept": "application/json"}
    sent = filled(steps="Look.", actual="password: hunter2")

    assert agent.post("/new/masking", sent, headers=script).json == {
        "steps": "Look.",
        "actual": f"password: {MASK}",
        "expected": "The people with that name.",
    }
    assert [
        (each["field"], each["is_secret"]) for each in agent.post("/drafts", sent, headers=script).json["hints"]
    ] == [
        ("steps", False),
        ("actual", True),
    ]
