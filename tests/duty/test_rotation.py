"""Who is on duty: the rule, the clocks, the layers, and that no two answers disagree."""

import time as stopwatch
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bugintake.duty.rotation import Away, Override, Schedule, person_on_duty, shift_at, shifts
from bugintake.duty.turns import Rule, TurnUnit

A, B, C, D, E = 1, 2, 3, 4, 5
BERLIN = ZoneInfo("Europe/Berlin")
CHICAGO = ZoneInfo("America/Chicago")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = ["Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "America/Havana"]
EVERY_DAY = frozenset(range(7))
MONDAY = date(2026, 9, 14)
HOLIDAYS = tuple(MONDAY + timedelta(days=30 * n + 1) for n in range(120))


def a_rule(**changed):
    return Rule(**({"zone": BERLIN, "start_on": MONDAY, "person_ids": (A, B, C, D, E)} | changed))


def at(wall, zone=BERLIN):
    return datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)


def line_up(rule, days=28, overrides=()):
    """Who is on duty on each day of some weeks, as a string per week."""
    start = datetime.combine(rule.start_on, time(0), rule.zone)
    weeks = []
    for week in range(days // 7):
        since = start + timedelta(weeks=week)
        weeks.append(
            "".join(str(s.person_id) for s in shifts(Schedule([rule], overrides), since, since + timedelta(7)))
        )
    return weeks


def test_five_people_with_a_day_each_come_back_on_the_same_weekday():
    assert line_up(a_rule()) == ["12345"] * 4


def test_a_weekend_does_not_use_up_a_turn_of_two_working_days():
    rule = a_rule(person_ids=(A, B, C), turn_length=2)

    assert line_up(rule) == ["11223", "31122", "33112", "23311"]


def test_a_holiday_does_not_use_up_a_turn():
    rule = a_rule(holidays=(date(2026, 9, 16), date(2026, 9, 20)))

    assert line_up(rule, days=14) == ["1234", "51234"]


def test_a_week_in_turn_that_starts_on_a_thursday_still_hands_over_on_mondays():
    rule = a_rule(
        start_on=date(2026, 9, 17),
        counted_from=MONDAY,
        turn_unit=TurnUnit.WEEKS,
        person_ids=(A, B),
    )
    found = shifts(Schedule([rule]), at("2026-09-14"), at("2026-09-29"))

    assert [(s.start.astimezone(BERLIN).day, s.person_id) for s in found] == (
        [(17, A), (18, A), (21, B), (22, B), (23, B), (24, B), (25, B), (28, A)]
    )


def test_a_month_counted_from_the_31st_ends_on_the_last_day_of_short_months():
    rule = a_rule(
        start_on=date(2027, 1, 31),
        handoff=time(0),
        until=time(0),
        days=EVERY_DAY,
        turn_unit=TurnUnit.MONTHS,
        zone=ZoneInfo("UTC"),
    )
    found = shifts(Schedule([rule]), at("2027-02-01", UTC), at("2027-05-15", UTC))

    assert [s.start.date() for s in found] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]


def test_turns_of_hours_are_not_used_up_by_the_night():
    rule = a_rule(turn_unit=TurnUnit.HOURS, turn_length=3)
    found = shifts(Schedule([rule]), at("2026-09-14"), at("2026-09-16"))

    assert [(s.start.astimezone(BERLIN).hour, s.end.astimezone(BERLIN).hour, s.person_id) for s in found] == [
        (9, 12, A),
        (12, 15, B),
        (15, 17, C),
        (9, 10, C),
        (10, 13, D),
        (13, 16, E),
        (16, 17, A),
    ]


def test_a_handoff_at_nine_is_at_nine_before_and_after_the_clocks_change():
    found = shifts(Schedule([a_rule(start_on=date(2026, 10, 19))]), at("2026-10-23"), at("2026-10-27"))

    assert [s.start for s in found] == [at("2026-10-23T07:00", UTC), at("2026-10-26T08:00", UTC)]


