"""Asking for a swap: who is asked, who gets it, and what no longer makes sense."""

import threading
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotPermitted, Refusal
from bugintake.core.events import Event
from bugintake.duty import absences, handing_over, overrides, queries, roster, swap_queries, swaps
from bugintake.duty.models import Override
from bugintake.duty.roster import Terms
from bugintake.duty.swap_models import Answer, Swap
from bugintake.team.models import User
from tests.duty.conftest import make_rotation

THURSDAY = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC)


def ask(rotation, actor, people=None, *, hours=THURSDAY, seen=None, reason="School play."):
    with transaction():
        seen_id = (seen or actor).id
        return swaps.ask(rotation, *hours, people, actor=actor, seen_id=seen_id, reason=reason)


def take(swap, actor):
    with transaction():
        return swaps.take(swap, actor=actor)


def who_has_thursday():
    return [each.person.first_name for each in queries.planned_shifts(*THURSDAY)]


def kinds():
    return list(db.session.scalars(sa.select(Event.kind).where(Event.kind.like("swap.%")).order_by(Event.id)))


def test_everybody_of_the_rotation_who_is_free_is_asked_and_nothing_changes(rotation, mira, tin, ana):
    with transaction():
        absences.note_absence(ana, THURSDAY[0].date(), THURSDAY[0].date(), actor=ana)
    swap = ask(rotation, mira)

    assert [each.user for each in swap.asked] == [tin]
    assert (swap.is_open, swap.reason, kinds()) == (True, "School play.", ["swap.asked"])
    assert who_has_thursday() == ["Mira"]


def test_named_people_are_asked_also_who_takes_no_turns(rotation, mira, ana, petra):
    swap = ask(rotation, mira, [ana, petra])

    assert [each.user for each in swap.asked] == [ana, petra]


def test_whoever_takes_it_has_it_and_it_is_one_event(rotation, mira, tin, ana):
    swap = ask(rotation, mira)
    take(swap, ana)

    assert who_has_thursday() == ["Ana"]
    assert (swap.taken_by, kinds()) == (ana, ["swap.asked", "swap.taken"])
    assert queries.on_duty(THURSDAY[0]).instead_of == mira


def test_whoever_is_second_is_told_who_took_it_and_when(rotation, mira, tin, ana, clock):
    swap = ask(rotation, mira)
    take(swap, ana)
    clock.advance(timedelta(minutes=2))
    for again in (tin, ana):
        with pytest.raises(Conflict) as refused:
            take(swap, again)
        assert refused.value.sentence == "Ana took it 2 min ago. Nothing for you to do."
    with pytest.raises(Conflict, match="Ana took it"), transaction():
        swaps.withdraw(swap, actor=mira)


def test_of_several_who_take_it_at_once_one_gets_it(app, rotation, mira, tin, ana, petra):
    swap_id = ask(rotation, mira).id
    barrier, outcomes = threading.Barrier(3), []

    def rush(person_id):
        with app.app_context():
            barrier.wait()
            try:
                with transaction():
                    swaps.take(db.session.get_one(Swap, swap_id), actor=db.session.get_one(User, person_id))
                outcomes.append("won")
            except Refusal as refusal:
                outcomes.append(refusal.sentence)
            finally:
                db.session.remove()

    rivals = [threading.Thread(target=rush, args=(person.id,)) for person in (tin, ana, petra)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    lost, won = sorted(outcomes, key=lambda each: each == "won")[:2], outcomes.count("won")
    winner = db.session.get_one(Swap, swap_id, populate_existing=True).taken_by.first_name
    assert won == 1
    assert lost == [f"{winner} took it 1 s ago. Nothing for you to do."] * 2
    assert who_has_thursday() == [winner]
    assert db.session.scalar(sa.select(sa.func.count(Override.id))) == 1


def test_a_lead_asks_for_somebody_who_is_ill_and_nobody_else_does(rotation, mira, tin, petra):
    with pytest.raises(NotPermitted):
        ask(rotation, tin, seen=mira)
    swap = ask(rotation, petra, seen=mira)

    assert (swap.user, swap.asked_by) == (mira, petra)
    with transaction():
        swaps.withdraw(swap, actor=petra)


def test_no_is_remembered_and_may_be_thought_better_of(rotation, mira, tin, ana, lea):
    swap = ask(rotation, mira)
    with transaction():
        swaps.refuse(swap, actor=tin)
    assert [each.answer for each in swap.asked] == [Answer.NO, Answer.NONE]
    with pytest.raises(NotPermitted), transaction():
        swaps.refuse(swap, actor=lea)

    take(swap, tin)
    assert who_has_thursday() == ["Tin"]


def test_the_request_is_taken_back_by_who_asked_and_then_cannot_be_taken(rotation, mira, ana, clock):
    swap = ask(rotation, mira)
    with pytest.raises(NotPermitted), transaction():
        swaps.withdraw(swap, actor=ana)
    with transaction():
        swaps.withdraw(swap, actor=mira)
    clock.advance(timedelta(hours=3))

    with pytest.raises(Conflict) as refused:
        take(swap, ana)
    assert refused.value.sentence == "The request was taken back 3 h ago. Nothing for you to do."
    assert (who_has_thursday(), kinds()) == (["Mira"], ["swap.asked", "swap.withdrawn"])


def test_one_does_not_take_what_one_has(rotation, mira):
    with pytest.raises(Conflict, match="You have the hours already"):
        take(ask(rotation, mira), mira)


def hand_over(rotation, mira, tin, petra, clock):
    with transaction():
        handing_over.hand_over(rotation, *THURSDAY, tin, actor=mira, seen_id=mira.id)


def be_away(rotation, mira, tin, petra, clock):
    with transaction():
        absences.note_absence(mira, THURSDAY[0].date(), THURSDAY[0].date(), actor=mira)


def change_the_rule(rotation, mira, tin, petra, clock):
    terms = Terms("Europe/Berlin", date(2026, 3, 11), time(9), time(17), range(5), [petra], moves_published=True)
    with transaction():
        roster.change_rotation(rotation, terms, actor=petra)


def work_only_on_mondays(rotation, mira, tin, petra, clock):
    terms = Terms("Europe/Berlin", date(2026, 3, 11), time(9), time(17), [0], [mira], moves_published=True)
    with transaction():
        roster.change_rotation(rotation, terms, actor=petra)


def begin(rotation, mira, tin, petra, clock):
    clock.set(THURSDAY[0] + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (hand_over, "Mira no longer has all of those hours: Tin has. Nothing for you to do."),
        (be_away, "Mira no longer has all of those hours: Tin has. Nothing for you to do."),
        (change_the_rule, "Mira no longer has all of those hours: Petra has. Nothing for you to do."),
        (work_only_on_mondays, "There is no duty in that time any more. Nothing for you to do."),
        (begin, "The hours have begun, so they are no longer swapped. Nothing for you to do."),
    ],
)
def test_a_swap_that_makes_no_sense_any_more_closes_itself(rotation, mira, tin, ana, petra, clock, happens, sentence):
    swap = ask(rotation, mira)
    assert [each.swap for each in swap_queries.open_swaps(ana, queries.plans_ahead())] == [swap]
    happens(rotation, mira, tin, petra, clock)

    assert swap_queries.open_swaps(ana, queries.plans_ahead()) == []
    with pytest.raises(Conflict) as refused:
        take(swap, ana)
    assert refused.value.sentence == sentence
    assert swap_queries.ending(swap) == sentence


