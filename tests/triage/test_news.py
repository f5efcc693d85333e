"""What pages ask every 20 seconds: who may know it, what it says, and that it costs nothing where nothing happened."""

import pytest

from bugintake.core.db import transaction
from bugintake.intake.models import Status
from bugintake.team.models import Role
from bugintake.triage import comments, editing, merging, transitions
from tests.factories import make_bug, make_user
from tests.triage.test_board import queries_of
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


def news(visitor, *bugs):
    """What somebody is told of some bugs, by reference."""
    answer = visitor.get("/bugs/news?" + "&".join(f"ref={bug.ref}" for bug in bugs))
    return {each["ref"]: each for each in answer.json["items"]}


@pytest.fixture
def jonas():
    return make_user(Role.ENGINEER, "Jonas Sommer")


def test_it_tells_who_moved_a_bug_and_what_somebody_else_did_to_it_since(app, mira, jonas):
    bug = make_bug()
    with transaction():
        transitions.start(bug, actor=jonas)
        comments.write(bug, "I see it too.", actor=make_user(Role.ENGINEER, "Tin Babić"))

    told = news(visit(app, mira), bug)[bug.ref]

    assert (told["status"], told["place"]) == ("in_progress", "now In progress, by Jonas")
    assert told["words"] == "Tin Babić wrote."


def test_a_bug_that_nobody_moved_is_told_by_what_happened_to_it(app, mira, jonas):
    bug, into = make_bug(), make_bug()
    with transaction():
        merging.merge(bug, into, actor=jonas)

    told = news(visit(app, mira), bug)[bug.ref]

    assert (told["place"], told["words"]) == ("now New", f"Jonas Sommer made it a part of {into.ref}.")


def test_a_name_with_an_apostrophe_is_told_as_it_is_written(app, mira):
    bug = make_bug()
    with transaction():
        transitions.start(bug, actor=make_user(Role.ENGINEER, "D'Arcy O'Neil"))

    assert news(visit(app, mira), bug)[bug.ref]["place"] == "now In progress, by D'Arcy"


def test_nothing_is_told_of_a_restricted_bug_nor_of_one_that_was_merged_into_it(app, mira, jonas):
    hidden, part, other = make_bug(actor=jonas), make_bug(), make_bug()
    with transaction():
        editing.restrict(hidden, True, actor=jonas)
        merging.merge(part, hidden, actor=jonas)

    assert list(news(visit(app, mira), hidden, part, other)) == [other.ref]
    assert set(news(visit(app, jonas), hidden, part, other)) == {hidden.ref, part.ref, other.ref}


def test_what_is_no_reference_is_not_found_and_none_is_an_empty_answer(app, mira):
    visitor = visit(app, mira)

    assert visitor.get("/bugs/news?ref=nonsense").status_code == 404
    assert visitor.get("/bugs/news").json == {"items": []}


@pytest.mark.parametrize("address", ["/board", "/bugs", "/duty/queue", "/bugs/news?ref=BUG-1"])
def test_what_is_unchanged_is_answered_with_304_and_what_is_changed_in_full(app, mira, jonas, address):
    bug, visitor = make_bug(), visit(app, mira)
    tag = visitor.get(address).headers["ETag"]

    again = visitor.get(address, headers={"If-None-Match": tag})
    with transaction():
        transitions.start(bug, actor=jonas)
    after = visitor.get(address, headers={"If-None-Match": tag})

    assert (again.status_code, again.data, after.status_code) == (304, b"", 200)
    assert visit(app, jonas).get(address, headers={"If-None-Match": tag}).status_code == 200


def test_news_and_queue_cost_the_same_number_of_queries_for_one_bug_and_for_many(app, mira):
    visitor, bugs = visit(app, mira), [make_bug()]
    for address in ("/duty/queue", "/bugs/news?ref=BUG-1"):
        visitor.get(address)
    one = queries_of(visitor, "/duty/queue"), queries_of(visitor, f"/bugs/news?ref={bugs[0].ref}")
    bugs += [make_bug(status) for status in (Status.NEW, Status.NEW, Status.ACCEPTED, Status.FIXED)]
    named = "&".join(f"ref={bug.ref}" for bug in bugs)

    assert (queries_of(visitor, "/duty/queue"), queries_of(visitor, f"/bugs/news?{named}")) == one


def test_the_queue_by_itself_is_the_one_of_the_duty_page_without_what_one_may_not_see(app, mira, jonas):
    shown, hidden = make_bug(), make_bug(actor=jonas)
    with transaction():
        editing.restrict(hidden, True, actor=jonas)

    page = visit(app, mira).get("/duty/queue").text

    assert (f'data-ref="{shown.ref}"' in page, hidden.ref in page) == (True, False)


def test_columns_that_were_made_longer_stay_so_when_another_is(app, mira):
    visitor = visit(app, mira)
    for _ in range(101):
        make_bug()

    page = visitor.get("/board?more=accepted:1100&more=fixed:x&more=live:9&more=new").text

    assert 'href="/board?more=accepted:1100&amp;more=new:1100#BUG-100"' in page
    assert visitor.get("/board?more=accepted:1100&more=new:1100").text.count('<li class="card"') == 101
