"""A feed as iCalendar (RFC 5545): each shift an entry with a UID of its own, whoever has it.

Times are instants in UTC. An entry never repeats, so a zone would add nothing to them but a table of clock changes that
may be older than the reader's; every calendar shows them by its reader's clock. The rotation's own hours are in words.

Written by hand: the library that reads calendars takes 160 ms for a year, and 300 ms to be loaded.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _

from bugintake.core.config import settings
from bugintake.duty.feed_models import Feed, FeedKind
from bugintake.duty.feed_slots import is_same, shown_slots, span
from bugintake.duty.plans import Plan, PlannedShift, load_plan, load_plans

LONGEST_LINE = 75  # octets
READ_AGAIN = "PT1H"
_SPECIAL = re.compile(r"[\\;,]")
_BREAK = re.compile(r"\r\n?|\n")


def calendar(feed: Feed, now: datetime, alarms: Sequence[int] = ()) -> str:
    """Write a feed: the shifts of the last 90 days and of a year to come, gaps too where it tells of everybody.

    What was the person's own and is no longer, and in feeds of everybody a shift that is no more, is cancelled.
    `alarms` are minutes before the start at which a calendar may remind. Equal all day as long as nothing changes.
    """
    since, to = span(now)
    if feed.rotation is not None:
        plan = load_plan(since, to, feed.rotation)
        plans = [plan] if plan else []
    else:
        plans = load_plans(since, to)
    shown = shown_slots([plan.rotation.id for plan in plans], since)
    writer = _Writer(feed, shown, "".join(_alarm(minutes) for minutes in alarms))
    entries = "".join(entry for plan in plans for entry in writer.entries(plan, since, to))
    return f"{_head(feed)}{entries}END:VCALENDAR\r\n"


def _head(feed: Feed) -> str:
    own = feed.rotation.name if feed.rotation else _("My bug duty") if feed.kind is FeedKind.MINE else _("Bug duty")
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bugintake//duty//EN\r\nCALSCALE:GREGORIAN\r\nMETHOD:PUBLISH\r\n"
        f"{_said('NAME', own)}{_said('X-WR-CALNAME', own)}"
        f"REFRESH-INTERVAL;VALUE=DURATION:{READ_AGAIN}\r\nX-PUBLISHED-TTL:{READ_AGAIN}\r\n"
    )


class _Writer:
    """What the entries of one feed have in common."""

    def __init__(self, feed: Feed, shown: Mapping[tuple[int, datetime], Any], alarm: str) -> None:
        self.shown, self.alarm, self.made_at = shown, alarm, feed.made_at
        self.own_id = feed.user_id if feed.kind is FeedKind.MINE else None
        self.base_url = settings().base_url
        self.host = urlsplit(self.base_url).netloc

    def entries(self, plan: Plan, since: datetime, to: datetime) -> Iterator[str]:
        """Write what a rotation has in this feed: the shifts that are, then those that are no more."""
        there = {planned.shift.start: planned for planned in plan.between(since, to)}
        for start, planned in there.items():
            row = self.shown.get((plan.rotation.id, start))
            if self.own_id in (None, planned.shift.person_id):
                yield self._entry(plan, planned, row)
            elif row is not None and self._was_own(row):
                yield self._cancelled(plan, row, row.sequence + (not is_same(row, planned.shift)))
        for (rotation_id, start), row in self.shown.items():
            is_here = rotation_id == plan.rotation.id and start not in there and start < to
            if is_here and (self.own_id is None or self._was_own(row)):
                yield self._cancelled(plan, row, row.sequence + (not row.is_gone))

    def _was_own(self, row: Any) -> bool:
        return self.own_id == row.user_id or self.own_id in row.former_ids

    def _entry(self, plan: Plan, planned: PlannedShift, row: Any | None) -> str:
        shift = planned.shift
        sequence = 0 if row is None else row.sequence + (not is_same(row, shift))
        changed_at = self.made_at if row is None else row.changed_at
        begins = planned.start
        words = f"{begins:%H:%M}–{planned.end:%H:%M} {planned.zone.key}"
        if planned.instead_of is not None:
            words += "\n" + _("Instead of %(name)s.", name=planned.instead_of.name)
        who = planned.person.name if planned.person else _("Nobody")
        title = plan.rotation.name if self.own_id else f"{plan.rotation.name}: {who}"
        address = f"{self.base_url}/duty/schedule?rotation={plan.rotation.id}&from={begins.date()}"
        return (
            f"{self._begin(plan, shift.start, shift.end, sequence, changed_at)}"
            f"{_said('SUMMARY', title)}{_said('DESCRIPTION', words)}{_line('URL', address)}"
            f"STATUS:CONFIRMED\r\nTRANSP:TRANSPARENT\r\n{self.alarm}END:VEVENT\r\n"
        )

    def _cancelled(self, plan: Plan, row: Any, sequence: int) -> str:
        return (
            f"{self._begin(plan, row.starts_at, row.ends_at, sequence, row.changed_at)}"
            f"{_said('SUMMARY', plan.rotation.name)}STATUS:CANCELLED\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT\r\n"
        )

    def _begin(self, plan: Plan, start: datetime, end: datetime, sequence: int, changed_at: datetime) -> str:
        uid = _line("UID", f"duty-{plan.rotation.id}-{_utc(start)}@{self.host}")
        changed = _utc(changed_at)
        return (
            f"BEGIN:VEVENT\r\n{uid}SEQUENCE:{sequence}\r\nDTSTAMP:{changed}\r\nLAST-MODIFIED:{changed}\r\n"
            f"DTSTART:{_utc(start)}\r\nDTEND:{_utc(end)}\r\n"
        )


def _alarm(minutes: int) -> str:
    words = _said("DESCRIPTION", _("Bug duty"))
    return f"BEGIN:VALARM\r\nACTION:DISPLAY\r\n{words}TRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n"


def _utc(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%SZ}"


@lru_cache(maxsize=1000)  # most entries say what others say
def _said(name: str, words: str) -> str:
    return _line(name, _BREAK.sub(r"\\n", _SPECIAL.sub(r"\\\g<0>", words)))


def _line(name: str, value: str) -> str:
    """Write a line; one longer than 75 octets is folded, between letters and not inside one."""
    line = f"{name}:{value}"
    if len(line) * 4 <= LONGEST_LINE or (line.isascii() and len(line) <= LONGEST_LINE):
        return f"{line}\r\n"
    folded, room = [""], LONGEST_LINE
    for letter in line:
        octets = len(letter.encode())
        if octets > room:
            folded.append("")
            room = LONGEST_LINE - 1  # the blank it begins with
        folded[-1] += letter
        room -= octets
    return "\r\n ".join(folded) + "\r\n"