def test_whoever_is_away_or_on_duty_elsewhere_cannot_take_it(rotation, mira, tin, ana, petra):
    swap = ask(rotation, mira)
    make_rotation([tin], actor=petra, name="Nights")
    with transaction():
        absences.note_absence(ana, THURSDAY[0].date(), THURSDAY[0].date(), actor=ana)

    for person, sentence in ((ana, "is away then"), (tin, "is on duty in Nights then")):
        with pytest.raises(Conflict, match=sentence):
            take(swap, person)
    assert swap.is_open


def test_what_was_swapped_can_be_swapped_again_and_each_layer_comes_back(rotation, mira, tin, ana, petra):
    first = ask(rotation, mira, [ana])
    [of_ana] = take(first, ana)
    second = ask(rotation, ana, [tin])
    [of_tin] = take(second, tin)
    assert who_has_thursday() == ["Tin"]

    for laid, left in ((of_tin, "Ana"), (of_ana, "Mira")):
        with transaction():
            overrides.take_back(db.session.get_one(Override, laid.id), actor=petra)
        assert who_has_thursday() == [left]
    assert swap_queries.ending(first).startswith("It was taken and given back")


def test_a_swap_is_given_back_within_ten_minutes_and_then_only_by_a_lead(rotation, mira, ana, petra, clock):
    swap = ask(rotation, mira)
    [laid] = take(swap, ana)
    clock.advance(timedelta(minutes=9))
    assert overrides.may_take_back(laid, ana)
    clock.advance(timedelta(minutes=2))

    for person in (ana, mira):
        with pytest.raises(NotPermitted, match="count on this swap"), transaction():
            overrides.take_back(laid, actor=person)
    with transaction():
        overrides.take_back(laid, actor=petra)
    assert who_has_thursday() == ["Mira"]


def test_bad_askings_are_refused_in_words(rotation, mira, tin, ana, lea, petra, clock):
    friday = tuple(at + timedelta(days=1) for at in THURSDAY)
    ask(rotation, mira)
    for refused, people, hours, sentence in (
        (Conflict, None, THURSDAY, "Mira is asking for that already."),
        (Conflict, None, friday, "Tin has it."),
    ):
        with pytest.raises(refused) as why:
            ask(rotation, mira, people, hours=hours)
        assert why.value.sentence == sentence
    for people, sentence in (
        ([tin], "Tin Horvat has the hours: ask somebody else."),
        ([lea], "Lea Babić cannot be on duty: that takes somebody active who may triage bugs."),
        ([], "Nobody of the rotation is free then. Name somebody."),
    ):
        with pytest.raises(Invalid) as why:
            ask(rotation, tin, people, hours=friday)
        assert why.value.sentence == sentence
    with pytest.raises(Invalid, match="half a year"):
        far = datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2026, 12, 1, 16, tzinfo=UTC)
        who = queries.on_duty(far[0], rotation).person
        ask(rotation, who, hours=far)
    clock.set(friday[0] + timedelta(hours=1))
    with pytest.raises(Conflict, match="have begun"):
        ask(rotation, tin, hours=friday)
    assert db.session.scalar(sa.select(sa.func.count(Swap.id))) == 1
