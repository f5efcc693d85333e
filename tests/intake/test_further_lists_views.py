"""Further lists through the pages: on the form, on a bug's page, and where leads keep them."""

import html
import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake import catalogue, further_lists
from bugintake.intake.catalogue import option_labelled
from bugintake.intake.list_models import FurtherList, ReportChoice
from bugintake.intake.models import OptionList, Report
from bugintake.team.models import Role
from tests.counting import asked
from tests.factories import make_bug, make_list, make_report, make_user
from tests.intake.test_filing_views import count, errors, summary, values
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture
def lead(app, company):
    """A lead's browser."""
    return visit(app, make_user(Role.LEAD, "Petra Lead"))


@pytest.fixture
def theme(company):
    """A required list that is asked for the settings only."""
    settings = option_labelled(OptionList.AREA, "Settings")
    return make_list("Theme", "Dark", "Light", is_required=True, areas=[settings])


def chosen():
    return [
        (choice.list, choice.choice)
        for report in db.session.scalars(sa.select(Report))
        for choice in further_lists.chosen_in([report.id]).get(report.id, ())
    ]


def test_the_form_asks_for_the_lists_and_files_what_was_chosen(agent, filled, theme, option):
    make_list("Plan", "Free", "Paid")
    page = agent.get("/new")
    assert re.findall(r'<select id="f-list_(\w+)"', page.text) == ["theme", "plan"]

    ids = {"list_theme": str(option("theme", "Dark").id), "list_plan": str(option("plan", "Paid").id)}
    given = {**filled(area=str(option(OptionList.AREA, "Settings").id), found_by_us="y"), **ids}
    answer = agent.post("/new", given)

    assert answer.status_code == 303
    assert chosen() == [("theme", "Dark"), ("plan", "Paid")]
    page = agent.get(f"/bugs/{answer.location.split('/')[2]}")
    assert ("<dt>Theme</dt><dd>Dark</dd>" in page.text, "<dt>Plan</dt><dd>Paid</dd>" in page.text) == (True, True)


def test_what_cannot_be_is_refused_at_its_field_and_kept(agent, filled, theme, option):
    settings, dark = str(option(OptionList.AREA, "Settings").id), str(option("theme", "Dark").id)
    for area, value, sentence in (
        (settings, "", "Choose “Theme”."),
        (filled()["area"], dark, "Theme is not asked for this area. Leave it empty."),
        (settings, filled()["area"], "The list of Theme choices has no "),
        (settings, "other", "The list of Theme choices has no “other”."),
    ):
        page = agent.post("/new", {**filled(area=area, found_by_us="y"), "list_theme": value})
        assert page.status_code == 422
        assert errors(page).keys() == {"list_theme"}
        assert errors(page)["list_theme"].startswith(sentence)
        assert values(page)["list_theme"] == value
    assert count(Report) == 0


def test_a_choice_of_a_list_that_is_no_longer_asked_for_is_said_once(agent, filled, lead):
    plan = make_list("Plan", "Free")
    given = {**filled(found_by_us="y"), "list_plan": str(option_labelled("plan", "Free").id)}
    lead.post(f"/admin/catalogue/lists/{plan.name}/retirement")

    page = agent.post("/new", given)

    sentence = "Nobody asks for the list “plan” any more: what was chosen from it is left out."
    assert (page.status_code, summary(page)) == (422, [sentence])


@pytest.mark.parametrize(
    "way", [{"list_proxy": "other", "list_proxy_other": " Squid  6"}, {"list_proxy_new": "Squid 6"}]
)
def test_words_that_are_not_listed_are_kept_and_become_a_choice(agent, filled, way):
    make_list("Proxy", "None", is_required=True, grows=True)

    refused = agent.post("/new", {**filled(found_by_us="y", steps=""), **way})
    words = next(value for value in way.values() if "Squid" in value)
    name = next(name for name, value in way.items() if "Squid" in value)
    assert errors(refused).keys() == {"steps"}
    assert html.escape(f'name="{name}" value="{words}"', quote=False) in refused.text

    assert agent.post("/new", {**filled(found_by_us="y"), **way}).status_code == 303
    assert chosen() == [("proxy", "Squid 6")]


def test_choices_come_along_when_the_customer_is_attached_instead(agent, filled, theme, option):
    bug = make_bug(area="Search", symptom="Nothing happens")
    plan = make_list("Plan", "Free")
    given = filled(customer="", new_name="Sam Osei", list_plan=str(option_labelled(plan.name, "Free").id))

    question = agent.post("/new", {**given, "ask": "1"})
    assert f'name="list_plan" value="{given["list_plan"]}"' in question.text
    shown = agent.post(f"/bugs/{bug.ref}/attach", given)
    assert f'name="list_plan" value="{given["list_plan"]}"' in shown.text
    answer = agent.post(f"/bugs/{bug.ref}/attach", {**given, "confirmed": "1"})

    assert answer.status_code == 303
    assert chosen() == [("plan", "Free")]


