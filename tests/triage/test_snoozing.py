"""Putting a bug off until a day: when it comes back, by whom, and who keeps seeing it."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import attaching
from bugintake.intake.models import Bug, News, Question, Report, Status
from bugintake.intake.queries import reports_of
from bugintake.loop.replies import still_happening
from bugintake.team.models import Role
from bugintake.triage import editing, looking, merging, queue, snoozing, transitions
from tests.counting import fewest
from tests.factories import bring_to, make_bug, make_customer, make_option, make_report, make_user, make_workspace
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")
TODAY = date(2026, 3, 10)  # a Tuesday
TOMORROW = date(2026, 3, 11)


def snoozed(status=Status.NEW, until=TOMORROW, *, actor=None, **values):
    """A bug that is put off."""
    actor = actor or make_user()
    bug = make_bug(status, **values)
    with transaction():
        snoozing.snooze(bug, until, actor=actor)
    return bug


def in_queue(actor):
    """What somebody's duty queue holds, and why."""
    items, count = queue.queue(actor)
    assert count == len(items)
    return [(item.card.id, item.why) for item in items]


def of_kind(bug, *kinds):
    """What a bug's history says of some kinds."""
    found = sa.select(Event).where(Event.bug_id == bug.id, Event.kind.in_(kinds)).order_by(Event.id)
    return [(event.kind, event.before, event.after) for event in db.session.scalars(found)]


def undo_of(visitor):
    """The address that takes the last change back."""
    return unescape(re.search(r'action="([^"]*/undo/[^"]*)"', visitor.get("/board").text)[1])


def test_a_snoozed_bug_leaves_the_queue_keeps_its_status_and_stays_in_its_column(app, mira):
    bug, other = snoozed(), make_bug()
    visitor = visit(app, mira)

    assert in_queue(mira) == [(other.id, "")]
    assert bug.status == Status.NEW
    column = visitor.get("/board").text.split('data-status="new"')[1].split("</section>")[0]
    assert (re.findall(r'data-ref="(BUG-\d+)"', column), column.count("Snoozed until Wed 11 Mar")) == (
        [bug.ref, other.ref],
        1,
    )
    for page in ("/bugs", f"/bugs/{bug.ref}"):
        assert visitor.get(page).text.count("Snoozed until Wed 11 Mar") == 1
    assert of_kind(bug, *snoozing.KINDS) == [("bug.snoozed", None, "2026-03-11")]


def test_it_returns_by_itself_on_its_day_where_whoever_looks_is(app, mira, clock):
    bug = snoozed()
    tokyo, hawaii = make_user(zone="Asia/Tokyo"), make_user(zone="Pacific/Honolulu")
    clock.set(datetime(2026, 3, 10, 16, tzinfo=UTC))

    assert [in_queue(viewer) for viewer in (tokyo, mira, hawaii)] == [[(bug.id, "Snooze ended")], [], []]

    clock.set(datetime(2026, 3, 11, 0, 1, tzinfo=UTC))
    assert [in_queue(viewer) for viewer in (tokyo, mira, hawaii)] == [[(bug.id, "Snooze ended")]] * 2 + [[]]
    assert "Snoozed until" not in visit(app, mira).get("/board").text
    assert "Snoozed until" in visit(app, hawaii).get("/board").text


def test_an_unchanged_board_is_new_again_on_the_next_day(app, mira, clock):
    snoozed()
    visitor = visit(app, mira)
    tag = visitor.get("/board").headers["ETag"]
    clock.set(datetime(2026, 3, 10, 23, 59, tzinfo=UTC))
    before = visitor.get("/board", headers={"If-None-Match": tag}).status_code
    clock.set(datetime(2026, 3, 11, 0, 0, tzinfo=UTC))

    assert (before, visitor.get("/board", headers={"If-None-Match": tag}).status_code) == (304, 200)


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.IN_PROGRESS, Status.NEEDS_INFO])
def test_one_that_somebody_owns_is_in_the_queue_when_its_snooze_has_ended_until_they_touch_it(app, mira, clock, status):
    bug = make_bug(status)
    with transaction():
        editing.assign(bug, mira, actor=mira)
        snoozing.snooze(bug, TOMORROW, actor=mira)
    clock.advance(timedelta(days=1))
    before = in_queue(mira)
    with transaction():
        editing.rename(bug, "A better title", actor=mira)

    assert (before, in_queue(mira), bug.snoozed_until) == ([(bug.id, "Snooze ended")], [], None)


