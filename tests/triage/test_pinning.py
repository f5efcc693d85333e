"""Pinning a bug to the top of its column, which leads do."""

import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotPermitted
from bugintake.core.events import Event
from bugintake.intake import reports
from bugintake.intake.models import Bug, OptionList, RaiseReason, Report, Status
from bugintake.team.models import Role
from bugintake.triage import merging, pinning, queries, queue, raising, splitting, transitions, undoing
from bugintake.triage.filters import Filters
from bugintake.triage.sorting import Sort
from tests.counting import plans
from tests.factories import bring_to, make_bug, make_customer, make_option, make_report, make_user, make_version
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("company"), pytest.mark.long_on("postgres")]
NOTE = {"en": "The VAT line is back."}


@pytest.fixture
def petra(app):
    return make_user(Role.LEAD, "Petra Lang")


def pinned(status=Status.NEW, *, actor, **values):
    """A bug on top of its column."""
    bug = make_bug(status, **values)
    with transaction():
        pinning.pin(bug, True, actor=actor)
    return bug


def is_pinned(bug):
    """Whether it is, in the database."""
    return db.session.scalar(sa.select(Bug.is_pinned).where(Bug.id == bug.id))


def undo_of(visitor):
    """The address that takes the last change back."""
    return unescape(re.search(r'action="([^"]*/undo[/?][^"]*)"', visitor.get("/board").text)[1])


def kinds_of(bug):
    return db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id).order_by(Event.id)).all()


@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
def test_a_lead_pins_and_unpins_and_takes_each_back(app, role):
    bug, lead = make_bug(), make_user(role)
    visitor = visit(app, lead)

    answer = visitor.post(f"/bugs/{bug.ref}/pin", {"pinned": "1", "next": "/board"})
    after = [is_pinned(bug)]
    visitor.post(undo_of(visitor))
    after.append(is_pinned(bug))
    visitor.post(f"/bugs/{bug.ref}/pin", {"pinned": "1"})
    visitor.post(f"/bugs/{bug.ref}/pin", {"pinned": "0"})
    after.append(is_pinned(bug))
    visitor.post(undo_of(visitor))

    assert (answer.location, after, is_pinned(bug)) == ("/board", [True, False, False], True)
    told = ["bug.pinned", "bug.unpinned"]
    assert kinds_of(bug)[-5:] == [*told, *told, "bug.pinned"]
    assert db.session.scalars(sa.select(Event.actor_id).order_by(Event.id.desc()).limit(5)).all() == [lead.id] * 5


@pytest.mark.parametrize("role", [Role.AGENT, Role.ENGINEER])
def test_nobody_else_pins_and_they_are_told_who_does(app, petra, role):
    bug, other, visitor = make_bug(), pinned(actor=petra), visit(app, make_user(role))

    answers = [visitor.post(f"/bugs/{each.ref}/pin", {"pinned": flag}) for each, flag in ((bug, "1"), (other, "0"))]
    answers.append(visitor.post("/bugs/many/pin", {"bug": bug.ref, "pinned": "1"}))

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert "Leads can do this" in answers[0].text
    assert (is_pinned(bug), is_pinned(other)) == (False, True)


def test_an_engineer_cannot_by_the_verb_itself(app, mira):
    with pytest.raises(NotPermitted), transaction():
        pinning.pin(make_bug(), True, actor=mira)


def test_pinned_bugs_stand_first_in_their_column_the_worst_of_them_on_top(app, mira, petra):
    make_option(OptionList.IMPACT, "Cannot work")
    worst = make_bug(impact="Cannot work", waiting=[make_customer()])
    mild = pinned(actor=petra, impact="Looks off")
    grave = pinned(actor=petra, impact="Cannot work")
    elsewhere = pinned(Status.ACCEPTED, actor=petra, impact="Looks off")

    page = visit(app, mira).get("/board").text

    assert re.findall(r'data-ref="(BUG-\d+)"', page) == [grave.ref, mild.ref, worst.ref, elsewhere.ref]
    assert [card.id for card in queries.listed(Filters(sort=Sort.WORST), mild.filed_by)] == [
        each.id for each in (grave, mild, elsewhere, worst)
    ]


def test_in_other_orders_and_in_the_queue_each_stands_where_its_rule_puts_it(app, mira, petra, clock):
    first, last = make_bug(waiting=[make_customer()]), pinned(actor=petra)

    for sort in ("waiting", "oldest", "longest"):
        page = visit(app, mira).get(f"/board?sort={sort}").text
        assert re.findall(r'data-ref="(BUG-\d+)"', page) == [first.ref, last.ref]
    assert [item.card.id for item in queue.queue(mira)[0]] == [first.id, last.id]


def test_board_list_bug_and_history_say_that_it_is_pinned(app, mira, petra):
    bug, visitor = pinned(actor=petra), visit(app, mira)
    make_bug()

    assert visitor.get("/board").text.count("Pinned. </span>") == 1
    assert visitor.get("/bugs").text.count("Pinned</span>") == 1
    page = visitor.get(f"/bugs/{bug.ref}").text
    assert page.count("Pinned</span>") == 1
    assert re.search(r"<b>Petra Lang</b> pinned it to the top of its column", page)


