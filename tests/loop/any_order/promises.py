"""What must hold between any two things that happen: I1 to I3 of the reliability rules; who is owed a correction."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake import waiting
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.loop import announcements
from bugintake.loop.envelopes import OWED
from bugintake.loop.models import (
    LEAVING,
    OUTCOMES,
    Announcement,
    AnnouncementKind,
    Delivery,
    DeliveryState,
    Message,
    MessageState,
)
from tests.faults import rig
from tests.loop.any_order.post_office import PostOffice

TOLD = (MessageState.SENT, MessageState.TOLD_BY_HAND)
ENDED = (Status.LIVE, Status.DECLINED)
ON_ITS_WAY = (DeliveryState.PENDING, DeliveryState.CLAIMED, *LEAVING)
TAKEN = (*LEAVING, DeliveryState.SENT, DeliveryState.UNCERTAIN)
NOTHING_LEFT = (DeliveryState.CANCELLED, DeliveryState.SUPPRESSED)


def broken(office: PostOffice, misled: dict[tuple[int, int], tuple[int, datetime]]) -> list[str]:
    """List what does not hold. `misled` names who was told what is not so, by which message, and since when."""
    return [
        *office.lies,
        *rig._unnamed(),
        *rig._unsettled(),
        *_lost(office),
        *_twice(office),
        *_not_one(),
        *_hanging(),
        *_never_heard(office),
        *_owed_no_correction(misled),
    ]


def _twice(office: PostOffice) -> list[str]:
    """I2: no announcement tells one person twice by itself."""
    count = Counter((each.announcement, each.customer) for each in office.told)
    return [f"{each} was told {times} times" for each, times in count.items() if times > 1 + office.allowed[each]]


def _lost(office: PostOffice) -> list[str]:
    """I2: what the server took is sent or shown, once; what counts as sent it took, or a person says so."""
    found = []
    for number, name, state in db.session.execute(sa.select(Delivery.id, Delivery.message_id, Delivery.state)):
        count, excused = office.count[name], office.excused[number]
        office.doubted |= {number} if state is DeliveryState.UNCERTAIN else set()
        if count > 1 + excused:
            found.append(f"I2: envelope {number} was taken {count} times")
        if count and not excused and state not in TAKEN and not (number in office.doubted and state in NOTHING_LEFT):
            found.append(f"I2: envelope {number} was taken and is {state}")
        if state is DeliveryState.SENT and not count and not excused:
            found.append(f"I2: envelope {number} counts as sent and was never taken")
    return found


_IS_OUT_OF_HAND = sa.or_(  # nobody can call it back from whoever waits no longer
    Message.state == MessageState.UNCERTAIN,
    Message.delivery_id.in_(sa.select(Delivery.id).where(Delivery.state.in_(LEAVING))),
)


def _not_one() -> list[str]:
    """I1: of a bug that has ended one message for everybody who waits, and none for anybody else."""
    found = []
    for bug in db.session.scalars(sa.select(Bug).where(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None))):
        announcement = announcements.current(bug)
        if bug.status not in ENDED:
            found += [f"{bug.ref} is open and announces how it ended"] if announcement is not None else []
            continue
        people = set(db.session.scalars(waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id)))
        of_it = Message.announcement_id == (announcement.id if announcement is not None else None)
        owed = sa.select(Message.customer_id).where(of_it, Message.state.in_(OWED))
        perhaps = set(db.session.scalars(owed.where(_IS_OUT_OF_HAND)))
        are_owed = set(db.session.scalars(owed))
        if not people <= are_owed or are_owed - people - perhaps:
            found.append(f"I1: for {bug.ref} {sorted(people)} wait, and {sorted(are_owed)} are owed it")
    return found


def _hanging() -> list[str]:
    """I3: what waits to leave can leave, and what nobody sees waits for nobody."""
    inside = sa.select(Message.id).join(Delivery, Delivery.id == Message.delivery_id)
    gone = inside.where(Delivery.state.in_(NOTHING_LEFT), Message.state.in_(OWED))
    holds = sa.exists().where(Message.delivery_id == Delivery.id)
    empty = sa.select(Delivery.id).where(Delivery.state.in_(ON_ITS_WAY), Delivery.customer_id.is_not(None), ~holds)
    unsaid = sa.select(Message.id).where((Message.state == MessageState.HELD) != Message.held_because.is_not(None))
    over = sa.select(Message.id).join(Message.announcement).join(Announcement.bug)
    over = over.where(Message.state == MessageState.PENDING, Announcement.cancelled_at.is_not(None))
    outdated = sa.select(Message.id).join(Message.announcement).join(Announcement.bug)
    outdated = outdated.where(Announcement.kind.in_(OUTCOMES), Announcement.generation < Bug.generation)
    outdated = outdated.where(Message.state == MessageState.PENDING, Message.delivery_id.is_(None))
    return [
        *(f"message {number} is owed in an envelope that is over" for number in db.session.scalars(gone)),
        *(f"envelope {number} is empty and on its way" for number in db.session.scalars(empty)),
        *(f"message {number} is held and does not say why, or the other way round" for number in _all(unsaid)),
        *(f"message {number} of an announcement that was taken back waits to leave" for number in _all(over)),
        *(f"message {number} waits to leave, and is not so any more" for number in _all(outdated)),
    ]


def _all(numbers: sa.Select[int]) -> list[int]:
    return list(db.session.scalars(numbers))


def _never_heard(office: PostOffice) -> list[str]:
    """P2: whoever counts as told was told: the server had it and it did not come back, or a person says so."""
    arrived = [each for each in office.told if each.delivery not in office.returned]
    heard = {(each.announcement, each.customer) for each in arrived} | office.vouched
    sent = sa.select(Message.announcement_id, Message.customer_id).where(Message.state == MessageState.SENT)
    silent = [tuple(row) for row in db.session.execute(sent) if tuple(row) not in heard]
    by_words = Report.settled_by.in_((SettledBy.TOLD, SettledBy.TOLD_BY_HAND))
    lost = sa.select(Report.id).where(by_words, Report.customer_id.not_in({customer for _, customer in heard}))
    return [
        *(f"{row} counts as told, and the server never had it" for row in silent),
        *(f"report {number} counts as told by nothing" for number in db.session.scalars(lost)),
    ]


def _owed_no_correction(misled: dict[tuple[int, int], tuple[int, datetime]]) -> list[str]:
    """Whoever waits and was told what is not so is owed a correction or how it ended, or has had one since."""
    found = []
    says = (*OUTCOMES, AnnouncementKind.CORRECTION)
    for (customer, report_id), (message, at) in list(misled.items()):
        if db.session.get_one(Report, report_id).settled_at is not None:
            del misled[customer, report_id]  # what they wait for from now on is another thing
            continue
        later = sa.select(Message.id).join(Message.announcement).where(Message.customer_id == customer)
        later = later.where(Announcement.kind.in_(says), Message.state != MessageState.CANCELLED)
        if db.session.scalar(later.where(sa.or_(Message.id > message, Message.state_at >= at)).limit(1)) is None:
            found.append(f"customer {customer} was misled by message {message} and is owed nothing")
    return found
