"""The API for this walk: what it takes, gives and refuses."""

import json

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue, further_lists, option_merging, proposals
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, OptionList, Report, Status
from bugintake.loop.models import Announcement
from bugintake.team import tokens
from bugintake.team.models import Role
from bugintake.triage import pinning
from tests.factories import (
    LABELS,
    make_bug,
    make_customer,
    make_list,
    make_option,
    make_user,
    make_version,
    make_workspace,
)


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


class Program:
    """A client with a token."""

    def __init__(self, app, scopes, role=Role.ENGINEER):
        self.user = make_user(role)
        with transaction():
            _, secret = tokens.create_token(self.user, list(scopes), actor=None)
        self.client, self.headers = app.test_client(), {"Authorization": f"Bearer {secret}"}

    def get(self, path, **headers):
        return self.client.get(f"/api/v1{path}", headers={**self.headers, **headers})

    def post(self, path, body=None, **headers):
        return self.client.post(f"/api/v1{path}", json=body, headers={**self.headers, **headers})


@pytest.fixture
def program(app):
    return Program(app, tokens.SCOPES)


def a_report(**changes):
    for kind in OptionList:
        make_option(kind)
    chosen = {kind.value: LABELS[kind] for kind in OptionList if kind != OptionList.DECLINE_REASON}
    customer = {"email": "hana@brightline.example.com", "name": "Hana Kovač", "language": "de", "account": "Brightline"}
    texts = {"steps": "Open it", "actual": "The VAT line is missing.", "expected": "A VAT line."}
    return {"customer": customer, **chosen, **texts, **changes}


