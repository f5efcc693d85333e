"""Standing in and taking it back; the database refuses what overlaps."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotPermitted, Refusal
from bugintake.core.events import Event
from bugintake.duty import overrides, queries
from bugintake.duty.models import Override, Rotation
from bugintake.team.models import User

TEN = datetime(2026, 3, 10, 9, tzinfo=UTC)
FIVE = datetime(2026, 3, 10, 16, tzinfo=UTC)
THURSDAY = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC)


def today():
    shifts = queries.planned_shifts(TEN - timedelta(hours=6), TEN + timedelta(hours=10))
    return [(s.person.first_name, s.start.hour, s.end.hour, s.instead_of and s.instead_of.first_name) for s in shifts]


def kinds():
    return list(db.session.scalars(sa.select(Event.kind).where(Event.kind.like("duty.%")).order_by(Event.id)))


def test_taking_over_lasts_until_the_shift_ends_and_leaves_an_event(rotation, mira, tin):
    with transaction():
        overrides.take_over(rotation, actor=mira, seen_id=tin.id)

    assert today() == [("Tin", 9, 10, None), ("Mira", 10, 17, "Tin")]
    event = db.session.scalars(sa.select(Event).where(Event.kind == "duty.taken_over")).one()
    assert (event.actor_id, event.user_id, event.before, event.after) == (mira.id, mira.id, "Tin Horvat", "Mira Kovač")


def test_taking_it_back_restores_exactly_what_was_there(rotation, mira, clock):
    before = today()
    with transaction():
        override = overrides.take_over(rotation, actor=mira)
    with transaction():
        overrides.take_back(override, actor=mira)

    assert today() == before
    assert kinds() == ["duty.taken_over", "duty.override_removed"]


def test_taking_it_back_later_keeps_the_hours_that_were_served(rotation, mira, clock):
    with transaction():
        override = overrides.take_over(rotation, actor=mira)
    clock.advance(timedelta(hours=2))
    with transaction():
        overrides.take_back(override, actor=mira)

    assert today() == [("Tin", 9, 10, None), ("Mira", 10, 12, "Tin"), ("Tin", 12, 17, None)]


def test_a_third_person_takes_over_from_the_second_and_the_first_gets_it_back(rotation, mira, tin, ana, clock):
    for person in (mira, ana, tin):
        with transaction():
            overrides.take_over(rotation, actor=person)
        clock.advance(timedelta(hours=1))

    assert today() == [("Tin", 9, 10, None), ("Mira", 10, 11, "Tin"), ("Ana", 11, 12, "Tin"), ("Tin", 12, 17, None)]


def test_taking_over_from_a_stand_in_of_several_days_leaves_the_other_days(rotation, mira, tin, ana, petra):
    with transaction():
        overrides.stand_in(rotation, mira, TEN - timedelta(hours=1), THURSDAY[1], actor=petra)
    with transaction():
        overrides.take_over(rotation, actor=ana)

    assert queries.on_duty_now().person == ana
    assert today() == [("Mira", 9, 10, "Tin"), ("Ana", 10, 17, "Tin"), ("Mira", 17, 17, "Ana")]
    assert queries.on_duty(THURSDAY[0]).person == mira


def test_the_one_who_is_on_duty_has_nothing_to_take_over(rotation, tin):
    with pytest.raises(Conflict, match="You are on duty already"), transaction():
        overrides.take_over(rotation, actor=tin)


def test_outside_the_hours_there_is_nothing_to_take_over(rotation, mira, clock):
    clock.set(FIVE)
    with pytest.raises(Conflict, match="not duty hours"), transaction():
        overrides.take_over(rotation, actor=mira)


def test_whoever_saw_somebody_else_on_duty_is_told_who_was_faster(rotation, mira, tin, ana):
    with transaction():
        overrides.take_over(rotation, actor=mira, seen_id=tin.id)
    with pytest.raises(Conflict) as refused, transaction():
        overrides.take_over(rotation, actor=ana, seen_id=tin.id)

    assert refused.value.sentence == "Mira Kovač has taken over in the meantime, and is on duty until 17:00."


def test_standing_in_for_a_coming_shift_is_seen_by_every_question(rotation, mira, ana, petra):
    with transaction():
        overrides.stand_in(rotation, ana, *THURSDAY, actor=petra, reason="School play")

    assert queries.on_duty(THURSDAY[0]).person == ana
    assert queries.on_duty(THURSDAY[0]).instead_of == mira
    assert [s.on.day for s in queries.upcoming_shifts(ana, count=3)] == [11, 12, 16]


def test_whoever_stands_in_on_their_own_day_is_nobodys_stand_in(rotation, tin, petra):
    with transaction():
        overrides.stand_in(rotation, tin, TEN, FIVE, actor=petra)

    assert [(who, instead) for who, _, _, instead in today()] == [("Tin", None)] * len(today())


def test_a_second_stand_in_for_the_same_time_is_refused(rotation, tin, ana, petra):
    with transaction():
        overrides.stand_in(rotation, ana, *THURSDAY, actor=petra)
    with pytest.raises(Conflict, match="Ana Lončar already stands in"), transaction():
        overrides.stand_in(rotation, tin, THURSDAY[0] + timedelta(hours=1), THURSDAY[1], actor=petra)


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (THURSDAY[1], THURSDAY[0], "The end lies before the start."),
        (THURSDAY[1], THURSDAY[1] + timedelta(hours=2), "There is no shift in that time."),
        (THURSDAY[0], THURSDAY[0] + timedelta(days=182500), "Choose days between 1980 and 2150."),
    ],
)
def test_a_stand_in_outside_any_shift_is_refused(rotation, ana, petra, start, end, sentence):
    with pytest.raises(Invalid) as refused, transaction():
        overrides.stand_in(rotation, ana, start, end, actor=petra)

    assert refused.value.sentence == sentence


def test_an_agent_or_somebody_who_left_cannot_stand_in(rotation, lea, petra):
    with pytest.raises(Invalid, match="Lea Babić cannot be on duty"), transaction():
        overrides.stand_in(rotation, lea, *THURSDAY, actor=petra)


def test_only_those_concerned_or_a_lead_take_it_back_and_only_once(rotation, mira, ana, petra):
    with transaction():
        override = overrides.stand_in(rotation, ana, *THURSDAY, actor=petra)
    with pytest.raises(NotPermitted), transaction():
        overrides.take_back(override, actor=mira)
    with transaction():
        overrides.take_back(override, actor=ana)
    with pytest.raises(Conflict), transaction():
        overrides.take_back(override, actor=petra)


def test_the_database_itself_refuses_what_overlaps(rotation, ana, petra):
    with transaction():
        overrides.stand_in(rotation, ana, *THURSDAY, actor=petra)
    clash = {"rotation_id": rotation.id, "user_id": ana.id, "reason": "", "made_at": TEN}
    row = sa.insert(Override).values(starts_at=THURSDAY[0] - timedelta(hours=1), ends_at=THURSDAY[1], **clash)

    with pytest.raises(IntegrityError), transaction():
        db.session.execute(row)
    with transaction():
        db.session.execute(row.values(ends_at=THURSDAY[0]))
        db.session.execute(row.values(taken_back_at=TEN))


def test_of_two_who_stand_in_at_once_one_wins(app, rotation, mira, tin, ana, petra):
    barrier, outcomes, rotation_id = threading.Barrier(4), [], rotation.id

    def stand_in(person_id):
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    person = db.session.get_one(User, person_id)
                    there = db.session.get_one(Rotation, rotation_id)
                    overrides.stand_in(there, person, *THURSDAY, actor=person)
                outcomes.append("won")
            except Refusal as refusal:
                outcomes.append(type(refusal).__name__)
            finally:
                db.session.remove()

    rivals = [threading.Thread(target=stand_in, args=(person.id,)) for person in (mira, tin, ana, petra)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    assert sorted(outcomes) == ["Conflict", "Conflict", "Conflict", "won"]
    assert db.session.scalar(sa.select(sa.func.count(Override.id))) == 1


def test_who_leaves_is_stood_in_for_and_comes_back_exactly(rotation, tin, ana, clock):
    with transaction():
        db.session.get_one(User, tin.id).disabled_at = clock.now() + timedelta(hours=2)
    assert today() == [("Tin", 9, 12, None), ("Ana", 12, 17, "Tin")]

    with transaction():
        db.session.get_one(User, tin.id).disabled_at = None
    assert today() == [("Tin", 9, 17, None)]


def test_a_stand_in_ends_when_its_person_leaves(rotation, mira, tin, clock):
    with transaction():
        overrides.take_over(rotation, actor=mira)
        db.session.get_one(User, mira.id).disabled_at = clock.now() + timedelta(hours=1)

    assert today() == [("Tin", 9, 10, None), ("Mira", 10, 11, "Tin"), ("Tin", 11, 17, None)]
