"""Merging and separating by the API."""

import pytest

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug
from bugintake.team import tokens
from bugintake.triage import editing
from tests.api.test_api import Program
from tests.factories import make_bug, make_customer, make_workspace, merge


@pytest.fixture
def program(app, clock):
    make_workspace()
    return Program(app, tokens.SCOPES)


def delete(program, path, **headers):
    return program.client.delete(f"/api/v1{path}", headers={**program.headers, **headers})


def test_a_merged_bug_answers_with_its_canonical_one_until_it_is_separated(program):
    sam = make_customer()
    bug, other = make_bug(waiting=[sam, make_customer()]), make_bug(waiting=[sam])

    merged = program.post(f"/bugs/{bug.ref}/merge", {"into": other.ref})
    assert (merged.status_code, merged.json["ref"], merged.json["people_waiting"]) == (200, other.ref, 2)
    assert merged.headers["ETag"] == program.get(f"/bugs/{bug.ref}").headers["ETag"]

    separated = delete(program, f"/bugs/{bug.ref}/merge")
    assert (separated.status_code, separated.json["ref"], separated.json["people_waiting"]) == (200, bug.ref, 2)
    assert separated.headers["ETag"] == program.get(f"/bugs/{bug.ref}").headers["ETag"]


def test_the_same_merge_sent_twice_is_answered_twice_and_done_once(program):
    bug, other = make_bug(), make_bug()
    key = {"Idempotency-Key": "merge-1"}

    first = program.post(f"/bugs/{bug.ref}/merge", {"into": other.ref}, **key)
    again = program.post(f"/bugs/{bug.ref}/merge", {"into": other.ref}, **key)

    assert (again.status_code, again.json) == (200, first.json)
    assert [event["kind"] for event in again.json["history"]].count("bug.took_in") == 1


def test_a_stale_if_match_merges_and_separates_nothing(program):
    bug, other = make_bug(), make_bug()
    stale = {"If-Match": '"0-0"'}
    assert program.post(f"/bugs/{bug.ref}/merge", {"into": other.ref}, **stale).status_code == 412
    fresh = {"If-Match": program.get(f"/bugs/{bug.ref}").headers["ETag"]}
    assert program.post(f"/bugs/{bug.ref}/merge", {"into": other.ref}, **fresh).status_code == 200

    assert delete(program, f"/bugs/{bug.ref}/merge", **stale).status_code == 412
    fresh = {"If-Match": program.get(f"/bugs/{bug.ref}").headers["ETag"]}
    assert delete(program, f"/bugs/{bug.ref}/merge", **fresh).status_code == 200


def test_what_cannot_be_is_a_problem_in_words(program):
    bug, other, hidden = make_bug(), make_bug(), make_bug()
    with transaction():
        editing.restrict(hidden, True, actor=program.user)

    answers = [
        program.post(f"/bugs/{bug.ref}/merge", {"into": bug.ref}),
        program.post(f"/bugs/{bug.ref}/merge", {}),
        program.post(f"/bugs/{bug.ref}/merge", {"into": 1}),
        program.post(f"/bugs/{bug.ref}/merge", {"into": "BUG-4711"}),
        program.post(f"/bugs/{bug.ref}/merge", {"into": hidden.ref}),
        delete(program, f"/bugs/{bug.ref}/merge"),
    ]
    merge(other, bug)
    answers.append(program.post(f"/bugs/{bug.ref}/merge", {"into": other.ref}))

    assert [answer.status_code for answer in answers] == [409, 422, 422, 404, 404, 409, 409]
    assert {answer.content_type for answer in answers} == {"application/problem+json"}
    assert answers[3].json == answers[4].json
    assert db.session.get_one(Bug, bug.id).merged_into_id is None
