"""The catalogue through its pages: leads keep it, everybody else is told who can."""

import html
import re

import pytest
import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.intake import catalogue
from bugintake.intake.catalogue import option_labelled, options_of
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Option, OptionList
from bugintake.team.models import Role, Workspace
from tests.counting import asked
from tests.factories import make_bug, make_option, make_report, make_user
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

LISTS = ("areas", "symptoms", "impacts", "frequencies", "platforms", "versions", "reasons")


@pytest.fixture
def lead(app, company):
    """A lead's browser."""
    return visit(app, make_user(Role.LEAD, "Petra Lead"))


def errors(page):
    found = re.findall(r'id="f-(\w+)-e">.*?</span>(.*?)</span></p>', page.text, re.DOTALL)
    return {name: html.unescape(sentence) for name, sentence in found}


def test_every_list_has_a_page(lead):
    for name in LISTS:
        assert lead.get(f"/admin/catalogue/{name}").status_code == 200
    assert lead.get("/admin/catalogue").location == "/admin/catalogue/areas"
    assert lead.get("/admin/catalogue/nothing").status_code == 404
    assert lead.post("/admin/catalogue/nothing").status_code == 404


def test_agents_and_engineers_are_told_who_can(agent, engineer, lead):
    for visitor in (agent, engineer):
        page = visitor.get("/admin/catalogue/areas")
        assert (page.status_code, "Petra Lead" in page.text) == (403, True)
        assert visitor.post("/admin/catalogue/areas", {"label": "Mine"}).status_code == 403
        assert visitor.post("/admin/catalogue/areas/1/retirement").status_code == 403
    assert option_labelled(OptionList.AREA, "Mine") is None


def test_a_choice_is_added_with_what_customers_read(lead):
    answer = lead.post(
        "/admin/catalogue/impacts",
        {
            "label": "Urgent",
            "label_de": "Dringend",
            "aliases": "Now, ASAP,, now",
            "deadline_minutes": "15",
            "hint": "x",
        },
    )

    option = option_labelled(OptionList.IMPACT, "urgent")
    assert (answer.status_code, answer.location) == (303, "/admin/catalogue/impacts")
    assert (option.labels, option.aliases) == ({"de": "Dringend"}, ["now", "asap"])
    assert (option.deadline_minutes, option.hint, option.position) == (15, "x", 5)


@pytest.mark.parametrize(
    ("changes", "status", "field", "sentence"),
    [
        ({"label": ""}, 422, "label", "Give the choice a name."),
        ({"label": "SEARCH"}, 409, "label", "The list already has Search."),
        ({"label": "x" * 121}, 422, "label", "A name has at most 120 characters."),
        ({"deadline_minutes": "soon"}, 422, "deadline_minutes", "A deadline is a whole number of working minutes."),
        ({"deadline_minutes": "0"}, 422, "deadline_minutes", "A deadline is 1 to 100,000 working minutes."),
        ({"deadline_minutes": "٣"}, 422, "deadline_minutes", "A deadline is a whole number of working minutes."),
        ({"hint": "x" * 201}, 422, "hint", "A hint has at most 200 characters."),
    ],
)
def test_a_choice_that_cannot_be_is_refused_on_both_pages(lead, changes, status, field, sentence):
    other = option_labelled(OptionList.IMPACT, "Annoying").id
    same = {"label": "CANNOT WORK"} if changes == {"label": "SEARCH"} else changes
    sentence = sentence.replace("Search", "Cannot work")
    for url in ("/admin/catalogue/impacts", f"/admin/catalogue/impacts/{other}"):
        page = lead.post(url, {"label": " New  one", "aliases": "kept ,x", **same})
        assert page.status_code == status
        assert errors(page) == {field: sentence}
        assert 'value="kept ,x"' in page.text


def test_words_are_asked_for_in_the_languages_on_offer_and_others_stay(lead, company):
    option = option_labelled(OptionList.AREA, "Search")
    with transaction():
        db.session.get_one(Option, option.id).labels = {"ar": "البحث"}
        db.session.get_one(Workspace, 1).languages = ["en", "tr"]

    page = lead.get(f"/admin/catalogue/areas/{option.id}").text
    lead.post(f"/admin/catalogue/areas/{option.id}", {**fields_of(page), "label_tr": "Arama"})

    assert re.findall(r'<input type="text"[^>]* name="label_(\w+)"', page) == ["en", "tr"]
    assert db.session.get_one(Option, option.id).labels == {"ar": "البحث", "tr": "Arama"}


def test_a_further_list_keeps_what_it_is_called_in_a_language_that_is_not_on_offer(lead, company):
    lead.post("/admin/catalogue/lists", {"label": "Plan", "label_ar": "الخطة"})
    found = db.session.scalars(sa.select(FurtherList)).one()

    page = lead.get(f"/admin/catalogue/lists/{found.name}").text
    lead.post(f"/admin/catalogue/lists/{found.name}", {**fields_of(page), "label_de": "Tarif"})

    assert db.session.get_one(FurtherList, found.id).labels == {"ar": "الخطة", "de": "Tarif"}


