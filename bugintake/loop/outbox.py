"""The outbox: who may send which envelope now. Claims carry a fence, so that a slow worker cannot send what was lost.

pending → claimed → sending → accepted → sent. A claim that runs out goes back to pending, because nothing was handed
over; what is found sending is uncertain, because it may have been. Nothing uncertain is ever sent again by itself. What
is found accepted has left: whoever finds it notes who was told.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.quiet import open_day
from bugintake.intake.models import Bug, Report
from bugintake.loop import attempts, circuit, letters, links, notice_letters, owed, pace
from bugintake.loop.attempts import LEASE, Claimed
from bugintake.loop.circuit import MAIL
from bugintake.loop.facts import Outcome
from bugintake.loop.mail import Letter
from bugintake.loop.models import (
    Announcement,
    Delivery,
    DeliveryState,
    Message,
    MessageState,
)
from bugintake.loop.pace import Turn
from bugintake.team.models import User, Workspace
from bugintake.team.workspace import is_sample, is_set_up, workspace

log = logging.getLogger(__name__)

BATCH = 20
LOOKED_AT = 200  # envelopes that are due, where some may have to wait because their domain is slow

KEEP_TEXT = sa.update(Message).where(Message.id == sa.bindparam("b_id"))
KEEP_SUBJECT = sa.update(Delivery).where(Delivery.id == sa.bindparam("b_id"))


def may_send() -> bool:
    """Whether mail may leave at all: never without a server, before the first run, or from the sample company."""
    return settings().smtp_url is not None and is_set_up() and not is_sample()


def is_waiting() -> bool:
    """Whether anything is due, so that looking costs no write."""
    if not may_send() or circuit.is_open():
        return False
    at = clock.now()
    return bool(db.session.scalar(sa.select(sa.select(Delivery.id).where(_is_due(at)).exists())))


def claim(limit: int = BATCH) -> list[Claimed]:
    """Make envelopes this worker's, write what they say, and return those that still have something to say.

    Everything that could have changed since a message was made is asked again in this same transaction. An envelope
    that cannot be written becomes failed, and the others go on.
    """
    fence = f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:16]}"
    while is_waiting():
        with transaction():
            turn = _turn(limit)
            found = _write(_take(turn.ids, fence), fence, turn.tries)
        if found or not turn.waits:
            return found
    return []


def _turn(limit: int) -> Turn:
    refusing = circuit.circuits()
    limit = 1 if any(each.channel == MAIL for each in refusing) else limit
    slow = pace.slow_domains(refusing)
    due = sa.select(Delivery.id).where(_is_due(clock.now())).order_by(Delivery.not_before, Delivery.id)
    due = due.with_for_update(skip_locked=True, of=Delivery)
    if not slow:
        return Turn([*db.session.scalars(due.limit(limit))])
    addressed = due.add_columns(sa.func.coalesce(Customer.email, User.email, ""))
    addressed = addressed.outerjoin(Customer, Customer.id == Delivery.customer_id)
    addressed = addressed.outerjoin(User, User.id == Delivery.user_id).limit(LOOKED_AT)
    return pace.begin_turn(slow, [(each, email) for each, email in db.session.execute(addressed)], limit)


def _take(ids: Sequence[int], fence: str) -> list[int]:
    take = sa.update(Delivery).where(Delivery.id.in_(ids), _is_due(clock.now())).values(_lease(fence))
    take = take.returning(Delivery.id).execution_options(synchronize_session=False)
    taken = set(db.session.scalars(take)) if ids else set()
    return [found for found in ids if found in taken]


def _is_due(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Delivery.state == DeliveryState.PENDING, Delivery.not_before <= at)


def _lease(fence: str) -> dict[str, Any]:
    return {"state": DeliveryState.CLAIMED, "lease_owner": fence, "lease_until": clock.now() + LEASE}


def _write(ids: Sequence[int], fence: str, tries: Mapping[int, str]) -> list[Claimed]:
    carried, company = _messages_in(ids), workspace()
    drafts = [draft for each in _deliveries(ids) if (draft := _draft(each, carried, company)) is not None]
    texts = [{"b_id": number, "text": text} for draft in drafts for number, text in draft.texts.items()]
    links.keep_links(row for draft in drafts for row in draft.link_rows)
    connection, day = db.session.connection(), open_day()
    if texts:
        connection.execute(KEEP_TEXT, texts)
    if drafts:
        connection.execute(
            KEEP_SUBJECT, [{"b_id": draft.id, "subject": draft.letter.subject[:300]} for draft in drafts]
        )
    return [
        Claimed(
            id=draft.id,
            fence=fence,
            message_id=draft.message_id,
            letter=draft.letter,
            user_id=draft.user_id,
            day=day,
            links=tuple(row["secret_hash"] for row in draft.link_rows),
            tries_domain=draft.id in tries,
        )
        for draft in drafts
    ]


@dataclass(frozen=True)
class _Draft:
    id: int
    message_id: str
    user_id: int | None
    letter: Letter
    texts: dict[int, str] = field(default_factory=dict)
    link_rows: tuple[dict[str, Any], ...] = ()


def _draft(delivery: Delivery, carried: Mapping[int, list[Message]], company: Workspace) -> _Draft | None:
    """Write one envelope's letter; nothing where it has nothing to say any more, or cannot be written."""
    try:
        if delivery.customer_id is not None:
            draft = _message_draft(delivery, carried.get(delivery.id, []), company)
        else:
            with db.session.begin_nested():
                draft = _notice_draft(delivery)
    except SQLAlchemyError:
        raise
    except Exception as error:  # a poisoned row must not stop the others
        log.exception("Envelope %s cannot be written", delivery.id)
        attempts.fail(delivery, f"It cannot be written: {type(error).__name__}.")
        return None
    if draft is None:
        delivery.state, delivery.lease_owner, delivery.lease_until = DeliveryState.CANCELLED, None, None
        delivery.last_error = "Nothing in it is owed any more."
    return draft


