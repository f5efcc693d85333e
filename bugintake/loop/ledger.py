"""The ledger: what everybody was told or is owed, when, how and in which words; a page at a time, or all as CSV."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from bugintake.core.db import db
from bugintake.intake.customers.files import guarded
from bugintake.intake.models import Bug
from bugintake.intake.queries import visible_to
from bugintake.loop.models import Announcement, Delivery, Message, MessageState
from bugintake.loop.queries import PEOPLE_SHOWN, Owed
from bugintake.loop.words import KINDS, STATES, why
from bugintake.team.models import User

AT_ONCE = 1000
COLUMNS = (
    *("number", "at", "customer", "company", "address", "bug", "told", "state", "how", "by", "why", "language"),
    "words",
)


@dataclass(frozen=True)
class Asked:
    """Which lines of the ledger are asked for: of one state, of one bug and what is a part of it, or all."""

    state: MessageState | None = None
    bug_id: int | None = None


def page_of_ledger(asked: Asked, actor: User, *, start: int) -> Sequence[Owed]:
    """Read one page of what this person may see, the latest first, and one line more."""
    found = db.session.execute(_lines(asked, actor).offset(start).limit(PEOPLE_SHOWN + 1))
    return [Owed(message, envelope) for message, envelope in found]


def as_csv(asked: Asked, actor: User) -> Iterator[str]:
    """Write all of it as CSV, a thousand lines at a time, so that memory stays flat however long it is."""
    yield _written([COLUMNS])
    below: int | None = None
    while True:
        query = _lines(asked, actor)
        if below is not None:
            query = query.where(Message.id < below)
        found = db.session.execute(query.limit(AT_ONCE)).all()
        if not found:
            return
        yield _written([_cells(message, envelope, actor) for message, envelope in found])
        below = found[-1][0].id
        db.session.expunge_all()


def how(message: Message, envelope: Delivery | None) -> str:
    """Say by which way somebody was told: by mail, or by hand; nothing where they were not."""
    if message.state is MessageState.TOLD_BY_HAND:
        return "by hand"
    return "by mail" if message.state is MessageState.SENT and envelope is not None else ""


def _lines(asked: Asked, actor: User) -> sa.Select[Message, Delivery | None]:
    query = (
        sa.select(Message, Delivery)
        .outerjoin(Delivery, Delivery.id == Message.delivery_id)
        .join(Message.announcement)
        .join(Announcement.bug)
        .where(visible_to(actor))
        .options(
            contains_eager(Message.announcement).contains_eager(Announcement.bug),
            joinedload(Message.customer),
            joinedload(Message.told_by),
        )
        .order_by(Message.id.desc())
    )
    if asked.state is not None:
        query = query.where(Message.state == asked.state)
    if asked.bug_id is not None:
        query = query.where(sa.or_(Bug.id == asked.bug_id, Bug.canonical_id == asked.bug_id))
    return query


def _cells(message: Message, envelope: Delivery | None, actor: User) -> tuple[Any, ...]:
    customer = message.customer
    return (
        message.id,
        f"{message.state_at:%Y-%m-%dT%H:%M:%SZ}",
        customer.name,
        customer.account.name if customer.account else "",
        customer.email_for(actor),
        message.announcement.bug.ref,
        KINDS[message.announcement.kind],
        STATES[message.state],
        how(message, envelope),
        message.told_by.name if message.told_by else "",
        why(message, envelope.last_error if envelope else ""),
        message.language,
        message.words_read,
    )


def _written(rows: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([[guarded(str(cell)) for cell in row] for row in rows])
    return out.getvalue()
