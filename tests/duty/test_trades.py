"""Trades: each takes the other's hours, both or neither, and only what was seen."""

from datetime import UTC, datetime, time, timedelta

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotPermitted
from bugintake.duty import absences, handing_over, overrides, queries, swap_queries, swaps, trades
from bugintake.duty.models import Override
from bugintake.duty.swap_models import Answer
from tests.duty.conftest import make_rotation

pytestmark = pytest.mark.long_on("postgres")

THURSDAY = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC)
MONDAY = datetime(2026, 3, 16, 8, tzinfo=UTC), datetime(2026, 3, 16, 16, tzinfo=UTC)


@pytest.fixture
def swap(rotation, mira):
    with transaction():
        return swaps.ask(rotation, *THURSDAY, None, actor=mira, seen_id=mira.id)


@pytest.fixture
def offer(swap, rotation, ana):
    with transaction():
        trades.offer_trade(swap, rotation, *MONDAY, actor=ana)
    return next(each for each in swap.asked if each.user_id == ana.id)


def agree(offer, actor, seen=MONDAY[0]):
    with transaction():
        return trades.accept_trade(offer, actor=actor, seen=seen)


def who_has():
    return [queries.on_duty(at).person.first_name for at in (THURSDAY[0], MONDAY[0])]


def test_an_offer_changes_nothing_until_the_asker_agrees(offer, mira):
    assert (offer.answer, who_has()) == (Answer.TRADE, ["Mira", "Ana"])
    agree(offer, mira)

    assert who_has() == ["Ana", "Mira"]
    assert swap_queries.hours_in_return(offer.swap).start == MONDAY[0]


def test_a_trade_ends_as_a_whole(offer, mira, petra):
    thursday, _ = agree(offer, mira)
    with transaction():
        overrides.take_back(db.session.get_one(Override, thursday.id), actor=petra)

    assert who_has() == ["Mira", "Ana"]


def test_only_who_asks_or_a_lead_agrees(offer, tin, ana, petra):
    for person in (tin, ana):
        with pytest.raises(NotPermitted):
            agree(offer, person)
    agree(offer, petra)
    assert who_has() == ["Ana", "Mira"]


def test_what_was_offered_since_is_not_agreed_to_unseen(offer, swap, rotation, mira, ana):
    later = tuple(at + timedelta(days=3) for at in MONDAY)
    with transaction():
        trades.offer_trade(swap, rotation, *later, actor=ana)
    with pytest.raises(Conflict, match="offers other hours by now"):
        agree(offer, mira)

    assert who_has() == ["Mira", "Ana"]


def test_a_declined_offer_leaves_it_open_for_another_and_for_taking(offer, swap, mira, ana):
    with transaction():
        trades.decline_trade(offer, actor=mira, seen=MONDAY[0])
    assert (offer.answer, swap.is_open) == (Answer.TRADE_DECLINED, True)
    with pytest.raises(Conflict, match="offers no trade any more"):
        agree(offer, mira)

    with transaction():
        swaps.take(swap, actor=ana)
    assert who_has() == ["Ana", "Ana"]
    assert swap_queries.hours_in_return(swap) is None


def test_taking_it_after_all_is_no_trade(offer, swap, ana):
    with transaction():
        swaps.take(swap, actor=ana)

    assert who_has() == ["Ana", "Ana"]
    assert swap_queries.hours_in_return(swap) is None


def test_neither_half_moves_where_one_cannot(offer, rotation, mira, tin, ana):
    with transaction():
        handing_over.hand_over(rotation, *MONDAY, tin, actor=ana, seen_id=ana.id)
    with pytest.raises(Conflict, match="Ana does not have all of the hours offered"):
        agree(offer, mira)

    assert who_has() == ["Mira", "Tin"]


def test_nobody_trades_for_days_they_are_away(offer, mira):
    with transaction():
        absences.note_absence(mira, MONDAY[0].date(), MONDAY[0].date(), actor=mira)
    with pytest.raises(Conflict, match="Mira Kovač is away then"):
        agree(offer, mira)


def test_hours_of_another_rotation_may_be_offered(swap, mira, ana, petra, rotation):
    evening = tuple(at + timedelta(hours=10) for at in MONDAY)
    late = make_rotation([ana], actor=petra, name="Evenings", handoff=time(18), until=time(20))
    with transaction():
        trades.offer_trade(swap, late, evening[0] - timedelta(hours=1), evening[0] + timedelta(hours=1), actor=ana)
    offer = next(each for each in swap.asked if each.user_id == ana.id)
    agree(offer, mira, evening[0] - timedelta(hours=1))
    assert [queries.on_duty(evening[0], late).person, queries.on_duty(THURSDAY[0]).person] == [mira, ana]


def test_nobody_trades_for_hours_in_which_they_are_on_duty_elsewhere(offer, mira, petra):
    make_rotation([mira], actor=petra, name="Nights")
    with pytest.raises(Conflict, match="Mira Kovač is on duty in Nights then"):
        agree(offer, mira)


def test_only_who_is_asked_offers(swap, rotation, petra):
    with pytest.raises(NotPermitted), transaction():
        trades.offer_trade(swap, rotation, *MONDAY, actor=petra)


def test_hours_of_somebody_else_are_not_offered(swap, rotation, ana):
    friday = tuple(at + timedelta(days=1) for at in THURSDAY)
    with pytest.raises(Conflict, match="Ana does not have all"), transaction():
        trades.offer_trade(swap, rotation, *friday, actor=ana)
