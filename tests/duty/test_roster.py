"""Making and changing rotations, and each way it is refused."""

from datetime import date, time

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.events import Event
from bugintake.duty import queries, roster
from bugintake.duty.models import Rotation, RotationRule
from bugintake.duty.roster import Terms
from bugintake.duty.turns import TurnUnit
from bugintake.team.models import Role
from tests.duty.conftest import make_rotation
from tests.factories import make_user


def terms(people, **changed):
    given = {
        "zone": "Europe/Berlin",
        "start_on": date(2026, 3, 16),
        "handoff": time(9),
        "until": time(17),
        "days": (0, 1, 2, 3, 4),
        "people": people,
        "moves_published": True,
    }
    return Terms(**(given | changed))


def names(since, to, rotation=None):
    zone = queries.current_plan().zone_at(queries.clock.now())
    shifts = queries.planned_shifts(queries.day_start(since, zone), queries.day_start(to, zone), rotation)
    return [shift.person.first_name if shift.person else None for shift in shifts]


def events_of(kind):
    return db.session.scalars(sa.select(Event).where(Event.kind == kind)).all()


def test_the_first_rotation_is_the_default_one_and_leaves_an_event(rotation, mira, tin, ana, petra):
    other = make_rotation([ana], name="Mobile")

    assert (rotation.is_default, other.is_default) == (True, False)
    assert queries.default_rotation() == rotation
    assert list(queries.rotations()) == [rotation, other]
    [event, _] = events_of("rotation.added")
    assert (event.actor_id, event.after) == (petra.id, "Bug duty")
    assert event.details["person_ids"] == [mira.id, tin.id, ana.id]


def test_people_take_turns_of_working_days_in_order(rotation):
    assert names(date(2026, 3, 9), date(2026, 3, 19)) == ["Mira", "Tin", "Ana", "Mira", "Tin", "Ana", "Mira", "Tin"]


def test_without_an_end_the_day_ends_when_the_company_closes(mira):
    rotation = make_rotation([mira], until=None)
    evening = make_rotation([mira], until=None, handoff=time(18), name="Evening", days=[5])

    [rule] = db.session.scalars(sa.select(RotationRule).where(RotationRule.rotation_id == rotation.id))
    assert rule.until == time(17)
    with pytest.raises(Invalid):
        make_rotation([mira], until=time(9), name="Backwards")
    assert db.session.scalars(sa.select(RotationRule.until).where(RotationRule.rotation_id == evening.id)).one() == (
        time(23, 59)
    )


def test_a_change_holds_from_its_day_on_and_leaves_the_past_alone(rotation, mira, tin, ana, petra):
    before = names(date(2026, 3, 9), date(2026, 3, 16))
    with transaction():
        roster.change_rotation(rotation, terms([ana, mira], turn_length=2), actor=petra)

    assert names(date(2026, 3, 9), date(2026, 3, 16)) == before
    assert names(date(2026, 3, 16), date(2026, 3, 21)) == ["Ana", "Ana", "Mira", "Mira", "Ana"]
    assert len(events_of("rotation.changed")) == 1


def test_a_change_replaces_one_that_was_planned_and_never_came_into_force(rotation, mira, tin, petra):
    with transaction():
        roster.change_rotation(rotation, terms([tin], start_on=date(2026, 3, 18)), actor=petra)
    with transaction():
        roster.change_rotation(rotation, terms([mira]), actor=petra)

    assert names(date(2026, 3, 16), date(2026, 3, 21)) == ["Mira"] * 5


def test_weekly_turns_change_on_monday_also_when_they_start_midweek(rotation, mira, tin, petra):
    with transaction():
        weekly = terms([mira, tin], start_on=date(2026, 3, 18), turn_unit=TurnUnit.WEEKS)
        roster.change_rotation(rotation, weekly, actor=petra)

    assert names(date(2026, 3, 18), date(2026, 3, 28)) == ["Mira"] * 3 + ["Tin"] * 5


def test_a_change_of_today_is_refused(rotation, mira, petra):
    with transaction(), pytest.raises(Invalid, match="tomorrow at the earliest"):
        roster.change_rotation(rotation, terms([mira], start_on=date(2026, 3, 10)), actor=petra)


def test_published_weeks_move_only_when_somebody_says_so(rotation, mira, petra):
    """On Tuesday 10 March, the weeks up to Sunday 5 April are published."""
    for day in (date(2026, 3, 16), date(2026, 4, 5)):
        for refused in (roster.change_rotation, roster.preview):
            given = terms([mira], start_on=day, moves_published=False)
            with pytest.raises(Invalid, match="The weeks up to 05 Apr 2026 are published") as refusal, transaction():
                _ = (
                    refused(rotation, given, actor=petra)
                    if refused is roster.change_rotation
                    else refused(given, rotation)
                )
            assert refusal.value.field == "start_on"
    with transaction():
        roster.change_rotation(rotation, terms([mira], start_on=date(2026, 4, 6), moves_published=False), actor=petra)

    assert names(date(2026, 4, 3), date(2026, 4, 9)) == ["Tin", "Mira", "Mira", "Mira"]


def test_terms_that_cannot_be_are_refused_with_the_field_and_nothing_is_saved(mira):
    for changed, field in [
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"zone": ""}, "zone"),
        ({"start_on": date(2500, 1, 1)}, "start_on"),
        ({"start_on": date(1, 1, 1)}, "start_on"),
        ({"until": time(8)}, "until"),
        ({"until": time(9)}, "until"),
        ({"days": ()}, "days"),
        ({"days": (7,)}, "days"),
        ({"turn_length": 0}, "turn_length"),
        ({"turn_length": 367}, "turn_length"),
        ({"people": []}, "people"),
    ]:
        with pytest.raises(Invalid) as refused, transaction():
            roster.add_rotation("Bug duty", terms(**({"people": [mira]} | changed)), actor=mira)
        assert refused.value.field == field
    assert db.session.scalar(sa.select(sa.func.count(Rotation.id))) == 0


def test_a_person_twice_gone_or_without_the_right_is_refused_by_name(mira, lea, clock):
    gone = make_user(Role.ENGINEER, "Ida Gone", disabled_at=clock.now())
    for people, sentence in [
        ([mira, mira], "Mira Kovač is in the order twice."),
        ([mira, gone], "Ida Gone no longer works here."),
        ([lea], "Lea Babić is a support agent; duty takes somebody who may triage bugs."),
    ]:
        with pytest.raises(Invalid) as refused, transaction():
            roster.add_rotation("Bug duty", terms(people), actor=mira)
        assert refused.value.sentence == sentence


def test_a_name_is_needed_and_used_once(rotation, mira):
    for name in ("", "x" * 121, "bug DUTY"):
        with pytest.raises(Invalid) as refused, transaction():
            roster.add_rotation(name, terms([mira]), actor=mira)
        assert refused.value.field == "name"


def test_hours_may_run_into_the_next_day_when_somebody_says_so(mira):
    with transaction():
        night = terms([mira], start_on=date(2026, 3, 9), handoff=time(20), until=time(6), runs_overnight=True)
        roster.add_rotation("Night", night, actor=mira)
    [shift, *_] = queries.planned_shifts(queries.clock.now(), queries.clock.now().replace(hour=23))

    assert (shift.start.hour, shift.end.hour, shift.end.day - shift.start.day) == (20, 6, 1)
