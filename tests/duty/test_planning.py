"""Planning a month: what is offered, what is proposed, what is saved, and what is refused."""

import re
from datetime import UTC, date, datetime, time

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty import absences, overrides, public_holidays, queries, roster, swaps, trades
from bugintake.duty.models import Override
from bugintake.duty.planning import SlotsRefused, Wish, lay, open_month
from bugintake.duty.proposals import propose
from bugintake.duty.turns import TurnUnit
from bugintake.team.models import Role, User
from tests.counting import fewest
from tests.duty.conftest import make_rotation
from tests.duty.test_roster import terms
from tests.duty.test_views import text_of
from tests.factories import make_user

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def at(day, hour=8, month=4):
    """Duty is from 7 to 15 here from 29 March on."""
    return datetime(2026, month, day, hour, tzinfo=UTC)


def day_of(rotation, day, month=4):
    """The hours of duty of one day of April, in summer time, or of March, in winter time."""
    hour = 7 if month == 4 else 8
    return at(day, hour, month), at(day, hour + 8, month)


def give(rotation, person, *days, month=4):
    for day in days:
        with transaction():
            overrides.stand_in(rotation, person, *day_of(rotation, day, month), actor=person)


def slot_on(month, day):
    return next(slot for slot in month.slots if slot.planned.on.day == day)


def wish(month, day, person):
    slot = slot_on(month, day)
    return {slot.key: Wish(person.id if person else 0, slot.seen)}


def who(day, month=4):
    planned = queries.on_duty(at(day, 10, month))
    return planned.person.first_name if planned and planned.person else None


def proposed(month):
    choices = propose(month)
    return {slot.planned.on: choices[slot.key].first_name for slot in month.slots if slot.key in choices}


def test_the_slots_are_those_of_the_month_that_are_to_come(rotation):
    assert [slot.planned.on.day for slot in open_month(rotation, MARCH).slots] == (
        [*range(11, 14), *range(16, 21), *range(23, 28), 30, 31]
    )
    april = open_month(rotation, APRIL).slots
    assert (len(april), april[0].planned.on, april[-1].planned.on) == (22, APRIL, date(2026, 4, 30))


def test_a_turn_that_runs_into_the_next_month_is_planned_where_it_begins(mira, tin):
    nine = time(9)
    weekly = terms([mira, tin], days=range(7), handoff=nine, until=nine, runs_overnight=True, turn_unit=TurnUnit.WEEKS)
    with transaction():
        rotation = roster.add_rotation("Round the clock", weekly, actor=None)

    assert [slot.planned.on.day for slot in open_month(rotation, MARCH).slots] == [16, 23, 30]
    assert [slot.planned.on.day for slot in open_month(rotation, APRIL).slots] == [6, 13, 20, 27]


def test_whoever_has_other_duty_while_a_turn_runs_into_the_next_month_is_not_free(mira, tin, ana):
    nine = time(9)
    weekly = terms([mira, tin], days=range(7), handoff=nine, until=nine, runs_overnight=True, turn_unit=TurnUnit.WEEKS)
    with transaction():
        rotation = roster.add_rotation("Round the clock", weekly, actor=None)
        roster.add_rotation("Sundays", terms([ana], start_on=date(2026, 4, 27), days=[6]), actor=None)

    assert [ana in slot.free for slot in open_month(rotation, APRIL).slots] == [True, True, True, False]


def test_free_is_who_may_take_duty_is_not_away_and_has_no_other_duty_then(rotation, mira, tin, ana, petra, lea):
    ida = make_user(Role.ENGINEER, "Ida Novak")
    make_user(Role.ENGINEER, "Gone Person", disabled_at=at(1, month=3))
    make_rotation([ida], name="Mobile", days=[2])
    with transaction():
        absences.note_absence(ana, APRIL, date(2026, 4, 2), actor=ana)
    month = open_month(rotation, APRIL)

    assert [who(day) for day in (1, 2)] == ["Mira", "Mira"]
    assert {each.first_name for each in slot_on(month, 1).free} == {"Tin", "Petra"}
    assert {each.first_name for each in slot_on(month, 2).free} == {"Tin", "Petra", "Ida"}


def test_those_of_the_rotation_are_offered_first_whoever_is_most_behind_before_the_others(
    rotation, mira, tin, ana, petra
):
    give(rotation, mira, *range(12, 14), *range(16, 21), month=3)
    month = open_month(rotation, APRIL)
    inside, outside = month.ranked(slot_on(month, 3), month.spread({}))

    assert slot_on(month, 3).planned.person == tin
    assert (inside, outside) == ([ana, mira], [petra])


