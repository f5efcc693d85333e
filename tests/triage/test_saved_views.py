"""Views under a name: one's own, the team's, and that none shows more than one may see."""

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.team.models import Role
from bugintake.triage import editing, saved_views
from tests.counting import fewest
from tests.factories import make_bug, make_user
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]


def save(actor, name="Hot", address="waiting=10", *, is_board=True, for_team=False):
    with transaction():
        return saved_views.save(name, address, is_board=is_board, for_team=for_team, actor=actor)


def links(visitor, address="/board"):
    """Read the saved views that a page leads to."""
    part = visitor.get(address).text.split('<details class="menu"><summary class="btn quiet small">Views')[1]
    return re.findall(r'<a href="([^"]*)"[^>]*>([^<]*?)(?: <span|</a>)', part.split("<form")[0])


def recorded():
    kinds = (EventKind.VIEW_SAVED, EventKind.VIEW_CHANGED, EventKind.VIEW_REMOVED)
    found = db.session.execute(sa.select(Event.kind, Event.details).where(Event.kind.in_(kinds)).order_by(Event.id))
    return [(kind, details) for kind, details in found]


def test_what_is_looked_at_is_saved_under_a_name_and_found_again(app, mira):
    visitor = visit(app, mira)
    page = visitor.get("/bugs?owner=me&waiting=3&sort=oldest&q=tax").text
    address = re.search(r'name="address" value="([^"]*)"', page)[1].replace("&amp;", "&")

    answer = visitor.post("/views", {"name": " My  tax bugs ", "page": "list", "address": address})

    assert (answer.status_code, answer.location) == (302, "/bugs?owner=me&waiting=3&q=tax&sort=oldest")
    url = "/bugs?owner=me&amp;waiting=3&amp;q=tax&amp;sort=oldest"
    assert links(visitor) == links(visitor, "/bugs") == [(url, "My tax bugs")]
    assert links(visit(app, make_user())) == []
    assert f'<a href="{url}" aria-current="true">My tax bugs' in visitor.get(answer.location).text
    assert recorded() == [("view.saved", {"view": saved_views.views_of(mira.id)[0].id})]


def test_leads_save_views_for_everybody_and_nobody_else_does(app, mira):
    lead = visit(app, make_user(Role.LEAD))
    given = {"name": "Hot", "page": "board", "address": "waiting=10", "for_team": "y"}

    assert visit(app, mira).post("/views", given).status_code == 403
    assert lead.post("/views", given).status_code == 302
    assert links(visit(app, mira)) == [("/board?waiting=10", "Hot")]
    assert "For the whole team" not in visit(app, mira).get("/board").text
    assert "For the whole team" in lead.get("/board").text


def test_ones_own_come_first_in_the_order_they_are_put_in(app, mira):
    save(make_user(Role.LEAD), "Team", for_team=True)
    first, second = save(mira, "First"), save(mira, "Second")
    visitor = visit(app, mira)

    assert [name for _, name in links(visitor)] == ["First", "Second", "Team"]
    visitor.post(f"/views/{second.id}/rise")
    visitor.post(f"/views/{second.id}/rise")
    assert [name for _, name in links(visitor)] == ["Second", "First", "Team"]
    visitor.post(f"/views/{first.id}", {"name": "Third"})
    visitor.post(f"/views/{second.id}/removal")
    assert [name for _, name in links(visitor)] == ["Third", "Team"]
    assert [kind for kind, _ in recorded()] == [*["view.saved"] * 3, *["view.changed"] * 2, "view.removed"]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "A view’s name"),
        ("x" * 81, "A view’s name"),
        ("Hot", "There is a view called Hot already."),
    ],
)
def test_a_name_that_cannot_be_is_refused_at_its_field_and_kept(app, mira, name, sentence):
    view, other = save(mira, "Hot"), save(mira, "Cold")
    visitor = visit(app, mira)

    saved = visitor.post("/views", {"name": name, "page": "board", "address": "waiting=3"})
    renamed = visitor.post(f"/views/{other.id}", {"name": name})

    for answer in (saved, renamed):
        assert answer.status_code == 422
        assert sentence.replace("’", "&#39;") in answer.text
        assert f'value="{name}"' in answer.text
    assert 'name="address" value="waiting=3"' in saved.text
    assert [each.name for each in saved_views.views_of(mira.id)] == [view.name, other.name]


def test_nobody_may_keep_more_than_fifty(app, mira):
    for number in range(saved_views.MOST):
        save(mira, f"View {number}")

    answer = visit(app, mira).post("/views", {"name": "One more", "page": "list", "address": ""})

    assert answer.status_code == 422
    assert "There are 50 views already. Remove one first." in answer.text


def test_an_address_keeps_only_what_board_and_list_understand(mira):
    assert save(mira, "A", "area=999&evil=//x&waiting=3&q=a+b").address == "waiting=3&q=a+b"
    assert save(mira, "B", "q=is:came-back+waiting:>4").address == "waiting=5&came_back=1"
    assert save(mira, "C", "\x00%00=&;;=%ff").address == ""


def test_a_view_of_the_team_shows_each_person_what_they_may_see(app, mira):
    secret = make_bug()
    with transaction():
        editing.restrict(secret, True, actor=secret.filed_by)
    save(make_user(Role.LEAD), "Secret", "restricted=1", for_team=True)
    visitor = visit(app, mira)

    [(address, _)] = links(visitor)

    assert secret.ref not in visitor.get(address).text
    assert secret.ref in visit(app, secret.filed_by).get(address).text


def test_saved_views_cost_the_board_no_statement_however_many_there_are(app, mira):
    visitor = visit(app, mira)
    none = fewest(lambda: visitor.get("/board"))
    for number in range(20):
        save(mira, f"View {number}")

    assert fewest(lambda: visitor.get("/board")) == none