def test_the_pages_ask_the_database_as_often_for_three_lists_as_for_one(agent, lead):
    def look(*labels):
        lists = [make_list(label, "Yes") for label in labels]
        bug = make_bug()
        make_report(bug=bug, choices=[(each, option_labelled(each.name, "Yes")) for each in lists])
        counts = []
        for visitor, url in ((agent, "/new"), (agent, f"/bugs/{bug.ref}"), (lead, "/admin/catalogue/lists")):
            with asked() as queries:
                assert visitor.get(url).status_code == 200
            counts.append(len(queries))
        return counts

    assert look("Plan") == look("Theme", "Proxy")


def test_a_lead_adds_a_list_and_its_choices(lead, option):
    search, settings = option(OptionList.AREA, "Search"), option(OptionList.AREA, "Settings")
    answer = lead.post(
        "/admin/catalogue/lists",
        {
            "label": "Browser extension",
            "label_de": "Erweiterung",
            "is_required": "y",
            "areas": [search.id, settings.id],
        },
    )

    found = db.session.scalars(sa.select(FurtherList)).one()
    assert (answer.status_code, answer.location) == (303, "/admin/catalogue/browser_extension")
    assert (found.labels, found.is_required, found.grows) == ({"de": "Erweiterung"}, True, False)
    assert found.area_ids == sorted([search.id, settings.id])
    page = lead.get(answer.location)
    assert "This list is empty: nobody is asked for it yet." in page.text
    assert lead.post(answer.location, {"label": "Ad blocker"}).status_code == 303
    assert [each.label for each in catalogue.options_of("browser_extension")] == ["Ad blocker"]
    assert "Search, Settings" in lead.get("/admin/catalogue/lists").text


def test_a_list_that_cannot_be_is_refused_on_both_pages_and_kept(lead):
    make_list("Plan")
    make_list("Theme")
    for url in ("/admin/catalogue/lists", "/admin/catalogue/lists/theme"):
        for given, status, errors_ in (
            ({"label": "", "label_es": "Tema"}, 422, {"label": "Give the list a name."}),
            ({"label": "PLAN", "label_es": "Tema"}, 409, {"label": "There is already a list called Plan."}),
            ({"label": "New", "label_es": "Tema", "areas": "999"}, 422, {"areas": "Choose the areas from the list."}),
        ):
            page = lead.post(url, given)
            assert (page.status_code, errors(page)) == (status, errors_)
            assert 'value="Tema"' in page.text


def test_a_lead_changes_moves_and_retires_a_list(lead, theme):
    make_list("Plan", "Free")
    page = lead.get("/admin/catalogue/lists/theme")
    assert (values(page)["label"], page.text.count(" checked")) == ("Theme", 2)

    lead.post("/admin/catalogue/lists/theme", {"label": "Look"})
    lead.post("/admin/catalogue/lists/plan/rise")
    lead.post("/admin/catalogue/lists/theme/retirement")
    assert [each.label for each in further_lists.lists(with_retired=True)] == ["Plan", "Look"]
    assert (theme.area_ids, theme.is_required) == ([], False)
    assert [each.label for each in further_lists.lists()] == ["Plan"]
    lead.post("/admin/catalogue/lists/theme/offer")
    assert [each.label for each in further_lists.lists()] == ["Plan", "Look"]


def test_the_same_form_sent_twice_makes_one_report_and_another_choice_is_refused(agent, filled):
    make_list("Plan", "Free", "Paid")
    given = {**filled(found_by_us="y"), "list_plan": str(option_labelled("plan", "Free").id)}

    assert [agent.post("/new", given).status_code for _ in range(2)] == [303, 303]

    assert (count(Report), count(ReportChoice)) == (1, 1)
    other = {**given, "list_plan": str(option_labelled("plan", "Paid").id)}
    assert agent.post("/new", other).status_code == 409


def test_a_list_keeps_the_retired_area_it_is_asked_for_when_it_is_saved(lead, theme):
    settings = option_labelled(OptionList.AREA, "Settings")
    lead.post(f"/admin/catalogue/areas/{settings.id}/retirement")
    page = lead.get("/admin/catalogue/lists/theme")
    ticked = re.findall(r'name="areas" value="(\d+)"[^>]* checked><span>([^<]*)', page.text)
    assert ticked == [(str(settings.id), "Settings, retired")]
    assert "Settings, retired" not in lead.get("/admin/catalogue/lists").text

    lead.post("/admin/catalogue/lists/theme", data={"label": "Look", "areas": [number for number, _label in ticked]})

    db.session.rollback()
    found = further_lists.list_named("theme")
    db.session.refresh(found)
    assert (found.label, found.area_ids) == ("Look", [settings.id])