@pytest.mark.parametrize(
    ("zone", "skipped", "first_that_exists"),
    [
        (CHICAGO, "2020-03-08T02:30", "2020-03-08T03:00"),
        (LORD_HOWE, "2020-10-04T02:15", "2020-10-04T02:30"),
        (ZoneInfo("Pacific/Apia"), "2011-12-30T09:00", "2011-12-31T00:00"),
    ],
)
def test_a_handoff_that_the_clocks_skip_moves_to_the_first_time_that_exists(zone, skipped, first_that_exists):
    wall = datetime.fromisoformat(skipped)
    rule = a_rule(
        zone=zone,
        start_on=wall.date() - timedelta(days=4),
        handoff=wall.time(),
        until=wall.time(),
        days=EVERY_DAY,
    )
    handoff = at(first_that_exists, zone)
    before, after = shifts(Schedule([rule]), handoff - timedelta(seconds=1), handoff + timedelta(seconds=1))

    assert before.end == after.start == handoff
    assert (before.person_id, after.person_id) == (D, E)


def test_a_handoff_in_the_doubled_hour_happens_once_at_its_first_occurrence():
    rule = a_rule(zone=CHICAGO, start_on=date(2020, 10, 26), handoff=time(1, 30), until=time(1, 30), days=EVERY_DAY)
    found = shifts(Schedule([rule]), at("2020-10-31T12:00", CHICAGO), at("2020-11-02T12:00", CHICAGO))

    assert [s.start for s in found[1:]] == [at("2020-11-01T06:30", UTC), at("2020-11-02T07:30", UTC)]
    assert all(a.end == b.start for a, b in pairwise(found))


def test_nobody_is_on_duty_before_the_start_outside_the_hours_or_after_the_end():
    schedule = Schedule([a_rule()], ends_at=at("2026-09-15T12:00"))

    assert [person_on_duty(schedule, at(wall)) for wall in ("2026-09-11T12:00", "2026-09-14T08:59")] == [None, None]
    assert person_on_duty(schedule, at("2026-09-14T09:00")) == A
    assert person_on_duty(schedule, at("2026-09-14T17:00")) is None
    assert person_on_duty(schedule, at("2026-09-15T11:59")) == B
    assert person_on_duty(schedule, at("2026-09-15T12:00")) is None


def test_an_override_of_an_hour_splits_a_shift_in_three_and_taking_it_back_restores_it():
    override = Override(at("2026-09-15T12:00"), at("2026-09-15T13:00"), E, id=7)
    day = (at("2026-09-15"), at("2026-09-16"))
    found = shifts(Schedule([a_rule()], [override]), *day)

    assert [(s.person_id, s.instead_of_id, s.override_id) for s in found] == [
        (B, None, None),
        (E, B, 7),
        (B, None, None),
    ]
    assert found[0].end == found[1].start == override.start
    assert found[1].end == found[2].start == override.end
    assert shifts(Schedule([a_rule()]), *day) == [shift_at(Schedule([a_rule()]), at("2026-09-15T12:30"))]


def test_an_override_over_two_days_is_one_shift_that_names_whom_it_replaces_first():
    override = Override(at("2026-09-15T12:00"), at("2026-09-16T12:00"), E)
    found = shifts(Schedule([a_rule()], [override]), at("2026-09-16T10:00"), at("2026-09-16T11:00"))

    assert [(s.start, s.end, s.person_id, s.instead_of_id) for s in found] == [(override.start, override.end, E, B)]


def test_a_new_rule_takes_over_on_its_day_and_leaves_the_past_alone():
    old, new = a_rule(), a_rule(start_on=date(2026, 9, 16), person_ids=(D, A), zone=CHICAGO, handoff=time(8))
    week = (at("2026-09-14"), at("2026-09-19"))
    found = shifts(Schedule([old, new]), *week)

    assert [s.person_id for s in found] == [A, B, C, D, A, D]
    assert found[2].end == found[3].start == at("2026-09-16T08:00", CHICAGO)
    assert found[:2] == shifts(Schedule([old]), *week)[:2]


