"""Noting that people have been told, for all envelopes of a batch at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, one_of, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.loop import late
from bugintake.loop.models import OUTCOMES, Announcement, Delivery, DeliveryState, Message, MessageState
from bugintake.loop.webhooks import happenings

_ids: sa.BindParameter[Any] = sa.bindparam("b_ids", expanding=True)
NOTE_SENT = (
    sa.update(Delivery)
    .where(Delivery.id.in_(_ids), Delivery.state == DeliveryState.ACCEPTED)
    .values(state=DeliveryState.SENT, lease_owner=None, lease_until=None)
    .returning(Delivery.id, Delivery.sent_at)
)
TELL = (
    sa.update(Message)
    .where(Message.delivery_id.in_(_ids))
    .where(one_of(Message.state, (MessageState.PENDING, MessageState.UNCERTAIN)))
    .values(state=MessageState.SENT, reason="", state_at=sa.bindparam("b_at"))
    .returning(Message.id, Message.announcement_id, Message.report_id, Message.customer_id, Message.delivery_id)
)
SETTLE = (
    sa.update(Report)
    .where(Report.customer_id.in_(sa.bindparam("b_customers", expanding=True)), Report.settled_at.is_(None))
    # + 0: to be found by customers, who have few reports, and not by a bug that very many wait for
    .where((Report.bug_id + 0).in_(sa.select(Bug.id).where(Bug.canonical_id == sa.bindparam("b_bug"))))
    .values(settled_at=sa.bindparam("b_at"), settled_by=SettledBy.TOLD)
    .returning(Report.id, Report.customer_id)
)
COUNT_DOWN = (
    sa.update(Bug)
    .where(Bug.id == sa.bindparam("b_bug"))
    .values(waiting_count=Bug.waiting_count - sa.bindparam("b_people"))
    .returning(Bug.waiting_count)
)

TAKE_BUGS = (
    sa.select(
        Announcement.id,
        Announcement.bug_id,
        one_of(Announcement.kind, OUTCOMES).label("is_outcome"),
        sa.and_(one_of(Announcement.kind, OUTCOMES), Announcement.generation == Bug.generation).label("is_current"),
    )
    .join(Bug, Bug.id == Announcement.bug_id)
    .join(Message, Message.announcement_id == Announcement.id)
    .where(Message.delivery_id.in_(_ids))
    .order_by(Bug.id)
    .with_for_update(key_share=True, of=Bug)
)


def take_bugs(delivery_ids: Sequence[int]) -> Sequence[Any]:
    """Take the bugs that envelopes tell of, before them and all in them: core.db.hold says why.

    Returns a row for each message: the id of its announcement, its bug, whether it tells of an outcome (is_outcome),
    and whether that outcome still stands (is_current).
    """
    return db.session.connection().execute(TAKE_BUGS, {"b_ids": delivery_ids}).all()


def note_told(delivery_ids: Sequence[int]) -> None:
    """Note that what a server accepted is sent, and that everybody in it has been told and waits no longer.

    Whoever comes first notes it, so that nothing counts twice. Settles as `waiting.settle` does. Records message.sent,
    and report.settled for each report.
    """
    with transaction(awaits_disk=False):
        taken = {row.id: row for row in take_bugs(delivery_ids)}
        sent = db.session.connection().execute(NOTE_SENT, {"b_ids": delivery_ids}).all()
        if sent:
            _tell([row.id for row in sent], max(row.sent_at for row in sent), taken)


def _tell(delivery_ids: Sequence[int], at: datetime, taken: Mapping[int, Any]) -> None:
    told = db.session.connection().execute(TELL, {"b_ids": delivery_ids, "b_at": at}).all()
    together = defaultdict(list)
    for row in told:
        together[row.announcement_id].append(row)
    happened, late_ones = [], []
    for announcement in sorted(map(taken.__getitem__, together), key=lambda row: row.bug_id):  # workers never deadlock
        messages = together[announcement.id]
        settled = _settle(announcement, messages, at)
        if announcement.is_outcome:
            waited = {row.customer_id for row in settled}
            late_ones += [row.id for row in messages if row.customer_id not in waited]
        about = {"at": at, "bug_id": announcement.bug_id}
        sent = about | {"kind": EventKind.MESSAGE_SENT, "after": None}
        happened += [sent | {"report_id": row.report_id, "details": _details(row)} for row in messages]
        settling = about | {"kind": EventKind.REPORT_SETTLED, "after": SettledBy.TOLD.value, "details": {}}
        happened += [settling | {"report_id": row.id} for row in settled]
    if happened:
        events.record_many(happened)
    for message_id in late_ones:  # nobody waited for it any more when it arrived
        late.arrived(db.session.get_one(Message, message_id, populate_existing=True), actor=None)


def _settle(announcement: Any, messages: Sequence[Any], at: datetime) -> Sequence[Any]:
    """End the waiting of those who were told how a bug ended, and return their reports.

    Who is asked, or told of an outcome that was taken back meanwhile, still waits for the next one.
    """
    if not announcement.is_current:
        return []
    connection, bug = db.session.connection(), announcement.bug_id
    theirs = {"b_customers": [row.customer_id for row in messages], "b_bug": bug, "b_at": at}
    settled = connection.execute(SETTLE, theirs).all()
    people = len({row.customer_id for row in settled})
    if people and connection.execute(COUNT_DOWN, {"b_bug": bug, "b_people": people}).scalar_one() == 0:
        happenings.everybody_told(bug)
    return settled


def _details(told: Any) -> dict[str, int]:
    return {"message_id": told.id, "delivery_id": told.delivery_id}
