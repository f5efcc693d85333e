"""The mail that reminds of a handoff note: once, a quarter of an hour before the turn ends, if there is one to send."""

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext

from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.duty import handoffs
from bugintake.duty.handoffs import Turn
from bugintake.loop.duty_letters import Written
from bugintake.loop.mail import Line
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.loop.notices import queue_new
from bugintake.team.models import User
from bugintake.triage import handing_over


def queue_unsent(now: datetime) -> int:
    """Remind whoever's turn ends within a quarter of an hour and goes over to somebody else, once; tell how many.

    Who has nothing to hand over, because nothing was typed and nothing is open, is not.
    """
    turn = handoffs.unsent_soon_over(now)
    if turn is None or not turn.person.is_active:
        return 0
    key = _key(turn)
    if db.session.scalar(sa.select(Delivery.id).where(Delivery.key == key)) is not None or not _has_something(turn):
        return 0
    return queue_new(DeliveryKind.HANDOFF_UNSENT, {key: turn.person})


def unsent(delivery: Delivery, user: User) -> Written | None:
    """Say that the note is not sent, while that is so and there is something to send."""
    turn = handoffs.turn_of(user)
    if turn is None or _key(turn) != delivery.key:
        return None
    note, reader = handoffs.note_of(turn), handoffs.next_person(turn)
    if reader is None or (note is not None and note.sent_at is not None) or not _has_something(turn):
        return None
    subject = gettext("Your bug duty ends at %(hour)s: the handoff note is not sent yet", hour=f"{turn.end:%H:%M}")
    words = gettext(
        "%(name)s is on duty after you. The note has written itself so far: read it, change it, and send it:",
        name=reader.first_name,
    )
    zone = gettext("Times are %(zone)s.", zone=str(turn.end.tzinfo))
    return subject, [Line(words, url=f"{settings().base_url}/duty/handoff"), Line(zone)]


def _has_something(turn: Turn) -> bool:
    note = handoffs.note_of(turn)
    return (note is not None and not note.is_quiet) or bool(handing_over.draft(turn))


def _key(turn: Turn) -> str:
    return f"handoff:{turn.rotation.id}:{turn.start:%Y%m%d%H%M}:{turn.person.id}"
