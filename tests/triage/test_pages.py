"""The board, the list and the bug page, as people meet them."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake.models import OPEN, Bug, OptionList, Status
from bugintake.team.models import Role
from tests.factories import (
    bring_to,
    make_bug,
    make_customer,
    make_option,
    make_report,
    make_user,
    make_version,
    make_workspace,
)
from tests.visitors import visit


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(Role.ENGINEER, "Mira Kos")


def queries_of(app, act):
    """Count the statements that an act sends to the database."""
    seen = []

    def count(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    try:
        act()
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", count)
    return len(seen)


def without_tokens(page):
    """A page without its form tokens, which carry the time."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


def test_every_open_bug_is_in_the_column_of_its_status_and_the_columns_add_up(app, mira):
    bugs = {status: make_bug(status, waiting=[make_customer(), make_customer()]) for status in Status}

    page = visit(app, mira).get("/board").text

    for status in OPEN:
        column = page.split(f'data-status="{status}"')[1].split("</section>")[0]
        assert re.findall(r'data-ref="(BUG-\d+)"', column) == [bugs[status].ref]
        assert re.search(r'<span class="c">(\d+)</span>', column)[1] == "1"
    assert page.count("data-ref=") == len(OPEN)


def test_a_withdrawn_or_merged_bug_is_in_no_column(app, mira):
    gone, part, whole = make_bug(), make_bug(), make_bug()
    with transaction():
        gone.withdrawn_at = gone.filed_at
        part.merged_into_id = part.canonical_id = whole.id

    assert re.findall(r'data-ref="(BUG-\d+)"', visit(app, mira).get("/board").text) == [whole.ref]


def test_worse_bugs_come_first_then_more_people_then_older_ones(app, mira, clock):
    make_option(OptionList.IMPACT, "Cannot work")
    few = make_bug(impact="Annoying")
    clock.advance(timedelta(minutes=1))
    many = make_bug(waiting=[make_customer(), make_customer()], impact="Annoying")
    late = make_bug(impact="Annoying")
    worst = make_bug(impact="Cannot work")

    page = visit(app, mira).get("/board").text

    assert re.findall(r'data-ref="(BUG-\d+)"', page) == [worst.ref, many.ref, few.ref, late.ref]


def test_the_board_costs_the_same_number_of_queries_for_one_bug_and_for_many(app, mira):
    visitor = visit(app, mira)
    make_bug(waiting=[make_customer()])
    visitor.get("/board")
    one = queries_of(app, lambda: visitor.get("/board"))
    for status in OPEN:
        make_bug(status, waiting=[make_customer(), make_customer()])

    assert queries_of(app, lambda: visitor.get("/board")) == one


def test_the_bug_page_costs_the_same_number_of_queries_for_one_report_and_for_many(app, mira):
    visitor, bug = visit(app, mira), make_bug()
    address = f"/bugs/{bug.ref}"
    visitor.get(address)
    one = queries_of(app, lambda: visitor.get(address))
    for _ in range(3):
        make_report(bug=bug)

    assert queries_of(app, lambda: visitor.get(address)) == one


def test_an_unchanged_board_is_answered_with_304_and_a_changed_one_in_full(app, mira):
    visitor, bug = visit(app, mira), make_bug()
    tag = visitor.get("/board").headers["ETag"]

    again = visitor.get("/board", headers={"If-None-Match": tag})
    bring_to(bug, Status.ACCEPTED, actor=mira)
    after = visitor.get("/board", headers={"If-None-Match": tag})

    assert (again.status_code, again.data, after.status_code) == (304, b"", 200)