def test_its_deadline_counts_from_the_day_on_which_it_returns(app, mira, clock):
    make_option("impact", "Cannot work", deadline_minutes=60)
    snoozed(impact="Cannot work")
    clock.set(datetime(2026, 3, 11, 9, 30, tzinfo=UTC))

    [item], _count = queue.queue(mira)

    assert (item.deadline_at, item.is_late) == (datetime(2026, 3, 11, 10, tzinfo=UTC), False)


def test_one_more_customer_wakes_it(app, mira):
    bug = snoozed(Status.IN_PROGRESS)

    make_report(make_customer(), bug=bug)

    assert (bug.snoozed_until, bug.news, in_queue(mira)) == (None, News.WOKEN, [(bug.id, "Woken by a customer")])
    assert of_kind(bug, EventKind.BUG_WOKEN) == [("bug.woken", "2026-03-11", None)]


def test_an_answer_wakes_it(app, mira):
    bug = snoozed(Status.NEEDS_INFO)
    question = db.session.scalars(sa.select(Question)).one()

    with transaction():
        transitions.answer(question, "Firefox 142", actor=make_user(Role.AGENT))

    assert (bug.snoozed_until, in_queue(mira)) == (None, [(bug.id, "Answered")])


def test_an_answer_to_a_bug_that_was_moved_meanwhile_is_in_its_history_and_wakes_it(app, mira):
    bug = make_bug(Status.NEEDS_INFO)
    question = db.session.scalars(sa.select(Question)).one()
    bring_to(bug, Status.ACCEPTED, actor=mira)
    with transaction():
        snoozing.snooze(bug, TOMORROW, actor=mira)
    with transaction():
        transitions.answer(question, "Firefox", actor=None)

    assert (bug.status, bug.snoozed_until, bug.news) == (Status.ACCEPTED, None, News.WOKEN)
    assert len(of_kind(bug, EventKind.REPORT_ANSWERED)) == 1


def test_a_customer_who_still_sees_it_wakes_it(app, mira):
    bug = snoozed(Status.ACCEPTED)

    with transaction():
        still_happening(db.session.scalars(sa.select(Report)).one())

    assert (bug.snoozed_until, in_queue(mira)) == (None, [(bug.id, "Woken by a customer")])


def test_a_duplicate_that_brings_its_customers_wakes_it(app, mira):
    bug, part = snoozed(Status.IN_PROGRESS), make_bug()

    with transaction():
        merging.merge(part, bug, actor=mira)

    assert (bug.snoozed_until, in_queue(mira)) == (None, [(bug.id, "Woken by a customer")])


def test_what_a_customer_does_to_a_bug_that_is_awake_is_no_wake_up(app, mira):
    bug = make_bug(Status.IN_PROGRESS)

    make_report(make_customer(), bug=bug)

    assert (bug.news, in_queue(mira), of_kind(bug, EventKind.BUG_WOKEN)) == (None, [], [])


@pytest.mark.parametrize(
    ("to", "stays"),
    [(Status.ACCEPTED, True), (Status.NEEDS_INFO, True), (Status.IN_PROGRESS, False), (Status.DECLINED, False)],
)
def test_a_verdict_leaves_the_day_alone_unless_somebody_begins_or_ends_the_work(app, mira, to, stays):
    bug = snoozed()

    bring_to(bug, to, actor=mira)
    after = bug.snoozed_until
    with transaction():
        transitions.undo(bug, actor=mira)

    assert (after, bug.snoozed_until) == (TOMORROW if stays else None, TOMORROW)


