"""The rule of a rotation: which day is worked, in whose turn, from when to when."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from bugintake.duty.wall_clock import MINUTES_OF_A_DAY, instant, minutes_between

WORKWEEK = frozenset(range(5))


class TurnUnit(StrEnum):
    """What the length of a turn is counted in; days and hours are worked ones."""

    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True)
class Rule:
    """Who takes duty in which order, on which days and hours, from a day on.

    Days are weekdays with Monday as 0. `until` at or before `handoff` means the next day; where they are equal the
    days join. A turn is counted from `counted_from` (`start_on` where nothing is said), so a first turn may
    be cut short: a weekly rotation that starts on a Thursday, counted from the Monday, hands over on Mondays.
    `rest` counts the units without duty between turns. Nothing is stepped through from the start: every question is
    answered by arithmetic on the day asked about.
    """

    zone: ZoneInfo
    start_on: date
    person_ids: tuple[int, ...]
    handoff: time = time(9)
    until: time = time(17)
    days: frozenset[int] = WORKWEEK
    turn_length: int = 1
    turn_unit: TurnUnit = TurnUnit.DAYS
    rest: int = 0
    counted_from: date | None = None
    holidays: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if not self.person_ids or not self.days or self.turn_length < 1 or self.rest < 0:
            raise ValueError("a rule needs people, days and a turn of at least one unit")

    @cached_property
    def begins_at(self) -> datetime:
        """The instant the rule comes into force."""
        return instant(datetime.combine(self.start_on, self.handoff), self.zone)

    @cached_property
    def minutes(self) -> int:
        """How long a duty day is on the clock."""
        return minutes_between(self.handoff, self.until)

    @cached_property
    def origin(self) -> int:
        """The ordinal of the day turns are counted from."""
        return (self.counted_from or self.start_on).toordinal()

    @cached_property
    def _first_day(self) -> int:
        return self.start_on.toordinal()

    @cached_property
    def _days_off(self) -> frozenset[int]:
        return frozenset(day.toordinal() for day in self.holidays if day.weekday() in self.days)

    @cached_property
    def _sorted_days_off(self) -> list[int]:
        return sorted(self._days_off)

    @cached_property
    def _span(self) -> tuple[timedelta, timedelta]:
        start = timedelta(hours=self.handoff.hour, minutes=self.handoff.minute)
        return start, start + timedelta(minutes=self.minutes)

    @cached_property
    def _worked_in_part_of_week(self) -> tuple[int, ...]:
        counts = [0]
        for offset in range(7):
            counts.append(counts[-1] + ((self.origin - 1 + offset) % 7 in self.days))
        return tuple(counts)

    def works_on(self, day: int) -> bool:
        """Whether somebody is on duty from that day's handoff (the day as an ordinal)."""
        return (day - 1) % 7 in self.days and day >= self._first_day and day not in self._days_off

    def worked_days_before(self, day: int) -> int:
        """Count the worked days from the origin up to, not including, a day."""
        weeks, part = divmod(day - self.origin, 7)
        worked = weeks * len(self.days) + self._worked_in_part_of_week[part]
        if not self._days_off:
            return worked
        return worked - (bisect_left(self._sorted_days_off, day) - bisect_left(self._sorted_days_off, self.origin))

    def slots(self, day: int) -> Sequence[tuple[int, datetime, datetime]]:
        """List the parts of one worked day as (turn, start, end), times on the wall clock."""
        midnight = datetime.fromordinal(day)
        start, end = self._span
        if self.turn_unit is TurnUnit.HOURS:
            return list(self._hourly_slots(day, midnight + start))
        turn, position = divmod(self._units_before(day), self.turn_length + self.rest)
        return ((turn, midnight + start, midnight + end),) if position < self.turn_length else ()

    def _units_before(self, day: int) -> int:
        if self.turn_unit is TurnUnit.DAYS:
            return self.worked_days_before(day)
        if self.turn_unit is TurnUnit.WEEKS:
            return (day - self.origin) // 7
        origin, asked = date.fromordinal(self.origin), date.fromordinal(day)
        months = (asked.year - origin.year) * 12 + asked.month - origin.month
        is_short_of_it = asked.day < origin.day and (asked + timedelta(days=1)).day != 1
        return months - is_short_of_it

    def _hourly_slots(self, day: int, start: datetime) -> Iterator[tuple[int, datetime, datetime]]:
        length, cycle = self.turn_length * 60, (self.turn_length + self.rest) * 60
        before = self.worked_days_before(day) * self.minutes
        for turn in range(before // cycle, (before + self.minutes - 1) // cycle + 1):
            begins = max(0, turn * cycle - before)
            ends = min(self.minutes, turn * cycle + length - before)
            if begins < ends:
                yield turn, start + timedelta(minutes=begins), start + timedelta(minutes=ends)

    def first_day_of(self, turn: int) -> date:
        """Name the day a turn begins on, worked or not."""
        units = turn * (self.turn_length + self.rest)
        if self.turn_unit is TurnUnit.WEEKS:
            return date.fromordinal(self.origin + 7 * units)
        if self.turn_unit is TurnUnit.MONTHS:
            years, month = divmod(date.fromordinal(self.origin).month - 1 + units, 12)
            first = date(date.fromordinal(self.origin).year + years, month + 1, 1)
            last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
            return min(first + timedelta(days=date.fromordinal(self.origin).day - 1), last)
        worked_before = units * 60 // self.minutes if self.turn_unit is TurnUnit.HOURS else units
        latest = self.origin + 7 * (worked_before + 1 + len(self._days_off))
        days = range(self.origin, latest + 1)
        return date.fromordinal(days[bisect_left(days, worked_before + 1, key=self._worked_through)])

    def _worked_through(self, day: int) -> int:
        return self.worked_days_before(day + 1)

    def turn_goes_on(self, day: int) -> bool:
        """Whether the turn at the end of a day runs on without a break into the next."""
        if self.minutes < MINUTES_OF_A_DAY or not (self.works_on(day) and self.works_on(day + 1)):
            return False
        today, tomorrow = self.slots(day), self.slots(day + 1)
        return bool(today and tomorrow) and today[-1][0] == tomorrow[0][0]