def test_a_plan_that_is_fair_enough_is_proposed_as_it_is(rotation):
    assert propose(open_month(rotation, APRIL)) == {}


def test_a_slot_with_nobody_is_proposed_to_the_fairest_who_is_free(rotation, mira, tin, ana, petra):
    ida = make_user(Role.ENGINEER, "Ida Novak")
    give(rotation, ida, 12, 13, month=3)
    with transaction():
        for each in (mira, tin, ana):
            absences.note_absence(each, APRIL, APRIL, actor=each)

    assert proposed(open_month(rotation, APRIL)) == {APRIL: "Petra"}


def test_days_move_from_who_is_far_ahead_to_who_is_far_behind_holidays_first(rotation, mira, tin, ana, petra):
    with transaction():
        public_holidays.add_holiday(rotation, date(2026, 4, 3), "Good Friday", actor=petra)
    give(rotation, mira, *range(11, 14), *range(16, 21), *range(23, 25), month=3)
    month = open_month(rotation, APRIL)
    before, choices = month.spread({}), propose(month)
    after = month.spread(choices)
    moved = [slot for slot in month.slots if slot.key in choices]

    assert before.of(mira).balance >= 2
    assert {slot.planned.person for slot in moved} == {mira}
    assert {choices[slot.key] for slot in moved} <= {tin, ana}
    assert min(each.balance for each in after.standings) > min(each.balance for each in before.standings)
    of_mira = [slot for slot in month.slots if slot.planned.person == mira]
    assert [slot for slot in of_mira if slot.is_beside_holiday]
    assert [slot for slot in of_mira if slot.is_beside_holiday and slot.key not in choices] == []
    assert after.of(mira).balance >= 0
    assert max(each.balance for each in after.standings if each.person != mira) <= 0


def test_the_day_that_moves_is_next_to_a_holiday_or_else_on_the_weekday_there_is_most_of(rotation, mira, tin, petra):
    """Mira has taken three days of Tin's, and will have had four Mondays, and three of each other day."""
    give(rotation, mira, 13, 18, 23, month=3)
    assert {slot.planned.on.day for slot in open_month(rotation, APRIL).slots if slot.planned.person == mira} == (
        {2, 7, 10, 15, 20, 23, 28}
    )
    assert proposed(open_month(rotation, APRIL)) == {date(2026, 4, 20): "Tin", date(2026, 4, 2): "Tin"}

    with transaction():
        public_holidays.add_holiday(rotation, date(2026, 4, 16), "Our day", actor=petra)
    assert proposed(open_month(rotation, APRIL)) == {date(2026, 4, 15): "Tin"}


def test_nothing_moves_to_somebody_who_is_hardly_behind(mira, tin, ana):
    ida = make_user(Role.ENGINEER, "Ida Novak")
    rotation = make_rotation([mira, tin, ana, ida])
    give(rotation, mira, 12, 17, 20, month=3)
    month = open_month(rotation, APRIL)

    balances = [month.spread({}).of(each).balance for each in (mira, tin, ana, ida)]
    assert (balances[0] >= 2, min(balances) > -2) == (True, True)
    assert propose(month) == {}


def test_a_turn_that_would_turn_the_tables_does_not_move(mira, tin):
    nine = time(9)
    weekly = terms([mira, tin], days=range(7), handoff=nine, until=nine, runs_overnight=True, turn_unit=TurnUnit.WEEKS)
    with transaction():
        rotation = roster.add_rotation("Round the clock", weekly, actor=None)
    month = open_month(rotation, APRIL)

    assert [month.spread({}).of(each).balance for each in (mira, tin)] == [3.5, -3.5]
    assert propose(month) == {}


def test_what_people_arranged_is_not_moved(rotation, mira, tin, ana):
    give(rotation, mira, *range(11, 14), *range(16, 21), *range(23, 25), month=3)
    days = [slot.planned.on.day for slot in open_month(rotation, APRIL).slots]
    give(rotation, mira, *days)

    month = open_month(rotation, APRIL)
    assert month.spread({}).of(mira).balance > 10
    assert propose(month) == {}


