"""Working hours as pure arithmetic: which minutes count, in a zone whose clocks may change."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
INSTANT = timedelta.resolution
FAR = 36600  # days: whoever asks for more than a century has made a mistake


@dataclass(frozen=True)
class WorkingHours:
    """The hours of a week in which somebody works: the same hours on each working day, none on a holiday.

    `days` count from Monday = 0. Every instant given or returned is aware; instants returned are in UTC.
    """

    zone: ZoneInfo
    days: frozenset[int]
    start: time
    end: time
    holidays: frozenset[date] = field(default_factory=frozenset)

    def __post_init__(self) -> None:
        if not self.days or not self.days <= set(range(7)):
            raise ValueError("Working hours need at least one day of the week.")
        if self.start >= self.end:
            raise ValueError("A working day ends after it begins.")

    def is_working_day(self, day: date) -> bool:
        """Whether anybody works on a day."""
        return day.weekday() in self.days and day not in self.holidays

    def span(self, day: date) -> tuple[datetime, datetime]:
        """Say from when until when the hours of a day last, whether or not it is a working day."""
        return self._instant(day, self.start), self._instant(day, self.end)

    def last_begun(self, at: datetime) -> date:
        """Return the last day whose hours had begun by an instant, whether or not it is a working day."""
        day = at.astimezone(self.zone).date()
        return day if self.span(day)[0] <= at else day - timedelta(days=1)

    def is_open(self, at: datetime) -> bool:
        """Whether an instant lies in working hours; the last minute's end does not."""
        day = at.astimezone(self.zone).date()
        opens, closes = self.span(day)
        return self.is_working_day(day) and opens <= at < closes

    def next_open(self, at: datetime) -> datetime:
        """Return the instant itself where it lies in working hours, else when work begins next."""
        opens, _ = next(self._spans(at))
        return max(opens, at.astimezone(UTC))

    def add_working(self, start: datetime, minutes: float) -> datetime:
        """Return the instant by which so many working minutes have passed; time outside working hours stands still.

        Minutes are real ones, so on the day the clocks change a span across the change is longer or shorter on the
        wall. A span that uses a day up ends when that day closes. No minutes end where they began.
        """
        if minutes <= 0:
            return start.astimezone(UTC)
        left = timedelta(minutes=minutes)
        for opens, closes in self._spans(start):
            begins = max(opens, start.astimezone(UTC))
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
        raise ValueError("That is more work than a century holds.")

    def latest_start(self, end: datetime, minutes: float) -> datetime:
        """Return the last instant from which so many working minutes have passed before an instant.

        What add_working() counts from here or from earlier ends before `end`, and what it counts from later does not.
        """
        left = timedelta(minutes=minutes)
        end = end.astimezone(UTC)
        if left <= timedelta():
            return end - INSTANT
        for opens, closes in self._spans_before(end):
            until = min(closes, end)
            if until == end:
                left += INSTANT  # what ends at this very instant has not ended before it
            if left <= until - opens:
                return until - left
            left -= until - opens
        raise ValueError("That is more work than a century holds.")

    def working_minutes(self, start: datetime, end: datetime) -> float:
        """Count the working minutes between two instants."""
        total = timedelta()
        for opens, closes in self._spans(start):
            if opens >= end:
                break
            total += max(timedelta(), min(closes, end) - max(opens, start))
        return total.total_seconds() / 60

    def previous_working_day(self, day: date) -> date:
        """Return the last working day before a day."""
        for back in range(1, FAR):
            if self.is_working_day(day - back * ONE_DAY):
                return day - back * ONE_DAY
        raise ValueError("Nobody worked for a century.")

    def _spans(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working spans that end after an instant, in order; none is empty."""
        day = at.astimezone(self.zone).date()
        for ahead in range(FAR):
            today = day + ahead * ONE_DAY
            if not self.is_working_day(today):
                continue
            opens, closes = self.span(today)
            if opens < closes and closes > at:
                yield opens, closes

    def _spans_before(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working spans that begin before an instant, the last one first; none is empty."""
        day = at.astimezone(self.zone).date()
        for back in range(FAR):
            today = day - back * ONE_DAY
            if not self.is_working_day(today):
                continue
            opens, closes = self.span(today)
            if opens < closes and opens < at:
                yield opens, closes

    def _instant(self, day: date, at: time) -> datetime:
        """Read a wall clock; a time that the clocks skip becomes the first minute that exists."""
        wall = datetime.combine(day, at)
        first, second = (wall.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() == second.utcoffset() or _exists(first):
            return first.astimezone(UTC)
        # In a gap the later reading (fold=1) lies before it and the earlier one after it; the gap's end is between.
        low, high = sorted((first.astimezone(UTC), second.astimezone(UTC)))
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) / 2
            if middle.astimezone(self.zone).replace(tzinfo=None) < wall:
                low = middle
            else:
                high = middle
        return high.replace(microsecond=0)


def _exists(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)
