"""The lists for leads: nobody has it, nobody looked in time, somebody waits too long."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.duty import absences, roster
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.team import people
from bugintake.team.models import Role
from bugintake.triage import editing, looking, overlooked, owners, queue, snoozing, transitions
from bugintake.triage.overlooked import Lack
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_option, make_report, make_user, make_workspace
from tests.loop.reading import first_report
from tests.visitors import visit

pytestmark = pytest.mark.usefixtures("company")


@pytest.fixture
def petra(app):
    return make_user(Role.LEAD, "Petra Lang")


def on(lack, viewer):
    """The bugs on a list, in order; what is counted is what is listed."""
    found = [card.id for card in overlooked.listed(lack, viewer, start=0)]
    assert overlooked.counted(viewer).by_lack[lack] == len(found)
    return found


def plan_duty(*engineers):
    """A rotation of one working day each."""
    terms = {"zone": "UTC", "start_on": date(2026, 3, 9), "handoff": time(9), "days": [0, 1, 2, 3, 4]}
    with transaction():
        roster.create_rotation(name="Bug duty", **terms, people=list(engineers), actor=None)


def owned(bug, owner):
    """A bug that somebody owns."""
    with transaction():
        editing.assign(bug, owner, actor=owner)
    return bug


def test_a_bug_whose_owner_has_left_is_nobodys_whether_or_not_somebody_is_on_duty(app, mira, petra):
    gone = make_user(name="Gone Person")
    left, kept = owned(make_bug(Status.IN_PROGRESS), gone), owned(make_bug(Status.IN_PROGRESS), mira)
    make_bug(Status.LIVE)
    plan_duty(mira)
    before = on(Lack.OWNER, petra)
    with transaction():
        people.disable(gone, actor=None)

    assert (before, on(Lack.OWNER, petra)) == ([], [left.id])
    assert kept.owner_id == mira.id


def test_a_bug_whose_owner_is_away_is_listed_until_they_are_back_and_with_whoever_is_on_duty(app, mira, petra, clock):
    away = make_user(name="Away Person")
    left, kept = owned(make_bug(Status.IN_PROGRESS), away), owned(make_bug(Status.IN_PROGRESS), mira)
    plan_duty(mira)
    with transaction():
        absence = absences.note_absence(away, date(2026, 3, 11), date(2026, 3, 12), actor=away)
    seen = []
    for day in (10, 11, 12, 13):
        clock.set(datetime(2026, 3, day, 10, tzinfo=UTC))
        seen.append((on(Lack.OWNER, petra), owners.effective_owner(left).name))
    there, gone = ([], "Away Person"), ([left.id], mira.name)
    assert seen == [there, gone, gone, there]
    assert (kept.owner_id, owners.effective_owner(kept)) == (mira.id, mira)

    clock.set(datetime(2026, 3, 11, 12, tzinfo=UTC))
    with transaction():
        absences.take_back(absence, actor=away)
    assert (on(Lack.OWNER, petra), owners.effective_owner(left)) == ([], away)


def test_a_bug_that_nobody_took_is_nobodys_where_nobody_stands_in(app, mira, petra):
    bug = make_bug()

    assert on(Lack.OWNER, petra) == [bug.id]
    make_workspace(fallback_owner_id=mira.id)
    assert on(Lack.OWNER, petra) == []


def test_at_night_whoever_is_on_duty_next_morning_stands_in(app, mira, petra, clock):
    make_bug()
    plan_duty(mira)
    clock.set(datetime(2026, 3, 10, 23, tzinfo=UTC))

    assert on(Lack.OWNER, petra) == []


def test_a_new_bug_is_late_after_the_working_hours_of_its_impact(app, mira, petra, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    make_option(OptionList.IMPACT, "Looks off", deadline_minutes=480)
    make_option(OptionList.IMPACT, "No deadline")
    fast, slow = make_bug(impact="Cannot work"), make_bug(impact="Looks off")
    make_bug(impact="No deadline"), make_bug(Status.ACCEPTED, impact="Cannot work")
    clock.advance(timedelta(minutes=30))
    in_time = on(Lack.LOOK, petra)
    clock.advance(timedelta(minutes=1))
    soon = on(Lack.LOOK, petra)
    clock.set(datetime(2026, 3, 11, 9, 1, tzinfo=UTC))

    assert (in_time, soon, on(Lack.LOOK, petra)) == ([], [fast.id], [fast.id, slow.id])


def test_what_is_late_here_is_late_in_the_queue(app, petra, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=90)
    for _ in range(6):
        make_bug(impact="Cannot work")
        clock.advance(timedelta(hours=5, minutes=30))

    items, _count = queue.queue(petra)

    assert on(Lack.LOOK, petra) == sorted(item.card.id for item in items if item.is_late)


def test_what_came_again_is_late_here_when_it_is_late_in_the_queue(app, mira, petra, clock):
    """Whether it was answered, added to, or woke up, hour by hour over three days."""
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=90)
    answered, snoozed, plain = (make_bug(impact="Cannot work") for _ in range(3))
    with transaction():
        question = transitions.ask(answered, first_report(answered), "Which browser?", actor=mira)
        snoozing.snooze(snoozed, looking.today_of(mira) + timedelta(days=1), actor=mira)
    seen = set()
    for hour in range(72):
        clock.advance(timedelta(hours=1))
        if hour == 20:
            with transaction():
                transitions.answer(question, "Firefox", actor=mira)
        items, _count = queue.queue(petra)
        late = sorted(item.card.id for item in items if item.is_late and item.card.status == Status.NEW)
        assert on(Lack.LOOK, petra) == late
        seen.add(tuple(late))

    assert (plain.id,) in seen
    assert (answered.id, snoozed.id, plain.id) in seen


def test_a_snoozed_bug_is_not_late(app, mira, petra, clock):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    bug = make_bug(impact="Cannot work")
    with transaction():
        snoozing.snooze(bug, looking.today_of(mira) + timedelta(days=2), actor=mira)
    clock.advance(timedelta(hours=3))
    asleep = on(Lack.LOOK, petra)
    clock.advance(timedelta(days=2))

    assert (asleep, on(Lack.LOOK, petra)) == ([], [bug.id])


def test_who_waits_for_more_than_two_weeks_is_listed_the_longest_first(app, petra, clock):
    second = make_bug()
    first = make_bug(waiting=[make_customer()])
    part = make_bug(waiting=[make_customer()])
    clock.advance(timedelta(days=1))
    whole = make_bug(waiting=[])
    with transaction():
        part.merged_into_id = part.canonical_id = whole.id
        whole.waiting_count = 1
        report = make_report(bug=second)
        report.filed_at -= timedelta(days=30)
    clock.advance(timedelta(days=13, minutes=1))

    assert on(Lack.ANSWER, petra) == [second.id, first.id, whole.id]
    clock.advance(-timedelta(minutes=2))
    assert on(Lack.ANSWER, petra) == [second.id]


def test_nobody_waits_who_was_told_or_found_by_us(app, petra, clock):
    make_bug(waiting=[])
    make_bug(Status.DECLINED)
    clock.advance(timedelta(days=20))

    assert on(Lack.ANSWER, petra) == []


def test_a_lead_finds_the_lists_and_their_count_in_the_top_bar_and_nobody_else_does(app, mira, petra):
    make_bug()
    entries = r'data-go="o"[^>]*>Overlooked(?:<span class="n"><span class="vh">, </span>(\d+))?'

    shown = {user.name: re.findall(entries, visit(app, user).get("/board").text) for user in (mira, petra)}

    assert shown == {"Mira Kos": [], "Petra Lang": ["1"]}
    page = visit(app, petra).get("/overlooked?list=owner").text
    assert len(re.findall('<th scope="row">', page)) == 1
    assert visit(app, petra).get("/overlooked?list=nonsense").status_code == 200


def test_one_bug_on_two_lists_counts_once(app, petra, clock):
    make_bug()
    clock.advance(timedelta(days=20))

    counts = overlooked.counted(petra)

    assert (counts.by_lack, counts.total) == ({Lack.OWNER: 1, Lack.LOOK: 0, Lack.ANSWER: 1}, 1)


@pytest.mark.parametrize("lack", Lack)
def test_a_list_costs_the_same_number_of_queries_for_one_bug_and_for_many(app, petra, clock, lack):
    make_option(OptionList.IMPACT, "Cannot work", deadline_minutes=30)
    make_bug(impact="Cannot work")
    clock.advance(timedelta(days=20))
    visitor = visit(app, petra)
    one = fewest(lambda: visitor.get(f"/overlooked?list={lack}"))
    clock.advance(-timedelta(days=20))
    for _ in range(3):
        make_bug(impact="Cannot work", waiting=[make_customer(), make_customer()])
    clock.advance(timedelta(days=20))

    assert fewest(lambda: visitor.get(f"/overlooked?list={lack}")) == one
    assert len(on(lack, petra)) == 4


def test_while_nothing_happens_the_count_costs_a_page_nothing(app, petra, mira):
    make_bug()
    lead, engineer = visit(app, petra), visit(app, mira)

    assert fewest(lambda: lead.get("/board")) <= fewest(lambda: engineer.get("/board"))


def test_a_long_list_is_read_in_pages(app, petra):
    first = make_bug()
    with transaction():
        same = {column.key: getattr(first, column.key) for column in sa.inspect(Bug).mapper.column_attrs}
        for number in range(1, 51):
            db.session.add(Bug(**{**same, "id": first.id + number, "canonical_id": first.id + number}))

    pages = [visit(app, petra).get(f"/overlooked?page={number}").text.count('<th scope="row">') for number in (1, 2)]

    assert pages == [50, 1]
