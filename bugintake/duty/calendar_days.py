"""What a calendar says about days away: its days, within a year around today, however much it holds."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bugintake.duty.calendar_events import CalendarEvent, events_between

ONE_DAY = timedelta(days=1)
AROUND = timedelta(days=366)


def days_away(text: bytes, today: date, zone: ZoneInfo) -> set[date]:
    """Read the whole days that a calendar's events fill, up to a year before and after today.

    An event of hours fills no day; one from a Monday noon to a Wednesday noon fills Tuesday. What goes on for ever is
    read up to the year. Raises what events_between raises.
    """
    since, until = today - AROUND, today + AROUND
    return {day for event in events_between(text, since, until + ONE_DAY) for day in _days(event, zone, since, until)}


def ranges(days: set[date]) -> list[tuple[date, date]]:
    """Put days beside each other together, no more than a year in one."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == ONE_DAY and day - found[-1][0] < AROUND:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _days(event: CalendarEvent, zone: ZoneInfo, since: date, until: date) -> Iterator[date]:
    if isinstance(event.start, datetime) and isinstance(event.end, datetime):
        start, end = _local(event.start, zone), _local(event.end, zone)
        first = start.date() + (ONE_DAY if start.time() > time(0) else timedelta())
        last = end.date() - ONE_DAY
    else:
        first, last = event.start, max(event.start, event.end - ONE_DAY)
    first, last = max(first, since), min(last, until)
    while first <= last:
        yield first
        first += ONE_DAY


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at if at.tzinfo is None else at.astimezone(zone)
