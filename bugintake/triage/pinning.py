"""Pinning: a lead puts a bug on top of its column, whatever the order says."""

from bugintake.core.db import hold
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug
from bugintake.team.guards import may_not
from bugintake.team.models import Role, User
from bugintake.triage import looking

KINDS = (EventKind.BUG_PINNED, EventKind.BUG_UNPINNED)


def pin(bug: Bug, is_pinned: bool, *, actor: User) -> Event | None:
    """Let a bug stand first in its column, or no longer. Records bug.pinned or bug.unpinned.

    It says what comes first, not that anybody has looked: what was raised stays so. A pin ends when its bug is live,
    declined, merged or taken back. What is so already changes nothing. Raises NotPermitted for anybody but leads,
    Conflict for a bug that is closed.
    """
    if not actor.can(Role.LEAD):
        raise may_not(Role.LEAD)
    hold(bug)
    if not bug.is_open:
        raise Conflict(f"{bug.ref} is in no column any more, so there is nothing to pin.")
    if bug.is_pinned == is_pinned:
        return None
    kind = EventKind.BUG_PINNED if is_pinned else EventKind.BUG_UNPINNED
    return looking.put(bug, kind, {"is_pinned": is_pinned}, actor)
