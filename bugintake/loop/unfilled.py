"""What a text has no words for: a placeholder with nothing behind it holds that one person's message.

Nobody has to remember it: whenever anything has changed, the worker asks again whether there are words now.
"""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.kept import kept_with_bugs
from bugintake.intake.models import Bug, Report
from bugintake.loop import placeholders, texts
from bugintake.loop.facts import facts_of
from bugintake.loop.models import Announcement, HeldBecause, Message, MessageState
from bugintake.team.workspace import is_set_up, workspace

AT_ONCE = 500
HELD = (Message.state == MessageState.HELD, Message.held_because == HeldBecause.UNFILLED)
WHOLE = (
    joinedload(Message.customer),
    joinedload(Message.report).options(
        joinedload(Report.filed_by), joinedload(Report.area), joinedload(Report.symptom), joinedload(Report.version)
    ),
    joinedload(Message.announcement).options(
        joinedload(Announcement.bug).joinedload(Bug.release), joinedload(Announcement.sent_by)
    ),
)
"""All that the sentences of a message rest on, read with it."""


def missing_for(message: Message) -> list[str]:
    """List the placeholders that this message's texts have no words for."""
    wordings = texts.of_mail(texts.in_force(), message.announcement.kind, message.language)
    if not wordings:
        return []
    values = facts_of(message, workspace()).values
    said = "\n".join(f"{each.subject}\n{each.body}" for each in wordings.values())
    return placeholders.missing_in(said, values)


def why_held(names: Iterable[str]) -> str:
    """Say what a text has no words for."""
    return f"There is no {' and no '.join(f'{{{{ {name} }}}}' for name in names)} for them."


def let_go() -> int:
    """Let the messages go that have all their words now, and count them: they are written again as any other.

    Records message.released for each bug.
    """
    ids = _filled() if is_set_up() else []
    if not ids:
        return 0
    with transaction():
        return _release(ids)


def _release(ids: Sequence[int]) -> int:
    free = {"state": MessageState.PENDING, "held_because": None, "reason": "", "state_at": clock.now()}
    change = sa.update(Message).where(Message.id.in_(ids), *HELD).values(**free).returning(Message.announcement_id)
    released = db.session.scalars(change.execution_options(synchronize_session=False)).all()
    for announcement in db.session.scalars(sa.select(Announcement).where(Announcement.id.in_(set(released)))).all():
        people = released.count(announcement.id)
        events.record(EventKind.MESSAGE_RELEASED, actor=None, bug=announcement.bug, people=people)
    return len(released)


@kept_with_bugs
def _filled() -> list[int]:
    query = sa.select(Message).where(*HELD).options(*WHOLE).order_by(Message.id).limit(AT_ONCE)
    found: list[int] = []
    last = 0
    while messages := db.session.scalars(query.where(Message.id > last)).unique().all():
        found += [message.id for message in messages if not missing_for(message)]
        last = messages[-1].id
    return found
