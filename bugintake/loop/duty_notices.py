"""Mail about duty to the team: queued once under a key; duty_letters writes it when it leaves."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bugintake.core.db import db, one_at_a_time, transaction
from bugintake.duty import told
from bugintake.duty.gaps import due_gaps, people_to_tell
from bugintake.duty.reminders import Reminder, due_reminders
from bugintake.loop.models import Delivery, DeliveryKind
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
    """Name who is reminded in this round, and of which starts."""
    found = [reminder for together in _to_remind_of(now) for reminder in together]
    return {(each.person.id, planned.shift.start) for each in found for planned in each.shifts}


def _kept(hours: Iterable[told.Hours]) -> list[list[str]]:
    return [[start.isoformat(), end.isoformat()] for start, end in hours]


def queue_reminders(now: datetime) -> int:
    """Remind of duty whoever is due by now and was not reminded of that turn yet, and tell how many mails those are.

    What is due at once, like the days of a weekend, is one mail. Two workers that do this wait for each other: the
    slower one finds nothing left.
    """
    if not _to_remind_of(now):
        return 0
    with transaction():
        one_at_a_time("duty reminders")
        found = _to_remind_of(now)
        for first, *others in found:
            queue_notice(DeliveryKind.DUTY_REMINDER, first.person, first.key, also=[each.key for each in others])
    return len(found)


def _to_remind_of(now: datetime) -> list[list[Reminder]]:
    """List what is due and was not reminded of, together what is of one person and rotation, the first day first."""
    due = due_reminders(now)
    known = known_keys([each.key for each in due])
    fresh = [each for each in due if each.key not in known]
    reminded_of = _also_reminded_of({each.person.id for each in fresh}) if fresh else set()
    together: dict[tuple[int, int], list[Reminder]] = {}
    for each in fresh:
        if each.key not in reminded_of:
            together.setdefault((each.shift.rotation.id, each.person.id), []).append(each)
    return list(together.values())


def _also_reminded_of(person_ids: set[int]) -> set[str]:
    """Read of what people were reminded by a mail that bears another key."""
    sent = sa.select(Delivery.params).where(
        Delivery.kind == DeliveryKind.DUTY_REMINDER, Delivery.user_id.in_(person_ids)
    )
    return {key for params in db.session.scalars(sent) for key in params.get("also", ())}


def queue_gaps(now: datetime) -> int:
    """Tell of slots with nobody, once each, and tell how many mails that are. As queue_reminders with two workers."""
    found = due_gaps(now)
    told = people_to_tell() if found else []
    wanted = {f"{gap.key}:{person.id}": person for gap in found for person in told}
    return queue_new(DeliveryKind.DUTY_GAP, wanted)