def test_whoever_is_away_is_stood_in_for_by_the_next_in_the_order():
    away = [Away(B, at("2026-09-15T12:00")), Away(C, at("2026-09-15T14:00"), at("2026-09-15T15:00"))]
    found = shifts(Schedule([a_rule()], away=away), at("2026-09-15"), at("2026-09-17"))

    assert [(s.start.astimezone(BERLIN).hour, s.person_id, s.instead_of_id) for s in found] == (
        [(9, B, None), (12, C, B), (14, D, B), (15, C, B), (9, C, None)]
    )


def test_when_everybody_is_away_the_gap_is_listed():
    away = [Away(A, at("2026-01-01"))]
    schedule = Schedule([a_rule(person_ids=(A,))], away=away)

    assert [(s.person_id, s.instead_of_id) for s in shifts(schedule, at("2026-09-14"), at("2026-09-15"))] == [(None, A)]


def test_the_same_person_every_week_is_found_decades_from_the_start():
    rule = a_rule(start_on=date(1990, 1, 1), turn_unit=TurnUnit.WEEKS)
    weeks = (date(2026, 9, 14) - date(1990, 1, 1)).days // 7

    assert person_on_duty(Schedule([rule]), at("2026-09-16T12:00")) == rule.person_ids[weeks % 5]


rules = st.builds(
    Rule,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    start_on=st.dates(date(2009, 1, 1), date(2011, 12, 31)),
    person_ids=st.integers(1, 6).map(lambda count: tuple(range(1, count + 1))),
    handoff=st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0)),
    until=st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0)),
    days=st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    turn_length=st.integers(1, 9),
    turn_unit=st.sampled_from(TurnUnit),
    holidays=st.lists(st.dates(date(2010, 1, 1), date(2013, 1, 1)), max_size=9).map(tuple),
)
instants = st.timedeltas(timedelta(0), timedelta(days=1100)).map(
    lambda later: datetime(2009, 12, 1, tzinfo=UTC) + later
)
spans = st.tuples(instants, st.timedeltas(timedelta(minutes=1), timedelta(days=9)))
layers = st.lists(
    st.builds(lambda span, person: Override(span[0], sum(span[1:], span[0]), person), spans, st.integers(1, 9))
)
absences = st.lists(st.builds(lambda span, person: Away(person, span[0], span[0] + span[1]), spans, st.integers(1, 6)))
schedules = st.builds(Schedule, st.lists(rules, min_size=1, max_size=3), layers, absences)


