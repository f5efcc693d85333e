"""How the form does: what leads see of it, and what becomes of what engineers have to ask for."""

from datetime import timedelta

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.intake import catalogue, drafts, filing, form_use
from bugintake.intake.models import Bug, OptionList
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import make_bug, make_list, make_option, make_report, make_user
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture
def mira(app, company):
    """An engineer."""
    return make_user(Role.ENGINEER, "Mira Kos")


@pytest.fixture
def lead(app, company):
    """A lead's browser."""
    return visit(app, make_user(Role.LEAD, "Petra Lead"))


def ask(mira, missing, area="Search"):
    bug = make_bug(area=area)
    report = make_report(bug=bug, area=area)
    with transaction():
        transitions.ask(bug, report, "Which one?", missing=missing, actor=mira)


def test_what_is_missing_is_counted_by_area_whatever_its_case(mira):
    for missing in ("Extension", "extension ", "Version"):
        ask(mira, missing)
    ask(mira, "Extension", area="Sign-in")
    ask(mira, "")

    found = [(each.area, each.missing, each.count, each.is_proposed) for each in form_use.asked_back(mira)]

    assert found == [
        ("Search", "Extension", 2, False),
        ("Search", "", 1, False),
        ("Search", "Version", 1, False),
        ("Sign-in", "Extension", 1, False),
    ]


def test_three_ask_backs_for_the_same_thing_in_one_area_propose_a_list(mira, lead):
    for _ in range(3):
        ask(mira, "Extension")
        ask(mira, "Version")

    proposed = [each.missing for each in form_use.asked_back(mira) if each.is_proposed]
    page = lead.get("/admin/catalogue/use").text
    area = catalogue.option_labelled(OptionList.AREA, "Search")

    assert proposed == ["Extension"]
    assert f'href="/admin/catalogue/lists?label=Extension&amp;areas={area.id}"' in page
    begun = lead.get(f"/admin/catalogue/lists?label=Extension&areas={area.id}").text
    assert 'value="Extension"' in begun
    assert f'name="areas" value="{area.id}" checked' in begun.replace(' id="f-areas"', "")


def test_a_list_that_was_made_is_proposed_no_more(mira):
    for _ in range(3):
        ask(mira, "Extension")
    make_list("Extension", "None")

    assert [each.is_proposed for each in form_use.asked_back(mira)] == [False]


def test_the_form_for_a_question_offers_what_was_missing_before(app, mira):
    ask(mira, "Extension")
    bug = make_bug()
    page = visit(app, mira).get(f"/bugs/{bug.ref}/question").text

    assert form_use.missing_before(mira)[:2] == ["Extension", "Steps to see it"]
    assert '<option value="Extension"></option>' in page


def test_what_was_missing_of_a_bug_that_somebody_may_not_see_is_not_offered(mira):
    secret = make_report()
    with transaction():
        transitions.ask(secret.bug, secret, "Which one?", missing="Stolen key", actor=mira)
        db.session.get_one(Bug, secret.bug_id).is_restricted = True

    assert "Stolen key" not in form_use.missing_before(make_user(Role.ENGINEER))
    assert form_use.missing_before(make_user(Role.LEAD))[0] == "Stolen key"


def test_what_is_missing_goes_with_the_question_and_is_refused_when_it_is_a_story(app, mira):
    bug = make_bug()
    report = make_report(bug=bug)
    visitor = visit(app, mira)
    given = {"seen": "new", "report": str(report.id), "question": "Which extension?", "missing": "x" * 121}

    refused = visitor.post(f"/bugs/{bug.ref}/question", given)
    assert (refused.status_code, "at most 120 characters" in refused.text) == (422, True)
    assert visitor.post(f"/bugs/{bug.ref}/question", {**given, "missing": " Extension "}).status_code == 302

    assert [each.missing for each in form_use.asked_back(mira)] == ["Extension"]
    with pytest.raises(Invalid, match="at most 120"), transaction():
        transitions.ask(make_bug(), report, "Which?", missing="x" * 121, actor=mira)


def test_the_time_to_file_counts_from_opening_the_form_and_forgets_forms_that_lay_open(app, company, clock):
    lea = make_user(Role.AGENT)
    area = make_option(OptionList.AREA, "Search")
    for seconds in (40, 55, 300, 3601):
        key, began = drafts.new_key(lea), house_clock.now()
        house_clock.freeze(began + timedelta(seconds=seconds))
        typed = filing.Typed(is_found_by_us=True, choices=chosen(area), steps="Open.", actual="No.", expected="Yes.")
        with transaction():
            filing.submit(typed, None, actor=lea, key=key)

    assert form_use.median_seconds() == 55
    page = visit(app, make_user(Role.LEAD)).get("/admin/catalogue/use").text
    assert "<b>0:55</b>" in page


def chosen(area):
    found = {kind: next(iter(catalogue.names().offered[kind])) for kind in filing.ASKED}
    return {**{kind: str(option.id) for kind, option in found.items()}, OptionList.AREA: str(area.id)}


def test_lists_say_what_stays_unsure_and_what_nobody_chose(app, company):
    make_option(OptionList.PLATFORM, "Toaster")
    unsure = catalogue.not_sure(OptionList.PLATFORM)
    firefox = make_option(OptionList.PLATFORM, "Firefox 141")
    for platform in (unsure, unsure, firefox, firefox):
        make_report(platform=platform)

    labels = {kind: (kind.value, kind.value) for kind in filing.ASKED}
    platforms = next(each for each in form_use.lists_used(labels) if each.address == "platform")

    assert (platforms.count, platforms.unsure_percent) == (4, 50)
    names = [choice.label for choice in platforms.unused]
    assert ("Toaster" in names, "Firefox 141" in names, unsure.label in names) == (True, False, False)


def test_the_page_costs_the_same_for_one_question_and_for_thirty(mira, lead):
    ask(mira, "Extension")
    lead.get("/admin/catalogue/use")
    with asked() as before:
        lead.get("/admin/catalogue/use")
    for number in range(29):
        ask(mira, f"Thing {number}")
    lead.get("/admin/catalogue/use")
    with asked() as after:
        page = lead.get("/admin/catalogue/use")

    assert len(after) == len(before)
    assert "Thing 1" in page.text


def test_everything_is_told_of_one_area_too(mira, lead):
    for number in range(21):
        ask(mira, f"Thing {number}")
    ask(mira, "Extension", area="Sign-in")
    area = catalogue.option_labelled(OptionList.AREA, "Sign-in")
    labels = {kind: (kind.value, kind.value) for kind in filing.ASKED}

    everywhere = lead.get("/admin/catalogue/use").text
    page = lead.get(f"/admin/catalogue/use?area={area.id}").text

    assert "2 more that were asked for less often." in everywhere
    assert ("Extension" in page, "Thing" in page) == (True, False)
    assert f'<option value="{area.id}" selected>Sign-in</option>' in page
    assert {each.address: each.count for each in form_use.lists_used(labels, area.id)} == {
        kind.value: 2 for kind in filing.ASKED if kind != OptionList.AREA
    }
    assert form_use.median_seconds(area.id) is None


def test_a_lead_sees_in_the_menu_how_much_waits_for_a_decision(app, mira, lead):
    waits = '1<span class="vh"> to decide</span>'
    assert waits not in lead.get("/admin/catalogue/use").text

    for _ in range(3):
        ask(mira, "Extension")

    assert waits in lead.get("/admin/catalogue/use").text
    assert waits not in visit(app, mira).get("/board").text
