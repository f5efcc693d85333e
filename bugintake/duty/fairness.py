"""How duty is spread: who had it how often, and what would have been a fair share. Worked out anew, kept nowhere."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise, zip_longest
from typing import Any

from babel.dates import format_date

from bugintake.core.templating import say
from bugintake.duty.plans import Plan
from bugintake.duty.queries import REMEMBERED
from bugintake.duty.rotation import Away, Shift, shifts
from bugintake.duty.turns import Rule
from bugintake.duty.wall_clock import instant
from bugintake.team.models import User

ONE_DAY = timedelta(days=1)
A_MONDAY = date(2001, 1, 1)
LOCALE = "en_GB"


@dataclass(frozen=True)
class Standing:
    """What one person had of duty in a period, in duty days, and what would have been a fair share of it.

    What is `done`, and the `shares`, are by month, named by its first day.
    """

    person: User
    days: Mapping[date, float]
    done: Mapping[date, float]
    beside_holidays: float
    shares: Mapping[date, float]

    @property
    def total(self) -> float:
        """All of it, done and to come."""
        return sum(self.days.values())

    @property
    def to_come(self) -> float:
        """What of it has not begun."""
        return self.total - sum(self.done.values())

    @property
    def share(self) -> float:
        """What would have been fair."""
        return sum(self.shares.values())

    @property
    def balance(self) -> float:
        """How far ahead of a fair share this person is; behind, it is negative."""
        return self.total - self.share

    def on_weekday(self, weekday: int) -> float:
        """Add up what falls on one day of the week, Monday is 0."""
        return sum(part for day, part in self.days.items() if day.weekday() == weekday)

    def in_month(self, first: date) -> float:
        """Add up what falls into the month that begins on a day."""
        return self._by_month.get(first, 0)

    @cached_property
    def _by_month(self) -> Mapping[date, float]:
        found: dict[date, float] = _amounts()
        for day, part in self.days.items():
            found[day.replace(day=1)] += part
        return found

    def last_before(self, day: date, weekday: int | None = None) -> date | None:
        """Name the last day of duty before another one, or the last of them on one day of the week."""
        before = (each for each in self.days if each < day and weekday in (None, each.weekday()))
        return max(before, default=None)


@dataclass(frozen=True)
class Fairness:
    """How duty is spread between two days, both included. By name; people without any are listed too."""

    since: date
    to: date
    weekdays: tuple[int, ...]
    standings: tuple[Standing, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nobody had any duty."""
        return not any(each.days for each in self.standings)

    @cached_property
    def highest_month(self) -> float:
        """The most that anybody had, or would have had by fair shares, in one month; 1 where that is less."""
        months = ((each.in_month(month), each.shares.get(month, 0)) for each in self.standings for month in self.months)
        return max([1.0, *(max(both) for both in months)])

    @cached_property
    def months(self) -> list[date]:
        """The first days of the months in which anybody had duty."""
        return sorted({month for each in self.standings for month in each.shares})

    def of(self, person: User) -> Standing:
        """Return what one person had; of somebody who had nothing to do with it, nothing."""
        return self._by_person.get(person.id) or Standing(person, {}, {}, 0, {})

    def __contains__(self, person: User) -> bool:
        """Whether somebody has to do with it."""
        return person.id in self._by_person

    @cached_property
    def _by_person(self) -> Mapping[int, Standing]:
        return {each.person.id: each for each in self.standings}


@dataclass(frozen=True)
class _DutyDay:
    """The hours of duty that belong to a day, until another rule came into force; `length` is what a whole day has."""

    day: date
    rule: Rule
    start: datetime
    end: datetime
    length: timedelta


def fairness(plan: Plan, since: date, to: date, now: datetime) -> Fairness:
    """Count who is on duty between two days, both included, and what would have been fair.

    What counts is who really was on duty, after all layers, and who is to be; an afternoon that somebody took over is
    the part of a day that its hours are. Hours outside the duty hours are nobody's turn. Each hour that somebody had is
    shared out among the people of the rule then in force who were not away: so whoever joined owes nothing of before,
    and all balances add up to nothing.
    """
    days: dict[int, dict[date, float]] = defaultdict(_amounts)
    shares: dict[int, dict[date, float]] = defaultdict(_amounts)
    done: dict[int, dict[date, float]] = defaultdict(_amounts)
    beside: dict[int, float] = _amounts()
    shared: dict[tuple[tuple[int, ...], date], float] = _amounts()
    duty_days = list(_duty_days(plan.schedule.rules, since, to))
    for duty_day, shift, away in _served(plan, duty_days):
        start, end = max(shift.start, duty_day.start), min(shift.end, duty_day.end)
        part = (end - start) / duty_day.length
        person_id, month = shift.person_id or 0, duty_day.day.replace(day=1)
        days[person_id][duty_day.day] += part
        done[person_id][month] += part if start <= now else 0
        beside[person_id] += part if is_beside_holiday(duty_day.rule, duty_day.day) else 0
        for there, length in _there(duty_day.rule, away, start, end):
            shared[there or (person_id,), month] += length / duty_day.length
    for (there, month), part in shared.items():
        for person_id in there:
            shares[person_id][month] += part / len(there)
    members = {key for duty_day in duty_days for key in duty_day.rule.person_ids}
    listed = {key for key in members if plan.people[key].is_active} | days.keys() | shares.keys()
    found = [Standing(plan.people[key], days[key], done[key], beside[key], shares[key]) for key in listed]
    by_name = sorted(found, key=lambda each: (each.person.name, each.person.id))
    weekdays = {duty_day.day.weekday() for duty_day in duty_days}
    return Fairness(since, to, tuple(sorted(weekdays)), tuple(by_name))