def test_saving_lays_what_differs_with_one_event_each_and_nothing_else(rotation, mira, tin, ana, petra):
    month = open_month(rotation, APRIL)
    wishes = wish(month, 1, tin) | {slot.key: Wish(slot.person_id, slot.seen) for slot in month.slots[1:]}

    with transaction():
        assert lay(rotation, APRIL, wishes, actor=petra) == 1
    assert (who(1), who(2)) == ("Tin", "Mira")
    [override] = db.session.scalars(sa.select(Override)).all()
    assert (override.user_id, override.made_by_id) == (tin.id, petra.id)
    assert (override.starts_at, override.ends_at) == day_of(rotation, 1)
    events = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.DUTY_HANDED_OVER)).all()
    assert [(event.actor_id, event.before, event.after) for event in events] == (
        [(petra.id, "Ana Lončar", "Tin Horvat")]
    )


def test_a_swapped_day_is_laid_over_and_the_other_half_of_a_trade_stays(rotation, mira, tin, ana, petra):
    asker = queries.on_duty(day_of(rotation, 1)[0]).person
    [mine] = [each for each in open_month(rotation, APRIL).slots if each.planned.on == date(2026, 4, 2)]
    taker = mine.planned.person
    with transaction():
        swap = swaps.ask(rotation, *day_of(rotation, 1), [taker], actor=asker, seen_id=asker.id)
    with transaction():
        trades.offer_trade(swap, rotation, *day_of(rotation, 2), actor=taker)
    with transaction():
        trades.accept_trade(swap.asked[0], actor=asker, seen=day_of(rotation, 2)[0])
    third = next(person for person in (mira, tin, ana) if person not in (asker, taker))
    month = open_month(rotation, APRIL)
    with transaction():
        lay(rotation, APRIL, wish(month, 1, third), actor=petra)
    assert (who(1), who(2)) == (third.first_name, asker.first_name)

    with transaction():
        overrides.take_back(overrides.mine(queries.on_duty(day_of(rotation, 1)[0]), third), actor=petra)
    assert (who(1), who(2)) == (taker.first_name, asker.first_name)


def test_giving_a_slot_back_to_whom_the_rule_names_only_ends_the_stand_in(rotation, mira, tin, ana, petra):
    give(rotation, mira, 1)
    month = open_month(rotation, APRIL)

    with transaction():
        assert lay(rotation, APRIL, wish(month, 1, ana), actor=petra) == 1
    assert who(1) == "Ana"
    assert db.session.scalars(sa.select(Override).where(Override.taken_back_at.is_(None))).all() == []


def test_a_slot_that_somebody_stands_in_for_can_be_given_to_a_third(rotation, mira, tin, ana, petra):
    give(rotation, mira, 1)

    with transaction():
        lay(rotation, APRIL, wish(open_month(rotation, APRIL), 1, tin), actor=petra)
    assert who(1) == "Tin"
    [override] = db.session.scalars(sa.select(Override).where(Override.taken_back_at.is_(None))).all()
    assert override.user_id == tin.id


def test_a_part_of_what_somebody_stands_in_for_is_left_to_them(rotation, tin, ana, petra):
    with transaction():
        overrides.stand_in(rotation, ana, at(1, 7), at(3, 15), actor=petra)
    with transaction():
        absences.note_absence(ana, date(2026, 4, 2), date(2026, 4, 2), actor=ana)
    month = open_month(rotation, APRIL)
    parts = [slot for slot in month.slots if slot.planned.person == ana][:2]

    assert [slot.is_fixed for slot in parts] == [True, True]
    with transaction(), pytest.raises(SlotsRefused):
        lay(rotation, APRIL, {parts[0].key: Wish(tin.id, parts[0].seen)}, actor=petra)


def test_what_somebody_changed_meanwhile_is_refused_and_nothing_is_saved(rotation, mira, tin, ana, petra):
    month = open_month(rotation, APRIL)
    give(rotation, mira, 1)
    wishes = wish(month, 1, tin) | wish(month, 2, tin)

    with transaction(), pytest.raises(SlotsRefused) as refused:
        lay(rotation, APRIL, wishes, actor=petra)
    assert list(refused.value.sentences.values()) == (
        ["Wed 1 Apr changed since you opened the page: Mira Kovač has it now."]
    )
    assert (who(1), who(2)) == ("Mira", "Mira")