def test_a_pin_says_not_that_anybody_has_looked(app, mira, petra):
    bug = make_bug()
    with transaction():
        raising.raise_bug(bug, RaiseReason.LEAVING, actor=mira)
        pinning.pin(bug, True, actor=petra)

    assert bug.raise_reason == RaiseReason.LEAVING


def test_what_is_so_already_changes_nothing(app, petra):
    bug = pinned(actor=petra)
    count = len(kinds_of(bug))

    answer = visit(app, petra).post(f"/bugs/{bug.ref}/pin", {"pinned": "1"})

    assert (answer.status_code, len(kinds_of(bug)), is_pinned(bug)) == (302, count, True)


@pytest.mark.parametrize("status", [Status.LIVE, Status.DECLINED])
def test_a_closed_bug_is_not_pinned(app, petra, status):
    bug = make_bug(status)

    with pytest.raises(Conflict, match="is in no column any more"), transaction():
        pinning.pin(bug, True, actor=petra)


def test_a_pin_ends_when_the_bug_is_declined_and_comes_back_with_the_undo(app, mira, petra):
    bug = pinned(actor=petra)
    with transaction():
        transitions.decline(bug, make_option(OptionList.DECLINE_REASON), NOTE, {}, actor=mira)
    after = is_pinned(bug)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert (after, is_pinned(bug)) == (False, True)


def test_a_pin_lasts_until_the_fix_is_live_and_comes_back_with_the_undo(app, mira, petra, clock):
    waits, at_once = pinned(actor=petra), pinned(actor=petra)
    with transaction():
        transitions.fix(waits, NOTE, make_version("4.13.0"), actor=mira)
        transitions.fix(at_once, NOTE, make_version("4.12.0", live_since=clock.now()), actor=mira)
    after = is_pinned(waits), is_pinned(at_once)
    with transaction():
        transitions.undo(at_once, actor=mira)

    assert (after, is_pinned(at_once)) == ((True, False), True)


def test_a_pin_ends_when_the_bug_becomes_a_part_and_comes_back_with_the_undo_alone(app, mira, petra):
    bug, whole = pinned(actor=petra), make_bug()
    with transaction():
        event = merging.merge(bug, whole, actor=mira)
    after = [is_pinned(bug), is_pinned(whole)]
    with transaction():
        undoing.take_back(bug, event.id, actor=mira)
    after.append(is_pinned(bug))
    with transaction():
        merging.merge(bug, whole, actor=mira)
        merging.unmerge(bug, actor=mira)

    assert (after, is_pinned(bug)) == ([False, False, True], False)


def test_a_pin_ends_when_the_bug_is_taken_back(app, mira, petra):
    told = pinned(actor=petra, waiting=[make_customer()])
    bug = make_bug(waiting=[make_customer()])
    report = make_report(make_customer(), bug=bug)
    with transaction():
        split = splitting.split(report, "Another problem", actor=mira)
        apart = splitting.file_apart(report, "A third problem", actor=mira)
        for each in (split, apart):
            pinning.pin(each, True, actor=petra)
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report).where(Report.bug_id == told.id)).one(), actor=mira)
        for each in (apart, split):
            splitting.rejoin(each, actor=mira)

    for each in (told, split, apart):
        assert (each.withdrawn_at is not None, is_pinned(each)) == (True, False)


def test_somebody_elses_later_pin_is_not_undone(app, petra):
    other, bug = make_user(Role.LEAD, "Other Lead"), make_bug()
    with transaction():
        event = pinning.pin(bug, True, actor=petra)
    with transaction():
        pinning.pin(bug, False, actor=other)
        pinning.pin(bug, True, actor=other)

    with pytest.raises(Conflict, match="Somebody changed that since"), transaction():
        undoing.take_back(bug, event.id, actor=petra)
    assert is_pinned(bug)


def test_after_ten_minutes_it_is_not_undone(app, petra, clock):
    bug = make_bug()
    with transaction():
        event = pinning.pin(bug, True, actor=petra)
    clock.advance(timedelta(minutes=11))

    with pytest.raises(Conflict, match="more than ten minutes ago"), transaction():
        undoing.take_back(bug, event.id, actor=petra)


def test_several_are_unpinned_at_once_and_one_undo_pins_them_again(app, petra):
    bugs, visitor = [pinned(actor=petra), pinned(actor=petra)], visit(app, petra)

    visitor.post("/bugs/many/pin", {"bug": [bug.ref for bug in bugs], "pinned": "0", "next": "/board"})
    after = [is_pinned(bug) for bug in bugs]
    visitor.post(undo_of(visitor))

    assert (after, [is_pinned(bug) for bug in bugs]) == ([False, False], [True, True])


@pytest.mark.only_on("sqlite")
def test_a_later_page_begins_in_the_index_where_the_last_one_ended(app, mira):
    bug = make_bug()
    bring_to(make_bug(), Status.ACCEPTED, actor=mira)

    for address in ("/bugs?status=new&sort=worst", f"/bugs?status=new&sort=worst&area={bug.area_id}"):
        with plans("bugs") as found:
            visit(app, mira).get(f"{address}&after=0.1.0.0.1")
        steps = [step for plan in found for step in plan if "board (" in step]
        assert [step.split("status=? AND ")[1] for step in steps] == ["is_pinned=? AND impact_rank>?)"]
