"""Reading calendars of strangers (iCalendar, RFC 5545): their events within a time, however much they hold."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line

MOST_EVENTS, MOST_SERIES = 2000, 60
SLOW = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
UNREADABLE = "That cannot be read as a calendar (iCalendar)."


@dataclass(frozen=True)
class CalendarEvent:
    """One event, or one time of one that repeats: whole days, or instants; `end` is no part of it.

    A datetime without a zone is the local time of whoever reads it.
    """

    start: date
    end: date
    summary: str
    addresses: tuple[str, ...]


def events_between(text: bytes | str, since: date, to: date) -> list[CalendarEvent]:
    """List the events that take place in [since, to), without those cancelled; what repeats for ever ends there.

    Raises Invalid for what is no calendar, and for one with too much in it.
    """
    import recurring_ical_events  # a third of a second that few requests need
    from icalendar import Calendar

    try:
        calendar = Calendar.from_ical(text)
        if calendar.name != "VCALENDAR":
            raise Invalid(UNREADABLE)
        _check_size(calendar)
        found = recurring_ical_events.of(calendar).between(since, to)
        return [_event(each) for each in found if str(each.get("STATUS", "")).upper() != "CANCELLED"]
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError) as error:
        raise Invalid(UNREADABLE) from error


def _event(event: Any) -> CalendarEvent:
    attendees = event.get("ATTENDEE", [])
    return CalendarEvent(
        event["DTSTART"].dt,
        event["DTEND"].dt,
        clean_line(str(event.get("SUMMARY", ""))),
        tuple(
            clean_line(str(each)).lower().removeprefix("mailto:")
            for each in (attendees if isinstance(attendees, list) else [attendees])
        ),
    )


def _check_size(calendar: Any) -> None:
    events = calendar.walk("VEVENT")
    series = [event for event in events if "RRULE" in event or "RDATE" in event]
    if len(events) > MOST_EVENTS or len(series) > MOST_SERIES:
        raise Invalid(
            f"The calendar has more than {MOST_EVENTS:,} events, or more than {MOST_SERIES} that repeat."
            " Use one that holds nothing but the days in question."
        )
    for event in series:
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            if not {str(each).upper() for each in rule.get("FREQ", [])} <= SLOW:
                raise Invalid("The calendar has an event that repeats within a day. Nothing of it was read.")
