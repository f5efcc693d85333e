"""Who is on bug duty at which instant: the only place that works it out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise, zip_longest

from bugintake.duty.turns import Rule
from bugintake.duty.wall_clock import instant

_INSTANT = timedelta(microseconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of time with one person on duty; without a person it is a gap in the plan.

    `turn` counts the rule's turns from 0; `instead_of_id` is who the layer below names. Half open: [start, end).
    """

    start: datetime
    end: datetime
    person_id: int | None
    instead_of_id: int | None = None
    turn: int | None = None
    override_id: int | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """A layer on the plan: this person (or nobody) is on duty meanwhile.

    With `instead_of_id` it holds only while that person would be on duty.
    """

    start: datetime
    end: datetime
    person_id: int | None
    instead_of_id: int | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """A time during which a person takes no turn; the next one in the order stands in."""

    person_id: int
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rotation's rules in the order they come into force, and the layers on them.

    Where overrides overlap the later in the sequence wins; the database refuses them. While the person of an override
    is away it does not hold.
    """

    rules: Sequence[Rule]
    overrides: Sequence[Override] = ()
    away: Sequence[Away] = ()
    ends_at: datetime | None = None


def person_on_duty(schedule: Schedule, at: datetime) -> int | None:
    """Name who is on duty at an instant, or nobody."""
    shift = shift_at(schedule, at)
    return shift.person_id if shift else None


def shift_at(schedule: Schedule, at: datetime) -> Shift | None:
    """Find the shift (or the gap within duty hours) that an instant falls in."""
    utc = at.astimezone(UTC)  # adding to a local time would lose which of the doubled hours it is in
    return next(iter(shifts(schedule, utc, utc + _INSTANT)), None)


def shifts(schedule: Schedule, since: datetime, to: datetime) -> list[Shift]:
    """List every shift that overlaps [since, to), whole, in the order of time, in UTC.

    Gaps within duty hours are shifts without a person; hours outside duty are not listed.
    """
    since, to = since.astimezone(UTC), to.astimezone(UTC)
    if since >= to:
        return []
    overrides = _disjoint(schedule)
    touching = [o for o in overrides if o.start < to and o.end > since]
    base = _planned(
        schedule,
        min([since, *(o.start for o in touching)]),
        max([to, *(o.end for o in touching)]),
    )
    if overrides:
        earliest = base[0].start if base else since
        latest = max(base[-1].end, to) if base else to
        near = [o for o in overrides if o.start < latest and o.end > min(earliest, since)]
        base = overlay(base, _while_there(near, schedule.away))
    return [shift for shift in base if shift.start < to and shift.end > since]


def _planned(schedule: Schedule, since: datetime, to: datetime) -> list[Shift]:
    """List the shifts the rules give, absences applied, overrides not."""
    planned: list[Shift] = []
    rules = sorted(schedule.rules, key=lambda rule: rule.begins_at)
    for rule, following in zip_longest(rules, rules[1:]):
        bounds = [at for at in (following.begins_at if following else None, schedule.ends_at) if at is not None]
        end = min(bounds, default=None)
        from_here, to_here = max(since, rule.begins_at), to if end is None else min(to, end)
        if from_here >= to_here:
            continue
        of_rule = [_within(shift, rule.begins_at, end) for shift in _shifts_of(rule, from_here, to_here)]
        planned += _with_stand_ins(rule, of_rule, schedule.away) if schedule.away else of_rule
    return [shift for shift in planned if shift.start < to and shift.end > since]


def _shifts_of(rule: Rule, since: datetime, to: datetime) -> list[Shift]:
    first = max(rule.start_on.toordinal(), since.astimezone(rule.zone).toordinal() - 2)
    last = to.astimezone(rule.zone).toordinal() + 1
    while rule.turn_goes_on(first - 1):
        first -= 1
    while rule.turn_goes_on(last):
        last += 1
    found: list[Shift] = []
    start = end = rule.begins_at
    running: int | None = None
    people = rule.person_ids
    for day in range(first, last + 1):
        if not rule.works_on(day):
            continue
        for turn, wall_start, wall_end in rule.slots(day):
            slot_start, slot_end = instant(wall_start, rule.zone), instant(wall_end, rule.zone)
            if turn == running and slot_start == end:
                end = slot_end
                continue
            if running is not None and start < end:
                found.append(Shift(start, end, people[running % len(people)], None, running))
            start, end, running = slot_start, slot_end, turn
    if running is not None and start < end:
        found.append(Shift(start, end, people[running % len(people)], None, running))
    return [shift for shift in found if shift.start < to and shift.end > since]


def _within(shift: Shift, begins: datetime, ends: datetime | None) -> Shift:
    if shift.start >= begins and (ends is None or shift.end <= ends):
        return shift
    return _part(shift, max(shift.start, begins), shift.end if ends is None else min(shift.end, ends))


def _part(shift: Shift, start: datetime, end: datetime) -> Shift:
    return Shift(start, end, shift.person_id, shift.instead_of_id, shift.turn, shift.override_id)


def _with_stand_ins(rule: Rule, planned: Sequence[Shift], away: Sequence[Away]) -> Iterator[Shift]:
    """Cut shifts, given by time, where somebody leaves or returns, and give each piece to the next who is there."""
    coming = (
        sorted(_near(away, planned[0].start, planned[-1].end), key=lambda a: a.start, reverse=True) if planned else []
    )
    near: list[Away] = []
    for shift in planned:
        while coming and coming[-1].start < shift.end:
            near.append(coming.pop())
        near = [a for a in near if a.end is None or a.end > shift.start]
        if all(a.person_id != shift.person_id for a in near):
            yield shift
            continue
        bounds = {shift.start, shift.end}
        bounds |= {at for a in near for at in (a.start, a.end) if at is not None and shift.start < at < shift.end}
        turn = shift.turn or 0
        order = [rule.person_ids[(turn + step) % len(rule.person_ids)] for step in range(len(rule.person_ids))]
        pieces: list[Shift] = []
        for start, end in pairwise(sorted(bounds)):
            absent = {a.person_id for a in near if a.start < end and (a.end is None or a.end > start)}
            person_id = next((person for person in order if person not in absent), None)
            instead_of_id = None if person_id == order[0] else order[0]
            if pieces and (pieces[-1].person_id, pieces[-1].instead_of_id) == (person_id, instead_of_id):
                pieces[-1] = replace(pieces[-1], end=end)
            else:
                pieces.append(replace(shift, start=start, end=end, person_id=person_id, instead_of_id=instead_of_id))
        yield from pieces


def _while_there(overrides: Sequence[Override], away: Sequence[Away]) -> Sequence[Override]:
    """Leave of each override what its person is there for."""
    if not (overrides and away):
        return overrides
    absences: dict[int, list[Override]] = {}
    for a in _near(away, min(o.start for o in overrides), max(o.end for o in overrides)):
        absences.setdefault(a.person_id, []).append(Override(a.start, a.end or _NEVER, None))
    return [
        part
        for override in overrides
        for part in reduce(_without, absences.get(override.person_id or 0, ()), [override])
    ]


def _near(away: Sequence[Away], since: datetime, to: datetime) -> list[Away]:
    return [a for a in away if a.start < to and (a.end is None or a.end > since)]


def _without(parts: list[Override], top: Override) -> list[Override]:
    return [rest for part in parts for rest in _around(part, top)]


def _disjoint(schedule: Schedule) -> list[Override]:
    """Sort overrides by time; where two overlap the later in the sequence keeps its time."""
    by_time = sorted(schedule.overrides, key=lambda o: o.start)
    if all(a.end <= b.start for a, b in pairwise(by_time)):
        return by_time
    kept: list[Override] = []
    for top in _while_there(schedule.overrides, schedule.away):
        kept = [*_without(kept, top), top]
    return sorted(kept, key=lambda o: o.start)


def _around(below: Override, top: Override) -> Iterator[Override]:
    if top.end <= below.start or below.end <= top.start:
        yield below
        return
    if below.start < top.start:
        yield replace(below, end=top.start)
    if top.end < below.end:
        yield replace(below, start=top.end)


def overlay(base: Sequence[Shift], overrides: Sequence[Override]) -> list[Shift]:
    """Lay overrides over shifts, both by time and without overlaps; what they do not touch stays as it was."""
    result: list[Shift] = []
    covered: dict[int, list[Shift]] = {}
    position = 0
    for shift in base:
        while position < len(overrides) and overrides[position].end <= shift.start:
            position += 1
        free_from, index = shift.start, position
        while index < len(overrides) and overrides[index].start < shift.end:
            top = overrides[index]
            if top.instead_of_id in (None, shift.person_id):
                start, end = max(top.start, shift.start), min(top.end, shift.end)
                if free_from < start:
                    result.append(_part(shift, free_from, start))
                free_from = end
                covered.setdefault(index, []).append(_part(shift, start, end))
            index += 1
        if free_from == shift.start:
            result.append(shift)
        elif free_from < shift.end:
            result.append(_part(shift, free_from, shift.end))
    for index, top in enumerate(overrides):
        result += _laid(top, covered.get(index, []))
    return sorted(result, key=lambda shift: shift.start)


def _laid(top: Override, covered: Sequence[Shift]) -> Iterator[Shift]:
    """Give an override as shifts: whole where it holds anyway, else where it covers somebody."""
    if top.instead_of_id is None and top.person_id is not None:
        below = covered[0] if covered else None
        yield Shift(
            top.start, top.end, top.person_id, below.person_id if below else None, below.turn if below else None, top.id
        )
        return
    for below in covered:
        yield replace(below, person_id=top.person_id, instead_of_id=below.person_id, override_id=top.id)