def count(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_the_catalogue_lists_every_list_in_order_without_the_retired(program):
    option = make_option(OptionList.AREA, "Imports › Bank files", aliases=["csv"])

    answer = program.get("/catalogue")

    assert list(answer.json) == [kind.value for kind in OptionList]
    assert answer.json["area"] == [{"id": option.id, "label": "Imports › Bank files", "aliases": ["csv"]}]


def test_further_lists_are_listed_chosen_and_shown_by_name(program):
    theme, retired = make_list("Theme", "Dark", grows=True), make_list("Plan", "Free")
    with transaction():
        further_lists.retire_list(retired, actor=program.user)
    dark = catalogue.option_labelled("theme", "Dark")

    assert list(program.get("/catalogue").json)[-1] == "theme"
    assert program.get("/catalogue").json["theme"] == [{"id": dark.id, "label": "Dark", "aliases": []}]
    for given, label in (("dark", "Dark"), (dark.id, "Dark"), ("Solarized", "Solarized")):
        answer = program.post("/reports", a_report(choices={theme.name: given}))
        assert answer.status_code == 201
        assert program.get(f"/bugs/{answer.json['bug']['ref']}").json["choices"] == {"theme": label}


def test_a_word_that_is_not_listed_waits_for_a_lead_and_a_typo_is_refused(program):
    answer = program.post("/reports", a_report(area={"not_listed": " Kiosk  mode"}))
    again = program.post("/reports", a_report(area={"not_listed": "kiosk mode"}))

    assert (answer.status_code, again.status_code) == (201, 201)
    assert program.get(f"/bugs/{answer.json['bug']['ref']}").json["area"] == "Kiosk mode"
    assert [(each.option.label, each.use_count) for each in proposals.waiting(start=0, size=9)] == [("Kiosk mode", 2)]
    assert "Kiosk mode" not in [each["label"] for each in program.get("/catalogue").json["area"]]
    for given in ("Kisok", "Kiosk mode", {"not_listed": " "}, {"not_listed": "x" * 121}, {"not_listed": 1}, {"a": "b"}):
        assert program.post("/reports", a_report(area=given)).status_code == 422
    assert program.post("/reports", a_report(impact={"not_listed": "Awful"})).status_code == 422


@pytest.mark.parametrize(
    ("choices", "field"), [({"plan": 1}, "choices"), ({"theme": 999_999}, "theme"), ({"theme": None}, "choices")]
)
def test_a_choice_that_no_further_list_has_is_a_problem(program, choices, field):
    make_list("Theme", "Dark")

    answer = program.post("/reports", a_report(choices=choices))

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert field in answer.json["errors"]
    assert count(Report) == 0


def test_filing_a_report_answers_with_its_bug(program):
    answer = program.post("/reports", a_report())

    bug = db.session.scalars(sa.select(Bug)).one()
    facts = {"ref": bug.ref, "url": f"http://127.0.0.1:8000/bugs/{bug.ref}", "status": "new"}
    assert answer.status_code == 201
    assert answer.json["bug"] == {**facts, "title": "The VAT line is missing", "people_waiting": 1}
    customer = db.session.scalars(sa.select(Customer)).one()
    assert (customer.name, customer.language, customer.account.name) == ("Hana Kovač", "de", "Brightline")


def test_a_customer_without_an_address_is_found_by_name_or_added(program):
    ids = set()
    for account in ("Brightline", "brightline", ""):
        customer = {"name": "Bernd Kruse", "account": account}
        assert program.post("/reports", a_report(customer=customer)).status_code == 201
        ids |= set(db.session.scalars(sa.select(Customer.id)))

    assert len(ids) == 1
    refused = program.post("/reports", a_report(customer={"language": "de"}))
    assert (refused.status_code, "name or an address" in refused.text) == (422, True)


@pytest.mark.parametrize(("version", "status"), [("4.12.1", "live"), ("4.13.0", "accepted"), ("Not sure", "accepted")])
def test_a_live_bug_comes_back_with_a_customer_who_has_the_fix(program, version, status):
    bug = make_bug(Status.LIVE)
    make_option(OptionList.VERSION, version, is_unsure=version == "Not sure")

    answer = program.post("/reports", a_report(bug=bug.ref, version=version))

    assert (answer.status_code, answer.json["bug"]["status"]) == (201, status)


def test_filing_with_a_bug_attaches_the_customer(program):
    bug = make_bug()

    answer = program.post("/reports", a_report(bug=bug.ref))

    assert (answer.json["bug"]["ref"], answer.json["bug"]["people_waiting"], count(Bug)) == (bug.ref, 2, 1)


def test_the_same_request_twice_makes_one_report_and_gets_the_same_answer(program):
    body = a_report()

    first, second = (program.post("/reports", body, **{"Idempotency-Key": "k1"}) for _ in range(2))

    assert (first.status_code, first.json) == (second.status_code, second.json)
    assert count(Report) == 1


def test_the_same_key_with_another_body_is_refused(program):
    program.post("/reports", a_report(), **{"Idempotency-Key": "k1"})

    answer = program.post("/reports", a_report(actual="Something else."), **{"Idempotency-Key": "k1"})

    assert (answer.status_code, answer.mimetype, count(Report)) == (422, "application/problem+json", 1)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"area": "Nowhere"}, "area"),
        ({"area": ["Invoices"]}, "area"),
        ({"area": True}, "area"),
        ({"steps": None}, "steps"),
        ({"steps": ["a"]}, "steps"),
        ({"steps": 7}, "steps"),
        ({"steps": " \u0000 "}, "steps"),
        ({"actual": "x" * 1_000_000}, "actual"),
        ({"customer": "hana"}, "customer"),
        ({"customer": {"email": "a@b.test, c@d.test"}}, "email"),
        ({"status": "live"}, "status"),
        ({"is_restricted": True}, "is_restricted"),
    ],
)
def test_what_is_wrong_is_named_at_its_field_and_nothing_is_saved(program, change, field):
    answer = program.post("/reports", a_report(**change))

    assert (answer.status_code, answer.mimetype, list(answer.json["errors"])) == (
        422,
        "application/problem+json",
        [field],
    )
    assert (count(Report), count(Customer)) == (0, 0)