def test_undoing_a_verdict_leaves_a_snooze_that_came_later(app, mira):
    bug = snoozed()
    bring_to(bug, Status.IN_PROGRESS, actor=mira)
    with transaction():
        snoozing.snooze(bug, TODAY + timedelta(days=5), actor=mira)
        transitions.undo(bug, actor=mira)

    assert (bug.status, bug.snoozed_until) == (Status.NEW, TODAY + timedelta(days=5))


def test_waking_it_by_hand_brings_it_back_to_where_it_was(app, mira):
    new, owned = snoozed(), snoozed(Status.IN_PROGRESS)

    with transaction():
        snoozing.wake(new, actor=mira)
        snoozing.wake(owned, actor=mira)

    assert in_queue(mira) == [(new.id, "")]
    with pytest.raises(Conflict, match="is awake already"), transaction():
        snoozing.wake(new, actor=mira)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_day_that_is_past_or_more_than_a_year_away_is_refused(app, mira, days):
    bug = make_bug()

    with pytest.raises(Invalid) as refusal, transaction():
        snoozing.snooze(bug, TODAY + timedelta(days=days), actor=mira)

    assert (refusal.value.field, bug.snoozed_until) == ("until", None)


@pytest.mark.parametrize("status", [Status.LIVE, Status.DECLINED])
def test_a_closed_bug_cannot_be_put_off(app, mira, status):
    bug = make_bug(status)

    with pytest.raises(Conflict, match=f"{bug.ref} is .* by now"), transaction():
        snoozing.snooze(bug, TOMORROW, actor=mira)


def test_tomorrow_is_where_the_person_is(app, clock):
    clock.set(datetime(2026, 3, 10, 16, tzinfo=UTC))
    bug, tokyo = make_bug(), make_user(zone="Asia/Tokyo")
    page = visit(app, tokyo).get(f"/bugs/{bug.ref}/snooze").text

    assert re.findall(r'name="until" value="([^"]+)"', page) == ["2026-03-12", "2026-03-16", "2026-03-18", "2026-03-25"]


def test_a_named_day_snoozes_and_leads_back_with_an_undo(app, mira):
    bug, visitor = make_bug(), visit(app, mira)

    answer = visitor.post(f"/bugs/{bug.ref}/snooze", {"until": "2026-03-16", "next": "/board"})
    after = (answer.status_code, answer.location, bug.snoozed_until)
    undone = visitor.post(undo_of(visitor))

    assert after == (302, "/board", date(2026, 3, 16))
    assert (undone.location, bug.snoozed_until, in_queue(mira)) == ("/board", None, [(bug.id, "")])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Choose a day."),
        ("soon", "Not a valid date value."),
        ("2026-03-10", "Choose a day after today."),
        ("2028-01-01", "Choose a day within a year."),
    ],
)
def test_a_refused_day_stays_in_its_field_and_says_why(app, mira, typed, sentence):
    bug = make_bug()

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/snooze", {"until": typed})

    assert (answer.status_code, bug.snoozed_until) == (422, None)
    assert answer.text.count(sentence) == 2
    assert f'name="until" value="{typed}"' in answer.text


def test_the_second_of_two_who_snooze_it_is_told_who_was_first_and_decides(app, mira):
    bug, jonas = make_bug(), make_user(name="Jonas Sommer")
    seen = re.search(r'name="seen_until" value="([^"]*)"', visit(app, mira).get(f"/bugs/{bug.ref}/snooze").text)[1]
    visit(app, jonas).post(f"/bugs/{bug.ref}/snooze", {"until": "2026-03-16"})

    answer = visit(app, mira).post(f"/bugs/{bug.ref}/snooze", {"until": "2026-03-12", "seen_until": seen})

    assert (answer.status_code, bug.snoozed_until) == (409, date(2026, 3, 16))
    assert "Jonas snoozed it 1 s ago." in answer.text


def test_undo_of_a_snooze_gives_the_earlier_day_and_what_was_new_back(app, mira):
    bug = snoozed(Status.NEEDS_INFO, actor=mira)
    with transaction():
        transitions.answer(db.session.scalars(sa.select(Question)).one(), "Firefox", actor=mira)
        event = snoozing.snooze(bug, TODAY + timedelta(days=7), actor=mira)
    between = (bug.news, in_queue(mira))

    with transaction():
        snoozing.take_back(bug, event.id, actor=mira)

    assert between == (None, [])
    assert (bug.snoozed_until, bug.news, in_queue(mira)) == (None, News.ANSWERED, [(bug.id, "Answered")])