def lately(plan: Plan, now: datetime) -> Fairness:
    """Count the last 90 days, without today, where the rotation is."""
    today = now.astimezone(plan.zone_at(now)).date()
    return fairness(plan, today - REMEMBERED, today - ONE_DAY, now)


def by_fairness(found: Fairness, people: Collection[User], day: date) -> list[User]:
    """Sort who could take a day: who is most behind, then who had least of that weekday, then whose last was first."""

    def order(person: User) -> tuple[float, float, date, str, int]:
        one = found.of(person)
        last = one.last_before(day) or date.min
        return round(one.balance, 6), round(one.on_weekday(day.weekday()), 6), last, person.name, person.id

    return sorted(people, key=order)


def reason(one: Standing, day: date) -> str:
    """Say why a day would be fair: 1.5 days behind, no Friday since 4 Sep."""
    last = one.last_before(day, day.weekday())
    words = {"balance": balance_in_words(one.balance), "weekday": format_date(day, "EEEE", locale=LOCALE)}
    if last is None:
        return say("%(balance)s, no %(weekday)s lately", **words)
    return say("%(balance)s, no %(weekday)s since %(day)s", **words, day=format_date(last, "d MMM", locale=LOCALE))


def balance_in_words(balance: float) -> str:
    """Say how far from a fair share: 1.5 days behind, 1 day ahead, even."""
    if amount(abs(balance)) == "0":
        return say("even")
    days = days_in_words(abs(balance))
    return say("%(days)s behind", days=days) if balance < 0 else say("%(days)s ahead", days=days)


def days_in_words(days: float) -> str:
    """Say how many days: 1 day, 13.5 days."""
    count = amount(days)
    return say("1 day") if count == "1" else say("%(count)s days", count=count)


def weekday_name(weekday: int) -> str:
    """Name a day of the week, Monday is 0: Mon."""
    return format_date(A_MONDAY + weekday * ONE_DAY, "EEE", locale=LOCALE)


def month_name(month: date) -> str:
    """Name a month by its first day: Sep 2026."""
    return format_date(month, "MMM yyyy", locale=LOCALE)


def amount(days: float) -> str:
    """Write days with at most one decimal: 14, 13.5."""
    return f"{days:.1f}".removesuffix(".0")


def _amounts() -> Any:
    return defaultdict(float)


def _duty_days(rules: Sequence[Rule], since: date, to: date) -> Iterator[_DutyDay]:
    in_order = sorted(rules, key=lambda rule: rule.begins_at)
    for rule, following in zip_longest(in_order, in_order[1:]):
        last = min(to, following.start_on) if following else to
        for number in range(max(since, rule.start_on).toordinal(), last.toordinal() + 1):
            if not rule.works_on(number):
                continue
            wall = datetime.combine(date.fromordinal(number), rule.handoff)
            start, end = instant(wall, rule.zone), instant(wall + timedelta(minutes=rule.minutes), rule.zone)
            until = min(end, following.begins_at) if following else end
            if start < until:
                yield _DutyDay(wall.date(), rule, start, until, end - start)


def _served(plan: Plan, duty_days: Sequence[_DutyDay]) -> Iterator[tuple[_DutyDay, Shift, list[Away]]]:
    """Pair each duty day with the shifts of people on it, and with whoever was away for some of it."""
    if not duty_days:
        return
    found = shifts(plan.schedule, duty_days[0].start, max(each.end for each in duty_days))
    coming = sorted(plan.schedule.away, key=lambda away: away.start, reverse=True)
    away: list[Away] = []
    first = 0
    for duty_day in duty_days:
        while coming and coming[-1].start < duty_day.end:
            away.append(coming.pop())
        away = [each for each in away if each.end is None or each.end > duty_day.start]
        while first < len(found) and found[first].end <= duty_day.start:
            first += 1
        for shift in (found[position] for position in range(first, len(found))):
            if shift.start >= duty_day.end:
                break
            if shift.person_id is not None:
                yield duty_day, shift, away


def _there(
    rule: Rule, away: Sequence[Away], start: datetime, end: datetime
) -> Iterator[tuple[tuple[int, ...], timedelta]]:
    """Tell who of a rule was there for how long of a time."""
    bounds = {start, end}
    bounds.update(at for each in away for at in (each.start, each.end) if at is not None and start < at < end)
    for since, to in pairwise(sorted(bounds)):
        absent = {each.person_id for each in away if each.start < to and (each.end is None or each.end > since)}
        yield tuple(key for key in rule.person_ids if key not in absent), to - since


def is_beside_holiday(rule: Rule, day: date) -> bool:
    """Whether the days off right before or after a day hold a holiday, so that it makes a long weekend shorter."""
    return any(_meets_holiday(rule, day, step) for step in (-ONE_DAY, ONE_DAY))


def _meets_holiday(rule: Rule, day: date, step: timedelta) -> bool:
    for _ in range(7):
        day += step
        if day < rule.start_on or rule.works_on(day.toordinal()):
            return False
        if day.weekday() in rule.days:
            return True
    return False
