"""Handing hours over and taking them: whose they are, from when to when, and who may."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotPermitted
from bugintake.core.events import Event
from bugintake.duty import absences, handing_over, overrides, queries
from bugintake.duty.handing_over import stretch
from bugintake.duty.models import Rotation
from bugintake.team.models import User
from tests.duty.conftest import make_rotation

THURSDAY = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


def hand(rotation, to, actor, *, hours=THURSDAY, seen, reason=""):
    with transaction():
        return handing_over.hand_over(rotation, *hours, to, actor=actor, seen_id=seen.id if seen else 0, reason=reason)


def on_thursday():
    shifts = queries.planned_shifts(*THURSDAY)
    return [(each.person and each.person.first_name, each.start.hour, each.end.hour) for each in shifts]


def test_one_hands_over_ones_own_shift_and_it_is_one_event(rotation, mira, ana):
    hand(rotation, ana, mira, seen=mira, reason="School play")

    assert on_thursday() == [("Ana", 9, 17)]
    event = db.session.scalars(sa.select(Event).where(Event.kind == "duty.handed_over")).one()
    assert (event.actor_id, event.user_id, event.before, event.after) == (mira.id, ana.id, "Mira Kovač", "Ana Lončar")


def test_a_part_of_a_shift_is_handed_over_alone(rotation, mira, ana):
    hand(rotation, ana, mira, hours=(THURSDAY[0] + HOUR, THURSDAY[0] + 2 * HOUR), seen=mira)

    assert on_thursday() == [("Mira", 9, 10), ("Ana", 10, 11), ("Mira", 11, 17)]


def test_a_coming_shift_is_taken_by_whoever_may_be_on_duty(rotation, mira, ana):
    hand(rotation, ana, ana, seen=mira)

    assert on_thursday() == [("Ana", 9, 17)]
    assert db.session.scalars(sa.select(Event.kind).where(Event.kind.like("duty.%"))).all() == ["duty.taken_over"]


def test_only_a_lead_hands_over_what_somebody_else_has(rotation, mira, tin, ana, petra):
    with pytest.raises(NotPermitted):
        hand(rotation, ana, tin, seen=mira)
    hand(rotation, ana, petra, seen=mira)

    assert on_thursday() == [("Ana", 9, 17)]


def test_whoever_saw_somebody_else_on_it_is_told_who_was_faster(rotation, mira, tin, ana, clock):
    hand(rotation, ana, ana, seen=mira)
    clock.advance(timedelta(minutes=2))
    with pytest.raises(Conflict) as refused:
        hand(rotation, tin, tin, seen=mira)

    assert refused.value.sentence == "Ana took it 2 min ago."


def test_several_days_in_a_row_are_handed_over_without_their_nights(mira, tin, petra):
    weekly = make_rotation([mira, tin], actor=petra, turn_days=5)
    wednesday, friday = (datetime(2026, 3, day, hour, tzinfo=UTC) for day, hour in ((11, 8), (13, 16)))
    laid = hand(weekly, tin, mira, hours=(wednesday, friday), seen=mira)

    assert len(laid) == 3
    shifts = queries.planned_shifts(wednesday, friday)
    assert [(each.person.first_name, each.start.hour, each.end.hour) for each in shifts] == [("Tin", 9, 17)] * 3
    assert queries.on_duty(wednesday + 12 * HOUR) is None


def test_of_a_running_shift_only_what_is_left_is_handed_over(rotation, mira, ana, clock):
    clock.set(THURSDAY[0] + 2 * HOUR)
    hand(rotation, ana, mira, seen=mira)
    assert on_thursday() == [("Mira", 9, 11), ("Ana", 11, 17)]

    clock.set(THURSDAY[1] + HOUR)
    with pytest.raises(Conflict, match="over"):
        hand(rotation, mira, mira, seen=ana)


def test_a_gap_is_taken_by_whoever_saw_it(rotation, mira, tin, ana, petra, clock):
    with transaction():
        for person in (mira, tin, ana):
            person.disabled_at = clock.now()
    assert on_thursday() == [(None, 9, 17)]
    hand(rotation, petra, petra, seen=None)

    assert on_thursday() == [("Petra", 9, 17)]


@pytest.mark.parametrize("seen", [0, None, 9999])
def test_hours_that_somebody_has_are_not_taken_unseen(rotation, ana, seen):
    with pytest.raises(Conflict, match="Mira has it"), transaction():
        handing_over.hand_over(rotation, *THURSDAY, ana, actor=ana, seen_id=seen)


def test_nobody_gets_hours_who_is_away_on_duty_elsewhere_or_has_them(rotation, mira, tin, ana, lea, petra):
    other = make_rotation([tin], actor=petra, name="Nights")
    day = THURSDAY[0].date()
    with transaction():
        absences.note_absence(ana, day, day, actor=ana)
    for person, kind, sentence in (
        (ana, Conflict, "Ana Lončar is away then, as noted."),
        (tin, Conflict, "Tin Horvat is on duty in Nights then."),
        (mira, Invalid, "Mira Kovač has them already."),
        (lea, Invalid, "Lea Babić cannot be on duty: that takes somebody active who may triage bugs."),
    ):
        with pytest.raises(kind) as refused:
            hand(rotation, person, petra, seen=mira)
        assert refused.value.sentence == sentence
    found = stretch(rotation, *THURSDAY)
    assert [person.first_name for person in handing_over.free_people(found)] == []
    assert other.id != rotation.id


def test_who_is_free_is_whoever_takes_turns_and_does_not_have_it(rotation, tin, ana):
    assert handing_over.free_people(stretch(rotation, *THURSDAY)) == [tin, ana]


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ((THURSDAY[1], THURSDAY[0]), "The end lies before the start."),
        ((THURSDAY[1], THURSDAY[1] + HOUR), "There is no duty in that time."),
        ((THURSDAY[0], THURSDAY[0] + timedelta(days=400)), "Choose at most 31 days at once."),
    ],
)
def test_hours_that_are_none_are_refused_in_words(rotation, hours, sentence):
    with pytest.raises(Invalid) as refused:
        stretch(rotation, *hours)

    assert refused.value.sentence == sentence


def test_a_reason_of_a_novel_is_refused(rotation, mira, ana):
    with pytest.raises(Invalid, match="200 characters"):
        hand(rotation, ana, mira, seen=mira, reason="x" * 201)


def test_who_had_it_before_is_told_in_order(rotation, mira, tin, ana, petra):
    hand(rotation, ana, mira, seen=mira)
    hand(rotation, tin, petra, seen=ana)
    with transaction():
        overrides.take_back(overrides.mine(queries.on_duty(THURSDAY[0]), tin), actor=tin)
    before = handing_over.people_before(stretch(rotation, *THURSDAY))

    assert [each.person.first_name for each in before] == ["Mira", "Ana", "Tin"]
    assert [each.override and bool(each.override.taken_back_at) for each in before] == [None, False, True]


def test_nobody_takes_hours_of_several_rotations_at_once(rotation, mira, tin, ana, petra, together):
    others = [make_rotation([mira, tin], actor=petra, name=f"Evenings {number}").id for number in range(5)]
    numbers, person_id = [rotation.id, *others], ana.id

    def take(number):
        with transaction():
            found, person = db.session.get_one(Rotation, numbers[number]), db.session.get_one(User, person_id)
            hours = stretch(found, *THURSDAY)
            handing_over.hand_over(found, *THURSDAY, person, actor=person, seen_id=hours.holder.id)

    answers = together(take)

    assert [answer for answer in answers if answer is None] == [None]
    assert {type(answer) for answer in answers if answer is not None} == {Conflict}
