"""Who is to be told that it is their turn soon: on the working day before, at four in the afternoon where they are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bugintake.core import clock
from bugintake.core.forms import zone_or_utc
from bugintake.duty.plans import Plan, PlannedShift, load_plans
from bugintake.duty.wall_clock import instant
from bugintake.team.models import User
from bugintake.team.working_hours import WorkingHours
from bugintake.team.workspace import is_set_up, working_hours

REMINDED_AT = time(16)
LOOK_AHEAD = timedelta(days=21)
LOOK_BACK = timedelta(days=14)
NEXT_DAYS = 3


@dataclass(frozen=True)
class Reminder:
    """What one person is told before a turn. `key` stays the same however often the same thing is asked.

    `same_day` are the person's other hours on the day of the shift.
    """

    key: str
    person: User
    shift: PlannedShift
    same_day: tuple[PlannedShift, ...]
    previous: User | None
    next_shifts: tuple[PlannedShift, ...]
    due_at: datetime

    @property
    def zone(self) -> ZoneInfo:
        """The zone the rotation speaks in."""
        return self.shift.zone

    @property
    def shifts(self) -> tuple[PlannedShift, ...]:
        """All of the person's hours on that day."""
        return self.shift, *self.same_day


def due_reminders(now: datetime) -> list[Reminder]:
    """List whom to tell by now about a turn that has not begun, once per turn and person.

    Due at 16:00 in the person's zone on the last working day before the shift; a shift that came later is due at once.
    Whoever keeps the result tells nobody twice by its key. One turn of several days is one reminder; of hours that were
    taken over, each day is one, however they are cut and however often they go back and forth.
    """
    found = [reminder for reminder in coming_reminders(now) if reminder.due_at <= now]
    return sorted(found, key=lambda reminder: (reminder.shift.shift.start, reminder.key))


def coming_reminders(now: datetime) -> Iterator[Reminder]:
    """Yield the reminders of the turns that begin in the next three weeks, sent or not."""
    hours = working_hours() if is_set_up() else None
    for plan in load_plans(now - LOOK_BACK, now + LOOK_AHEAD):
        yield from _of_plan(plan, now, hours)


def due_at(planned: PlannedShift, person: User, hours: WorkingHours | None) -> datetime:
    """Say when a person is to be told about a shift."""
    zone = zone_or_utc(person.zone)
    day = planned.shift.start.astimezone(zone).date()
    if hours is not None:
        before = replace(hours, holidays=frozenset(planned.holidays)).previous_working_day(day)
    else:
        before = day - timedelta(days=1)
    return instant(datetime.combine(before, REMINDED_AT), zone)


def reminded_at(mine: Sequence[PlannedShift], person: User) -> datetime | None:
    """Say when the reminder of the next of a person's shifts goes out, where that is still to come."""
    now = clock.now()
    coming = [planned for planned in mine if planned.shift.start > now]
    at = due_at(coming[0], person, working_hours()) if coming else None
    return at if at is not None and at > now else None


def _of_plan(plan: Plan, now: datetime, hours: WorkingHours | None) -> Iterator[Reminder]:
    planned = plan.between(now - LOOK_BACK, now + LOOK_AHEAD)
    seen: set[str] = set()
    for position, shift in enumerate(planned):
        person = shift.person
        if person is None or not person.is_active or shift.shift.start <= now:
            continue
        key = _key(plan, shift, person)
        if key in seen:
            continue
        seen.add(key)
        previous = planned[position - 1].person if position else None
        later = [s for s in planned[position + 1 :] if s.shift.person_id == person.id]
        days: dict[date, PlannedShift] = {}
        for other in later:
            if other.on != shift.on:
                days.setdefault(other.on, other)
        yield Reminder(
            key=key,
            person=person,
            shift=shift,
            same_day=tuple(other for other in later if other.on == shift.on),
            previous=previous if previous is None or previous.id != person.id else None,
            next_shifts=tuple(days.values())[:NEXT_DAYS],
            due_at=due_at(shift, person, hours),
        )


def _key(plan: Plan, planned: PlannedShift, person: User) -> str:
    """Name a person's turn by its first day, and hours laid over the rule by the day they are on.

    So the name stays when rules change around it, and when the same hours are laid, taken back and laid again.
    """
    shift = planned.shift
    if shift.override_id is not None or shift.turn is None:
        first_on = planned.on
    else:
        first_on = plan.rule_at(shift.start).first_day_of(shift.turn)
    return f"duty:{plan.rotation.id}:{first_on:%Y%m%d}:{person.id}"
