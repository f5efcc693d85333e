"""Working hours: which minutes count, also where the clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bugintake.team.working_hours import WorkingHours

BERLIN = ZoneInfo("Europe/Berlin")
CHICAGO = ZoneInfo("America/Chicago")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")
WEEK = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
OFFICE = WorkingHours(BERLIN, WEEK, time(9), time(17))

ZONES = st.sampled_from([BERLIN, CHICAGO, LORD_HOWE, APIA, ZoneInfo("Asia/Kathmandu"), ZoneInfo("UTC")])
BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 31 * 365 * 24 * 60).map(lambda minutes: BEGINNING + timedelta(minutes=minutes))
MINUTES = st.integers(0, 1500)


@st.composite
def any_hours(draw):
    days = frozenset(draw(st.sets(st.integers(0, 6), min_size=1)))
    start = draw(st.integers(0, 1409))
    end = draw(st.integers(start + 30, 1439))
    off = frozenset(draw(st.sets(st.dates(date(2010, 1, 1), date(2039, 1, 1)), max_size=5)))
    return WorkingHours(draw(ZONES), days, time(start // 60, start % 60), time(end // 60, end % 60), off)


def at(wall, zone=BERLIN):
    return datetime.fromisoformat(wall).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-09-14 10:00", 30, "2026-09-14 10:30"),
        ("2026-09-14 16:50", 30, "2026-09-15 09:20"),
        ("2026-09-14 16:30", 30, "2026-09-14 17:00"),
        ("2026-09-14 17:00", 30, "2026-09-15 09:30"),
        ("2026-09-18 16:50", 30, "2026-09-21 09:20"),
        ("2026-09-19 12:00", 30, "2026-09-21 09:30"),
        ("2026-09-14 06:00", 480, "2026-09-14 17:00"),
        ("2026-09-14 06:00", 481, "2026-09-15 09:01"),
        ("2026-09-14 09:00", 5 * 480, "2026-09-18 17:00"),
        ("2026-09-14 20:00", 0, "2026-09-14 20:00"),
    ],
)
def test_only_working_minutes_count(start, minutes, end):
    assert OFFICE.add_working(at(start), minutes) == at(end)


def test_a_holiday_does_not_count():
    hours = WorkingHours(BERLIN, WEEK, time(9), time(17), frozenset({date(2026, 9, 15)}))

    assert hours.add_working(at("2026-09-14 16:50"), 30) == at("2026-09-16 09:20")
    assert hours.previous_working_day(date(2026, 9, 16)) == date(2026, 9, 14)
    assert not hours.is_open(at("2026-09-15 10:00"))


def test_nine_is_nine_before_and_after_the_clocks_change():
    """Friday to Monday over 25 October 2026, when Berlin falls back."""
    ends = OFFICE.add_working(at("2026-10-23 16:59"), 2)

    assert ends == at("2026-10-26 09:01")
    assert ends - at("2026-10-23 16:59").astimezone(UTC) == timedelta(hours=65, minutes=2)


@pytest.mark.parametrize(
    ("zone", "day", "real_hours"),
    [
        (BERLIN, "2026-03-29", 23),
        (BERLIN, "2026-10-25", 25),
        (LORD_HOWE, "2026-10-04", 23.5),
        (LORD_HOWE, "2026-04-05", 24.5),
    ],
)
def test_minutes_are_real_ones_on_the_day_the_clocks_change(zone, day, real_hours):
    hours = WorkingHours(zone, EVERY_DAY, time(0, 30), time(23, 30))

    assert hours.working_minutes(at(f"{day} 00:00", zone), at(f"{day} 23:59", zone)) == (real_hours - 1) * 60


@pytest.mark.parametrize(
    ("zone", "day", "opens", "first"),
    [
        (CHICAGO, "2020-03-08", time(2, 30), "2020-03-08T08:00+00:00"),
        (LORD_HOWE, "2020-10-04", time(2, 15), "2020-10-03T15:30+00:00"),
    ],
)
def test_an_hour_the_clocks_skip_becomes_the_first_that_exists(zone, day, opens, first):
    hours = WorkingHours(zone, EVERY_DAY, opens, time(20))

    assert hours.next_open(at(f"{day} 00:00", zone)) == datetime.fromisoformat(first)


def test_a_day_that_a_zone_skips_has_no_hours():
    """Samoa went from Thursday 29 to Saturday 31 December 2011."""
    hours = WorkingHours(APIA, EVERY_DAY, time(9), time(17))

    assert hours.add_working(at("2011-12-29 16:00", APIA), 90) == at("2011-12-31 09:30", APIA)


def test_before_monday_comes_friday():
    assert OFFICE.previous_working_day(date(2026, 9, 14)) == date(2026, 9, 11)


def test_it_is_open_from_the_first_minute_to_before_the_last():
    assert [OFFICE.is_open(at(f"2026-09-14 {wall}")) for wall in ("08:59", "09:00", "16:59", "17:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert not OFFICE.is_open(at("2026-09-13 12:00"))


def test_an_instant_in_working_hours_is_its_own_next_opening():
    assert OFFICE.next_open(at("2026-09-14 11:11")) == at("2026-09-14 11:11")
    assert OFFICE.next_open(at("2026-09-11 17:00")) == at("2026-09-14 09:00")


@pytest.mark.parametrize(
    "hours",
    [
        (frozenset(), time(9), time(17)),
        (frozenset({7}), time(9), time(17)),
        (WEEK, time(9), time(9)),
        (WEEK, time(17), time(9)),
    ],
)
def test_hours_that_cannot_be_are_refused(hours):
    with pytest.raises(ValueError, match=r"Working hours need|A working day ends"):
        WorkingHours(BERLIN, *hours)


@settings(max_examples=60, deadline=None)
@given(any_hours(), INSTANTS, MINUTES)
def test_as_many_working_minutes_pass_as_were_added(hours, start, minutes):
    end = hours.add_working(start, minutes)

    assert end >= start
    assert end.tzinfo is UTC
    assert abs(hours.working_minutes(start, end) - minutes) < 1e-6


@settings(max_examples=60, deadline=None)
@given(any_hours(), INSTANTS, MINUTES, MINUTES)
def test_minutes_add_up(hours, start, first, second):
    assert hours.add_working(hours.add_working(start, first), second) == hours.add_working(start, first + second)


@settings(max_examples=60, deadline=None)
@given(any_hours(), INSTANTS, INSTANTS, MINUTES)
def test_who_starts_later_ends_later(hours, one, other, minutes):
    early, late = sorted((one, other))

    assert hours.add_working(early, minutes) <= hours.add_working(late, minutes)


@settings(max_examples=60, deadline=None)
@given(any_hours(), INSTANTS)
def test_the_next_opening_is_open_and_nothing_before_it_is(hours, start):
    opens = hours.next_open(start)

    assert hours.is_open(opens)
    assert hours.working_minutes(start, opens) == 0


@settings(max_examples=60, deadline=None)
@given(any_hours(), st.dates(date(2010, 1, 1), date(2039, 1, 1)))
def test_the_previous_working_day_is_the_last_one(hours, day):
    found = hours.previous_working_day(day)

    between = [found + timedelta(days=n) for n in range(1, (day - found).days)]
    assert hours.is_working_day(found)
    assert not any(hours.is_working_day(other) for other in between)


@settings(max_examples=60, deadline=None)
@given(any_hours(), INSTANTS, INSTANTS, MINUTES)
def test_the_latest_start_divides_what_ends_before_an_instant_from_what_does_not(hours, start, end, minutes):
    latest = hours.latest_start(end, minutes)

    assert (start <= latest) == (hours.add_working(start, minutes) < end)
    assert hours.add_working(latest, minutes) < end
    assert hours.add_working(latest + timedelta.resolution, minutes) >= end


@pytest.mark.parametrize(
    ("end", "minutes", "latest"),
    [
        ("2026-09-14 18:00", 480, "2026-09-14 09:00"),
        ("2026-09-15 09:00", 480, "2026-09-14 09:00"),
        ("2026-09-15 09:30", 30, "2026-09-14 16:59:59.999999"),
        ("2026-09-14 17:00", 480, "2026-09-11 16:59:59.999999"),
        ("2026-09-14 20:00", 0, "2026-09-14 19:59:59.999999"),
    ],
)
def test_what_ends_at_the_very_instant_has_not_ended_before_it(end, minutes, latest):
    assert OFFICE.latest_start(at(end), minutes) == at(latest)
