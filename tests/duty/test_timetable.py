"""The plan laid out in weeks."""

from datetime import UTC, date, datetime, time, timedelta

from bugintake.core.db import transaction
from bugintake.duty import overrides, queries, roster
from bugintake.duty.plans import load_plan
from bugintake.duty.timetable import changes, monday_of, timetable
from tests.duty.conftest import make_rotation
from tests.duty.test_roster import terms

MONDAY, TODAY = date(2026, 3, 9), date(2026, 3, 10)


def shown(plan, weeks=1):
    table = timetable(plan, MONDAY, weeks, TODAY)
    return [
        [(cell.when, [part.planned.person.first_name for part in cell.parts]) for cell in week.cells]
        for week in table.weeks
    ]


def test_neighbouring_days_of_one_person_share_a_cell_and_today_stands_alone(mira, tin):
    make_rotation([mira, tin], turn_days=3)

    assert shown(queries.current_plan(), weeks=2) == [
        [
            ("Mon 9 Mar", ["Mira"]),
            ("Tue 10 Mar", ["Mira"]),
            ("Wed 11 Mar", ["Mira"]),
            ("Thu 12 Mar to Fri 13 Mar", ["Tin"]),
        ],
        [("Mon 16 Mar", ["Tin"]), ("Tue 17 Mar to Thu 19 Mar", ["Mira"]), ("Fri 20 Mar", ["Tin"])],
    ]


def test_a_day_that_two_people_share_shows_both(rotation, ana, petra):
    noon = datetime(2026, 3, 12, 11, tzinfo=UTC)
    with transaction():
        overrides.stand_in(rotation, ana, noon, noon + timedelta(hours=1), actor=petra)
    [week] = timetable(queries.current_plan(), MONDAY, 1, TODAY).weeks
    [thursday] = [cell for cell in week.cells if cell.days == (date(2026, 3, 12),)]

    assert thursday.is_split
    assert [(p.planned.person.first_name, p.start.hour, p.end.hour) for p in thursday.parts] == (
        [("Mira", 9, 12), ("Ana", 12, 13), ("Mira", 13, 17)]
    )


def test_hours_that_run_overnight_belong_to_the_day_they_begin_on(mira, tin):
    with transaction():
        night = terms([mira, tin], start_on=MONDAY, handoff=time(20), until=time(6), runs_overnight=True)
        roster.add_rotation("Night", night, actor=None)

    assert [names for _, names in shown(queries.current_plan())[0]] == [["Mira"], ["Tin"], ["Mira"], ["Tin"], ["Mira"]]


def test_the_weekend_is_a_column_only_where_somebody_works(mira):
    make_rotation([mira])
    assert timetable(queries.current_plan(), MONDAY, 1, TODAY).headings == ["Mon", "Tue", "Wed", "Thu", "Fri"]

    weekend = make_rotation([mira], name="Weekend", days=[5, 6])
    plan = load_plan(queries.clock.now(), queries.clock.now(), weekend)
    assert timetable(plan, MONDAY, 1, TODAY).headings == ["Sat", "Sun"]


def test_a_change_names_the_days_each_person_gets_and_loses(rotation, mira, tin, ana):
    before = queries.current_plan()
    after = roster.preview(terms([mira, tin]), rotation)
    since = datetime(2026, 3, 16, tzinfo=UTC)
    found = {c.person.first_name: (c.gained_on, c.lost_on) for c in changes(before, after, since, since + timedelta(7))}

    assert found == {
        "Ana": ([], ["16 Mar", "19 Mar"]),
        "Mira": (["16 Mar", "18 Mar"], ["17 Mar"]),
        "Tin": (["17 Mar", "19 Mar"], ["18 Mar"]),
    }
    assert changes(before, before, since, since + timedelta(7)) == []


def test_the_monday_of_a_sunday_lies_before_it():
    assert monday_of(date(2026, 3, 15)) == MONDAY
