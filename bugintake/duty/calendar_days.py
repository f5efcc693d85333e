"""What a calendar says about days away: its days, within a year around today, however much it holds."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bugintake.core.errors import Invalid

ONE_DAY = timedelta(days=1)
AROUND = timedelta(days=366)
MOST_EVENTS, MOST_SERIES = 2000, 20
SLOW = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
UNREADABLE = "What the address leads to cannot be read as a calendar (iCalendar)."


def days_away(text: bytes, today: date, zone: ZoneInfo) -> set[date]:
    """Read the whole days that a calendar's events fill, up to a year before and after today.

    An event of hours fills no day; one from a Monday noon to a Wednesday noon fills Tuesday. What goes on for ever is
    read up to the year. Raises Invalid for what is no calendar, and for one with too much in it to be one's days away.
    """
    import recurring_ical_events  # a third of a second that only the worker needs
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
        if calendar.name != "VCALENDAR":
            raise Invalid(UNREADABLE)
        _check_size(calendar)
        since, until = today - AROUND, today + AROUND
        events = recurring_ical_events.of(calendar).between(since, until + ONE_DAY)
        found = [day for event in events for day in _days(event, zone, since, until)]
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError) as error:
        raise Invalid(UNREADABLE) from error
    return set(found)


def ranges(days: set[date]) -> list[tuple[date, date]]:
    """Put days beside each other together, no more than a year in one."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and day - found[-1][1] == ONE_DAY and day - found[-1][0] < AROUND:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _check_size(calendar: Any) -> None:
    events = calendar.walk("VEVENT")
    series = [event for event in events if "RRULE" in event or "RDATE" in event]
    if len(events) > MOST_EVENTS or len(series) > MOST_SERIES:
        raise Invalid(
            f"The calendar has more than {MOST_EVENTS:,} events, or more than {MOST_SERIES} that repeat."
            " Give the address of one with your days away alone."
        )
    for event in series:
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            if not {str(each).upper() for each in rule.get("FREQ", [])} <= SLOW:
                raise Invalid("The calendar has an event that repeats within a day. Days away do not.")


def _days(event: Any, zone: ZoneInfo, since: date, until: date) -> Iterator[date]:
    if str(event.get("STATUS", "")).upper() == "CANCELLED":
        return
    start, end = event["DTSTART"].dt, event["DTEND"].dt
    if isinstance(start, datetime):
        start, end = _local(start, zone), _local(end, zone)
        first = start.date() + (ONE_DAY if start.time() > time(0) else timedelta())
        last = end.date() - ONE_DAY
    else:
        first, last = start, max(start, end - ONE_DAY)
    first, last = max(first, since), min(last, until)
    while first <= last:
        yield first
        first += ONE_DAY


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at if at.tzinfo is None else at.astimezone(zone)