def _notice_draft(delivery: Delivery) -> _Draft | None:
    letter = notice_letters.letter_of(delivery)
    return _Draft(delivery.id, delivery.message_id, delivery.user_id, letter) if letter is not None else None


def _message_draft(delivery: Delivery, messages: Iterable[Message], company: Workspace) -> _Draft | None:
    outcomes = []
    for message in messages:
        owed.choose_report(message)
        refusal = owed.refusal_of(message)
        if refusal is not None:
            owed.refuse(message, refusal)
            continue
        outcomes.append(Outcome(message, links.draw_links(message.report, message.language)))
    if not outcomes:
        return None
    letter, texts = letters.written(outcomes, company)
    numbered = {outcome.message.id: text for outcome, text in zip(outcomes, texts, strict=True)}
    rows = tuple(row for outcome in outcomes for row in outcome.links.rows)
    return _Draft(delivery.id, delivery.message_id, None, letter, numbered, rows)


def _deliveries(ids: Sequence[int]) -> Sequence[Delivery]:
    query = sa.select(Delivery).where(Delivery.id.in_(ids)).order_by(Delivery.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def _messages_in(ids: Sequence[int]) -> dict[int, list[Message]]:
    report, announcement = joinedload(Message.report), joinedload(Message.announcement)
    query = (
        sa.select(Message)
        .where(Message.delivery_id.in_(ids), Message.state == MessageState.PENDING)
        .options(
            joinedload(Message.customer),
            report.joinedload(Report.filed_by),
            report.joinedload(Report.area),
            report.joinedload(Report.symptom),
            report.joinedload(Report.version),
            announcement.joinedload(Announcement.bug).joinedload(Bug.release),
            announcement.joinedload(Announcement.sent_by),
        )
        .order_by(Message.id)
    )
    found: dict[int, list[Message]] = defaultdict(list)
    for message in db.session.scalars(query.execution_options(populate_existing=True)).unique():
        found[message.delivery_id or 0].append(message)
    return found
