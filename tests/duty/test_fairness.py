"""How duty is spread: what counts, what is a fair share of it, and who is the fairest to ask."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bugintake.duty.fairness import amount, balance_in_words, by_fairness, fairness, reason
from bugintake.duty.models import Rotation
from bugintake.duty.plans import Plan
from bugintake.duty.rotation import Away, Override, Schedule, shifts
from bugintake.duty.turns import Rule, TurnUnit
from bugintake.team.models import User

MIRA, TIN, ANA, IDA = 1, 2, 3, 4
NAMES = {MIRA: "Mira Kovač", TIN: "Tin Horvat", ANA: "Ana Lončar", IDA: "Ida Novak"}
MONDAY = date(2026, 3, 9)
ZONES = ["UTC", "Europe/Berlin", "America/Chicago", "Australia/Lord_Howe"]


def at(day, hour=0):
    return datetime.combine(MONDAY, time(0), UTC) + timedelta(days=day, hours=hour)


def a_rule(**changed):
    return Rule(**({"zone": ZoneInfo("UTC"), "start_on": MONDAY, "person_ids": (MIRA, TIN, ANA)} | changed))


def a_plan(*rules, overrides=(), away=(), gone=()):
    people = {key: User(id=key, name=name) for key, name in NAMES.items()}
    for key in gone:
        people[key].disabled_at = at(0)
    return Plan(Rotation(name="Bug duty"), Schedule(rules or (a_rule(),), overrides, away), people)


def spread(plan, first=0, last=11, now=0):
    """Count duty from the first to the last day, by default of two weeks in which each person has a day in turn."""
    return fairness(plan, MONDAY + timedelta(days=first), MONDAY + timedelta(days=last), at(now))


def told(found):
    """Days, fair share and balance by first name."""
    return {
        each.person.first_name: (amount(each.total), amount(each.share), balance_in_words(each.balance))
        for each in found.standings
    }


def test_each_day_is_shared_out_among_those_who_take_turns():
    assert told(spread(a_plan())) == {
        "Ana": ("3", "3.3", "0.3 days behind"),
        "Mira": ("4", "3.3", "0.7 days ahead"),
        "Tin": ("3", "3.3", "0.3 days behind"),
    }


def test_what_counts_is_who_was_really_there_and_an_afternoon_is_half_a_day():
    afternoon, whole = Override(at(0, 13), at(0, 17), TIN), Override(at(1, 9), at(1, 17), IDA)

    assert told(spread(a_plan(overrides=[afternoon, whole]), last=2)) == {
        "Ana": ("1", "1", "even"),
        "Ida": ("1", "0", "1 day ahead"),
        "Mira": ("0.5", "1", "0.5 days behind"),
        "Tin": ("0.5", "1", "0.5 days behind"),
    }


def test_a_stand_in_over_nights_and_weekends_has_the_days_and_not_the_hours_between():
    week = Override(at(0, 9), at(7, 17), IDA)

    assert told(spread(a_plan(overrides=[week]), last=7))["Ida"][0] == "6"


def test_days_done_are_told_from_days_to_come():
    found = spread(a_plan(), now=3)

    assert {each.person.first_name: (sum(each.done.values()), each.to_come) for each in found.standings} == (
        {"Ana": (1, 2), "Mira": (1, 3), "Tin": (1, 2)}
    )


def test_whoever_is_away_owes_nothing_for_that_time():
    plan = a_plan(away=[Away(ANA, at(0), at(7))])

    assert told(spread(plan)) == {
        "Ana": ("2", "1.7", "0.3 days ahead"),
        "Mira": ("5", "4.2", "0.8 days ahead"),
        "Tin": ("3", "4.2", "1.2 days behind"),
    }


@pytest.mark.parametrize("away", [Away(TIN, at(0, 13), at(1)), Away(TIN, at(-1), at(0, 13))])
def test_whoever_is_away_for_half_a_day_shares_the_other_half(away):
    plan = a_plan(a_rule(person_ids=(MIRA, TIN)), away=[away])

    assert {each.person.first_name: each.share for each in spread(plan, last=0).standings} == {
        "Mira": 0.75,
        "Tin": 0.25,
    }


def test_whoever_left_is_listed_while_there_was_a_share_and_not_afterwards():
    plan = a_plan(away=[Away(ANA, at(7))], gone=[ANA])

    assert told(spread(plan, last=4))["Ana"] == ("1", "1.7", "0.7 days behind")
    assert "Ana" not in told(spread(plan, first=7))


def test_somebody_without_any_day_is_listed():
    plan = a_plan(overrides=[Override(at(0, 9), at(0, 17), TIN)])

    assert told(spread(plan, last=1)) == (
        {
            "Ana": ("0", "0.7", "0.7 days behind"),
            "Mira": ("0", "0.7", "0.7 days behind"),
            "Tin": ("2", "0.7", "1.3 days ahead"),
        }
    )


def test_a_gap_is_nobodys_and_a_day_that_only_others_could_take_is_owed_by_nobody():
    everybody = [Away(key, at(0), at(2)) for key in (MIRA, TIN, ANA)]
    plan = a_plan(away=everybody, overrides=[Override(at(1, 9), at(1, 17), IDA)])

    assert told(spread(plan, last=1)) == {
        "Ana": ("0", "0", "even"),
        "Ida": ("1", "1", "even"),
        "Mira": ("0", "0", "even"),
        "Tin": ("0", "0", "even"),
    }


def test_days_around_days_off_count_where_a_holiday_is_among_them():
    """Wednesday 11, Friday 13 and Saturday 21 March are holidays; the last one is off anyway."""
    rule = a_rule(person_ids=(MIRA,), holidays=tuple(date(2026, 3, day) for day in (11, 13, 21)))
    of_mira = [spread(a_plan(rule), first, first).of(User(id=MIRA)) for first in range(15)]

    assert [9 + first for first, each in enumerate(of_mira) if each.beside_holidays] == [10, 12, 16]


def test_the_first_day_of_a_rule_is_beside_no_holiday():
    assert spread(a_plan(a_rule(days=frozenset(range(7)))), 0, 0).standings[0].beside_holidays == 0


def test_duty_round_the_clock_is_counted_by_the_days_it_begins_on():
    weekly = a_rule(until=time(9), days=frozenset(range(7)), turn_unit=TurnUnit.WEEKS)
    found = spread(a_plan(weekly), last=13)

    assert {each.person.first_name: each.total for each in found.standings} == {"Mira": 7, "Tin": 7, "Ana": 0}
    assert found.of(User(id=TIN)).on_weekday(6) == 1


def test_the_last_day_of_a_rule_ends_where_the_next_one_begins():
    night = a_rule(person_ids=(MIRA,), handoff=time(20), until=time(8), days=frozenset(range(7)))
    day = a_rule(person_ids=(TIN,), start_on=MONDAY + timedelta(days=2), handoff=time(2), until=time(14))
    found = spread(a_plan(night, day), last=2)

    assert {each.person.first_name: each.days for each in found.standings} == {
        "Mira": {date(2026, 3, 9): 1, date(2026, 3, 10): 0.5},
        "Tin": {date(2026, 3, 11): 1},
    }


def test_the_fairest_is_most_behind_then_has_least_of_the_weekday_then_waits_longest():
    four = a_plan(a_rule(person_ids=(MIRA, TIN, ANA, IDA), handoff=time(9)))
    people = list(four.people.values())
    behind = spread(a_plan(a_rule(person_ids=tuple(NAMES)), overrides=[Override(at(0, 9), at(0, 17), TIN)]), last=3)
    assert [each.id for each in by_fairness(behind, people, MONDAY)] == [MIRA, ANA, IDA, TIN]

    even = spread(four, last=3)
    assert [each.id for each in by_fairness(even, people, MONDAY + timedelta(days=7))] == [TIN, ANA, IDA, MIRA]
    assert [each.id for each in by_fairness(even, people, MONDAY + timedelta(days=4))] == [MIRA, TIN, ANA, IDA]


def test_the_reason_says_how_far_behind_and_since_when_no_such_day():
    found = spread(a_plan(overrides=[Override(at(n, 9), at(n, 17), TIN) for n in (3, 4)]))
    ana, mira = (found.of(User(id=key)) for key in (ANA, MIRA))

    assert reason(ana, MONDAY + timedelta(days=18)) == "0.3 days behind, no Friday lately"
    assert reason(mira, MONDAY + timedelta(days=14)) == "0.3 days behind, no Monday since 9 Mar"


@pytest.mark.parametrize(
    ("balance", "words"),
    [
        (0.04, "even"),
        (-0.04, "even"),
        (0.96, "1 day ahead"),
        (-1.5, "1.5 days behind"),
        (-1, "1 day behind"),
        (12, "12 days ahead"),
    ],
)
def test_a_balance_is_said_in_words(balance, words):
    assert balance_in_words(balance) == words


hours = st.integers(0, 24 * 40)
people = st.sampled_from(sorted(NAMES))


@st.composite
def rules(draw, **fixed):
    """Draw a rule of up to four people; of none of its days is anything said but that they are worked."""
    around_the_clock = draw(st.booleans())
    handoff = time(draw(st.integers(0, 23)))
    return a_rule(
        **{
            "zone": ZoneInfo(draw(st.sampled_from(ZONES))),
            "person_ids": tuple(draw(st.lists(people, min_size=1, max_size=4, unique=True))),
            "handoff": handoff,
            "until": handoff if around_the_clock else time(draw(st.integers(0, 23))),
            "days": frozenset(draw(st.sets(st.integers(0, 6), min_size=1))),
            "turn_length": draw(st.integers(1, 3)),
            "turn_unit": draw(st.sampled_from(list(TurnUnit))),
            "holidays": tuple(MONDAY + timedelta(days=n) for n in draw(st.sets(st.integers(1, 40), max_size=5))),
        }
        | fixed
    )


@st.composite
def plans(draw):
    """Draw a plan whose rule changes once, over which some stand in and in which some are away."""
    first, then = draw(rules()), draw(rules(start_on=MONDAY + timedelta(days=draw(st.integers(1, 30)))))
    layers = [
        Override(at(0, start), at(0, start + length), who)
        for start, length, who in draw(st.lists(st.tuples(hours, st.integers(1, 60), people), max_size=5))
    ]
    away = [
        Away(who, at(0, start), at(0, start + length) if length else None)
        for who, start, length in draw(st.lists(st.tuples(people, hours, st.integers(0, 200)), max_size=4))
    ]
    return a_plan(first, then, overrides=layers, away=away)


@given(plans(), st.integers(-5, 45), st.integers(0, 40))
def test_all_balances_add_up_to_nothing_and_parts_to_the_whole(plan, first, length):
    found = spread(plan, first, first + length, now=20)

    assert sum(each.balance for each in found.standings) == pytest.approx(0, abs=1e-9)
    for each in found.standings:
        assert sum(each.on_weekday(weekday) for weekday in found.weekdays) == pytest.approx(each.total)
        assert sum(each.in_month(month) for month in found.months) == pytest.approx(each.total)
        assert -1e-9 <= each.to_come <= each.total + 1e-9
        assert set(each.done) <= set(found.months)
        assert 0 <= each.beside_holidays <= each.total + 1e-9


@given(plans(), st.integers(0, 40))
def test_two_periods_add_up_to_the_one_that_both_are(plan, cut):
    whole, one, other = spread(plan, 0, 41), spread(plan, 0, cut), spread(plan, cut + 1, 41)

    for each in whole.standings:
        parts = one.of(each.person), other.of(each.person)
        assert sum(part.total for part in parts) == pytest.approx(each.total)
        assert sum(part.share for part in parts) == pytest.approx(each.share)


@given(rules(), st.integers(1, 30), st.lists(st.tuples(hours, st.integers(1, 60)), max_size=3))
def test_whoever_joins_owes_nothing_of_before(rule, day, times):
    ida_joins = a_rule(start_on=MONDAY + timedelta(days=day), person_ids=(*rule.person_ids, 5))
    layers = [Override(at(0, start), at(0, start + length), MIRA) for start, length in times]
    plan = a_plan(rule, ida_joins, overrides=layers)
    plan.people[5] = User(id=5, name="New Person")

    assert spread(plan, 0, day - 1).of(plan.people[5]).share == 0
    after = spread(plan, day, 41)
    assert spread(plan, 0, 41).of(plan.people[5]).share == pytest.approx(after.of(plan.people[5]).share)


@given(rules(zone=ZoneInfo("UTC")), people, st.data())
def test_a_swap_moves_exactly_its_hours(rule, taker, draw):
    plan = a_plan(rule)
    there = [shift for shift in shifts(plan.schedule, at(0), at(40)) if shift.person_id != taker]
    if not there:
        return
    shift = draw.draw(st.sampled_from(there))
    length = int((shift.end - shift.start) / timedelta(hours=1))
    start = draw.draw(st.integers(0, length - 1))
    end = draw.draw(st.integers(start + 1, length))
    swap = Override(shift.start + timedelta(hours=start), shift.start + timedelta(hours=end), taker)
    before, after = spread(plan, -1, 80), spread(a_plan(rule, overrides=[swap]), -1, 80)

    moved = timedelta(hours=end - start) / timedelta(minutes=rule.minutes)
    for key, person in plan.people.items():
        expected = moved if key == taker else -moved if key == shift.person_id else 0
        assert after.of(person).total - before.of(person).total == pytest.approx(expected, abs=1e-9)
        assert after.of(person).share == pytest.approx(before.of(person).share)
