"""Moving a bug, as people do it."""

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake.models import Option, OptionList, Question, Report, Status
from bugintake.team.models import Role
from bugintake.triage import snoozing
from tests.duty.conftest import make_rotation
from tests.factories import (
    make_bug,
    make_customer,
    make_option,
    make_user,
)
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


def test_the_second_of_two_people_gets_409_and_the_name_of_the_first(app, mira):
    bug, jonas = make_bug(), make_user(name="Jonas Sommer")
    visit(app, jonas).post(f"/bugs/{bug.ref}/work", {"seen": "new"})

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})

    assert answer.status_code == 409
    assert "Jonas moved" in answer.text
    assert bug.status == Status.IN_PROGRESS


def test_an_agent_may_look_but_not_move(app):
    bug, agent = make_bug(), make_user(Role.AGENT)
    visitor = visit(app, agent)

    assert visitor.get(f"/bugs/{bug.ref}").status_code == 200
    assert visitor.post(f"/bugs/{bug.ref}/acceptance").status_code == 403
    assert bug.status == Status.NEW


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


def test_a_question_is_written_in_a_language_on_offer_or_its_readers_own(app, mira):
    bug = make_bug(waiting=[make_customer(language="tr")])

    page = visit(app, mira).get(f"/bugs/{bug.ref}/question").text
    choices = page.partition('name="language"')[2].partition("</select>")[0]

    assert re.findall(r'<option value="(\w+)"', choices) == ["en", "de", "es", "tr"]
    assert '<option selected value="tr">' in choices or 'value="tr" selected' in choices


def test_a_question_goes_to_the_customer_only_where_one_waits(app, mira):
    bug, found_by_us = make_bug(waiting=[make_customer()]), make_bug(waiting=[])
    visitor = visit(app, mira)

    def ask(about):
        report = db.session.scalars(sa.select(Report).where(Report.bug_id == about.id)).one()
        words = {"report": report.id, "to": "customer", "question": "Which browser?", "seen": "new"}
        return visitor.post(f"/bugs/{about.ref}/question", words)

    refused, done = ask(found_by_us), ask(bug)

    assert (refused.status_code, done.status_code) == (422, 302)
    assert "Nobody who waits told us of this" in refused.text and "Which browser?" in refused.text
    assert [q.is_for_customer for q in db.session.scalars(sa.select(Question))] == [True]
    assert "asked the customer by mail" in visitor.get(f"/bugs/{bug.ref}").text


@pytest.mark.parametrize("verb", ["decline", "fix"])
def test_a_refused_form_leads_to_what_is_wrong_and_a_fresh_one_to_its_first_field(app, mira, verb):
    bug, visitor = make_bug(), visit(app, mira)

    fresh, refused = visitor.get(f"/bugs/{bug.ref}/{verb}").text, visitor.post(f"/bugs/{bug.ref}/{verb}").text

    assert re.findall(r"<(\w+)[^>]* autofocus", fresh) == ["select"]
    assert re.findall(r"<(\w+)[^>]* autofocus", refused) == ["div"]


def test_one_question_goes_to_everybody_who_waits_each_once(app, mira):
    hana, sam = make_customer("Hana", language="de"), make_customer("Sam")
    bug = make_bug(waiting=[hana, sam])
    visitor = visit(app, mira)
    page = visitor.get(f"/bugs/{bug.ref}/question").text
    assert "everybody who waits, 2 people" in page and "Hana, German" in page

    words = {"report": "all", "to": "customer", "language": "de", "question": "Welcher Browser?", "seen": "new"}
    answer = visitor.post(f"/bugs/{bug.ref}/question", words)

    assert answer.status_code == 302
    asked = db.session.scalars(sa.select(Question)).all()
    found = sorted((each.report.customer_id, each.text, each.language) for each in asked)
    assert found == [(hana.id, "Welcher Browser?", "de"), (sam.id, "Welcher Browser?", "de")]


def test_an_agent_who_filed_for_everybody_is_asked_once(app, mira):
    bug = make_bug(waiting=[make_customer(), make_customer()])

    words = {"report": "all", "to": "filer", "language": "en", "question": "Which browser?", "seen": "new"}
    visit(app, mira).post(f"/bugs/{bug.ref}/question", words)

    assert len(db.session.scalars(sa.select(Question)).all()) == 1


def test_where_one_person_waits_there_is_no_everybody(app, mira):
    page = visit(app, mira).get(f"/bugs/{make_bug().ref}/question").text

    assert "everybody who waits" not in page


def test_a_paused_bug_says_so_on_its_page_and_on_its_card(app, mira):
    bug = make_bug(Status.NEEDS_INFO)
    with transaction():
        snoozing.pause(bug)

    visitor = visit(app, mira)

    assert "no answer came" in visitor.get(f"/bugs/{bug.ref}").text
    assert '<span class="chip info">Paused</span>' in visitor.get("/board").text
    with pytest.raises(Conflict, match="does not wait"), transaction():
        snoozing.pause(bug)


def test_whoever_accepts_is_asked_who_fixes_it_and_answers_with_one_press(app, mira, clock):
    jonas, ana = make_user(name="Jonas Weber"), make_user(name="Ana Ferri")
    make_rotation([jonas])
    area = make_option(OptionList.AREA, "Invoices")
    with transaction():
        db.session.get_one(Option, area.id).owner_id = ana.id
    bug, visitor = make_bug(area=area), visit(app, mira)

    visitor.post(f"/bugs/{bug.ref}/acceptance", {"seen": "new"})
    page = visitor.get(f"/bugs/{bug.ref}").text
    asked = page[page.index("Who fixes it?") :]
    offered = re.findall(r'name="owner" value="(\d+)">([^<]+)<', asked)
    assert offered == [(str(mira.id), "Me"), (str(jonas.id), "Jonas Weber"), (str(ana.id), "Ana Ferri")]
    visitor.post(f"/bugs/{bug.ref}/assignment", {"owner": offered[2][0]})
    assert bug.owner_id == ana.id

    taken = make_bug()
    visitor.post(f"/bugs/{taken.ref}/acceptance", {"seen": "new", "owner": "me"})
    assert "Who fixes it?" not in visitor.get(f"/bugs/{taken.ref}").text