def test_filters_narrow_the_board_and_are_its_address(app, mira):
    mine, came = make_bug(Status.IN_PROGRESS, actor=mira), make_bug(waiting=[make_customer() for _ in range(2)])
    with transaction():
        came.came_back_at = came.filed_at
    visitor = visit(app, mira)

    def found(address):
        return set(re.findall(r'data-ref="(BUG-\d+)"', visitor.get(address).text))

    assert found(f"/board?owner={mira.id}") == {mine.ref}
    assert found("/board?came_back=1") == {came.ref}
    assert found("/board?waiting=2") == {came.ref}
    assert found(f"/board?area={mine.area_id}") == {mine.ref, came.ref}
    assert found("/board?area=999") == set()
    assert found("/board?area=x&owner=99999999999999999999&waiting=-1") == {mine.ref, came.ref}


def test_a_filter_survives_signing_in(app):
    answer = visit(app).get("/board?came_back=1")

    assert (answer.status_code, answer.location) == (302, "/login?next=/board?came_back%3D1")


def test_the_list_is_read_in_parts(app, mira):
    make_bug()
    with transaction():
        first = db.session.scalars(sa.select(Bug)).one()
        same = {column.key: getattr(first, column.key) for column in sa.inspect(Bug).mapper.column_attrs}
        for number in range(2, 53):
            db.session.add(Bug(**{**same, "id": first.id + number, "canonical_id": None}))
    visitor = visit(app, mira)

    page = visitor.get("/bugs").text
    older = visitor.get(re.search(r'href="(/bugs\?after=\d+[^"]*)"', page)[1].replace("&amp;", "&")).text

    assert (page.count("<tr><th"), older.count("<tr><th")) == (51, 3)


def test_accepting_moves_the_bug_and_offers_undo(app, mira):
    bug, visitor = make_bug(), visit(app, mira)

    answer = visitor.post(f"/bugs/{bug.ref}/acceptance", {"seen": "new", "next": "/board"})

    assert (answer.status_code, answer.location, bug.status) == (302, "/board", Status.ACCEPTED)
    page = visitor.get("/board").text
    assert f'action="/bugs/{bug.ref}/undo?next=/board"' in page
    visitor.post(f"/bugs/{bug.ref}/undo")
    assert bug.status == Status.NEW


def test_the_second_of_two_people_gets_409_and_the_name_of_the_first(app, mira):
    bug, jonas = make_bug(), make_user(name="Jonas Sommer")
    visit(app, jonas).post(f"/bugs/{bug.ref}/work", {"seen": "new"})

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})

    assert answer.status_code == 409
    assert "Jonas moved" in answer.text
    assert bug.status == Status.IN_PROGRESS


def test_the_second_person_keeps_the_note_they_typed(app, mira):
    bug, jonas = make_bug(), make_user(name="Jonas Sommer")
    make_version("4.13.0")
    visit(app, jonas).post(f"/bugs/{bug.ref}/work", {"seen": "new"})
    version = db.session.scalars(sa.select(Bug)).one()

    answer = visit(app, mira).post(
        f"/bugs/{bug.ref}/fix", {"seen": "new", "version": "other", "version_new": "5", "note_en": "Typed with care."}
    )

    assert (answer.status_code, version.status) == (409, Status.IN_PROGRESS)
    assert "Typed with care." in answer.text


def test_an_agent_may_look_but_not_move(app):
    bug, agent = make_bug(), make_user(Role.AGENT)
    visitor = visit(app, agent)

    assert visitor.get(f"/bugs/{bug.ref}").status_code == 200
    assert visitor.post(f"/bugs/{bug.ref}/acceptance").status_code == 403
    assert bug.status == Status.NEW


def test_a_form_without_its_token_changes_nothing_and_keeps_what_was_typed(app, mira):
    bug, visitor = make_bug(), visit(app, mira)

    answer = visitor.client.post(f"/bugs/{bug.ref}/choices", data={"title": "A better title"})

    assert (answer.status_code, "A better title" in answer.text) == (400, True)
    assert db.session.get_one(Bug, bug.id).title != "A better title"


