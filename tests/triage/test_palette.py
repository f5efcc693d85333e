"""What the field at the top of every page finds: bugs, pages, views, customers, companies and colleagues."""

import pytest

from bugintake.core.db import transaction
from bugintake.team.models import Role
from bugintake.triage import editing, palette, saved_views
from tests.factories import make_bug, make_customer, make_user, merge
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


def found(app, person, typed, opened=""):
    """What somebody is offered, by kind: labels and addresses."""
    answer = visit(app, person).get("/palette", query_string={"q": typed, "opened": opened})
    return {
        group["name"]: [(row["label"], row["url"]) for row in group["rows"]] for group in answer.get_json()["groups"]
    }


def titled(title, **values):
    bug = make_bug(**values)
    with transaction():
        editing.rename(bug, title, actor=bug.filed_by)
    return bug


@pytest.mark.parametrize("typed", ["tax", "ta", "TAX li", "line taxes", "exporting ta"])
def test_a_bug_is_found_by_its_words_the_last_of_them_begun(app, mira, typed):
    bug = titled("Tax line is missing from the exported PDF")
    titled("Nothing alike")

    assert found(app, mira, typed)["Bugs"] == [(f"{bug.ref} {bug.title}", f"/bugs/{bug.ref}")]


@pytest.mark.parametrize("typed", ["{}", "BUG-{}", "bug-{}"])
def test_a_bug_is_found_by_its_number(app, mira, typed):
    bug = make_bug()

    assert [url for _label, url in found(app, mira, typed.format(bug.id))["Bugs"]] == [f"/bugs/{bug.ref}"]


def test_open_bugs_stand_before_closed_ones_and_a_merged_one_is_found_as_what_stands_for_it(app, mira):
    closed, part, into = titled("Tax one"), titled("Tax two"), titled("Levy")
    merge(part, into)
    with transaction():
        closed.status = "live"
    latest = titled("Tax three")

    assert [url for _label, url in found(app, mira, "tax")["Bugs"]] == [
        f"/bugs/{each.ref}" for each in (latest, into, closed)
    ]


@pytest.mark.parametrize("typed", ["{0.id}", "{0.ref}", "secr", "secret kestrel"])
def test_a_restricted_bug_does_not_exist_for_who_may_not_see_it(app, mira, typed):
    bug = titled("Secret kestrel")
    with transaction():
        editing.restrict(bug, True, actor=bug.filed_by)

    assert "Bugs" not in found(app, mira, typed.format(bug))
    assert found(app, mira, "", opened=str(bug.id)) == {}
    assert "Bugs" in found(app, make_user(Role.LEAD), typed.format(bug))


def test_where_nothing_is_typed_the_bugs_opened_last_and_the_views_are_offered(app, mira):
    first, second = make_bug(), make_bug()
    with transaction():
        saved_views.save("Mine", "owner=me", is_board=True, for_team=False, actor=mira)
    offered = found(app, mira, "", opened=f"{second.id}.{first.id}.999.x.")

    assert [url for _label, url in offered["Opened last"]] == [f"/bugs/{second.ref}", f"/bugs/{first.ref}"]
    assert offered["Views"] == [("Mine", "/board?owner=me")]


def test_customers_companies_colleagues_views_and_pages_are_found_by_their_names(app, mira):
    jonas = make_user(Role.AGENT, "Jonas Weber")
    hana = make_customer("Hana Kovač", company="Brightline")
    with transaction():
        saved_views.save("Bright ideas", "q=x", is_board=False, for_team=False, actor=mira)

    assert found(app, mira, "hana") == {"Customers": [("Hana Kovač, Brightline", f"/customers/{hana.id}")]}
    assert found(app, mira, "bright") == {
        "Views": [("Bright ideas", "/bugs?q=x")],
        "Customers": [("Hana Kovač, Brightline", f"/customers/{hana.id}")],
        "Companies": [("Brightline", f"/accounts/{hana.account_id}")],
    }
    assert found(app, mira, "jonas") == {"Colleagues": [("Jonas Weber", f"/bugs?owner={jonas.id}")]}
    assert found(app, mira, "schedule") == {"Pages": [("Schedule of duty", "/duty/schedule")]}


def test_an_engineer_reads_a_masked_address_and_pages_of_leads_are_not_offered_to_others(app, mira):
    make_customer("Hana", email="hana@example.com")

    (row,) = visit(app, mira).get("/palette?q=hana").get_json()["groups"][0]["rows"]
    assert row["hint"] == "h•••@example.com"
    assert found(app, mira, "further") == {}
    assert found(app, make_user(Role.LEAD), "further") == {
        "Pages": [("Catalogue: further lists", "/admin/catalogue/lists")]
    }


@pytest.mark.parametrize(
    "typed", ["", " ", '"', "'", "a", "'' OR 1", "tax)*", '"tax" AND', "·ta·", "x" * 5000, "*", "né:*&|!"]
)
def test_nothing_that_is_typed_breaks_it(app, mira, typed):
    titled("Tax line")

    assert visit(app, mira).get("/palette", query_string={"q": typed}).status_code == 200


def test_no_more_than_a_few_of_each_are_offered(app, mira):
    for number in range(palette.EACH + 1):
        titled(f"Tax {number}")

    assert len(found(app, mira, "tax")["Bugs"]) == palette.EACH