def test_what_somebody_changed_meanwhile_stays_where_it_was_left_as_shown(rotation, mira, tin, ana, petra):
    month = open_month(rotation, APRIL)
    give(rotation, mira, 1)

    with transaction():
        assert lay(rotation, APRIL, wish(month, 1, ana) | wish(month, 2, tin), actor=petra) == 1
    assert (who(1), who(2)) == ("Mira", "Tin")


def test_a_slot_that_was_cut_meanwhile_is_refused(rotation, mira, tin, ana, petra):
    month = open_month(rotation, APRIL)
    with transaction():
        overrides.stand_in(rotation, mira, at(1, 11), at(1, 15), actor=mira)

    with transaction(), pytest.raises(SlotsRefused) as refused:
        lay(rotation, APRIL, wish(month, 1, tin), actor=petra)
    assert list(refused.value.sentences.values()) == (
        ["Wed 1 Apr changed since you opened the page: Ana Lončar has it now."]
    )


def test_of_several_who_save_at_once_the_first_one_wins(rotation, mira, tin, petra, together):
    month = open_month(rotation, APRIL)
    wishes = wish(month, 1, mira) | wish(month, 2, tin), wish(month, 1, tin) | wish(month, 3, mira)

    def save(number):
        with transaction():
            here = queries.rotation_or_404(rotation.id)
            return lay(here, APRIL, wishes[number % 2], actor=db.session.get_one(User, petra.id))

    answers = together(save)
    assert answers.count(2) == 1  # the others find it done already, or are refused
    assert all(each in (0, 2) or isinstance(each, SlotsRefused) for each in answers)
    assert (who(1), who(2), who(3)) in (("Mira", "Tin", "Tin"), ("Tin", "Mira", "Mira"))
    assert len(db.session.scalars(sa.select(Override)).all()) == 2


@pytest.mark.parametrize(
    ("who_takes", "sentence"),
    [
        ("away", "Wed 1 Apr: Tin Horvat is not free then."),
        ("agent", "Wed 1 Apr: choose somebody from the list."),
        ("nobody", "Wed 1 Apr: choose somebody from the list."),
    ],
)
def test_whoever_cannot_take_a_slot_is_refused(rotation, tin, lea, petra, who_takes, sentence):
    with transaction():
        absences.note_absence(tin, APRIL, APRIL, actor=tin)
    month = open_month(rotation, APRIL)
    person = {"away": tin, "agent": lea, "nobody": None}[who_takes]

    with transaction(), pytest.raises(SlotsRefused) as refused:
        lay(rotation, APRIL, wish(month, 1, person), actor=petra)
    assert list(refused.value.sentences.values()) == [sentence]


def test_a_slot_that_is_no_more_is_refused(rotation, tin, petra):
    with transaction(), pytest.raises(SlotsRefused, match="Nothing was saved"):
        lay(rotation, APRIL, {"17": Wish(tin.id, "1-18")}, actor=petra)


@pytest.mark.parametrize("first", [date(2026, 2, 1), date(2027, 4, 1), date(1999, 1, 1)])
def test_a_month_that_is_over_or_far_away_is_refused(rotation, first):
    with pytest.raises(Invalid):
        open_month(rotation, first)


def test_the_page_offers_each_slot_with_what_is_proposed(rotation, mira, tin, ana, petra, as_user):
    with transaction():
        for each in (mira, tin, ana):
            absences.note_absence(each, APRIL, APRIL, actor=each)
    answer = as_user(petra).get("/duty/plan?month=2026-04")
    page = text_of(answer)

    assert answer.text.count("<select") == 22
    assert "Wed 1 Apr 09:00–17:00 Nobody everybody of the rotation is away Who takes Wed 1 Apr, 09:00–17:00" in page
    assert "Petra Novak proposed even, no Wednesday lately" in page
    assert "1 change is proposed below." in page
    assert f'<option value="{petra.id}" selected>' in answer.text
    assert "at least 2 days ahead of a fair share" in page


def test_without_a_month_it_is_the_next_one_and_others_are_one_press_away(rotation, petra, as_user):
    page = as_user(petra).get("/duty/plan").text

    assert "<h1>Plan Apr 2026</h1>" in page
    assert "month=2026-03" in page
    assert "month=2026-05" in page
    assert "month=2026-02" not in as_user(petra).get("/duty/plan?month=2026-03").text
    assert "month=2027-03" in as_user(petra).get("/duty/plan?month=2027-02").text
    assert "month=2027-04" not in as_user(petra).get("/duty/plan?month=2027-03").text
    assert "/duty/plan?" in as_user(petra).get("/duty/schedule").text


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-00", "april", "0000-01", "٢٠٢٦-٠٤", "9999-12"])
def test_a_month_that_is_none_is_refused_in_words(rotation, petra, as_user, month):
    assert as_user(petra).get(f"/duty/plan?month={month}").status_code == 422


