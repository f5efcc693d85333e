"""Mail about duty to the team: queued once under a key; duty_letters writes it when it leaves."""

from datetime import datetime

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.duty.gaps import due_gaps, people_to_tell
from bugintake.duty.reminders import due_reminders
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.loop.notices import queue_new


def queue_reminders(now: datetime) -> int:
    """Remind of duty whoever is due by now and was not reminded of that turn yet, and tell how many those are.

    Two workers that do this at once remind once: the key is unique, and the slower one starts over.
    """
    due = due_reminders(now)
    known = set(db.session.scalars(sa.select(Delivery.key).where(Delivery.key.in_([r.key for r in due]))))
    return queue_new(DeliveryKind.DUTY_REMINDER, {r.key: r.person for r in due if r.key not in known})


def queue_gaps(now: datetime) -> int:
    """Tell of slots with nobody, once each, and tell how many mails that are. As queue_reminders with two workers."""
    found = due_gaps(now)
    told = people_to_tell() if found else []
    wanted = {f"{gap.key}:{person.id}": person for gap in found for person in told}
    known = set(db.session.scalars(sa.select(Delivery.key).where(Delivery.key.in_(wanted))))
    return queue_new(DeliveryKind.DUTY_GAP, {key: user for key, user in wanted.items() if key not in known})
