"""Planning a month: who could have each slot, who would then have how much, and laying what a lead chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, Refusal
from bugintake.core.templating import say, short_day
from bugintake.duty import overrides, queries
from bugintake.duty.fairness import ONE_DAY, Fairness, by_fairness, fairness, is_beside_holiday
from bugintake.duty.handing_over import Stretch, hold_people, put
from bugintake.duty.models import Override, Rotation
from bugintake.duty.plans import AROUND, Plan, PlannedShift, away_between, load_plans
from bugintake.duty.queries import REMEMBERED
from bugintake.duty.rotation import Override as Layer
from bugintake.team.models import User

FARTHEST = timedelta(days=366)


@dataclass(frozen=True)
class Slot:
    """A shift or gap to come that a lead may give to somebody, and everybody who is free then and has not got it.

    What somebody stands in for beyond this slot is left to them: it `is_fixed`.
    """

    planned: PlannedShift
    free: tuple[User, ...]
    reason: str
    is_fixed: bool
    is_beside_holiday: bool

    @property
    def key(self) -> str:
        """What it is called on the page, as long as it begins when it does."""
        return f"{self.planned.shift.start.timestamp():.0f}"

    @property
    def hours(self) -> Stretch:
        """Its hours, to be given to somebody."""
        return Stretch(self.planned.rotation, self.planned.shift.start, self.planned.shift.end, (self.planned,))

    @property
    def person_id(self) -> int:
        """Who has it by the plan; 0 is nobody."""
        return self.planned.shift.person_id or 0

    @property
    def seen(self) -> str:
        """What the page shows of it: who has it, and until when."""
        return f"{self.person_id}-{self.planned.shift.end.timestamp():.0f}"


Busy = Mapping[int, Sequence[tuple[datetime, datetime]]]
"""When people cannot have duty, by their keys."""

Choices = Mapping[str, User]
"""Who is to have which slots, by their keys, where that differs from the plan."""


@dataclass(frozen=True)
class Wish:
    """What a lead chose for a slot, and what the page had shown of it."""

    person_id: int
    seen: str

    @property
    def is_change(self) -> bool:
        """Whether it is another choice than what was shown."""
        return not self.seen.startswith(f"{self.person_id}-")


@dataclass(frozen=True)
class Month:
    """The slots of a rotation that begin in a month and are still to come."""

    first: date
    plan: Plan
    slots: tuple[Slot, ...]
    people: Mapping[int, User]
    now: datetime

    @property
    def last(self) -> date:
        """Its last day."""
        return _next_month(self.first) - ONE_DAY

    def with_choices(self, choices: Choices) -> Plan:
        """Return the plan as it would be with these choices."""
        laid = [
            Layer(slot.planned.shift.start, slot.planned.shift.end, choices[slot.key].id)
            for slot in self.slots
            if slot.key in choices
        ]
        schedule = replace(self.plan.schedule, overrides=[*self.plan.schedule.overrides, *laid])
        people = {**self.plan.people, **{person.id: person for person in choices.values()}}
        return replace(self.plan, schedule=schedule, people=people)

    def spread(self, choices: Choices) -> Fairness:
        """Count who has how much with these choices, from 90 days before until the last slot of the month is over."""
        since = min(self.first, self.now.astimezone(self.plan.zone_at(self.now)).date()) - REMEMBERED
        to = max([self.last, *((slot.planned.end - ONE_DAY).date() for slot in self.slots)])
        return fairness(self.with_choices(choices), since, to, self.now)

    def ranked(self, slot: Slot, found: Fairness) -> tuple[list[User], list[User]]:
        """Sort who is free for a slot by who should take it first: those of the rotation, then the others."""
        members = self.plan.rule_at(slot.planned.shift.start).person_ids
        inside = [person for person in slot.free if person.id in members]
        outside = [person for person in slot.free if person.id not in members]
        return by_fairness(found, inside, slot.planned.on), by_fairness(found, outside, slot.planned.on)


class SlotsRefused(Conflict):
    """Some choices cannot be; `sentences` says why, by the keys of the slots."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        super().__init__(say("Nothing was saved yet."))
        self.sentences = sentences


def open_month(rotation: Rotation, first: date) -> Month:
    """Read a month of a rotation, in as many queries however many people, slots and rotations there are.

    Free are all who may take duty, are not away, and have no duty in another rotation meanwhile. Raises Invalid for a
    month that is over or more than a year away.
    """
    now = clock.now()
    today = now.date()
    if _next_month(first) <= today:
        raise Invalid(say("That month is over. Choose this one or a later one."), "month")
    if first > today + FARTHEST:
        raise Invalid(say("Plan at most a year ahead."), "month")
    since = datetime.combine(min(first, today) - REMEMBERED, datetime.min.time(), now.tzinfo)
    to = datetime.combine(_next_month(first) + ONE_DAY, datetime.min.time(), now.tzinfo)
    plans = load_plans(since, to)
    plan = next(each for each in plans if each.rotation.id == rotation.id)
    people = {person.id: person for person in queries.candidates()}
    shifts = [planned for planned in plan.between(now, to) if _begins_in(planned, first, now)]
    over = min(max([to, *(planned.shift.end for planned in shifts)]), to + AROUND)
    busy = busy_hours([each for each in plans if each is not plan], now, over)
    reasons = _reasons(shifts)
    layers = {layer.id: (layer.start, layer.end) for layer in plan.schedule.overrides}
    slots = [
        Slot(
            planned=planned,
            free=tuple(each for each in people.values() if _is_free(each, planned, busy)),
            reason=reasons.get(planned.shift.override_id or 0, ""),
            is_fixed=layers.get(planned.shift.override_id, (start, end)) != (start, end),
            is_beside_holiday=is_beside_holiday(plan.rule_at(start), planned.on),
        )
        for planned in shifts
        for start, end in [(planned.shift.start, planned.shift.end)]
    ]
    return Month(first, plan, tuple(slots), people, now)


