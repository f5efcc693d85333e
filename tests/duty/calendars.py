"""Calendars as strangers write them, and read back as two libraries read them, which share no code."""

from datetime import UTC

import icalendar
import vobject


def an_event(*lines, uid="1"):
    """Write one event."""
    return "\r\n".join(("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""))


def a_calendar(*events):
    """Write a calendar of events, as bytes."""
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{''.join(events)}END:VCALENDAR\r\n".encode()


def by_icalendar(text):
    """List (uid, sequence, status, start, end, summary) of each entry, as icalendar reads it."""
    found = icalendar.Calendar.from_ical(text)
    return sorted(
        (
            str(entry["UID"]),
            int(entry["SEQUENCE"]),
            str(entry["STATUS"]),
            entry["DTSTART"].dt.astimezone(UTC),
            entry["DTEND"].dt.astimezone(UTC),
            str(entry["SUMMARY"]),
        )
        for entry in found.walk("VEVENT")
    )


def by_vobject(text):
    """List the same, as vobject reads it."""
    found = vobject.readOne(text)
    return sorted(
        (
            entry.uid.value,
            int(entry.sequence.value),
            entry.status.value,
            entry.dtstart.value.astimezone(UTC),
            entry.dtend.value.astimezone(UTC),
            entry.summary.value,
        )
        for entry in found.contents.get("vevent", [])
    )


def entries(text):
    """List the entries of a calendar, which both libraries read alike."""
    found = by_icalendar(text)
    assert by_vobject(text) == found
    assert len({uid for uid, *_ in found}) == len(found)
    return found
