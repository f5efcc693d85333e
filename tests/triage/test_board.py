"""The board, the list and the duty queue, as people meet them."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue, option_merging
from bugintake.intake.models import OPEN, Bug, OptionList, Status
from bugintake.team.models import Role
from bugintake.triage import queries, queue
from tests.counting import asked, plans
from tests.factories import (
    bring_to,
    make_bug,
    make_customer,
    make_option,
    make_user,
)
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


def queries_of(visitor, address):
    """Count the statements that a page sends to the database, once what its process keeps is there."""
    visitor.get(address)
    with asked() as statements:
        visitor.get(address)
    return len(statements)


def test_every_open_bug_is_in_the_column_of_its_status_and_the_columns_add_up(app, mira):
    bugs = {status: make_bug(status, waiting=[make_customer(), make_customer()]) for status in Status}

    page = visit(app, mira).get("/board").text

    for status in OPEN:
        column = page.split(f'data-status="{status}"')[1].split("</section>")[0]
        assert re.findall(r'data-ref="(BUG-\d+)"', column) == [bugs[status].ref]
        assert re.search(r'<span class="c">(\d+)</span>', column)[1] == "1"
    assert page.split('class="rails"')[0].count("data-ref=") == len(OPEN)


def test_a_rail_counts_all_of_the_last_seven_days_shows_the_newest_and_leads_to_the_rest(app, mira, clock):
    make_bug(Status.LIVE)
    clock.advance(timedelta(days=8))
    newest = [make_bug(Status.LIVE).ref for _ in range(queries.CLOSED_SHOWN + 3)][:2:-1]
    make_bug(Status.DECLINED)
    area = make_option(OptionList.AREA).id
    visitor = visit(app, mira)

    live, declined = re.findall(
        r"<details class=\"fold panel\".*?</details>", visitor.get(f"/board?area={area}").text, re.DOTALL
    )

    assert re.search(r"Live, last 7 days <span class=\"muted\">(\d+)<", live)[1] == str(queries.CLOSED_SHOWN + 3)
    assert sorted(re.findall(r'data-ref="(BUG-\d+)"', live)) == sorted(newest)
    assert f'href="/bugs?area={area}&amp;status=live&amp;sort=changed"' in live
    assert 'last 7 days <span class="muted">1<' in declined
    assert "sort=changed" not in declined


def test_a_card_says_how_long_it_is_in_its_column(app, mira, clock):
    bug, asked_one = make_bug(), make_bug()
    clock.advance(timedelta(days=3))
    bring_to(bug, Status.ACCEPTED, actor=mira)
    bring_to(asked_one, Status.NEEDS_INFO, actor=mira)
    clock.advance(timedelta(hours=5))

    page = visit(app, mira).get("/board").text

    assert f'<span class="ref">{bug.ref} · 5 h</span>' in page
    assert f'<span class="ref">{asked_one.ref} · asked 5 h ago</span>' in page


def test_a_withdrawn_or_merged_bug_is_in_no_column(app, mira):
    gone, part, whole = make_bug(), make_bug(), make_bug()
    with transaction():
        gone.withdrawn_at = gone.filed_at
        part.merged_into_id = part.canonical_id = whole.id

    assert re.findall(r'data-ref="(BUG-\d+)"', visit(app, mira).get("/board").text) == [whole.ref]


def test_worse_bugs_come_first_then_more_people_then_older_ones(app, mira, clock):
    make_option(OptionList.IMPACT, "Cannot work")
    few = make_bug(impact="Annoying")
    clock.advance(timedelta(minutes=1))
    many = make_bug(waiting=[make_customer(), make_customer()], impact="Annoying")
    late = make_bug(impact="Annoying")
    worst = make_bug(impact="Cannot work")

    page = visit(app, mira).get("/board").text

    assert re.findall(r'data-ref="(BUG-\d+)"', page) == [worst.ref, many.ref, few.ref, late.ref]


def test_the_board_costs_the_same_number_of_queries_for_one_bug_and_for_many(app, mira):
    visitor = visit(app, mira)
    make_bug(waiting=[make_customer()])
    visitor.get("/board")
    one = queries_of(visitor, "/board")
    for status in OPEN:
        make_bug(status, waiting=[make_customer(), make_customer()])

    assert queries_of(visitor, "/board") == one


def test_an_unchanged_board_is_answered_with_304_and_a_changed_one_in_full(app, mira):
    visitor, bug = visit(app, mira), make_bug()
    tag = visitor.get("/board").headers["ETag"]

    again = visitor.get("/board", headers={"If-None-Match": tag})
    bring_to(bug, Status.ACCEPTED, actor=mira)
    after = visitor.get("/board", headers={"If-None-Match": tag})

    assert (again.status_code, again.data, after.status_code) == (304, b"", 200)


def test_to_say_that_nothing_is_new_asks_the_database_once(app, mira):
    visitor = visit(app, mira)
    tag = visitor.get("/board").headers["ETag"]

    with asked() as statements:
        assert visitor.get("/board", headers={"If-None-Match": tag}).status_code == 304

    assert len(statements) == 1


def test_filters_narrow_the_board_and_are_its_address(app, mira):
    mine, came = make_bug(Status.IN_PROGRESS, actor=mira), make_bug(waiting=[make_customer() for _ in range(2)])
    with transaction():
        came.came_back_at = came.filed_at
    visitor = visit(app, mira)

    def found(address):
        return set(re.findall(r'data-ref="(BUG-\d+)"', visitor.get(address).text))

    assert found(f"/board?owner={mira.id}") == {mine.ref}
    assert found("/board?came_back=1") == {came.ref}
    assert found("/board?waiting=2") == {came.ref}
    assert found(f"/board?area={mine.area_id}") == {mine.ref, came.ref}
    assert found("/board?area=999&owner=99999999999999999999&waiting=-1") == {mine.ref, came.ref}


def test_a_filter_by_an_area_that_is_gone_still_finds_its_bugs_and_names_it(app, mira):
    old, gone, into = (make_option(OptionList.AREA, label) for label in ("Old", "Gone", "Into"))
    of_old, of_gone = make_bug(area=old), make_bug(area=gone)
    with transaction():
        catalogue.retire(old, actor=mira)
        option_merging.merge(gone, into, actor=mira)
    visitor = visit(app, mira)

    for path in ("/board", "/bugs"):
        for area, ref, shown in ((old, of_old.ref, old), (gone, of_gone.ref, into)):
            page = visitor.get(f"{path}?area={area.id}").text
            assert set(re.findall(r"/bugs/(BUG-\d+)", page)) == {ref}
            assert re.findall(r'<option value="(\d+)" selected', page) == [str(shown.id)]


def test_a_filter_survives_signing_in(app):
    answer = visit(app).get("/board?came_back=1")

    assert (answer.status_code, answer.location) == (302, "/login?next=/board?came_back%3D1")


def test_the_list_is_read_in_parts(app, mira):
    make_bug()
    with transaction():
        first = db.session.scalars(sa.select(Bug)).one()
        same = {column.key: getattr(first, column.key) for column in sa.inspect(Bug).mapper.column_attrs}
        for number in range(2, 53):
            db.session.add(Bug(**{**same, "id": first.id + number, "canonical_id": None}))
    visitor = visit(app, mira)

    page = visitor.get("/bugs").text
    older = visitor.get(re.search(r'href="(/bugs\?after=\d+[^"]*)"', page)[1].replace("&amp;", "&")).text

    assert (page.count('<th scope="row">'), older.count('<th scope="row">')) == (50, 2)


def test_the_queue_on_the_duty_page_is_in_order_of_deadline(app, mira, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    make_option(OptionList.IMPACT, "Looks off", deadline_minutes=2400)
    slow = make_bug(impact="Looks off")
    clock.advance(timedelta(hours=1))
    fast = make_bug(impact="Cannot work")
    taken = make_bug(Status.IN_PROGRESS)

    page = visit(app, mira).get("/duty").text

    assert re.findall(r'id="(BUG-\d+)"', page) == [fast.ref, slow.ref]
    assert taken.ref not in page


def test_a_long_queue_shows_its_earliest_deadlines_and_counts_all(app, mira, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    make_option(OptionList.IMPACT, "Looks off", deadline_minutes=60)
    urgent = make_bug(impact="Looks off")
    clock.advance(timedelta(hours=2))
    later = make_bug(impact="Cannot work")
    with transaction():
        same = {column.key: getattr(later, column.key) for column in sa.inspect(Bug).mapper.column_attrs}
        for number in range(1, queue.SHOWN + 10):
            db.session.add(Bug(**{**same, "id": later.id + number, "canonical_id": later.id + number}))

    items, count = queue.queue(mira)

    assert (len(items), count) == (queue.SHOWN, queue.SHOWN + 11)
    assert items[0].card.id == urgent.id
    assert "These are the 50 most urgent." in visit(app, mira).get("/duty").text


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("address", ["/board?area={area}", "/bugs?area={area}"])
def test_one_area_is_read_in_its_order_and_never_sorted(app, mira, address):
    area = make_bug().area_id
    page = address.format(area=area)
    visitor = visit(app, mira)
    visitor.get(page)

    with plans("bugs") as found:
        visitor.get(page)

    assert found != []
    assert [step for plan in found for step in plan if step.startswith("USE TEMP B-TREE FOR ORDER BY")] == []


def test_a_page_of_a_room_with_several_entries_in_the_top_bar_belongs_to_the_first(app):
    visitor, bug = visit(app, make_user(Role.LEAD)), make_bug()

    current = [re.findall(r'aria-current="page">(\w+)', visitor.get(page).text) for page in ("/board", "/overlooked")]
    current.append(re.findall(r'aria-current="page">(\w+)', visitor.get(f"/bugs/{bug.ref}").text))

    assert [words[0] for words in current] == ["Board", "Overlooked", "Board"]
    assert len(current[2]) == 1