def test_half_characters_and_controls_are_cleaned_on_the_way_in(program):
    body = json.dumps(a_report()).replace("The VAT line is missing.", "The VAT\\u0000 line \\ud800 is\\u0008 missing.")

    answer = program.client.post(
        "/api/v1/reports", data=body, headers={**program.headers, "Content-Type": "application/json"}
    )

    assert answer.status_code == 201
    assert db.session.scalars(sa.select(Report.actual)).one() == "The VAT line \ufffd is missing."


@pytest.mark.parametrize("ref", ["BUG-99999999999999999999", "BUG-0", "BUG--1", "BUG-١", "x", "BUG-99999"])
def test_a_bug_that_cannot_be_is_not_found(program, ref):
    assert program.get(f"/bugs/{ref}").status_code == 404


def test_a_restricted_bug_does_not_exist_for_an_engineer_by_any_call(program):
    bug = make_bug()
    with transaction():
        bug.is_restricted = True

    hidden = [program.get(f"/bugs/{bug.ref}"), program.post(f"/bugs/{bug.ref}/transitions", {"to": "accepted"})]
    hidden.append(program.post("/reports", a_report(bug=bug.ref)))
    absent = program.get("/bugs/BUG-4711")

    assert [(answer.status_code, answer.json) for answer in hidden] == [(404, absent.json)] * 3
    assert program.get("/bugs").json == {"items": [], "next": None}


def test_a_bug_and_its_row_say_whether_a_lead_pinned_it(program):
    bug, other = make_bug(), make_bug()
    with transaction():
        pinning.pin(bug, True, actor=make_user(Role.LEAD))

    assert [program.get(f"/bugs/{each.ref}").json["is_pinned"] for each in (bug, other)] == [True, False]
    rows = {row["ref"]: row["is_pinned"] for row in program.get("/bugs").json["items"]}
    assert rows == {bug.ref: True, other.ref: False}


def test_a_merged_bug_answers_with_the_one_it_is_part_of(program):
    bug, other = make_bug(), make_bug()
    with transaction():
        bug.merged_into_id = bug.canonical_id = other.id

    assert program.get(f"/bugs/{bug.ref}").json["ref"] == other.ref


def test_an_unchanged_bug_is_answered_with_304_and_a_changed_one_in_full(program, clock):
    bug = make_bug()
    tag = program.get(f"/bugs/{bug.ref}").headers["ETag"]

    assert program.get(f"/bugs/{bug.ref}", **{"If-None-Match": tag}).status_code == 304


def test_a_stale_if_match_is_refused_and_changes_nothing(program):
    bug = make_bug()

    answer = program.post(f"/bugs/{bug.ref}/transitions", {"to": "accepted"}, **{"If-Match": '"0-0"'})

    assert (answer.status_code, bug.status) == (412, Status.NEW)


def test_moving_a_bug_through_its_life(program):
    make_version("4.13.0")
    bug = make_bug()
    steps = [
        {"to": "accepted"},
        {"to": "in_progress"},
        {"to": "fixed", "customer_note": "It is back.", "version": "4.13.0"},
    ]

    assert [program.post(f"/bugs/{bug.ref}/transitions", step).json["status"] for step in steps] == [
        "accepted",
        "in_progress",
        "fixed",
    ]
    answer = program.post("/releases", {"version": "4.13.0"})
    assert (answer.status_code, answer.json["bugs"]) == (201, [bug.ref])
    assert program.get(f"/bugs/{bug.ref}").json["status"] == "live"


def test_a_fix_in_a_live_version_is_live_at_once_also_with_a_key(program, clock):
    make_version("4.13.0", live_since=clock.now())
    bug = make_bug()
    body = {"to": "fixed", "customer_note": "It is back.", "version": "4.13.0"}

    answer = program.post(f"/bugs/{bug.ref}/transitions", body, **{"Idempotency-Key": "k2"})

    assert (answer.status_code, answer.json["status"], answer.json["version"]) == (200, "live", "4.13.0")


