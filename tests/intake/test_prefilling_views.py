"""The form as an address fills it in: by id, label or alias, nothing dropped in silence, nothing done by looking."""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import OptionList
from bugintake.team.models import Role
from tests.factories import make_bug, make_customer, make_list, make_option, make_report, make_user
from tests.intake.test_draft_views import said
from tests.intake.test_filing_views import values

pytestmark = pytest.mark.long_on("postgres")

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.1 Safari/605.1.15"


def open_new(visitor, **given):
    page = visitor.get(f"/new?{urlencode(given)}")
    assert page.status_code == 200
    return page


def test_every_field_is_filled_by_id_label_or_alias(agent, option):
    hana = make_customer("Hana Kovač", email="hana@brightline.hr")
    make_option(OptionList.PLATFORM, "Opera", aliases=["presto"])
    theme = make_list("Theme", "Dark", "Light")
    area = option(OptionList.AREA, "Search")

    page = open_new(
        agent, customer="hana@brightline.hr", area=area.id, symptom="nothing HAPPENS", impact="Annoying",
        frequency="always", platform="presto", version="4.12.1", list_theme="dark", steps="1. Open\n2. Look",
        actual="Nothing", expected="A list", ref="ZD-81",
    )  # fmt: skip

    found = values(page)
    chosen = {
        name: db.session.get(type(area), int(found[name])).label for name in ("area", "symptom", "impact", "platform")
    }
    assert chosen == {"area": "Search", "symptom": "Nothing happens", "impact": "Annoying", "platform": "Opera"}
    assert db.session.get(type(area), int(found[f"list_{theme.name}"])).label == "Dark"
    assert (found["customer"], found["customer_id"]) == ("Hana Kovač", str(hana.id))
    assert (found["steps"], found["actual"], found["expected"]) == ("1. Open\n2. Look", "Nothing", "A list")
    assert "From ZD-81" in page.text
    assert said(page) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"area": "Nowhere"}, "The list of area choices has no “Nowhere”."),
        ({"version": "99999999999999999999"}, "The list of version choices has no “99999999999999999999”."),
        ({"customer_id": "777"}, "There is no customer with the number “777”."),
        (
            {"customer": "new@example.com"},
            "new@example.com is new to us. Give the name, and they are added with this report.",
        ),
        ({"customer": "Nobody"}, "Nobody is called “Nobody”. Type their e-mail address."),
        ({"new_language": "xx"}, "Customers are not written to in “xx”."),
        ({"title": "Broken"}, "This form has no field “title”, so what came for it is left out."),
        ({"list_gone": "1"}, "This form has no field “list_gone”, so what came for it is left out."),
        ({"ref": "x" * 201}, "The link to where it came from has more than 200 characters, so it is left out."),
        ({"ua": "curl/8.5.0"}, "The list of platforms has nothing for A browser. Choose what comes nearest."),
        ({"draft": "777"}, "What was begun is not here any more: it was filed or discarded, or two weeks have passed."),
    ],
)
def test_what_cannot_be_filled_in_is_said(agent, given, sentence):
    assert said(open_new(agent, **given)) == [sentence]


def test_a_browsers_own_name_chooses_the_platform_unless_the_address_does(agent, option):
    make_list("Browser", "Chrome", "Safari")

    by_name = values(open_new(agent, ua=MAC))
    by_choice = values(open_new(agent, ua=MAC, platform="Firefox"))

    assert by_name["platform"] == str(option(OptionList.PLATFORM, "Safari on Mac").id)
    assert by_name["list_browser"] == str(make_option("browser", "Safari").id)
    assert by_choice["platform"] == str(option(OptionList.PLATFORM, "Firefox").id)


def test_looking_at_a_filled_form_adds_nobody(agent):
    open_new(agent, customer="new@example.com", new_name="New", new_company="Fresh")

    assert db.session.scalars(sa.select(Customer)).all() == []


def test_a_customers_last_platform_is_read_only_from_bugs_that_one_may_see(app, as_user, lea):
    hana = make_customer("Hana Kovač", email="hana@brightline.hr")
    report = make_report(hana, platform="Firefox")
    other = as_user(make_user(Role.AGENT, "Another Agent"))
    assert values(open_new(other, customer="hana@brightline.hr"))["platform"] == str(report.platform_id)
    with transaction():
        report.bug.is_restricted = True

    assert values(open_new(other, customer="hana@brightline.hr"))["platform"] == ""


def test_the_side_window_has_no_navigation_and_stays_what_it_is(agent, filled):
    bug = make_bug()
    pages = [
        agent.get("/new?panel=1"),
        agent.post("/new?panel=1", filled(steps="")),
        agent.post(
            "/new?panel=1", filled(ask="1", found_by_us="y", area=str(bug.area_id), symptom=str(bug.symptom_id))
        ),
        agent.get(f"/bugs/{bug.ref}/attach?panel=1"),
    ]
    confirmed = agent.post("/new?panel=1", filled(found_by_us="y"))
    pages.append(agent.get(confirmed.location))

    assert [each.status_code for each in pages] == [200, 422, 200, 200, 200]
    assert [each.text.count('<header class="top">') for each in pages] == [0] * 5
    assert confirmed.location.endswith("&panel=1")
    actions = [unescape(each) for page in pages for each in re.findall(r'action="(/[^"]+)"', page.text)]
    # A script alone signs in again, and stays on the page.
    assert {each for each in actions if "panel=1" not in each} == {"/login"}


def test_the_form_is_opened_from_any_page_by_a_bookmark(agent):
    found = re.search(r'href="(javascript:[^"]+)"', agent.get("/settings").text)

    assert unescape(found[1]).startswith('javascript:(()=>{const u=new URL("http')
    assert '/new");u.search=new URLSearchParams({panel:1,ref:location.href.slice(0,200)})' in unescape(found[1])


def test_another_report_begins_with_the_customer_or_the_area_of_the_last(agent, filled):
    hana = make_customer("Hana Kovač")
    confirmed = agent.get(agent.post("/new", filled(customer="Hana Kovač"), follow_redirects=False).location)

    links = [unescape(each) for each in re.findall(r'href="(/new[^"]*)"', confirmed.text)]

    assert f"/new?customer_id={hana.id}" in links
    area = next(each for each in links if each.startswith("/new?area="))
    assert values(agent.get(area))["area"] == filled()["area"]
