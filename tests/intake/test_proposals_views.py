"""Words that are not listed through the pages: on the form by every road, and where a lead decides about them."""

import html
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake import catalogue, proposals
from bugintake.intake.models import Bug, Option, OptionList, Report
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_option, make_user
from tests.intake.test_filing_views import count, errors, values
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

WAYS = {
    "with JavaScript": {"area": "other", "area_other": "Kiosk  mode"},
    "without": {"area": "", "area_new": "Kiosk mode"},
}
PAGE = "/admin/catalogue/proposals"


@pytest.fixture
def lead(app, company):
    """A lead's browser."""
    return visit(app, make_user(Role.LEAD, "Petra Lead"))


@pytest.fixture
def kiosk(agent, filled):
    """A word that an agent filed with."""
    agent.post("/new", filled(found_by_us="y", area="", area_new="Kiosk mode"))
    return db.session.scalars(sa.select(Option).where(Option.proposed_at.is_not(None))).one()


def waiting():
    return [each.option.label for each in proposals.waiting(start=0, size=99)]


def area_of_the_bug():
    return db.session.scalars(sa.select(Option.label).join(Bug, Bug.area_id == Option.id)).one()


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_a_word_that_is_not_listed_is_kept_by_a_refused_form_and_filed_at_once(agent, filled, way):
    typed = next(value for name, value in way.items() if name != "area")
    name = next(name for name in way if name != "area")

    refused = agent.post("/new", filled(found_by_us="y", steps="", **way))
    assert errors(refused).keys() == {"steps"}
    assert html.escape(f'name="{name}" value="{typed}"', quote=False) in refused.text
    assert values(refused)["area"] == way["area"]

    assert agent.post("/new", filled(found_by_us="y", **way)).status_code == 303
    assert (waiting(), area_of_the_bug()) == (["Kiosk mode"], "Kiosk mode")


@pytest.mark.parametrize("kind", sorted(proposals.WELCOME))
def test_every_list_that_agents_may_add_to_takes_a_word(agent, filled, kind):
    given = filled(found_by_us="y", **{kind: "other", f"{kind}_other": "Something new"})

    assert agent.post("/new", given).status_code == 303
    assert [(each.option.list, each.use_count) for each in proposals.waiting(start=0, size=9)] == [(kind, 1)]


def test_how_bad_it_is_takes_no_word(agent, filled):
    page = agent.post("/new", filled(found_by_us="y", impact="other", impact_other="Awful", impact_new="Awful"))

    assert (page.status_code, errors(page).keys()) == (422, {"impact"})
    assert waiting() == []


def test_a_choice_from_the_list_goes_before_words_that_were_typed(agent, filled):
    agent.post("/new", filled(found_by_us="y", area_other="Kiosk mode", area_new="Kiosk mode"))

    assert (waiting(), area_of_the_bug()) == ([], "Search")


def test_nothing_typed_or_a_retired_word_is_refused_at_the_field(agent, filled, lead, option):
    settings = option(OptionList.AREA, "Settings")
    lead.post(f"/admin/catalogue/areas/{settings.id}/retirement")
    for word, sentence in (
        ("", "Choose where it happens."),
        (" ", "Choose where it happens."),
        ("settings", "Choose where it happens. Settings is no longer offered as area."),
        ("x" * 121, "A choice has at most 120 characters."),
    ):
        page = agent.post("/new", filled(found_by_us="y", area="other", area_other=word))
        assert (page.status_code, errors(page)["area"]) == (422, sentence)
    assert count(Report) == 0


def test_known_bugs_are_looked_for_without_an_area_and_the_word_comes_along(agent, filled):
    bug = make_bug(area="Export", symptom="Looks wrong", actual="The printed barcode is upside down.")
    words = {"actual": "The printed barcode is upside down."}
    found = agent.get("/new/similar", query_string={"area": "other", "area_other": "Kiosk", "text": words["actual"]})
    assert [item["ref"] for item in found.json["items"]] == [bug.ref]

    question = agent.post("/new", filled(found_by_us="y", area="", area_new="Kiosk", ask="1", **words))
    assert 'name="area_new" value="Kiosk"' in question.text
    given = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', question.text))
    answer = agent.post("/new/similar", {**given, "found_by_us": "y", "choice": "none"})

    assert (answer.status_code, waiting()) == (303, ["Kiosk"])