def test_a_wake_up_is_undone_as_well(app, mira):
    bug = snoozed(actor=mira)
    with transaction():
        event = snoozing.wake(bug, actor=mira)

    with transaction():
        snoozing.take_back(bug, event.id, actor=mira)

    assert bug.snoozed_until == TOMORROW


def attached_to(bug):
    """Attach one more customer, and return the event that takes that back."""
    report = make_report(bug=bug)
    return db.session.scalars(sa.select(Event).where(Event.report_id == report.id, Event.kind == ATTACHED)).one()


def take_attaching_back(event):
    with transaction():
        attaching.take_back(event, actor=make_user(Role.AGENT))


ATTACHED, WOKEN = EventKind.REPORT_ATTACHED, EventKind.BUG_WOKEN
WAS = ("snoozed_until", "paused_at", "news", "news_at", "status", "waiting_count")


@pytest.mark.parametrize("is_paused", [False, True])
def test_it_is_put_off_as_before_once_the_attaching_that_woke_it_is_taken_back(app, mira, clock, is_paused):
    bug = snoozed(Status.NEEDS_INFO, actor=mira)
    if is_paused:
        with transaction():
            snoozing.pause(bug)
            bug.snoozed_until = None
    before = [getattr(bug, name) for name in WAS]
    event = attached_to(bug)
    assert in_queue(mira) == [(bug.id, "Woken by a customer")]
    clock.advance(timedelta(minutes=9))

    take_attaching_back(event)

    db.session.refresh(bug)
    assert ([getattr(bug, name) for name in WAS], in_queue(mira)) == (before, [])
    kind = EventKind.BUG_TAKEN_BACK if is_paused else EventKind.BUG_SNOOZED
    assert of_kind(bug, WOKEN, kind)[-2:] == [
        (WOKEN, None if is_paused else "2026-03-11", None),
        (kind, None, None if is_paused else "2026-03-11"),
    ]


def looked_at(bug):
    with transaction():
        looking.look(bug, actor=make_user())


def accepted(bug):
    bring_to(bug, Status.ACCEPTED, actor=make_user())


@pytest.mark.parametrize("meanwhile", [looked_at, accepted, attached_to])
def test_it_stays_awake_where_somebody_did_something_with_it_since(app, mira, meanwhile):
    bug = snoozed(actor=mira)
    event = attached_to(bug)
    meanwhile(bug)

    take_attaching_back(event)

    db.session.refresh(bug)
    assert bug.snoozed_until is None


def test_a_wake_up_that_ended_a_pause_is_undone_only_while_the_answer_is_still_needed(app, mira):
    bugs = [make_bug(Status.NEEDS_INFO, actor=mira), make_bug(Status.NEEDS_INFO, actor=mira)]
    for bug in bugs:
        with transaction():
            snoozing.pause(bug)
        make_report(bug=bug)
    accepted(bugs[1])

    for bug in bugs:
        with transaction():
            snoozing.take_back(bug, looking.last_of(bug, snoozing.KINDS).id, actor=mira)

    assert [bug.paused_at is not None for bug in bugs] == [True, False]


def test_an_undo_is_refused_after_ten_minutes_and_after_somebody_else(app, mira, clock):
    bug, late = make_bug(), make_bug()
    with transaction():
        event = snoozing.snooze(bug, TOMORROW, actor=mira)
        old = snoozing.snooze(late, TOMORROW, actor=mira)
        snoozing.wake(bug, actor=make_user(name="Jonas Sommer"))
    clock.advance(timedelta(minutes=10, seconds=1))

    with (
        pytest.raises(Conflict, match="Somebody changed that since"),
        transaction(),
    ):
        snoozing.take_back(bug, event.id, actor=mira)
    with pytest.raises(Conflict, match="more than ten minutes ago"), transaction():
        snoozing.take_back(late, old.id, actor=mira)


