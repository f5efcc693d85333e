"""Merging, separating and splitting, as people do it."""

import re
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, OptionList, Report, Status
from bugintake.intake.queries import reports_of
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_option, make_report, make_user, merge
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


def words_of(answer):
    """The words of a page without its markup."""
    text = re.sub(r"<(script|style|svg).*?</\1>", "", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def fields_of(answer, action):
    """The hidden fields of the form with this address."""
    form = re.search(rf'<form method="post" action="{re.escape(action)}".*?</form>', answer.text, re.S)[0]
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    return {name: value for name, value in found.items() if name != "csrf_token"}


def proposed(answer):
    """The bugs that a page proposes."""
    return re.findall(r"merge\?into=(BUG-\d+)", answer.text)


def test_the_page_proposes_what_looks_the_same_with_its_reason_and_never_itself(app, mira):
    bug, alike = make_bug(), make_bug()

    answer = visit(app, mira).get(f"/bugs/{bug.ref}/merge")

    assert (answer.status_code, proposed(answer)) == (200, [alike.ref])
    assert "Same area and symptom" in answer.text


def test_the_other_bug_is_found_by_words_and_by_number(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    other = make_bug(area="Search", symptom="Does nothing", actual="Umlauts vanish.")

    assert proposed(visitor.get(f"/bugs/{bug.ref}/merge?into=umlauts")) == [other.ref]
    for number in (other.ref, other.ref.lower(), str(other.id)):
        page = visitor.get(f"/bugs/{bug.ref}/merge?into={number}")
        assert f"{bug.ref} becomes a part of {other.ref}" in words_of(page)
    assert "No known bug is about this." in words_of(visitor.get(f"/bugs/{bug.ref}/merge?into=kumquat"))


def test_the_preview_shows_both_sides_and_what_it_does(app, mira):
    hana, sam = make_customer(company="Brightline"), make_customer(company="Otok")
    bug = make_bug(waiting=[hana, sam], impact="Hard to work", actual="No VAT line.")
    other = make_bug(Status.LIVE, waiting=[sam], impact="Hard to work", actual="The tax is gone.")

    page = visit(app, mira).get(f"/bugs/{bug.ref}/merge?into={other.ref}")
    words = words_of(page)

    assert page.status_code == 200
    for sentence in (
        "No VAT line.",
        "The tax is gone.",
        f"2 people wait for {other.ref} then. They are from 2 companies. 1 waits for both now, and counts once.",
        "1 person will be told that it is live in 4.13.0 when its review is over.",
    ):
        assert sentence in words
    assert ("The duplicate is worse" in words, "autofocus" in page.text) == (False, False)
    assert fields_of(page, f"/bugs/{bug.ref}/merge") == {
        "into": other.ref,
        "seen": "new",
        "into_seen": "live",
        "next": "",
    }


def test_a_duplicate_that_is_worse_warns(app, mira):
    make_option(OptionList.IMPACT, "Cannot work")
    bug, other = make_bug(impact="Cannot work"), make_bug(impact="Looks off")
    visitor = visit(app, mira)

    warned = words_of(visitor.get(f"/bugs/{bug.ref}/merge?into={other.ref}"))

    assert f"The duplicate is worse: Cannot work, not Looks off. If so, correct how bad {other.ref} is." in warned
    assert "The duplicate is worse" not in visitor.get(f"/bugs/{other.ref}/merge?into={bug.ref}").text


def test_merging_leads_back_and_offers_to_undo_it(app, mira):
    bug, other, visitor = make_bug(), make_bug(), visit(app, mira)
    page = visitor.get(f"/bugs/{bug.ref}/merge?into={other.ref}&next=/board")

    answer = visitor.post(f"/bugs/{bug.ref}/merge", fields_of(page, f"/bugs/{bug.ref}/merge"))

    assert (answer.status_code, answer.location, bug.merged_into_id) == (302, "/board", other.id)
    board = visitor.get("/board")
    assert f"{bug.ref} is part of {other.ref} now. 2 people wait for it." in board.text
    undo = unescape(re.search(r'action="([^"]+)" data-undo', board.text)[1])
    answer = visitor.post(undo)
    assert (answer.location, bug.merged_into_id) == ("/board", None)
    assert f"{bug.ref} stands for itself again. 1 person waits for it." in visitor.get("/board").text


def test_the_page_of_a_bug_lists_its_parts_and_separates_them(app, mira):
    first, second, whole = make_bug(), make_bug(), make_bug()
    merge(first, second)
    merge(second, whole)
    visitor = visit(app, mira)

    page = visitor.get(f"/bugs/{whole.ref}")
    assert f"Part of this 2 {first.title} {first.ref} · by way of {second.ref} Separate again" in words_of(page)
    fields = fields_of(page, f"/bugs/{second.ref}/separation")
    answer = visitor.post(f"/bugs/{second.ref}/separation", fields)

    assert (fields["of"], answer.location, second.merged_into_id) == (whole.ref, f"/bugs/{whole.ref}", None)
    assert "Part of this" not in visitor.get(f"/bugs/{whole.ref}").text
    assert first.canonical_id == second.id


def test_an_agent_sees_the_parts_and_separates_nothing(app, mira):
    part, whole = make_bug(), make_bug()
    merge(part, whole)
    visitor = visit(app, make_user(Role.AGENT))

    page = visitor.get(f"/bugs/{whole.ref}").text

    assert ("Part of this" in page, "Separate again" in page, "/split" in page) == (True, False, False)
    assert visitor.post(f"/bugs/{part.ref}/separation").status_code == 403


def test_the_second_of_two_people_hears_what_the_first_did_and_sees_both_sides_anew(app, mira):
    bug, other, jonas = make_bug(), make_bug(), make_user(name="Jonas Sommer")
    with transaction():
        transitions.start(other, actor=jonas)

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/merge", {"into": other.ref, "seen": "new", "into_seen": "new"})

    assert (answer.status_code, bug.merged_into_id) == (409, None)
    assert f"Jonas moved {other.ref} to In progress 1 s ago." in answer.text
    assert fields_of(answer, f"/bugs/{bug.ref}/merge")["into_seen"] == "in_progress"


@pytest.mark.parametrize(
    ("into", "status", "sentence"),
    [
        ("", 422, "Choose the other bug."),
        ("BUG-4711", 422, "There is no bug with this number, or none that you may see."),
        ("itself", 409, "is the same bug. Choose another one."),
        ("hidden", 422, "There is no bug with this number, or none that you may see."),
        ("gone", 409, "was taken back."),
    ],
)
def test_what_cannot_be_merged_is_said_at_the_field(app, mira, clock, into, status, sentence):
    bug, other, visitor = make_bug(), make_bug(), visit(app, mira)
    with transaction():
        if into == "hidden":
            editing.restrict(other, True, actor=mira)
        elif into == "gone":
            other.withdrawn_at = clock.now()
    given = {"itself": bug.ref, "hidden": other.ref, "gone": other.ref}.get(into, into)

    answer = visitor.post(f"/bugs/{bug.ref}/merge", {"into": given})

    assert (answer.status_code, bug.merged_into_id) == (status, None)
    assert re.search(r'id="f-into-e">.*?</p>', answer.text, re.S)[0].endswith(f"{sentence}</span></p>")
    assert f'value="{given}"' in answer.text
    if given:
        assert sentence in visitor.get(f"/bugs/{bug.ref}/merge?into={given}").text


def test_who_merges_a_bug_out_of_their_sight_is_told_who_sees_it_and_led_to_the_board(app, mira):
    lea = make_user(Role.AGENT, "Lea Filer")
    bug, other = make_bug(actor=mira), make_bug(actor=lea)
    with transaction():
        editing.restrict(bug, True, actor=mira)
    visitor = visit(app, mira)
    page = visitor.get(f"/bugs/{bug.ref}/merge?into={other.ref}")
    assert f"{other.ref} becomes restricted, as {bug.ref} is" in words_of(page)

    answer = visitor.post(f"/bugs/{bug.ref}/merge", {"into": other.ref})

    assert answer.location == "/board"
    board = visitor.get("/board").text
    assert f"{other.ref} is restricted: only Lea Filer, leads and admins see it now." in board
    assert "data-undo" not in board
    assert visitor.get(f"/bugs/{bug.ref}").status_code == 404


def test_a_part_that_somebody_may_not_see_is_not_listed(app, mira):
    lea = make_user(Role.AGENT, "Lea Filer")
    bug, other = make_bug(actor=lea), make_bug(actor=mira)
    with transaction():
        editing.restrict(bug, True, actor=lea)
    merge(bug, other)

    assert "Part of this" not in visit(app, mira).get(f"/bugs/{other.ref}").text
    assert "Part of this" in visit(app, make_user(Role.LEAD)).get(f"/bugs/{other.ref}").text


def test_a_bug_without_parts_asks_the_database_nothing_more(app, mira):
    part, whole, visitor = make_bug(), make_bug(), visit(app, mira)
    before = fewest(lambda: visitor.get(f"/bugs/{whole.ref}"))
    merge(part, whole)
    one = fewest(lambda: visitor.get(f"/bugs/{whole.ref}"))
    for _ in range(3):
        merge(make_bug(), whole)

    assert (one, fewest(lambda: visitor.get(f"/bugs/{whole.ref}"))) == (before + 1, before + 1)


def test_the_page_of_a_part_leads_to_what_stands_for_it(app, mira):
    part, whole = make_bug(), make_bug()
    merge(part, whole)
    visitor = visit(app, mira)

    assert visitor.get(f"/bugs/{part.ref}/merge").location == f"/bugs/{part.ref}"
    page = visitor.get(f"/bugs/{part.ref}", follow_redirects=True)
    assert f"{part.ref} is now part of this." in words_of(page)
    assert f", {part.ref} " in words_of(page)  # beside the report that was filed there


def test_a_report_is_split_off_with_a_title_and_given_back(app, mira):
    bug = make_bug()
    report = make_report(make_customer("Sam"), bug=bug, actual="It finds nothing. Whatever I type.")
    visitor = visit(app, mira)
    assert f"/reports/{report.id}/split" in visitor.get(f"/bugs/{bug.ref}").text

    page = visitor.get(f"/reports/{report.id}/split")
    assert (page.status_code, 'value="It finds nothing"' in page.text) == (200, True)
    answer = visitor.post(f"/reports/{report.id}/split", {"title": "  Search finds   nothing "})

    new = db.session.scalars(sa.select(Bug).order_by(Bug.id.desc())).first()
    assert (answer.status_code, answer.location, new.title) == (303, f"/bugs/{new.ref}", "Search finds nothing")
    shown = visitor.get(answer.location)
    assert f"{new.ref} is a bug of its own now, and not a part of {bug.ref}." in shown.text
    undone = visitor.post(re.search(r'action="([^"]+)" data-undo', shown.text)[1])
    assert (undone.location, report.bug_id) == (f"/bugs/{bug.ref}", bug.id)


def test_a_refused_split_says_why_and_keeps_the_title(app, mira):
    bug, visitor = make_bug(), visit(app, mira)
    only = db.session.scalars(sa.select(Report)).one()
    refused = visitor.post(f"/reports/{only.id}/split", {"title": "Kept"})
    assert (refused.status_code, "so it stays one bug." in refused.text) == (409, True)
    other = make_report(bug=bug)

    answer = visitor.post(f"/reports/{other.id}/split", {"title": "x" * 201})

    assert (answer.status_code, other.bug_id) == (422, bug.id)
    assert "A title has at most 200 characters." in answer.text
    assert f'value="{"x" * 201}"' in answer.text
    assert visitor.post(f"/reports/{only.id}/split", {"title": "Kept"}).status_code == 303
    assert visitor.post(f"/reports/{other.id}/split", {"title": "Kept"}).status_code == 409


def ask_customer(bug, actor, text="Which browser?"):
    with transaction():
        return transitions.ask(bug, reports_of(bug)[0], text, actor=actor, is_for_customer=True)


def test_the_page_says_that_a_question_about_a_part_was_taken_back_where_nothing_is_to_be_found_out(app, mira):
    part, whole = make_bug(), make_bug(Status.FIXED)
    ask_customer(part, mira)
    merge(part, whole)

    page = words_of(visit(app, mira).get(f"/bugs/{whole.ref}"))

    assert f"{part.ref} became part of {whole.ref}, which needs no answer." in page
    assert "Asked, no answer yet" in page
    assert "Waiting for an answer" not in page


def test_the_page_goes_on_to_wait_for_its_own_answer_once_that_about_a_part_came(app, mira):
    part, whole = make_bug(), make_bug()
    ask_customer(whole, mira, "Which version?")
    question = ask_customer(part, mira)
    merge(part, whole)
    with transaction():
        transitions.answer(question, "Firefox", actor=mira)

    page = words_of(visit(app, mira).get(f"/bugs/{whole.ref}"))

    assert re.search("Waiting for an answer Which version[?].*Asked and answered .*Which browser[?].*Firefox", page)
