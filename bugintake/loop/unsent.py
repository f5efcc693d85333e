"""What any verb about an announcement rests on: that it has not left, that it is still so, and who did it."""

from typing import Any

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import update_one
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.loop.models import Announcement
from bugintake.team.models import User


def change_unsent(announcement: Announcement, sentence: str, **values: object) -> None:
    """Write columns of an announcement that has not left and was not taken back. Raises Conflict with the sentence."""
    change = sa.update(Announcement).where(
        Announcement.id == announcement.id, Announcement.released_at.is_(None), Announcement.cancelled_at.is_(None)
    )
    if not update_one(change.values(**values)):
        raise Conflict(sentence)


def refuse_outdated(announcement: Announcement) -> None:
    """Raise Conflict where the bug is part of another one, or was opened again since."""
    if announcement.bug.merged_into_id is not None:
        raise Conflict(f"{announcement.bug.ref} is part of BUG-{announcement.bug.canonical_id} now.")
    if announcement.generation != announcement.bug.generation:
        raise Conflict(f"{announcement.bug.ref} was opened again, so this is no longer so. Tell people by hand.")


def record_about(kind: EventKind, announcement: Announcement, actor: User | None, **details: Any) -> None:
    """Record what was done with an announcement, as an event of its bug."""
    events.record(kind, actor=actor, bug=announcement.bug, announcement=announcement.id, **details)
