"""What a rule says about a day, and the wall clock it is read from."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bugintake.duty.turns import Rule, TurnUnit
from bugintake.duty.wall_clock import instant, minutes_between
from tests.duty.test_rotation import rules


@pytest.mark.parametrize(
    ("zone", "wall", "utc"),
    [
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("America/Chicago", "2020-03-08T02:30", "2020-03-08T08:00"),
        ("Australia/Lord_Howe", "2020-10-04T02:15", "2020-10-03T15:30"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),
        ("Asia/Kathmandu", "2026-06-01T09:00", "2026-06-01T03:15"),
        ("UTC", "2026-06-01T09:00", "2026-06-01T09:00"),
    ],
)
def test_a_wall_clock_time_is_an_instant_also_where_the_clocks_change(zone, wall, utc):
    assert instant(datetime.fromisoformat(wall), ZoneInfo(zone)) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


def test_minutes_on_the_clock_run_over_midnight():
    assert minutes_between(time(9), time(17)) == 480
    assert minutes_between(time(22), time(6)) == 480
    assert minutes_between(time(9), time(9)) == 1440


@settings(max_examples=80, deadline=None)
@given(rules, st.integers(0, 900))
def test_the_first_day_of_a_turn_is_found_from_any_of_its_days(rule, later):
    day = next(day for day in range(rule.start_on.toordinal() + later, 10**7) if rule.works_on(day))
    for turn, *_ in rule.slots(day):
        first = rule.first_day_of(turn).toordinal()
        turns_before = [turn for turn, *_ in rule.slots(first - 1)] if rule.works_on(first - 1) else []
        assert first <= day
        assert rule.turn_unit is TurnUnit.HOURS or turn not in turns_before


@settings(max_examples=80, deadline=None)
@given(rules, st.integers(0, 900))
def test_counting_worked_days_is_the_same_as_walking_through_them(rule, later):
    start = rule.start_on.toordinal()

    assert rule.worked_days_before(start + later) == sum(rule.works_on(day) for day in range(start, start + later))


@pytest.mark.parametrize("missing", [{"person_ids": ()}, {"days": frozenset()}, {"turn_length": 0}, {"rest": -1}])
def test_a_rule_without_people_days_or_length_cannot_be_made(missing):
    given = {"zone": ZoneInfo("UTC"), "start_on": date(2026, 9, 14), "person_ids": (1,)}
    with pytest.raises(ValueError, match="needs people"):
        Rule(**(given | missing))
