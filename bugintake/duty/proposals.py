"""What would be fairer than the plan of a month: few changes, by a rule that fits into a sentence."""

from collections.abc import Callable
from datetime import datetime

from bugintake.duty.fairness import Fairness
from bugintake.duty.planning import Month, Slot
from bugintake.team.models import User

TOLERATED = 2


def propose(month: Month) -> dict[str, User]:
    """Say who else should have which slots: an empty one goes to the fairest, and a few move to whoever is behind.

    One moves only from somebody at least TOLERATED days ahead of a fair share to somebody of the rotation at least as
    many behind, and neither ends up on the other side; first those next to holidays, then on the weekdays which that
    person has most of. What people arranged stays.
    """
    choices: dict[str, User] = {}
    found = month.spread(choices)
    for slot in month.slots:
        fairest = next((each for ranked in month.ranked(slot, found) for each in ranked), None)
        if slot.planned.is_gap and fairest is not None:
            choices[slot.key] = fairest
            found = month.spread(choices)
    movable = [slot for slot in month.slots if not slot.planned.is_gap and slot.planned.shift.override_id is None]
    for slot in sorted(movable, key=_strain(found)):
        holder, (inside, _) = slot.planned.person, month.ranked(slot, found)
        if holder is None or not inside or found.of(holder).balance < TOLERATED:
            continue
        if found.of(inside[0]).balance > -TOLERATED:
            continue
        moved = month.spread({**choices, slot.key: inside[0]})
        if moved.of(inside[0]).balance <= 0 <= moved.of(holder).balance:
            choices[slot.key], found = inside[0], moved
    return choices


def _strain(found: Fairness) -> Callable[[Slot], tuple[bool, float, datetime]]:
    def strain(slot: Slot) -> tuple[bool, float, datetime]:
        weekday = slot.planned.on.weekday()
        often = found.of(slot.planned.person).on_weekday(weekday) if slot.planned.person else 0
        return not slot.is_beside_holiday, -often, slot.planned.shift.start

    return strain
