"""When people are told that it is their turn."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from bugintake.core.db import db, transaction
from bugintake.duty import overrides, roster
from bugintake.duty.reminders import due_reminders
from bugintake.duty.turns import TurnUnit
from bugintake.team.models import User
from tests.duty.conftest import make_rotation


def told_by(when):
    return [(r.person.first_name, r.shift.on) for r in due_reminders(when)]


def at(day, hour, minute=0):
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def test_nobody_is_told_before_four_in_the_afternoon_where_they_are(rotation):
    # Ana's Wednesday: 16:00 in New York is 20:00 UTC, for her a day earlier.
    assert told_by(at(10, 19, 59)) == []
    assert told_by(at(10, 20)) == [("Ana", date(2026, 3, 11))]


def test_mondays_duty_is_told_on_friday(rotation):
    assert told_by(at(13, 19, 59)) == []
    assert told_by(at(13, 20)) == [("Ana", date(2026, 3, 16))]


def test_a_reminder_says_who_was_before_and_which_days_follow(rotation, tin, clock):
    [reminder] = due_reminders(at(10, 21))

    assert (reminder.previous, reminder.zone.key) == (tin, "Europe/Berlin")
    assert [shift.on.day for shift in reminder.next_shifts] == [16, 19, 24]
    assert reminder.due_at == at(10, 20)


def test_once_the_shift_has_begun_nobody_is_told_about_it(rotation):
    assert told_by(at(11, 7, 59)) == [("Ana", date(2026, 3, 11))]
    assert told_by(at(11, 8)) == []


def test_a_turn_of_several_days_is_one_reminder_with_one_key(mira, tin):
    make_rotation([mira, tin], turn_days=3)
    first = due_reminders(at(11, 16))
    second = due_reminders(at(12, 16))

    assert [(r.person.first_name, r.shift.on.day) for r in first] == [("Tin", 12)]
    assert [(r.person.first_name, r.shift.on.day) for r in second] == [("Tin", 13)]
    assert first[0].key == second[0].key


def test_the_same_turn_keeps_its_key_however_often_it_is_asked(rotation):
    keys = {
        reminder.key
        for minute in range(0, 600, 7)
        for reminder in due_reminders(at(10, 20) + timedelta(minutes=minute))
    }

    assert len(keys) == 1


def test_a_shift_taken_later_is_told_at_once_under_a_key_of_its_own(rotation, ana, tin, petra, clock):
    clock.set(at(10, 21))
    [before] = due_reminders(clock.now())
    with transaction():
        overrides.stand_in(rotation, tin, at(11, 8), at(11, 16), actor=petra)
    [after] = due_reminders(clock.now())

    assert (before.person, after.person, after.shift.instead_of) == (ana, tin, ana)
    assert before.key != after.key


def test_hours_that_go_back_and_forth_keep_the_name_of_their_day(rotation, ana, tin, petra, clock):
    clock.set(at(10, 21))
    keys = []
    for _ in range(2):
        with transaction():
            override = overrides.stand_in(rotation, tin, at(11, 8), at(11, 16), actor=petra)
        keys += [reminder.key for reminder in due_reminders(clock.now())]
        with transaction():
            overrides.take_back(override, actor=petra)

    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_hours_of_one_day_are_one_reminder_that_knows_all_of_them(rotation, ana, tin, petra, clock):
    """Tin takes two hours of Ana's day; what she has before and after is still one turn of hers."""
    for hour in (9, 13):
        with transaction():
            overrides.stand_in(rotation, tin, at(11, hour), at(11, hour + 1), actor=petra)

    found = {r.person: [shift.start.hour for shift in r.shifts] for r in due_reminders(at(10, 21))}
    assert found == {ana: [9, 11, 15], tin: [10, 14]}
    assert [shift.on.day for r in due_reminders(at(10, 21)) if r.person == tin for shift in r.next_shifts] == [
        13,
        18,
        23,
    ]


def test_turns_of_hours_that_begin_on_one_day_are_one_reminder(mira, tin):
    """Eight hours of a day, three at a time: on Wednesday Mira, Tin, and Mira again for two of three."""
    hours = roster.Terms(
        "UTC", date(2026, 3, 11), time(9), time(17), range(5), [mira, tin], turn_length=3, turn_unit=TurnUnit.HOURS
    )
    with transaction():
        roster.add_rotation("Desk", hours, actor=None)

    found = due_reminders(at(10, 21))
    assert [(r.person, r.shift.on.day, [shift.start.hour for shift in r.shifts]) for r in found] == [
        (mira, 11, [9, 15]),
        (tin, 11, [12]),
    ]


def test_somebody_who_left_is_not_told_but_who_stands_in_is(rotation, ana, clock):
    with transaction():
        db.session.get_one(User, ana.id).disabled_at = clock.now()

    assert told_by(at(10, 20)) == [("Mira", date(2026, 3, 11))]


@pytest.mark.parametrize("handoff_day", [date(2026, 3, 30), date(2026, 10, 26)])
def test_four_in_the_afternoon_stays_four_when_the_clocks_change(mira, handoff_day):
    make_rotation([mira], start_on=handoff_day)
    friday = datetime.combine(handoff_day - timedelta(days=3), datetime.min.time(), UTC)
    offset = 1 if handoff_day.month == 3 else 2

    assert told_by(friday + timedelta(hours=16 - offset, minutes=-1)) == []
    assert told_by(friday + timedelta(hours=16 - offset)) == [("Mira", handoff_day)]


def test_across_both_clock_changes_each_turn_is_named_once_and_none_is_missed(rotation):
    seen = {}
    for day in range(240):
        for reminder in due_reminders(datetime(2026, 3, 9, 21, tzinfo=UTC) + timedelta(days=day)):
            seen.setdefault(reminder.key, reminder.shift.on)

    workdays = [date(2026, 3, 10) + timedelta(days=n) for n in range(240) if (1 + n) % 7 < 5]
    assert sorted(seen.values())[: len(workdays) - 3] == workdays[: len(workdays) - 3]
