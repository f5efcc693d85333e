"""A personal line for whoever told us of many bugs lately: it stands in their mail alone."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, update_one
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen
from bugintake.core.templating import ago_in_words
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.intake.queries import visible_to
from bugintake.intake.wording import refuse_fixed
from bugintake.loop.doubts import named_in
from bugintake.loop.models import AnnouncementKind, Message, MessageState
from bugintake.team.models import User

LATELY = timedelta(days=90)
MANY = 3
LINE_LENGTH = 500
FIELD = "personal_line"
TO_BE_SENT = (MessageState.PENDING, MessageState.HELD)


def told_many(customer_ids: Collection[int], actor: User) -> dict[int, int]:
    """Count the bugs that each of some customers told us of in the last 90 days, where those are three or more.

    Duplicates are one bug; what was taken back does not count, nor what the reader may not see.
    """
    count = sa.func.count(sa.distinct(Bug.canonical_id))
    query = sa.select(Report.customer_id, count).join(Bug, Bug.id == Report.bug_id)
    query = query.where(
        Report.customer_id.in_(customer_ids), Report.filed_at >= clock.now() - LATELY, visible_to(actor)
    )
    stands = sa.or_(Report.settled_by.is_(None), Report.settled_by != SettledBy.WITHDRAWN)
    found = db.session.execute(query.where(stands).group_by(Report.customer_id).having(count >= MANY))
    return {customer_id: bugs for customer_id, bugs in found if customer_id is not None}


def may_be_written(message: Message) -> bool:
    """Whether a mail has not left yet, so that a line may still stand in it."""
    return message.state in TO_BE_SENT and message.delivery_id is None


def write(message: Message, text: str, seen: Seen, *, actor: User) -> None:
    """Write the line that stands in one person's mail, or none. Records message.line_written.

    Where it names somebody else who waits, the announcement leaves only when somebody sends it. Raises Invalid for one
    that is too long or says in a decline that it is fixed, Stale where somebody else wrote one since it was `seen`,
    Conflict once the mail has left.
    """
    if len(text) > LINE_LENGTH:
        raise Invalid(f"A personal line has at most {LINE_LENGTH} characters.", FIELD)
    announcement = message.announcement
    if announcement.kind is AnnouncementKind.DECLINED:
        refuse_fixed({message.language: text}, FIELD)
    hold(announcement.bug)
    db.session.refresh(message)
    if not seen.changes({FIELD: message.personal_line}, {FIELD: text}, partial(_who_wrote, message)):
        return
    waits = (Message.id == message.id, Message.state.in_(TO_BE_SENT), Message.delivery_id.is_(None))
    if not update_one(sa.update(Message).where(*waits).values(personal_line=text)):
        raise Conflict("It has left, or is about to.")
    if announcement.due_at is not None and announcement.sent_by_id is None and named_in(announcement):
        announcement.due_at = None
    bug, kind = announcement.bug, EventKind.MESSAGE_LINE_WRITTEN
    events.record(kind, actor=actor, bug=bug, report=message.report, message_id=message.id)


def _who_wrote(message: Message, _name: str) -> str:
    of_it = (Event.kind == EventKind.MESSAGE_LINE_WRITTEN, Event.details["message_id"].as_integer() == message.id)
    query = sa.select(Event.at, User.name).join(User, User.id == Event.actor_id)
    query = query.where(Event.bug_id == message.announcement.bug_id, *of_it)
    found = db.session.execute(query.order_by(Event.id.desc()).limit(1)).first()
    return f"{found.name.split()[0]} wrote it {ago_in_words(found.at)}." if found else ""
