"""Handoff notes in mail: what stands in one so far, and the reminder to send it before the turn ends."""

from collections.abc import Mapping
from datetime import datetime

from flask_babel import gettext

from bugintake.core.config import settings
from bugintake.duty import handoffs
from bugintake.duty.handoffs import PARTS, Turn
from bugintake.duty.reminders import Reminder
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.loop.notices import known_keys, queue_new
from bugintake.team.models import User
from bugintake.triage import handing_over

LINES_SHOWN = 12


def queue_unsent(now: datetime) -> int:
    """Remind whoever's turn ends within a quarter of an hour and goes over to somebody else, once; tell how many.

    Who has nothing to hand over, because nothing was typed and nothing is open, is not.
    """
    ending = {_key(turn): turn for turn in handoffs.unsent_soon_over(now) if turn.person.is_active}
    known = known_keys(ending) if ending else set()
    fresh = {key: turn.person for key, turn in ending.items() if key not in known and _has_something(turn)}
    return queue_new(DeliveryKind.HANDOFF_UNSENT, fresh) if fresh else 0


def unsent(delivery: Delivery, user: User) -> Written | None:
    """Say that the note is not sent, while that is so and there is something to send."""
    turn = handoffs.turn_of(user, int(delivery.key.split(":")[1]))
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
    return subject, [Line(words, url=f"{settings().base_url}/duty/handoff?rotation={turn.rotation.id}"), Line(zone)]


def note_so_far(coming: Reminder, user: User) -> list[Line]:
    """Say what whoever is before somebody has written for them by now, or what has written itself.

    A line that names a bug which its reader may not see is left out; of a restricted bug nothing but its number leaves.
    """
    turn = handoffs.turn_before(coming.shift)
    if turn is None or coming.previous is None or turn.person.id != coming.previous.id:
        return []
    note, name = handoffs.note_of(turn), turn.person.first_name
    texts = note.texts if note is not None else handing_over.texts_of(handing_over.draft(turn))
    titles = handing_over.titles_for_mail(handing_over.numbers_in(texts.values()), user)
    rows = [(gettext(PARTS[part]), row.strip()) for part, text in texts.items() for row in text.splitlines()]
    lines = [line for part, row in rows if row and (line := _line(part, row, titles)) is not None]
    if len(lines) > LINES_SHOWN:
        more = Line(gettext("%(count)d more", count=len(lines) - LINES_SHOWN), url=f"{settings().base_url}/duty")
        lines = [*lines[:LINES_SHOWN], more]
    if note is None or note.sent_at is None:
        return [Line(gettext("%(name)s's note so far:", name=name)), *lines] if lines else []
    if note.is_quiet:
        lines = [Line(gettext("Quiet day: nothing open."))]
    return [Line(gettext("%(name)s's note:", name=name)), *lines]


def _line(part: str, row: str, titles: Mapping[int, str | None]) -> Line | None:
    refs = list(dict.fromkeys(match[0] for match in handing_over.NUMBER.finditer(row)))
    named = handing_over.numbers_in([row])
    if not named <= titles.keys():
        return None
    if any(titles[number] is None for number in named):
        words = ", ".join(refs)
    else:
        known = {number: title for number in named if (title := titles[number]) is not None}
        words = "".join(piece.text for piece in handing_over.pieces(row, known))
    return Line(f"{part}: {words}", url=f"{settings().base_url}/bugs/{refs[0]}" if refs else "")


def _has_something(turn: Turn) -> bool:
    note = handoffs.note_of(turn)
    return (note is not None and not note.is_quiet) or bool(handing_over.draft(turn))


def _key(turn: Turn) -> str:
    return f"handoff:{turn.rotation.id}:{turn.start:%Y%m%d%H%M}:{turn.person.id}"