def check(month: Month, wishes: Mapping[str, Wish]) -> dict[str, User]:
    """Return what of the wishes differs from the plan. Raises SlotsRefused with a sentence for each that cannot be.

    What somebody changed meanwhile is refused where it was to change; a slot whose choice was left as the page
    showed it asks for nothing.
    """
    choices: dict[str, User] = {}
    refused: dict[str, str] = {}
    slots = {slot.key: slot for slot in month.slots}
    for key, wish in wishes.items():
        slot = slots.get(key)
        if not wish.is_change or (slot is not None and slot.person_id == wish.person_id):
            continue
        person = month.people.get(wish.person_id)
        if slot is None:
            refused[key] = say("A slot that you changed is no longer there as you saw it.")
        elif wish.seen != slot.seen:
            refused[key] = _overtaken(slot)
        elif person is None:
            refused[key] = say("%(day)s: choose somebody from the list.", day=short_day(slot.planned.on))
        elif slot.is_fixed or person not in slot.free:
            refused[key] = say("%(day)s: %(name)s is not free then.", day=short_day(slot.planned.on), name=person.name)
        else:
            choices[key] = person
    if refused:
        raise SlotsRefused(refused)
    return choices


def lay(rotation: Rotation, first: date, wishes: Mapping[str, Wish], *, actor: User) -> int:
    """Give slots to whom a lead chose, where that is not who has them, and tell how many those are; all, or none.

    Records what settle records for each. Raises what check and open_month raise.
    """
    overrides.lock(rotation)
    hold_people(wish.person_id for wish in wishes.values() if wish.is_change)
    month = open_month(rotation, first)
    choices = check(month, wishes)
    for slot in month.slots:
        if slot.key in choices:
            try:
                settle(slot.hours, choices[slot.key], actor=actor)
            except Refusal as refusal:
                raise SlotsRefused({slot.key: refusal.sentence}) from refusal
    return len(choices)


def settle(found: Stretch, person: User, *, actor: User) -> None:
    """Put somebody who is known to be free on duty for hours of one shift, with the rotation locked.

    What was arranged for just these hours is taken back; what was swapped, or reaches further, is laid over. Records
    duty.override_removed and what handing hours over records.
    """
    laid = _laid_on(found)
    if laid is not None:
        overrides.take_back(laid, actor=actor)
        below = queries.planned_shifts(found.start, found.end, found.rotation)
        if below and all(each.shift.person_id == person.id for each in below):
            return
    put(found, person, actor=actor)


def _laid_on(found: Stretch) -> Override | None:
    override_id = found.shifts[0].shift.override_id
    laid = overrides.override_or_404(override_id) if override_id is not None else None
    if laid is None or laid.swap_id is not None or (laid.starts_at, laid.ends_at) != (found.start, found.end):
        return None
    return laid


def is_free(person: User, since: datetime, to: datetime, busy: Busy) -> bool:
    """Whether somebody can have duty in [since, to)."""
    return all(end <= since or start >= to for start, end in busy.get(person.id, ()))


def _overtaken(slot: Slot) -> str:
    day, person = short_day(slot.planned.on), slot.planned.person
    if person is None:
        return say("%(day)s changed since you opened the page: nobody has it now.", day=day)
    return say("%(day)s changed since you opened the page: %(name)s has it now.", day=day, name=person.name)


def _begins_in(planned: PlannedShift, first: date, now: datetime) -> bool:
    return planned.shift.start > now and planned.on.replace(day=1) == first


def busy_hours(plans: Sequence[Plan], since: datetime, to: datetime) -> Busy:
    """Tell when who is away, or has duty by one of these plans."""
    found: dict[int, list[tuple[datetime, datetime]]] = {}
    for away in away_between(since, to):
        found.setdefault(away.person_id, []).append((away.start, away.end or to))
    for planned in (planned for plan in plans for planned in plan.between(since, to)):
        if planned.shift.person_id is not None:
            found.setdefault(planned.shift.person_id, []).append((planned.shift.start, planned.shift.end))
    return found


def _is_free(person: User, planned: PlannedShift, busy: Busy) -> bool:
    if person.id == planned.shift.person_id:
        return False
    return is_free(person, planned.shift.start, planned.shift.end, busy)


def _reasons(shifts: Sequence[PlannedShift]) -> dict[int, str]:
    ids = [planned.shift.override_id for planned in shifts if planned.shift.override_id is not None]
    asked = sa.select(Override.id, Override.reason).where(Override.id.in_(ids))
    return dict(iter(db.session.execute(asked)))


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