def test_the_list_of_snoozed_bugs_holds_ones_own_and_on_request_everybodys(app, mira, clock):
    mine = snoozed(Status.IN_PROGRESS, TODAY + timedelta(days=3), actor=mira)
    with transaction():
        editing.assign(mine, mira, actor=mira)
    nobodys, ended = snoozed(), snoozed()
    with transaction():
        snoozing.snooze(ended, TODAY + timedelta(days=30), actor=mira)
    visitor = visit(app, mira)

    def found(address):
        return re.findall(r'<th scope="row"><a class="t" href="/bugs/(BUG-\d+)"', visitor.get(address).text)

    assert found("/snoozed") == [mine.ref]
    assert found("/snoozed?of=everybody") == [nobodys.ref, mine.ref, ended.ref]
    clock.advance(timedelta(days=2))
    assert found("/snoozed?of=everybody") == [mine.ref, ended.ref]


def test_whoever_stands_in_finds_the_snoozed_bugs_of_nobody_among_their_own(app, mira):
    make_workspace(fallback_owner_id=mira.id)
    bug = snoozed()

    assert f"/bugs/{bug.ref}" in visit(app, mira).get("/snoozed").text
    assert f"/bugs/{bug.ref}" not in visit(app, make_user()).get("/snoozed").text


def test_a_restricted_bug_is_in_nobodys_list_who_may_not_see_it(app, mira):
    bug = snoozed()
    with transaction():
        editing.restrict(bug, True, actor=make_user(Role.LEAD))

    assert bug.ref not in visit(app, mira).get("/snoozed?of=everybody").text
    assert bug.ref in visit(app, make_user(Role.LEAD)).get("/snoozed?of=everybody").text


@pytest.mark.parametrize("page", ["/snoozed?of=everybody", "/duty"])
def test_the_pages_cost_the_same_number_of_queries_for_one_bug_and_for_many(app, mira, page):
    snoozed()
    visitor = visit(app, mira)
    one = fewest(lambda: visitor.get(page))
    for _ in range(3):
        snoozed(Status.IN_PROGRESS)

    assert fewest(lambda: visitor.get(page)) == one


def test_a_long_list_of_snoozed_bugs_is_read_in_pages(app, mira):
    first = snoozed()
    with transaction():
        same = {column.key: getattr(first, column.key) for column in sa.inspect(Bug).mapper.column_attrs}
        for number in range(1, 51):
            db.session.add(Bug(**{**same, "id": first.id + number, "canonical_id": first.id + number}))
    visitor = visit(app, mira)

    pages = [visitor.get(f"/snoozed?of=everybody&page={number}").text.count('<th scope="row">') for number in (1, 2)]

    assert pages == [50, 1]


def test_what_came_back_is_in_the_queue_whoever_owns_it_until_an_engineer_touches_it(app, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        editing.assign(bug, mira, actor=mira)
        transitions.come_back(bug, actor=mira)
    before = in_queue(mira)
    with transaction():
        editing.set_workarounds(bug, {"en": "Print it."}, actor=make_user(Role.AGENT))
    still = in_queue(mira)
    with transaction():
        transitions.start(bug, actor=mira)

    assert (before, still, in_queue(mira)) == ([(bug.id, "Came back")], [(bug.id, "Came back")], [])


def test_an_answered_bug_in_progress_is_in_the_queue_and_undo_puts_it_there_again(app, mira):
    bug = make_bug(Status.IN_PROGRESS)
    with transaction():
        transitions.ask(bug, reports_of(bug)[0], "Which browser?", actor=mira)
    with transaction():
        transitions.answer(db.session.scalars(sa.select(Question)).one(), "Firefox", actor=make_user(Role.AGENT))
    answered = in_queue(mira)
    with transaction():
        transitions.stop(bug, actor=mira)
    stopped = bug.news
    with transaction():
        transitions.undo(bug, actor=mira)

    assert (answered, stopped, bug.news) == ([(bug.id, "Answered")], None, News.ANSWERED)