def test_a_customer_is_attached_with_a_word_for_the_platform(agent, filled):
    bug = make_bug(area="Search")
    given = {"customer": "", "new_name": "Sam Osei", "platform": "other", "platform_other": "Kindle", "confirmed": "1"}

    assert agent.post(f"/bugs/{bug.ref}/attach", given).status_code == 303
    assert [(each.option.label, each.use_count) for each in proposals.waiting(start=0, size=9)] == [("Kindle", 1)]
    assert "used “Kindle”, which was not listed" in agent.get(f"/bugs/{bug.ref}").text


def test_a_lead_sees_what_was_used_by_whom_and_where(lead, kiosk):
    page = lead.get(PAGE)

    text = re.sub(r"<[^>]*>|\s+", " ", page.text)
    assert "Proposed by agents (1)" in lead.get("/admin/catalogue/areas").text
    assert re.search(r"Kiosk mode\s+Where\s+Lea Agent, \w+ \d+ \w+ [\d:]+\s+BUG-1 ", text)
    assert "BUG-1" in lead.get(f"{PAGE}/{kiosk.id}").text
    assert "Kiosk mode" not in lead.get("/admin/catalogue/areas").text


def test_a_lead_adds_a_word_as_it_is_or_better_said(lead, kiosk):
    assert lead.post(f"{PAGE}/{kiosk.id}/acceptance").location == PAGE
    assert catalogue.option_labelled(OptionList.AREA, "Kiosk mode").retired_at is None

    other = make_bug(area=make_option(OptionList.AREA)).area
    page = lead.post(f"{PAGE}/{other.id}/acceptance")
    assert (page.status_code, f"Somebody decided about {other.label} already." in page.text) == (409, True)


def test_a_name_that_is_taken_is_refused_at_the_field(lead, kiosk):
    page = lead.post(f"{PAGE}/{kiosk.id}/acceptance", {"label": "SEARCH"})

    assert (page.status_code, errors(page)) == (409, {"label": "The list already has Search."})
    assert values(page)["label"] == "SEARCH"
    assert lead.post(f"{PAGE}/{kiosk.id}/acceptance", {"label": "Kiosk"}).status_code == 303
    assert area_of_the_bug() == "Kiosk"


def test_a_lead_makes_a_word_an_alias_and_takes_it_back(lead, kiosk, option):
    search = option(OptionList.AREA, "Search")
    page = lead.post(f"{PAGE}/{kiosk.id}/alias")
    assert errors(page) == {"into": "Choose what it is another name of."}
    page = lead.post(f"{PAGE}/{kiosk.id}/alias", {"into": "99999"})
    assert errors(page) == {"into": "The list of Where choices has no “99999”."}

    answer = lead.post(f"{PAGE}/{kiosk.id}/alias", {"into": search.id})
    assert (answer.location, area_of_the_bug(), waiting()) == (PAGE, "Search", [])
    shown = lead.get(PAGE).text
    assert "What was filed with Kiosk mode has Search now." in shown
    undo = re.search(r'action="(/admin/catalogue/merges/\d+/undoing)"', shown)[1]
    assert lead.post(undo).location == PAGE
    assert (area_of_the_bug(), waiting()) == ("Kiosk mode", ["Kiosk mode"])
    assert lead.post("/admin/catalogue/merges/99999/undoing").status_code == 404


def test_a_lead_declines_a_word_and_its_reports_are_not_sure(lead, kiosk):
    assert lead.post(f"{PAGE}/{kiosk.id}/decline").status_code == 303
    assert (area_of_the_bug(), waiting()) == ("Not sure", [])


def test_the_page_asks_as_often_for_three_words_as_for_one(agent, filled, lead):
    counts = []
    for words in (["One"], ["Two", "Three"]):
        for word in words:
            agent.post("/new", filled(found_by_us="y", area="", area_new=word, key=word))
        with asked() as queries:
            assert lead.get(PAGE).status_code == 200
        counts.append(len(queries))

    assert waiting() == ["One", "Two", "Three"]
    assert counts[0] == counts[1]


def test_an_empty_page_says_what_comes_here(lead):
    assert "Nothing waits." in lead.get(PAGE).text
