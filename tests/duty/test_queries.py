"""Who is on duty, asked of the database: one query, the same answer for everybody."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.duty import absences, overrides, queries, roster
from bugintake.duty.plans import load_plan
from bugintake.duty.roster import Terms
from tests.duty.conftest import make_rotation


def test_somebody_is_on_duty_in_the_hours_and_nobody_outside(rotation, tin, clock):
    now = queries.on_duty_now()

    assert now.person == tin
    assert (now.shift.start.hour, now.shift.end.hour, now.shift.zone.key) == (9, 17, "Europe/Berlin")
    clock.set(datetime(2026, 3, 10, 16, tzinfo=UTC))
    assert queries.on_duty_now() is None


def test_without_a_rotation_nobody_is_on_duty(company):
    assert queries.on_duty_now() is None
    assert queries.on_duty() is None
    assert queries.default_rotation() is None
    assert queries.planned_shifts(datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC)) == []


def test_who_is_on_duty_takes_one_query_however_many_people_and_layers(rotation, mira, ana, petra):
    db.session.rollback()
    asked = []
    listen = lambda _c, _cur, statement, *_: asked.append(statement)  # noqa: E731
    sa.event.listen(db.engine, "before_cursor_execute", listen)
    queries.on_duty_now()
    sa.event.remove(db.engine, "before_cursor_execute", listen)

    assert len([statement for statement in asked if statement.startswith("SELECT")]) == 1


def test_a_layer_is_read_once_however_many_rules_there_are(rotation, mira, tin, ana, petra, clock):
    with transaction():
        for day in (16, 18, 20):
            terms = Terms(
                "Europe/Berlin", date(2026, 3, day), time(9), time(17), range(5), [mira, tin], moves_published=True
            )
            roster.change_rotation(rotation, terms, actor=petra)
        start = datetime(2026, 3, 11, 8, tzinfo=UTC)
        overrides.stand_in(rotation, mira, start, start + timedelta(hours=1), actor=petra)
        absences.note_absence(ana, date(2026, 3, 12), date(2026, 3, 12), actor=ana)
    schedule = load_plan(clock.now(), clock.now(), rotation).schedule

    assert (len(schedule.rules), len(schedule.overrides), len(schedule.away)) == (4, 1, 1)


def test_the_next_shift_is_named_with_its_person(rotation, ana, clock):
    plan = queries.current_plan()
    following = queries.next_shift(queries.on_duty_now().shift.shift.end, plan)

    assert (following.person, following.on) == (ana, date(2026, 3, 11))


def test_a_persons_next_shifts_come_from_every_rotation(rotation, tin):
    make_rotation([tin], name="Mobile", days=[5])

    assert [(s.rotation.name, s.on.day) for s in queries.upcoming_shifts(tin, count=3)] == [
        ("Bug duty", 10),
        ("Bug duty", 13),
        ("Mobile", 14),
    ]


def test_a_rotation_that_does_not_exist_is_not_found(rotation):
    assert queries.rotation_or_404(rotation.id) == rotation
    with pytest.raises(NotFound):
        queries.rotation_or_404(rotation.id + 1)


def test_a_range_that_makes_no_sense_is_refused_in_words(rotation):
    for since, to in [
        (datetime(2026, 3, 11, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2037, 1, 1, tzinfo=UTC)),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(2, 1, 1, tzinfo=UTC)),
        (datetime(9998, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)),
    ]:
        with pytest.raises(Invalid):
            queries.planned_shifts(since, to)


def test_ten_years_can_be_asked_for(rotation):
    since = datetime(2026, 3, 9, tzinfo=UTC)

    assert len(queries.planned_shifts(since, since + timedelta(days=3650))) > 2600
