"""Merging choices through the pages: what would move is said first, and it can be taken back."""

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake import catalogue
from bugintake.intake.models import Bug, Option, OptionList
from bugintake.team.models import Role
from tests.factories import make_bug, make_report, make_user
from tests.intake.test_filing_views import errors
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

AREAS = "/admin/catalogue/areas"


@pytest.fixture
def lead(app, company):
    """A lead's browser."""
    return visit(app, make_user(Role.LEAD, "Petra Lead"))


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))


def area_of(bug):
    return db.session.scalar(sa.select(Option.label).join(Bug, Bug.area_id == Option.id).where(Bug.id == bug.id))


def test_a_lead_sees_what_would_move_then_merges_and_takes_it_back(lead, option):
    search, settings = option(OptionList.AREA, "Search"), option(OptionList.AREA, "Settings")
    bug = make_bug(area="Settings")
    make_report(bug=bug, area="Settings")
    url = f"{AREAS}/{settings.id}/merge"

    assert url in lead.get(f"{AREAS}/{settings.id}").text
    assert f'<option value="{settings.id}"' not in lead.get(url).text
    shown = words(lead.get(f"{url}?into={search.id}"))
    assert "1 bug and 2 reports move." in shown
    assert "“Search” is also found by: settings." in shown
    assert area_of(bug) == "Settings"

    assert lead.post(url, {"into": search.id}).location == AREAS
    assert area_of(bug) == "Search"
    page = lead.get(AREAS)
    assert "Settings is another name of Search now." in page.text
    assert "Settings into Search Petra Lead" in words(page)
    undo = re.search(r'action="(/admin/catalogue/merges/\d+/undoing)"', page.text)[1]
    assert lead.post(undo).location == AREAS
    assert area_of(bug) == "Settings"
    assert "Settings is a choice of its own again." in lead.get(AREAS).text


def test_a_merge_that_cannot_be_is_refused_at_the_field(lead, option):
    unsure, search = option(OptionList.AREA, "Not sure"), option(OptionList.AREA, "Search")
    firefox = option(OptionList.PLATFORM, "Firefox")
    url = f"{AREAS}/{unsure.id}/merge"
    sentence = "“Not sure” says that nobody knows: it is not another name of something."

    for answer in (lead.get(f"{url}?into={search.id}"), lead.post(url, {"into": search.id})):
        assert (answer.status_code, errors(answer)) == (409, {"into": sentence})
    for answer in (lead.get(f"{url}?into={firefox.id}"), lead.post(url, {"into": firefox.id})):
        assert (answer.status_code, errors(answer)) == (
            422,
            {"into": f"The list of Where choices has no “{firefox.id}”."},
        )
    assert errors(lead.post(url)) == {"into": "Choose what it is another name of."}
    assert len(catalogue.options_of(OptionList.AREA)) == 4


def test_what_was_merged_is_neither_offered_nor_changed(agent, filled, lead, option):
    search, settings = option(OptionList.AREA, "Search"), option(OptionList.AREA, "Settings")
    lead.post(f"{AREAS}/{settings.id}/merge", {"into": search.id})

    assert f'value="{settings.id}"' not in agent.get("/new").text
    sentence = "Settings was merged into Search. Undo that first."
    page = lead.post(f"{AREAS}/{settings.id}", {"label": "Set"})
    assert (page.status_code, errors(page)) == (409, {"label": sentence})
    assert sentence in lead.post(f"{AREAS}/{settings.id}/offer").text
    assert agent.post("/new", filled(found_by_us="y", area=str(settings.id))).status_code == 303
    assert area_of(db.session.scalars(sa.select(Bug)).one()) == "Search"
