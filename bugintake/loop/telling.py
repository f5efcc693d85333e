"""Noting that people have been told: a handful of statements, prepared once, because it happens for every mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.loop import late
from bugintake.loop.models import OUTCOMES, Announcement, Message, MessageState
from bugintake.loop.webhooks import happenings

TELL = (
    sa.update(Message)
    .where(Message.delivery_id == sa.bindparam("b_id"))
    .where(Message.state.in_((MessageState.PENDING, MessageState.UNCERTAIN)))
    .values(state=MessageState.SENT, reason="", state_at=sa.bindparam("b_at"))
    .returning(Message.id, Message.announcement_id, Message.report_id)
)
SETTLE = (
    sa.update(Report)
    .where(Report.customer_id == sa.bindparam("b_customer"), Report.settled_at.is_(None))
    .where(Report.bug_id.in_(sa.select(Bug.id).where(Bug.canonical_id == sa.bindparam("b_bug"))))
    .values(settled_at=sa.bindparam("b_at"), settled_by=SettledBy.TOLD)
    .returning(Report.id)
)
COUNT_DOWN = (
    sa.update(Bug)
    .where(Bug.id == sa.bindparam("b_bug"))
    .values(waiting_count=Bug.waiting_count - 1)
    .returning(Bug.waiting_count)
)

TAKE_BUGS = (
    sa.select(
        Announcement.id,
        Announcement.bug_id,
        Announcement.kind.in_(OUTCOMES).label("is_outcome"),
        sa.and_(Announcement.kind.in_(OUTCOMES), Announcement.generation == Bug.generation).label("is_current"),
    )
    .join(Bug, Bug.id == Announcement.bug_id)
    .join(Message, Message.announcement_id == Announcement.id)
    .where(Message.delivery_id == sa.bindparam("b_id"))
    .order_by(Bug.id)
    .with_for_update(key_share=True, of=Bug)
)


def take_bugs(delivery_id: int) -> Sequence[Any]:
    """Take the bugs that an envelope tells of, before it and all in it: core.db.hold says why.

    Returns its announcements: which bug, whether of an outcome, and of what the bug is now.
    """
    return db.session.connection().execute(TAKE_BUGS, {"b_id": delivery_id}).all()


def note_told(delivery_id: int, customer_id: int, taken: Sequence[Any]) -> None:
    """Note that everything in an envelope has reached its customer, who waits no longer; `taken` are its bugs.

    Settles as `waiting.settle` does. Records message.sent, and report.settled for each report.
    """
    at, connection = clock.now(), db.session.connection()
    told = connection.execute(TELL, {"b_id": delivery_id, "b_at": at}).all()
    if not told:
        return
    bugs = {row.id: row.bug_id for row in taken}
    current = {row.id for row in taken if row.is_current}
    outcomes = {row.id for row in taken if row.is_outcome}
    happened, unheard = [], []
    for row in sorted(told, key=lambda row: bugs[row.announcement_id]):  # one order, so that workers never deadlock
        about = {"at": at, "bug_id": bugs[row.announcement_id]}
        known = {"b_customer": customer_id, "b_bug": about["bug_id"], "b_at": at}
        # Who is asked, or told of an outcome that was taken back meanwhile, still waits for the next one.
        is_current = row.announcement_id in current
        settled = connection.execute(SETTLE, known).scalars().all() if is_current else []
        if row.announcement_id in outcomes and not settled:
            unheard.append(row.id)
        if settled and connection.execute(COUNT_DOWN, {"b_bug": about["bug_id"]}).scalar_one() == 0:
            happenings.everybody_told(about["bug_id"])
        details = {"message_id": row.id, "delivery_id": delivery_id}
        sent = {"kind": EventKind.MESSAGE_SENT, "report_id": row.report_id, "after": None, "details": details}
        happened.append(about | sent)
        by = {"kind": EventKind.REPORT_SETTLED, "after": SettledBy.TOLD.value, "details": {}}
        happened += [about | by | {"report_id": number} for number in settled]
    events.record_many(happened)
    for number in unheard:  # nobody waited for it any more when it arrived
        late.arrived(db.session.get_one(Message, number, populate_existing=True), actor=None)
