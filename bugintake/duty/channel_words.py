"""What a team's channel is told by itself: whose turn comes, where nobody is there, and the week on Mondays."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from babel.dates import format_date

from bugintake.duty import week
from bugintake.duty.gaps import coming_gaps
from bugintake.duty.plans import PlannedShift
from bugintake.duty.reminders import coming_reminders
from bugintake.duty.timetable import LOCALE


class Told(NamedTuple):
    """One thing to tell: of which rotation, when it is due, and the words."""

    rotation_id: int
    due_at: datetime
    words: str


def coming(now: datetime) -> dict[str, Told]:
    """Map the key of each thing that there is to tell, due or not, to it."""
    return {**dict(_turns(now)), **dict(_gaps(now)), **dict(_weeks(now))}


def _turns(now: datetime) -> Iterator[tuple[str, Told]]:
    for reminder in coming_reminders(now):
        rotation = reminder.shift.rotation
        words = f"{reminder.person.name} is on duty on {_when(*reminder.shifts)} ({rotation.name})."
        yield reminder.key, Told(rotation.id, reminder.due_at, words)


def _gaps(now: datetime) -> Iterator[tuple[str, Told]]:
    for gap in coming_gaps(now):
        more = f" and {len(gap.slots) - 1} more times" if len(gap.slots) > 1 else ""
        words = f"Nobody is on duty on {_when(gap.slots[0])}{more} ({gap.rotation}): nobody of the rotation is there."
        yield gap.key, Told(gap.slots[0].rotation.id, gap.due_at, words)


def _weeks(now: datetime) -> Iterator[tuple[str, Told]]:
    for each, due_at in week.beginning(now):
        days = [f"{cell.when}: {cell.names}" for cell in each.cells if cell.parts or cell.holiday]
        words = "\n".join([f"{each.rotation.name} this week ({each.zone}):", *(days or ["No duty."])])
        yield f"duty-week:{each.rotation.id}:{due_at:%Y%m%d}", Told(each.rotation.id, due_at, words)


def _when(first: PlannedShift, *same_day: PlannedShift) -> str:
    day = format_date(first.on, "EEE d MMM", locale=LOCALE)
    hours = [f"{planned.start:%H:%M}–{planned.end:%H:%M}" for planned in (first, *same_day)]
    return f"{day}, {', '.join(hours)} {first.zone}"
