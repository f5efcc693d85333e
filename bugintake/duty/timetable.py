"""The plan as people read it: weeks down, days across, and what a change would mean for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import gettext

from bugintake.duty.plans import Plan, PlannedShift
from bugintake.duty.queries import day_start
from bugintake.duty.wall_clock import instant
from bugintake.team.models import User

ONE_DAY = timedelta(days=1)
LOCALE = "en_GB"


@dataclass(frozen=True)
class Part:
    """What one day shows of a shift."""

    planned: PlannedShift
    start: datetime
    end: datetime
    is_whole_day: bool

    @property
    def name(self) -> str:
        """Who has it."""
        return self.planned.person.first_name if self.planned.person is not None else str(gettext("nobody"))


@dataclass(frozen=True)
class Cell:
    """One or several days in a row that one person has, or one day on which somebody stands in for a part of it.

    `end` is when the last of several days ends.
    """

    days: tuple[date, ...]
    parts: tuple[Part, ...]
    is_today: bool
    holiday: str = ""
    end: datetime | None = None

    @property
    def when(self) -> str:
        """The days in words: Mon 14 Sep, or Mon 28 Sep to Thu 1 Oct."""
        first, last = (format_date(day, "EEE d MMM", locale=LOCALE) for day in (self.days[0], self.days[-1]))
        return first if len(self.days) == 1 else gettext("%(first)s to %(last)s", first=first, last=last)

    @property
    def names(self) -> str:
        """Who has it, with the hours where it is split, and its holiday: Tin 09:00–12:00, Mira 12:00–17:00."""
        named = [
            f"{part.name} {part.start:%H:%M}–{part.end:%H:%M}" if self.is_split else part.name for part in self.parts
        ]
        return ", ".join([*named, *([self.holiday] if self.holiday else [])])

    @property
    def is_split(self) -> bool:
        """Whether the day has more than one person, or duty for a part of it only."""
        return len(self.parts) > 1 or any(not part.is_whole_day for part in self.parts)


@dataclass(frozen=True)
class Week:
    """A row of the timetable."""

    monday: date
    cells: tuple[Cell, ...]

    @property
    def label(self) -> str:
        """The week's first day: 14 Sep."""
        return format_date(self.monday, "d MMM", locale=LOCALE)


@dataclass(frozen=True)
class Timetable:
    """Some weeks of one rotation. `weekdays` are the columns, Monday is 0."""

    zone: ZoneInfo
    weekdays: tuple[int, ...]
    weeks: tuple[Week, ...]

    @property
    def headings(self) -> list[str]:
        """The names of the columns: Mon, Tue."""
        return [format_date(self.weeks[0].monday + n * ONE_DAY, "EEE", locale=LOCALE) for n in self.weekdays]


@dataclass(frozen=True)
class Change:
    """What a new rule gives one person and takes from them, as days."""

    person: User
    gained: tuple[date, ...]
    lost: tuple[date, ...]

    @property
    def gained_on(self) -> list[str]:
        """The days gained, in words."""
        return [format_date(day, "d MMM", locale=LOCALE) for day in self.gained]

    @property
    def lost_on(self) -> list[str]:
        """The days lost, in words."""
        return [format_date(day, "d MMM", locale=LOCALE) for day in self.lost]


def timetable(plan: Plan, monday: date, week_count: int, today: date) -> Timetable:
    """Lay a plan out in weeks; days nobody ever works are no columns."""
    days = [monday + n * ONE_DAY for n in range(7 * week_count)]
    parts = {day: _parts(plan, day) for day in days}
    worked = {day.weekday() for day in days if parts[day] or _works_on(plan, day)}
    weekdays = tuple(sorted(worked)) or tuple(range(5))
    weeks = []
    for number in range(week_count):
        first = monday + 7 * number * ONE_DAY
        shown = [first + weekday * ONE_DAY for weekday in weekdays]
        weeks.append(Week(first, tuple(_joined(plan, shown, parts, today))))
    return Timetable(plan.zone_at(day_start(monday, plan.schedule.rules[0].zone)), weekdays, tuple(weeks))


def changes(before: Plan, after: Plan, since: datetime, to: datetime) -> list[Change]:
    """Tell for each person which days they gain and lose between two plans, by name."""
    people = {**before.people, **after.people}
    had, has = _days_by_person(before, since, to), _days_by_person(after, since, to)
    found = []
    for key, person in people.items():
        old, new = had.get(key, set()), has.get(key, set())
        if old != new:
            found.append(Change(person, tuple(sorted(new - old)), tuple(sorted(old - new))))
    return sorted(found, key=lambda change: (change.person.name, change.person.id))


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - day.weekday() * ONE_DAY


def _works_on(plan: Plan, day: date) -> bool:
    rule = plan.rule_on(day)
    return rule is not None and day.weekday() in rule.days


def _parts(plan: Plan, day: date) -> tuple[Part, ...]:
    """Find who is on duty in the hours that belong to a day; on a day off only who stands in from that day on."""
    rule = plan.rule_on(day)
    if rule is None:
        return ()
    if not rule.works_on(day.toordinal()):
        start = instant(datetime.combine(day, datetime.min.time()), rule.zone)
        found = plan.between(start, start + ONE_DAY)
        return tuple(Part(s, s.start, s.end, False) for s in found if s.shift.override_id is not None and s.on == day)
    start = instant(datetime.combine(day, rule.handoff), rule.zone)
    end = instant(datetime.combine(day, rule.handoff) + timedelta(minutes=rule.minutes), rule.zone)
    return tuple(
        Part(
            planned,
            max(planned.shift.start, start).astimezone(rule.zone),
            min(planned.shift.end, end).astimezone(rule.zone),
            planned.shift.start <= start and planned.shift.end >= end,
        )
        for planned in plan.between(start, end)
    )


def _joined(plan: Plan, days: Sequence[date], parts: dict[date, tuple[Part, ...]], today: date) -> list[Cell]:
    """Put neighbouring whole days of one person into one cell; today stands alone."""
    cells: list[Cell] = []
    for day in days:
        cell = Cell((day,), parts[day], day == today, plan.holidays.get(day, ""))
        if cells and _belong_together(cells[-1], cell):
            cells[-1] = Cell((*cells[-1].days, day), cells[-1].parts, False, end=cell.parts[0].end)
        else:
            cells.append(cell)
    return cells


def _belong_together(left: Cell, right: Cell) -> bool:
    if left.is_today or right.is_today or left.is_split or right.is_split or not (left.parts and right.parts):
        return False
    one, other = left.parts[0].planned.shift, right.parts[0].planned.shift
    return (one.person_id, one.instead_of_id) == (other.person_id, other.instead_of_id)


def _days_by_person(plan: Plan, since: datetime, to: datetime) -> dict[int, set[date]]:
    days: dict[int, set[date]] = {}
    for planned in plan.between(since, to):
        if planned.shift.person_id is not None:
            days.setdefault(planned.shift.person_id, set()).add(planned.on)
    return days