def fields_of(page):
    """What a browser sends of the words on a page that nobody changed."""
    found = re.findall(r'name="((?:seen_)?label(?:_\w+)?)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def test_a_choice_is_renamed_and_its_words_are_kept_per_language(lead):
    option = option_labelled(OptionList.AREA, "Search")
    make_report(area="Search")

    page = lead.get(f"/admin/catalogue/areas/{option.id}")
    assert 'value="Search"' in page.text
    lead.post(f"/admin/catalogue/areas/{option.id}", {"label": "Finding", "label_es": "Búsqueda", "aliases": "search"})

    found = db.session.get_one(Option, option.id)
    assert (found.label, found.label_in("es"), found.label_in("de")) == ("Finding", "Búsqueda", "Finding")
    assert option_labelled(OptionList.AREA, "Search") is None


def test_a_choice_is_found_only_on_its_own_list(lead):
    option = option_labelled(OptionList.AREA, "Search").id

    for url in (
        f"/admin/catalogue/symptoms/{option}",
        "/admin/catalogue/areas/99999999999",
        f"/admin/catalogue/x/{option}",
    ):
        assert lead.get(url).status_code == 404
        assert lead.post(url, {"label": "x"}).status_code == 404
        assert lead.post(f"{url}/retirement").status_code == 404
        assert lead.post(f"{url}/offer").status_code == 404


def test_a_choice_is_retired_and_offered_again(lead):
    option = option_labelled(OptionList.AREA, "Search").id

    lead.post(f"/admin/catalogue/areas/{option}/retirement")
    page = lead.get("/admin/catalogue/areas")
    assert option not in [each.id for each in options_of(OptionList.AREA)]
    assert "Search is no longer offered." in page.text
    assert f'action="/admin/catalogue/areas/{option}/offer" data-undo' in page.text

    lead.post(f"/admin/catalogue/areas/{option}/offer")
    assert option in [each.id for each in options_of(OptionList.AREA)]


def test_the_last_choice_of_a_list_stays(lead):
    for option in options_of(OptionList.FREQUENCY)[1:]:
        lead.post(f"/admin/catalogue/frequencies/{option.id}/retirement")

    page = lead.post(f"/admin/catalogue/frequencies/{options_of(OptionList.FREQUENCY)[0].id}/retirement")

    assert page.status_code == 409
    assert "This is the last choice of its list" in page.text


def test_a_list_shows_use_and_missing_translations(lead):
    make_report(area="Search")
    make_report(area="Search")

    page = lead.get("/admin/catalogue/areas").text

    row = re.search(r"<tr[^>]*>\s*<th[^>]*><a[^>]*>Search</a>.*?</tr>", page, re.DOTALL)[0]
    assert '<td class="num">2<' in row
    assert row.count(">missing<") == 3


def test_a_list_asks_the_database_as_often_for_many_choices_as_for_few(lead):
    lead.get("/admin/catalogue/areas")
    with asked() as for_few:
        lead.get("/admin/catalogue/areas")
    for number in range(3):
        make_option(OptionList.AREA, f"Area {number}")
    lead.get("/admin/catalogue/areas")
    with asked() as for_many:
        lead.get("/admin/catalogue/areas")

    assert len(for_many) == len(for_few)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Option)) > 3


def test_an_area_says_how_it_is_meant_to_behave_and_a_reason_whether_it_stands(lead):
    area = option_labelled(OptionList.AREA, "Search")
    reason = make_option(OptionList.DECLINE_REASON, "By design")

    lead.post(f"/admin/catalogue/areas/{area.id}", {"label": "Search", "intended": "Finds whole words only."})
    lead.post(f"/admin/catalogue/reasons/{reason.id}", {"label": "By design", "is_intended": "y"})

    assert db.session.get_one(Option, area.id).intended == "Finds whole words only."
    assert db.session.get_one(Option, reason.id).is_intended is True
    assert ">Finds whole words only.</textarea>" in lead.get(f"/admin/catalogue/areas/{area.id}").text.replace("\n", "")
    assert 'name="is_intended" value="y" checked' in lead.get(f"/admin/catalogue/reasons/{reason.id}").text
    long = lead.post(f"/admin/catalogue/areas/{area.id}", {"label": "Search", "intended": "x" * 501})
    assert (long.status_code, errors(long)) == (
        422,
        {"intended": "Keep it below 500 characters: it is read while a customer waits."},
    )
    lead.post(f"/admin/catalogue/reasons/{reason.id}", {"label": "By design"})
    assert db.session.get_one(Option, reason.id).is_intended is False


def test_a_stale_page_shows_both_values_and_who_changed_it(app, lead):
    option = option_labelled(OptionList.AREA, "Search").id
    url = f"/admin/catalogue/areas/{option}"
    seen = dict(re.findall(r'name="(seen_\w+)" value="(\w*)"', lead.get(url).text))
    other = visit(app, make_user(Role.LEAD, "Luka Lead"))
    assert other.post(url, {"label": "Find", **seen}).status_code == 303

    page = lead.post(url, {"label": "Seek", "aliases": "look", **seen})

    assert page.status_code == 409
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
    assert re.search(r"Label Luka changed it 1 s ago\. Now Find Yours Seek", shown)
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    assert lead.post(url, {**again, "label": "Seek"}).status_code == 303
    found = db.session.get_one(Option, option)
    assert (found.label, found.aliases) == ("Seek", ["look"])