def test_a_bug_becomes_new_again_only_by_undoing_its_first_move(program):
    bug = make_bug(Status.ACCEPTED)
    program.post(f"/bugs/{bug.ref}/transitions", {"to": "in_progress"})

    assert program.post(f"/bugs/{bug.ref}/transitions", {"to": "new"}).status_code == 409


def test_a_move_that_the_rules_refuse_says_why(program):
    bug = make_bug(Status.LIVE)

    answer = program.post(f"/bugs/{bug.ref}/transitions", {"to": "in_progress"})

    assert (answer.status_code, answer.json["detail"]) == (409, "A bug that is Live cannot become In progress.")


@pytest.mark.parametrize(
    ("body", "field"), [({"to": "declined"}, "reason"), ({"to": "live"}, "to"), ({"to": "gone"}, "to")]
)
def test_a_move_without_its_words_names_what_is_missing(program, body, field):
    bug = make_bug()

    answer = program.post(f"/bugs/{bug.ref}/transitions", body)

    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])


def test_an_announcement_can_be_read_and_sent(program):
    make_bug(Status.DECLINED, waiting=[make_customer(language="en"), make_customer(language="en")])
    found = program.get("/announcements?state=open").json["items"]

    answer = program.post(f"/announcements/{found[0]['id']}/sending")

    assert (found[0]["kind"], found[0]["people"]) == ("declined", {"pending": 2})
    assert answer.status_code == 200
    announcement = db.session.scalars(sa.select(Announcement)).one()
    assert announcement.sent_by_id == program.user.id


def test_messages_show_an_engineer_a_masked_address(program):
    make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")])

    item = program.get("/messages?state=pending").json["items"][0]

    assert (item["recipient"], item["kind"], item["state"]) == ("h•••@example.com", "declined", "pending")


def test_lists_are_read_in_parts(program):
    bugs = [make_bug(actor=program.user, waiting=[]) for _ in range(3)]

    first = program.get("/bugs?limit=2").json
    second = program.get(f"/bugs?limit=2&cursor={first['next']}").json

    assert [item["ref"] for part in (first, second) for item in part["items"]] == [b.ref for b in reversed(bugs)]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=1000000000", "limit=x", "cursor=-1"])
def test_a_bad_query_is_refused(program, query):
    assert program.get(f"/bugs?{query}").status_code == 422


@pytest.mark.parametrize("path", ["/duty", "/duty/shifts?from=2026-03-02&to=2026-03-06"])
def test_duty_without_a_rotation_is_nobody(program, path):
    assert program.get(path).json in ({"person": None, "shift": None}, {"items": []})


def test_the_document_is_valid_openapi_and_names_every_route(app, client):
    from openapi_spec_validator import validate

    document = client.get("/api/v1/openapi.json").json

    validate(document)
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    named = {path.replace("{", "<").replace("}", ">") for path in document["paths"]}
    assert {rule.replace("int:", "") for rule in rules} - {"/api/v1/openapi.json"} == named


def test_the_page_to_read_it_shows_every_call(client):
    page = client.get("/api/docs")

    assert (page.status_code, page.text.count('<h2 id="call-')) == (200, 14)


def test_a_merged_choice_is_taken_for_the_other_and_the_bug_has_a_new_version(program):
    search, find = make_option(OptionList.AREA, "Search"), make_option(OptionList.AREA, "Find")
    ref = program.post("/reports", a_report(area="Find")).json["bug"]["ref"]
    tag = program.get(f"/bugs/{ref}").headers["ETag"]
    with transaction():
        option_merging.merge(find, search, actor=program.user)

    shown = program.get(f"/bugs/{ref}", **{"If-None-Match": tag})
    assert (shown.status_code, shown.json["area"]) == (200, "Search")
    for given in ("find", find.id):
        answer = program.post("/reports", a_report(area=given))
        assert program.get(f"/bugs/{answer.json['bug']['ref']}").json["area"] == "Search"
    assert [each["ref"] for each in program.get(f"/bugs?area={find.id}").json["items"]][-1] == ref
