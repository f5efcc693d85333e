"""The page of a bug, as people meet it."""

import html
import re

import pytest
import sqlalchemy as sa
from markupsafe import escape

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake import reports
from bugintake.intake.models import Bug, OptionList, Report
from bugintake.intake.queries import open_question, reports_of
from bugintake.team.models import Role
from bugintake.team.workspace import change, workspace
from bugintake.triage import transitions
from tests.counting import asked
from tests.duty.conftest import make_rotation
from tests.factories import (
    make_bug,
    make_customer,
    make_option,
    make_report,
    make_user,
    make_version,
)
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


def queries_of(visitor, address):
    """Count the statements that a page sends to the database, once what its process keeps is there."""
    visitor.get(address)
    with asked() as statements:
        visitor.get(address)
    return len(statements)


def without_tokens(page):
    """A page without its form tokens, which carry the time."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


def test_the_bug_page_costs_the_same_number_of_queries_for_one_report_and_for_many(app, mira):
    visitor, bug = visit(app, mira), make_bug()
    address = f"/bugs/{bug.ref}"
    visitor.get(address)
    one = queries_of(visitor, address)
    for _ in range(3):
        make_report(bug=bug)

    assert queries_of(visitor, address) == one


def test_a_form_without_its_token_changes_nothing_and_keeps_what_was_typed(app, mira):
    bug, visitor = make_bug(), visit(app, mira)

    answer = visitor.client.post(f"/bugs/{bug.ref}/choices", data={"title": "A better title"})

    assert (answer.status_code, "A better title" in answer.text) == (400, True)
    assert db.session.get_one(Bug, bug.id).title != "A better title"


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
        assert "canary sings" not in visitor.get(page).text
    for path in ("", "/fix", "/decline", "/question"):
        hidden, absent = visitor.get(f"/bugs/{secret.ref}{path}"), visitor.get(f"/bugs/BUG-4711{path}")
        assert hidden.status_code == 404
        assert without_tokens(hidden.text) == without_tokens(absent.text).replace("BUG-4711", secret.ref)
    assert visitor.post(f"/bugs/{secret.ref}/acceptance").status_code == 404
    assert visit(app, make_user(Role.LEAD)).get(f"/bugs/{secret.ref}").status_code == 200
    assert visitor.get(f"/bugs/{bug.ref}").status_code == 200


def test_the_page_says_whether_a_bug_is_with_the_person_on_duty_or_with_who_stands_in(app, mira):
    bug, jonas = make_bug(), make_user(name="Jonas Weber")
    with transaction():
        change(workspace(), {"fallback_owner_id": jonas.id}, actor=None)

    visitor = visit(app, mira)
    assert "<b>Jonas Weber</b> (while nobody is on duty)" in visitor.get(f"/bugs/{bug.ref}").text
    make_rotation([mira])
    assert "<b>Mira Kos</b> (on duty)" in visitor.get(f"/bugs/{bug.ref}").text


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


def test_an_answer_and_where_a_report_came_from_stay_readable(app, mira):
    lea = make_user(Role.AGENT, "Lea Sommer")
    bug = make_bug(source="ZD-81", actor=lea)
    with transaction():
        transitions.ask(bug, reports_of(bug)[0], "Which browser?", actor=mira)
    with transaction():
        transitions.answer(open_question(bug), "Firefox 140", actor=lea)

    page = visit(app, mira).get(f"/bugs/{bug.ref}").text

    for words in ("ZD-81", "Which browser?", "Firefox 140"):
        assert words in page


@pytest.mark.parametrize(
    ("source", "called"),
    [
        ("https://fakturo.zendesk.com/agent/tickets/81", "Zendesk ticket #81"),
        ("http://desk.example/mail/7?a=1&b=2", "desk.example mail/7"),
    ],
)
def test_the_page_that_a_report_came_from_is_a_link_that_tells_it_nothing(app, mira, source, called):
    page = visit(app, mira).get(f"/bugs/{make_bug(source=source).ref}").text

    assert f'<dd><a class="link" href="{html.escape(source)}" rel="noopener noreferrer">{called}</a></dd>' in page


@pytest.mark.parametrize(
    "source",
    [
        "javascript:alert(1)",
        "https://mira:secret@desk.example/7",
        "https://",
        "ftp://desk.example/7",
        "//desk.example/7",
        'https://desk.example/"onclick="x 7',
        "See https://desk.example/7",
    ],
)
def test_any_other_source_is_text(app, mira, source):
    page = visit(app, mira).get(f"/bugs/{make_bug(source=source).ref}").text

    assert f"<dd>{escape(source)}</dd>" in page


def test_what_most_reports_share_stands_over_them_without_those_taken_back(app, mira):
    bug = make_bug(waiting=[make_customer() for _ in range(4)])
    mistaken = make_report(bug=bug)
    with transaction():
        reports.withdraw(mistaken, actor=mira)
    chrome, safari = (
        make_option(OptionList.PLATFORM, "Chrome on Mac"),
        make_option(OptionList.PLATFORM, "Safari on Mac"),
    )
    old = make_version("4.11.0")
    with transaction():
        for number, report in enumerate(db.session.scalars(sa.select(Report).order_by(Report.id).limit(4)).all()):
            report.platform_id, report.version_id = (safari if number == 0 else chrome).id, old.id

    page = visit(app, mira).get(f"/bugs/{bug.ref}").text

    assert "All: 4.11.0" in page
    assert "3 of 4: Chrome on Mac" in page
    assert "Safari on Mac ·" not in page


def test_two_reports_have_nothing_in_common_worth_saying_and_not_sure_is_no_ground(app, mira):
    two, unsure = (
        make_bug(waiting=[make_customer(), make_customer()]),
        make_bug(waiting=[make_customer() for _ in "abc"]),
    )
    with transaction():
        nothing = make_option(OptionList.VERSION, "Not sure", is_unsure=True)
        for report in db.session.scalars(sa.select(Report).where(Report.bug_id == unsure.id)).all():
            report.version_id = nothing.id

    assert "All: " not in visit(app, mira).get(f"/bugs/{two.ref}").text
    assert f"All: {nothing.label}" not in visit(app, mira).get(f"/bugs/{unsure.ref}").text


def test_of_more_reports_than_the_page_shows_all_are_counted(app, mira):
    bug = make_bug(waiting=[make_customer() for _ in range(25)])

    assert re.search(r"All: [^<]*", visit(app, mira).get(f"/bugs/{bug.ref}").text)


@pytest.mark.parametrize("kind", ["area", "symptom", "impact"])
def test_a_choice_that_was_saved_is_taken_back_from_the_toast(app, mira, kind):
    bug, other = make_bug(), make_option(OptionList(kind), "Another one")
    before = getattr(bug, f"{kind}_id")
    visitor = visit(app, mira)

    page = visitor.get(visitor.post(f"/bugs/{bug.ref}/choices", {kind: other.id}).location).text
    saved = getattr(db.session.get_one(Bug, bug.id), f"{kind}_id")
    visitor.post(re.search(r'action="(/bugs/[^"]*/choices\?[^"]*)"', page)[1].replace("&amp;", "&"))

    assert (saved, getattr(db.session.get_one(Bug, bug.id), f"{kind}_id")) == (other.id, before)


def test_an_owner_who_was_saved_is_taken_back_unless_somebody_chose_another_since(app, mira):
    bug, jonas = make_bug(), make_user(name="Jonas Sommer")
    visitor = visit(app, mira)

    def assign(owner):
        page = visitor.get(visitor.post(f"/bugs/{bug.ref}/assignment", {"owner": owner}).location).text
        return re.search(r'action="(/bugs/[^"]*/undo/[^"]*)"', page)[1].replace("&amp;", "&")

    first = assign("me")
    late = assign(jonas.id)
    refused = visitor.post(first)
    after = db.session.get_one(Bug, bug.id).owner_id
    visitor.post(late)

    assert (refused.status_code, after, db.session.get_one(Bug, bug.id).owner_id) == (409, jonas.id, mira.id)