def test_a_refused_page_still_knows_what_it_showed(lead):
    option = option_labelled(OptionList.AREA, "Search").id
    url = f"/admin/catalogue/areas/{option}"
    seen = dict(re.findall(r'name="(seen_\w+)" value="(\w*)"', lead.get(url).text))
    lead.post(url, {"label": "Find"})

    page = lead.post(url, {**seen, "label": "Settings"})

    assert page.status_code == 409
    assert lead.post(url, {**seen, "label": "Seek"}).status_code == 409


def test_an_area_gets_an_owner_who_works_here(lead):
    mira = make_user(Role.ENGINEER, "Mira Engineer")
    option = option_labelled(OptionList.AREA, "Search").id
    url = f"/admin/catalogue/areas/{option}"

    lead.post(url, {"label": "Search", "owner": str(mira.id)})
    assert db.session.get_one(Option, option).owner_id == mira.id
    assert "Mira Engineer" in lead.get("/admin/catalogue/areas").text
    for owner in ("99999", "x"):
        page = lead.post(url, {"label": "Search", "owner": owner})
        assert (page.status_code, errors(page)) == (422, {"owner": "Choose somebody who works here."})
    lead.post(url, {"label": "Search", "owner": ""})
    assert db.session.get_one(Option, option).owner_id is None


def test_a_choice_is_moved_from_the_list(lead):
    option = option_labelled(OptionList.AREA, "Settings")

    answer = lead.post(f"/admin/catalogue/areas/{option.id}/place", {"to": "1"})

    assert answer.location == f"/admin/catalogue/areas#o-{option.id}"
    assert [each.label for each in options_of(OptionList.AREA)][:2] == ["Settings", "Search"]
    for to in ("", "x", "0", "99", "٣"):
        page = lead.post(f"/admin/catalogue/areas/{option.id}/place", {"to": to})
        assert (page.status_code, "Give a place from 1 to 3." in page.text) == (422, True)


def test_a_long_list_is_shown_a_page_at_a_time_and_searched(lead):
    with transaction():
        for number in range(250):
            catalogue.append(OptionList.AREA, f"Area {number}")
        events.record(EventKind.OPTION_ADDED, actor=None)
    rows = re.compile(r'<tr id="o-\d+"')

    first, last = lead.get("/admin/catalogue/areas").text, lead.get("/admin/catalogue/areas?page=3").text
    assert (len(rows.findall(first)), len(rows.findall(last))) == (100, 54)
    assert "?page=2" in first
    found = lead.get("/admin/catalogue/areas?q=area+24").text
    assert (len(rows.findall(found)), 'value="248"' in found) == (11, True)
    lacking = lead.get("/admin/catalogue/areas?lacks=1").text
    assert "Customers read the team's word for these." in lacking
    assert "No choice is like that." in lead.get("/admin/catalogue/areas?q=zzz").text


def test_the_history_of_a_choice_has_a_page(lead):
    option = option_labelled(OptionList.AREA, "Search").id
    lead.post(f"/admin/catalogue/areas/{option}", {"label": "Find"})

    page = lead.get(f"/admin/catalogue/areas/{option}/history").text

    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
    assert re.search(r"Petra Lead changed it [^–]*? Name: Search → Find", shown)
    assert "bugintake added it" in shown


def test_an_empty_list_offers_the_packs(lead):
    page = lead.get("/admin/catalogue/reasons").text
    offered = re.findall(r'name="pack" value="(\w+)"', page)
    assert (offered, 'name="pack"' in lead.get("/admin/catalogue/areas").text) == (["web", "mobile", "api"], False)

    assert lead.post("/admin/catalogue/reasons/pack", {"pack": "api"}).location == "/admin/catalogue/reasons"
    assert options_of(OptionList.DECLINE_REASON)[0].label == "Works as intended"
    assert lead.post("/admin/catalogue/reasons/pack", {"pack": "x"}).status_code == 422
    assert len(options_of(OptionList.AREA)) == 4


def test_bugs_with_a_retired_choice_are_found_by_it_from_the_catalogue_and_by_the_filter(lead):
    bug, other = make_bug(area="Invoices"), make_bug(area="Calendar")
    area = option_labelled(OptionList.AREA, "Invoices")
    lead.post(f"/admin/catalogue/areas/{area.id}/retirement")

    retired = lead.get("/admin/catalogue/areas").text
    board = lead.get("/board").text
    found = lead.get(f"/bugs?area={area.id}").text

    assert f'href="/bugs?area={area.id}"' in retired
    assert f'<option value="{area.id}">Invoices, not offered</option>' in board
    assert f'<option value="{area.id}" selected>Invoices, not offered</option>' in found
    assert (bug.ref in found, other.ref in found) == (True, False)