def test_fixing_asks_in_every_language_somebody_reads(app, mira):
    bug = make_bug(waiting=[make_customer(language="de"), make_customer(language="es"), make_customer(language="es")])

    page = visit(app, mira).get(f"/bugs/{bug.ref}/fix").text

    assert re.findall(r'name="note_(\w\w)"', page) == ["es", "de", "en"]
    assert "3 people will be told" in page


def test_a_fix_with_a_new_version_makes_the_version_and_says_how_many_wait(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    words = {"version": "other", "version_new": "4.14.0", "note_en": "It is back."}

    answer = visitor.post(f"/bugs/{bug.ref}/fix", {"seen": "new", **words})

    assert (answer.status_code, bug.status, bug.release.label, bug.release.live_since_at) == (
        302,
        "fixed",
        "4.14.0",
        None,
    )
    assert "1 person waits to be told" in visitor.get("/board").text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"version": "", "note_en": "It is back."}, "Say which version it is fixed in."),
        ({"version": "other", "version_new": "", "note_en": "It is back."}, "Give the choice a name."),
        ({"version": "4711", "note_en": "It is back."}, "Not a valid choice"),
        ({"version": "other", "version_new": "5", "note_en": " "}, "Say what is different for the customer."),
        ({"version": "other", "version_new": "5", "note_en": "x" * 4001}, "at most 4,000 characters"),
    ],
)
def test_a_refused_fix_says_why_and_keeps_the_note(app, mira, words, sentence):
    bug = make_bug()

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/fix", {"seen": "new", **words})

    assert (answer.status_code, bug.status) == (422, Status.NEW)
    assert sentence in answer.text
    assert words["note_en"].strip() in answer.text
    assert "<title>Error: " in answer.text


def test_a_decline_needs_a_way_round_or_the_word_that_there_is_none(app, mira):
    bug, reason = make_bug(), make_option(OptionList.DECLINE_REASON)
    visitor, words = visit(app, mira), {"seen": "new", "reason": str(reason.id), "note_en": "It must be so."}

    refused = visitor.post(f"/bugs/{bug.ref}/decline", words)
    accepted = visitor.post(f"/bugs/{bug.ref}/decline", {**words, "has_none": "y"})

    assert (refused.status_code, "or tick that there is nothing" in refused.text) == (422, True)
    assert (accepted.status_code, bug.status, bug.has_no_workaround) == (302, Status.DECLINED, True)


def test_asking_and_answering_brings_the_bug_back(app, mira):
    bug, visitor = make_bug(Status.ACCEPTED), visit(app, mira)
    report = re.search(r'<option value="(\d+)"', visitor.get(f"/bugs/{bug.ref}/question").text)[1]

    visitor.post(f"/bugs/{bug.ref}/question", {"seen": "accepted", "report": report, "question": "Which browser?"})
    assert bug.status == Status.NEEDS_INFO
    visit(app, make_user(Role.AGENT)).post(f"/bugs/{bug.ref}/answer", {"answer": "Firefox 142"})

    assert bug.status == Status.ACCEPTED


def test_correcting_choices_records_each_change_once(app, mira):
    bug, area = make_bug(), make_option(OptionList.AREA, "Search")

    visit(app, mira).post(
        f"/bugs/{bug.ref}/choices", {"title": "Tax line", "area": str(area.id), "symptom": str(bug.symptom_id)}
    )

    assert (bug.title, bug.area_id) == ("Tax line", area.id)
    edits = db.session.scalars(sa.select(Event).where(Event.kind == "bug.edited")).all()
    assert [(e.details["field"], e.after) for e in edits] == [("title", None), ("area", "Search")]


def test_giving_a_bug_to_somebody_who_left_is_refused(app, mira, clock):
    bug, gone = make_bug(), make_user(name="Gone Person", disabled_at=clock.now())

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/assignment", {"owner": str(gone.id)})

    assert (answer.status_code, bug.owner_id) == (422, None)


