"""Layers over layers: whatever is taken back gives back exactly what was there."""

import random
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.duty import handing_over, overrides, queries, swaps
from bugintake.duty.models import Override
from bugintake.duty.plans import load_plan

pytestmark = pytest.mark.long_on("postgres")

THURSDAY = datetime(2026, 3, 12, 8, tzinfo=UTC), datetime(2026, 3, 12, 16, tzinfo=UTC)
HOUR = timedelta(hours=1)


def lay(rotation, person, start, end, actor):
    with transaction():
        overrides.lock(rotation)
        [laid] = handing_over.lay_all(handing_over.stretch(rotation, start, end), person, actor=actor)
    return laid


def take_back(override, actor):
    with transaction():
        overrides.take_back(db.session.get_one(Override, override.id), actor=actor)


def on_thursday():
    shifts = queries.planned_shifts(*THURSDAY)
    return [(each.person.first_name, each.start.hour, each.end.hour) for each in shifts]


def test_what_is_laid_over_a_part_gives_that_part_back(rotation, mira, tin, ana, petra):
    whole = lay(rotation, ana, *THURSDAY, petra)
    above = lay(rotation, tin, THURSDAY[0] + 2 * HOUR, THURSDAY[0] + 3 * HOUR, petra)
    assert on_thursday() == [("Ana", 9, 11), ("Tin", 11, 12), ("Ana", 12, 17)]

    take_back(above, petra)
    assert on_thursday() == [("Ana", 9, 17)]
    assert queries.on_duty(THURSDAY[0]).shift.override_id == whole.id


def test_three_layers_come_off_one_after_the_other(rotation, mira, tin, ana, petra):
    lowest = lay(rotation, ana, *THURSDAY, petra)
    middle = lay(rotation, tin, *THURSDAY, petra)
    top = lay(rotation, petra, *THURSDAY, petra)
    seen = []
    for each in (top, middle, lowest):
        seen.append(on_thursday())
        take_back(each, petra)

    assert seen == [[("Petra", 9, 17)], [("Tin", 9, 17)], [("Ana", 9, 17)]]
    assert on_thursday() == [("Mira", 9, 17)]


def test_a_layer_in_the_middle_of_two_halves_gives_back_its_own_half(rotation, mira, tin, ana, petra):
    noon = THURSDAY[0] + 4 * HOUR
    lay(rotation, ana, *THURSDAY, petra)
    middle = lay(rotation, tin, *THURSDAY, petra)
    half = lay(rotation, petra, noon, THURSDAY[1], petra)
    take_back(half, petra)
    assert on_thursday() == [("Tin", 9, 17)]

    take_back(middle, petra)
    assert on_thursday() == [("Ana", 9, 17)]


def test_a_layer_taken_back_in_the_middle_gives_back_the_rest(rotation, mira, tin, ana, petra, clock):
    lay(rotation, ana, *THURSDAY, petra)
    above = lay(rotation, tin, *THURSDAY, petra)
    clock.set(THURSDAY[0] + 3 * HOUR)
    take_back(above, petra)

    assert on_thursday() == [("Tin", 9, 12), ("Ana", 12, 17)]


def test_whoever_takes_over_a_swapped_day_gives_it_back_to_who_took_it(rotation, mira, tin, ana, clock):
    with transaction():
        swap = swaps.ask(rotation, *THURSDAY, [ana], actor=mira, seen_id=mira.id)
    with transaction():
        swaps.take(swap, actor=ana)
    clock.set(THURSDAY[0] + HOUR)
    with transaction():
        override = overrides.take_over(rotation, actor=tin, seen_id=ana.id)
    assert on_thursday() == [("Ana", 9, 10), ("Tin", 10, 17)]

    clock.advance(HOUR)
    take_back(override, tin)
    assert on_thursday() == [("Ana", 9, 10), ("Tin", 10, 11), ("Ana", 11, 17)]


@pytest.mark.parametrize("seed", range(6))
def test_taking_layers_back_in_the_order_they_were_laid_on_restores_the_plan(
    rotation, mira, tin, ana, petra, clock, seed
):
    dice = random.Random(seed)
    hours = [THURSDAY[0] + number * HOUR / 2 for number in range(17)]

    def everybody():
        plan = load_plan(THURSDAY[0], THURSDAY[1], rotation)
        return [plan.at(each).shift.person_id for each in hours[:-1]]

    seen = []
    for _ in range(8):
        seen.append(everybody())
        start, end = sorted(dice.sample(hours, 2))
        clock.advance(timedelta(seconds=1))
        laid = lay(rotation, dice.choice([mira, tin, ana, petra]), start, end, petra)
        seen[-1] = (seen[-1], laid.id)
    for before, override_id in reversed(seen):
        take_back(db.session.get_one(Override, override_id), petra)
        assert everybody() == before
    assert db.session.scalars(sa.select(Override).where(Override.taken_back_at.is_(None))).all() == []