@settings(max_examples=80, deadline=None)
@given(schedules, instants)
def test_a_list_of_shifts_and_a_single_question_give_the_same_answer(schedule, now):
    found = shifts(schedule, now - timedelta(days=3), now + timedelta(days=10))

    assert all(s.start < s.end for s in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert [s for s in found if s.start <= now < s.end] == [s for s in [shift_at(schedule, now)] if s]
    for shift in found:
        assert shift_at(schedule, shift.start) == shift_at(schedule, shift.end - timedelta(microseconds=1)) == shift


@pytest.mark.fault("F-C2")
@settings(max_examples=80, deadline=None)
@given(rules, instants)
def test_round_the_clock_every_instant_has_exactly_one_person(rule, now):
    covered = Rule(**{**{f: getattr(rule, f) for f in rule.__dataclass_fields__}, "days": EVERY_DAY, "holidays": ()})
    covered = Rule(**{**{f: getattr(covered, f) for f in rule.__dataclass_fields__}, "until": rule.handoff})
    since = max(now, covered.begins_at)
    found = shifts(Schedule([covered]), since, since + timedelta(days=40))

    assert found[0].start <= since
    assert found[-1].end >= since + timedelta(days=40)
    assert all(a.end == b.start for a, b in pairwise(found))


@settings(max_examples=60, deadline=None)
@given(rules, instants, layers)
def test_taking_layers_back_restores_exactly_what_was_there(rule, now, overrides):
    span = (now, now + timedelta(days=20))
    without = Schedule([rule])
    beside = [o for o in overrides if o.end <= now or o.start >= span[1]]

    assert shifts(Schedule([rule], [], []), *span) == shifts(without, *span)
    if all(shift.start >= now and shift.end <= span[1] for shift in shifts(without, *span)):
        assert shifts(Schedule([rule], beside), *span) == shifts(without, *span)


@settings(max_examples=80, deadline=None)
@given(rules, instants, layers, absences)
def test_whoever_is_away_is_not_on_duty_and_a_gap_is_only_where_everybody_is(rule, now, overrides, away):
    since, to = max(now, rule.begins_at), max(now, rule.begins_at) + timedelta(days=20)
    schedule = Schedule([rule], overrides, away)
    found = shifts(schedule, since, to)
    planned = shifts(Schedule([rule]), since, to)

    for shift in found:
        assert not [a for a in away if a.person_id == shift.person_id and a.start < shift.end and a.end > shift.start]
        if shift.person_id is None:
            middle = shift.start + (shift.end - shift.start) / 2
            assert {a.person_id for a in away if a.start <= middle < a.end} >= set(rule.person_ids)
    edges = sorted({since, *(at for s in [*found, *planned] for at in (s.start, s.end) if since <= at < to)})
    covered = [at for at in edges if any(s.start <= at < s.end for s in planned)]
    assert [at for at in covered if sum(s.start <= at < s.end for s in found) != 1] == []
    assert shifts(replace(schedule, overrides=(), away=()), since, to) == planned


def test_an_override_holds_only_while_its_person_is_there():
    noon, end = at("2026-09-14T12:00"), at("2026-09-14T17:00")
    override = Override(at("2026-09-14T09:00"), end, E)
    found = shifts(Schedule([a_rule()], [override], [Away(E, noon, noon + timedelta(hours=1))]), noon, end)

    assert [(s.person_id, s.instead_of_id) for s in found] == [(A, None), (E, A)]
    under = Override(at("2026-09-14T09:00"), end, D)
    found = shifts(Schedule([a_rule()], [under, override], [Away(E, noon, end)]), noon, end)
    assert [(s.person_id, s.instead_of_id) for s in found] == [(D, A)]


@pytest.mark.parametrize(("holidays", "absence_count"), [((), 0), (HOLIDAYS, 1000)])
def test_ten_years_with_fifty_people_and_five_hundred_overrides_take_no_time(holidays, absence_count):
    rule = a_rule(person_ids=tuple(range(1, 51)), turn_length=2, holidays=holidays)
    start = at("2026-09-14T00:00", UTC)
    overrides = [
        Override(start + timedelta(days=7 * n, hours=10), start + timedelta(days=7 * n, hours=12), 99, id=n)
        for n in range(500)
    ]
    away = [
        Away(1 + n % 50, start + timedelta(days=3.6 * n), start + timedelta(days=3.6 * n + n % 9))
        for n in range(absence_count)
    ]
    schedule = Schedule([rule], overrides, away)

    def fastest(call, times):
        spent = []
        for _ in range(times):
            began = stopwatch.process_time()
            call()
            spent.append(stopwatch.process_time() - began)
        return min(spent)

    assert len(shifts(schedule, start, start + timedelta(days=3652))) > 2600 - len(holidays)
    assert fastest(lambda: shifts(schedule, start, start + timedelta(days=3652)), 10) < 0.05
    assert fastest(lambda: person_on_duty(schedule, start + timedelta(days=3000, hours=10)), 20) < 0.001
