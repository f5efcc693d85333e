"""Mail about duty to the team: queued once under a key; duty_letters writes it when it leaves."""

from collections.abc import Iterable
from datetime import datetime

from bugintake.core.db import transaction
from bugintake.duty import told
from bugintake.duty.gaps import due_gaps, people_to_tell
from bugintake.duty.reminders import due_reminders
from bugintake.loop.models import DeliveryKind
from bugintake.loop.notices import known_keys, queue_new, queue_notice


def queue_changes(now: datetime) -> int:
    """Tell everybody whose hours of duty moved, once, in the transaction that notes it; tell how many those are.

    Hours that come with a reminder now are left to it. Asked before queue_reminders, which then reminds.
    """
    behind = [rotation for rotation in told.rotations(now) if told.is_behind(rotation, now)]
    reminded = _about_to_be_reminded(now) if behind else set()
    count = 0
    for rotation in behind:
        with transaction():
            for moved in told.take_moves(rotation, now):
                gained = [each for each in moved.gained if (moved.person.id, each[0]) not in reminded]
                if gained or moved.lost:
                    key = f"duty-changed:{rotation.id}:{rotation.revision}:{moved.person.id}"
                    words = {"rotation": rotation.id, "gained": _kept(gained), "lost": _kept(moved.lost)}
                    queue_notice(DeliveryKind.DUTY_CHANGED, moved.person, key, **words)
                    count += 1
    return count


def _about_to_be_reminded(now: datetime) -> set[tuple[int, datetime]]:
    """Name who is reminded in this round, and of which start."""
    due = due_reminders(now)
    known = known_keys([r.key for r in due])
    return {(r.person.id, r.shift.shift.start) for r in due if r.key not in known}


def _kept(hours: Iterable[told.Hours]) -> list[list[str]]:
    return [[start.isoformat(), end.isoformat()] for start, end in hours]


def queue_reminders(now: datetime) -> int:
    """Remind of duty whoever is due by now and was not reminded of that turn yet, and tell how many those are.

    Two workers that do this at once remind once: the key is unique, and the slower one starts over.
    """
    return queue_new(DeliveryKind.DUTY_REMINDER, {due.key: due.person for due in due_reminders(now)})


def queue_gaps(now: datetime) -> int:
    """Tell of slots with nobody, once each, and tell how many mails that are. As queue_reminders with two workers."""
    found = due_gaps(now)
    told = people_to_tell() if found else []
    wanted = {f"{gap.key}:{person.id}": person for gap in found for person in told}
    return queue_new(DeliveryKind.DUTY_GAP, wanted)