def test_a_restricted_bug_is_not_there_for_others_by_any_page(app, mira):
    bug, secret = make_bug(), make_bug(actual="The canary sings.")
    with transaction():
        secret.is_restricted = True
    visitor = visit(app, mira)

    for page in ("/board", "/bugs", "/bugs?q=canary"):
        assert "canary" not in visitor.get(page).text.replace("q=canary", "").replace('value="canary"', "")
    for path in ("", "/fix", "/decline", "/question"):
        hidden, absent = visitor.get(f"/bugs/{secret.ref}{path}"), visitor.get(f"/bugs/BUG-4711{path}")
        assert hidden.status_code == 404
        assert without_tokens(hidden.text) == without_tokens(absent.text).replace("BUG-4711", secret.ref)
    assert visitor.post(f"/bugs/{secret.ref}/acceptance").status_code == 404
    assert visit(app, make_user(Role.LEAD)).get(f"/bugs/{secret.ref}").status_code == 200
    assert visitor.get(f"/bugs/{bug.ref}").status_code == 200


def test_only_a_lead_shows_a_restricted_bug_to_everybody_again(app, mira):
    bug = make_bug(actor=mira)
    visitor = visit(app, mira)
    visitor.post(f"/bugs/{bug.ref}/restriction", {"restricted": "1"})

    refused = visitor.post(f"/bugs/{bug.ref}/restriction", {"restricted": "0"})
    visit(app, make_user(Role.LEAD)).post(f"/bugs/{bug.ref}/restriction", {"restricted": "0"})

    assert (refused.status_code, bug.is_restricted) == (409, False)


def test_a_merged_bug_leads_to_the_one_it_is_part_of(app, mira):
    part, whole = make_bug(), make_bug()
    with transaction():
        part.merged_into_id = part.canonical_id = whole.id
    visitor = visit(app, mira)

    answer = visitor.get(f"/bugs/{part.ref}")

    assert answer.location == f"/bugs/{whole.ref}?merged={part.ref}"
    assert f"{part.ref} is now part of this." in visitor.get(answer.location).text


def test_an_engineer_reads_a_masked_address_and_an_agent_the_whole(app, mira):
    bug = make_bug(waiting=[make_customer(email="hana@brightline.example.com")])

    assert "h•••@brightline.example.com" in visit(app, mira).get(f"/bugs/{bug.ref}").text
    assert "hana@brightline.example.com" not in visit(app, mira).get(f"/bugs/{bug.ref}").text
    assert "hana@brightline.example.com" in visit(app, make_user(Role.AGENT)).get(f"/bugs/{bug.ref}").text


def test_hostile_words_are_shown_as_words(app, mira):
    hostile = "\"'><svg onload=alert(1)>{{7*7}}"
    bug = make_bug(actual=hostile, waiting=[make_customer(hostile)])

    for page in (f"/bugs/{bug.ref}", "/board", "/bugs"):
        text = visit(app, mira).get(page).text
        assert "<svg onload" not in text
        assert "{{7*7}}" in text


@pytest.mark.parametrize(
    "ref", ["BUG-99999999999999999999", "BUG-0", "BUG-%00", "BUG-%F0%9F%90%9B", "..%2f", "BUG-1%0d%0a"]
)
def test_a_reference_that_cannot_be_is_not_found(app, mira, ref):
    assert visit(app, mira).get(f"/bugs/{ref}").status_code == 404


def test_the_queue_on_the_duty_page_is_in_order_of_deadline(app, mira, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    make_option(OptionList.IMPACT, "Looks off", deadline_minutes=2400)
    slow = make_bug(impact="Looks off")
    clock.advance(timedelta(hours=1))
    fast = make_bug(impact="Cannot work")
    taken = make_bug(Status.IN_PROGRESS)

    page = visit(app, mira).get("/duty").text

    assert re.findall(r'id="(BUG-\d+)"', page) == [fast.ref, slow.ref]
    assert taken.ref not in page
