"""Links and words of saved views that name an erased person go with them."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.intake.customers import changing, erasing, link_templates
from bugintake.intake.customers import merging as customer_merging
from bugintake.team.models import Role
from bugintake.triage import history, linking, merging, saved_views
from bugintake.triage.link_models import BugLink
from tests.factories import make_bug, make_customer, make_user, merge
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")

NAMING = (
    "https://desk.example/?of=hana@example.com",
    "https://desk.example/of/HANA%40example.com",
    "https://crm.example/people/47110815",
)
OTHERS = (
    "https://desk.example/?of=johana@example.com",
    "https://crm.example/people/471108155",
    "https://github.com/fakturo/app/issues/12",
)


@pytest.fixture
def petra(app):
    return make_user(Role.ADMIN, "Petra")


@pytest.fixture
def hana(petra):
    """Somebody whom two other systems call by a long and a short number."""
    hana = make_customer("Hana", email="hana@example.com")
    with transaction():
        changing.change_customer(hana, {"ids": "crm: 47110815\nforum: 12"}, Seen(), actor=petra)
    return hana


def add_links(bug, urls, actor):
    with transaction():
        return [linking.add_link(bug, url, actor=actor) for url in urls]


def erase(customer, actor):
    with transaction():
        erasing.erase(customer, actor=actor)
    db.session.expire_all()


def test_links_that_name_an_erased_person_are_removed_for_good_and_the_others_stay(mira, petra, hana):
    bug = make_bug(waiting=[hana])
    named = add_links(bug, NAMING, mira)
    kept = add_links(bug, OTHERS, mira)

    erase(hana, petra)

    assert linking.links_of(bug) == kept
    assert {(link.url, link.title, link.state, link.look_at) for link in named} == {("", "", "", None)}
    removed = [entry.words for entry in history.history(bug) if entry.words.startswith("removed a link")]
    assert removed == ["removed a link: desk.example"] * 2 + ["removed a link: crm.example"]
    with pytest.raises(Conflict, match="erased"), transaction():
        linking.return_link(named[0], actor=mira)


def test_what_another_system_said_of_a_page_counts_as_its_address_does(mira, petra, hana):
    bug = make_bug(waiting=[hana])
    (link,) = add_links(bug, OTHERS[-1:], mira)
    with transaction():
        link.title, link.state = "hana@example.com cannot sign in", "open"

    erase(hana, petra)

    assert (linking.links_of(bug), link.title, link.state) == ([], "", "")


def test_links_of_parts_and_removed_ones_go_too_also_by_the_name_of_a_merged_record(mira, petra, hana):
    twin = make_customer("Hana", email="hana@home.example")
    part, whole = make_bug(waiting=[twin]), make_bug(waiting=[hana])
    there, removed = add_links(part, ("https://desk.example/hana@home.example", NAMING[0]), mira)
    with transaction():
        linking.remove_link(removed, actor=mira)
    merge(part, whole)
    with transaction():
        customer_merging.merge(twin, hana, actor=petra)

    erase(hana, petra)

    assert [db.session.get_one(BugLink, each.id).url for each in (there, removed)] == ["", ""]
    with transaction():
        merging.unmerge(part, actor=mira)
    assert linking.links_of(part) == []


SHORT = (
    "https://forum.example/u/12",
    "https://forum.example/u/12/posts?page=2",
)
NOT_THEIRS = (
    "https://forum.example/u/123",
    "https://forum.example/12",
    "https://other.example/u/12",
    "https://crm.example/people/12",
)


@pytest.mark.parametrize("url", ["https://forum.example/u/{external_id}", "http://forum.example/u/{external_id}/all"])
def test_a_short_number_counts_where_a_link_to_its_system_leads(app, mira, petra, hana, url):
    with transaction():
        link_templates.add("Forum", "forum", url, actor=petra)
        link_templates.add("Customer", "crm", "https://crm.example/people/{external_id}", actor=petra)
    bug = make_bug(waiting=[hana])
    add_links(bug, SHORT, mira)
    kept = add_links(bug, NOT_THEIRS, mira)
    page = visit(app, petra).get(f"/customers/{hana.id}/erasure").text
    assert [f"{bug.ref} {each}<" in page for each in (*SHORT, *NOT_THEIRS)] == [True] * 2 + [False] * 4

    erase(hana, petra)

    assert linking.links_of(bug) == kept


def test_whoever_erases_reads_which_numbers_are_too_short_to_be_looked_for(app, petra, hana):
    sentence = "Too short to be looked for in every link"

    assert f"{sentence}: 12." in visit(app, petra).get(f"/customers/{hana.id}/erasure").text
    other = make_customer("Sam")
    assert sentence not in visit(app, petra).get(f"/customers/{other.id}/erasure").text


def test_bugs_of_others_keep_their_links(mira, petra, hana):
    bug = make_bug(waiting=[make_customer("Sam")])
    links = add_links(bug, NAMING, mira)
    make_bug(waiting=[hana])

    erase(hana, petra)

    assert linking.links_of(bug) == links


def test_whoever_erases_reads_before_which_links_go(app, mira, petra, hana):
    bug = make_bug(waiting=[hana])
    add_links(bug, (*NAMING, *OTHERS), mira)

    page = visit(app, petra).get(f"/customers/{hana.id}/erasure").text

    assert [url in page for url in (*NAMING, *OTHERS)] == [True] * 3 + [False] * 3
    assert page.count(bug.ref) == 3


SEARCHED = {
    "q=tax+hana%40example.com": "q=tax",
    "q=tax+HANA%40Example.com&waiting=3": "waiting=3&q=tax",
    "q=%22Hana+Kos%22+tax": "q=tax",
    "q=tax+hana+kos&sort=oldest": "q=tax&sort=oldest",
    "q=who%3Ahana%40example.com&waiting=3": "waiting=3",
    "q=47110815+tax": "q=tax",
    "q=Hana&waiting=3": "waiting=3&q=Hana",
    "q=johana%40example.com": "q=johana%40example.com",
    "q=471108155": "q=471108155",
}


def save(actor, address, name="Hot"):
    with transaction():
        return saved_views.save(name, address, is_board=False, for_team=False, actor=actor).id


def views(person):
    return {view.id: (view.name, view.address) for view in saved_views.views_of(person.id)}


@pytest.mark.parametrize("address", SEARCHED)
def test_saved_views_no_longer_search_for_an_erased_person(app, mira, petra, hana, address):
    with transaction():
        hana.name = "Hana Kos"
    number = save(mira, address)
    before = views(mira)[number][1]
    page = visit(app, petra).get(f"/customers/{hana.id}/erasure").text

    erase(hana, petra)

    assert views(mira)[number] == ("Hot", SEARCHED[address])
    assert ("Name, address and numbers in 1 saved view<" in page) == (before != SEARCHED[address])


def test_a_view_that_asked_for_nothing_else_goes_and_the_name_of_one_that_stays_names_nobody(mira, petra, hana):
    with transaction():
        hana.name = "Hana Kos"
    gone = save(mira, "q=hana%40example.com&sort=oldest", "Hers")
    named, other = save(mira, "waiting=3", "Bugs of Hana Kos"), save(mira, "waiting=10")

    erase(hana, None)

    assert views(mira) == {named: ("Bugs of erased", "waiting=3"), other: ("Hot", "waiting=10")}
    told = db.session.execute(sa.select(Event.kind, Event.details).order_by(Event.id.desc()).limit(3)).all()[::-1]
    assert [tuple(row) for row in told[:2]] == [
        (EventKind.VIEW_REMOVED, {"view": gone}),
        (EventKind.VIEW_CHANGED, {"view": named}),
    ]


def test_whoever_has_neither_name_nor_address_leaves_every_view_as_it_is(mira, petra):
    nobody, nameless = make_customer(), make_customer()
    with transaction():
        nobody.name, nobody.email, nameless.name = "", None, ""
    number = save(mira, "q=tax", "Hot & new")

    for each in (nameless, nobody):
        erase(each, petra)
        assert views(mira) == {number: ("Hot & new", "q=tax")}