def filled(answer):
    """What a browser would send of the page as it is."""
    hidden = re.findall(r'<input type="hidden" name="((?:seen_|rotation|month)[^"]*)" value="([^"]*)"', answer.text)
    selects = re.findall(r'<select[^>]* name="(slot-\d+)"[^>]*>(.*?)</select>', answer.text, re.DOTALL)
    return dict(hidden) | {name: re.search(r'value="(\d+)" selected', inside)[1] for name, inside in selects}


def test_the_page_shows_what_choices_mean_and_saves_them(rotation, mira, tin, ana, petra, as_user):
    browser = as_user(petra)
    fields = filled(browser.get("/duty/plan?month=2026-04"))
    key = slot_on(open_month(rotation, APRIL), 1).key
    chosen = fields | {f"slot-{key}": str(tin.id)}

    preview = browser.post("/duty/plan", chosen | {"preview": "y"})
    page = text_of(preview)
    assert "What it would mean Nothing is saved yet. Ana Lončar no longer 1 Apr Tin Horvat gets 1 Apr" in page
    assert "Tin Horvat 8 days (was 7)" in page
    assert db.session.scalar(sa.select(sa.func.count(Override.id))) == 0
    assert filled(preview) == chosen

    answer = browser.post("/duty/plan", filled(preview))
    assert (answer.status_code, answer.location) == (302, f"/duty/schedule?rotation={rotation.id}&from=2026-04-01")
    assert who(1) == "Tin"
    assert "Saved: 1 slot has changed hands." in text_of(browser.get(answer.location))


def test_a_save_that_was_overtaken_says_so_and_keeps_every_choice(rotation, mira, tin, ana, petra, as_user):
    browser = as_user(petra)
    fields = filled(browser.get("/duty/plan?month=2026-04"))
    month = open_month(rotation, APRIL)
    chosen = fields | {f"slot-{slot_on(month, 1).key}": str(tin.id), f"slot-{slot_on(month, 2).key}": str(ana.id)}
    give(rotation, mira, 1, 3)

    answer = browser.post("/duty/plan", chosen)
    assert answer.status_code == 409
    assert "<title>Error: " in answer.text
    assert "Wed 1 Apr changed since you opened the page: Mira Kovač has it now." in text_of(answer)
    again = filled(answer)
    untouched = f"slot-{slot_on(month, 3).key}"
    assert {name: value for name, value in again.items() if name.startswith("slot-")} == (
        {name: value for name, value in chosen.items() if name.startswith("slot-")} | {untouched: str(mira.id)}
    )
    assert who(2) == "Mira"

    assert browser.post("/duty/plan", again).status_code == 302
    assert (who(1), who(2), who(3)) == ("Tin", "Ana", "Mira")


def test_a_gap_on_the_page_of_duty_leads_a_lead_to_its_month(rotation, mira, tin, ana, petra, as_user):
    with transaction():
        for each in (mira, tin, ana):
            absences.note_absence(each, date(2026, 3, 20), date(2026, 3, 20), actor=each)
    address = f'href="/duty/plan?rotation={rotation.id}&amp;month=2026-03">Find somebody<'

    assert address in as_user(petra).get("/duty").text
    assert address not in as_user(mira).get("/duty").text


def test_the_page_takes_the_same_queries_whatever_there_is(rotation, mira, tin, petra, as_user):
    browser = as_user(petra)
    before = fewest(lambda: browser.get("/duty/plan?month=2026-04"))
    for number in range(3):
        make_user(Role.ENGINEER, f"Person {number}")
        make_rotation([mira], name=f"Rotation {number}", days=[number])
    give(rotation, tin, 1, 2)

    assert fewest(lambda: browser.get("/duty/plan?month=2026-04")) == before


def test_only_leads_plan(rotation, mira, lea, as_user):
    for person in (mira, lea):
        assert as_user(person).get("/duty/plan").status_code == 403
        assert as_user(person).post("/duty/plan", {}).status_code == 403
        assert "/duty/plan?" not in as_user(person).get("/duty/schedule").text
