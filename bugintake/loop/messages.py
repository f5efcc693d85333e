"""Messages: what a person of the team decides about what one customer is owed."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, update_all
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.templating import whole_day
from bugintake.intake import waiting
from bugintake.intake.customers.quiet import quiet_until
from bugintake.intake.models import Bug, SettledBy
from bugintake.intake.queries import visible_to
from bugintake.intake.reports import canonical
from bugintake.loop import late, letters, owed
from bugintake.loop.envelopes import OWED, take_out
from bugintake.loop.models import OUTCOMES, Announcement, Delivery, DeliveryState, HeldBecause, Message, MessageState
from bugintake.loop.telling import take_bugs
from bugintake.loop.unfilled import missing_for, why_held
from bugintake.team.models import LANGUAGES, User

REASON_LENGTH = 200
LEAVING = "It is being handed over right now, or somebody was faster. Look again in a minute."


def tell_by_hand(message: Message, *, actor: User) -> None:
    """Note that a customer was told another way, by phone or in the help desk; they wait no longer.

    Records message.told_by_hand. Raises Conflict where they were told already or the mail is being handed over.
    """
    _decide(message, MessageState.TOLD_BY_HAND, told_by_id=actor.id)
    _settle(message, SettledBy.TOLD_BY_HAND, actor)
    _record(EventKind.MESSAGE_TOLD_BY_HAND, message, actor)


def do_not_tell(message: Message, reason: str, *, actor: User) -> None:
    """Leave a customer untold, with a reason that stays on the record; they wait no longer.

    Records message.suppressed. Raises Invalid without a reason, Conflict as tell_by_hand.
    """
    if not reason:
        raise Invalid("Say why they are not told.", "reason")
    if len(reason) > REASON_LENGTH:
        raise Invalid(f"A reason has at most {REASON_LENGTH} characters.", "reason")
    _decide(message, MessageState.SUPPRESSED, reason=reason, told_by_id=actor.id)
    _settle(message, SettledBy.SUPPRESSED, actor)
    _record(EventKind.MESSAGE_SUPPRESSED, message, actor)


def release_held(message: Message, *, actor: User, language: str | None = None) -> None:
    """Let a held message go, if what held it is repaired, or in another language because a person says so.

    Records message.released. Raises Conflict where it is not held or must stay so.
    """
    announcement = message.announcement
    if message.state is not MessageState.HELD:
        raise Conflict("It is not held any more.")
    if announcement.generation != announcement.bug.generation or announcement.cancelled_at is not None:
        raise Conflict(f"{announcement.bug.ref} was opened again, so this is no longer so. Tell them by hand.")
    if message.customer.email is None:
        raise Conflict(f"{message.customer.name} has no address. Tell them by hand.")
    until = quiet_until(message.customer)
    if until is not None:
        raise Conflict(f"{message.customer.name} wants no mail until {whole_day(until)}. Tell them by hand.")
    chosen = language or message.language
    if chosen not in letters.languages_worded(announcement):
        raise Conflict(f"There is no note in {LANGUAGES.get(chosen, chosen)} yet. Write it first.")
    missing = missing_for(message) if message.held_because is HeldBecause.UNFILLED else []
    if missing:
        raise Conflict(f"{why_held(missing)} Change the text, or tell them by hand.")
    take_out(Message.id == message.id, [MessageState.HELD], state=MessageState.PENDING, language=chosen)
    _record(EventKind.MESSAGE_RELEASED, message, actor, language=chosen)


def release_restored(*, actor: User) -> int:
    """Let everything go that a restored backup held and this person may see, and count it.

    The envelopes keep their Message-IDs, so that a mail program recognises what it got before the restore. What shares
    one with something that stays here leaves in an envelope of its own. Records message.released for each bug.
    """
    seen = sa.select(Announcement.id).join(Bug, Bug.id == Announcement.bug_id).where(visible_to(actor))
    is_restored = (Message.state == MessageState.HELD, Message.held_because == HeldBecause.RESTORED)
    held = sa.and_(*is_restored, Message.announcement_id.in_(seen))
    about = Announcement.id == Message.announcement_id
    concerned = sa.select(Announcement.bug_id, sa.func.count()).join(Message, about).where(held)
    concerned = concerned.group_by(Announcement.bug_id)
    counts = db.session.execute(concerned.order_by(Announcement.bug_id)).all()
    released = {"state": MessageState.PENDING, "held_because": None, "reason": "", "state_at": clock.now()}
    update_all(sa.update(Message).where(held).values(**released))
    goes = sa.exists().where(Message.delivery_id == Delivery.id, Message.state == MessageState.PENDING)
    stays = sa.exists().where(Message.delivery_id == Delivery.id, Message.state == MessageState.HELD)
    is_held = Delivery.state == DeliveryState.HELD
    shared = sa.select(Delivery.id).where(is_held, stays)
    parted = sa.update(Message).where(Message.state == MessageState.PENDING, Message.delivery_id.in_(shared))
    update_all(parted.values(delivery_id=None))
    again = {"state": DeliveryState.PENDING, "not_before": clock.now(), "lease_owner": None, "lease_until": None}
    update_all(sa.update(Delivery).where(is_held, goes).values(**again))
    for bug_id, count in counts:
        bug = db.session.get_one(Bug, bug_id)
        events.record(EventKind.MESSAGE_RELEASED, actor=actor, bug=bug, people=count)
    return sum(count for _, count in counts)


def judge_uncertain(message: Message, *, arrived: bool, actor: User) -> None:
    """Say what became of a mail whose fate the machine could not learn: it arrived, or it is to be sent again.

    Concerns the whole envelope. Records delivery.judged. Raises Conflict where somebody has judged it.
    """
    if message.delivery_id is not None:
        take_bugs([message.delivery_id])
    envelope = _envelope(message, MessageState.UNCERTAIN, DeliveryState.UNCERTAIN)
    inside = _inside(envelope, MessageState.UNCERTAIN)
    if arrived:
        envelope.state, envelope.sent_at = DeliveryState.SENT, envelope.sent_at or clock.now()
        for told in inside:
            told.state, told.reason, told.state_at = MessageState.SENT, "", clock.now()
            _settle(told, SettledBy.TOLD, actor)
            late.arrived(told, actor=actor)
    else:
        _post_again(envelope, inside)
    for told in inside:
        _record(EventKind.DELIVERY_JUDGED, told, actor, arrived=arrived)


def send_again(message: Message, *, actor: User) -> None:
    """Try a mail that failed for good once more, with everything in its envelope. Records message.released.

    Raises Conflict where it has not failed, or its address takes no mail.
    """
    envelope = _envelope(message, MessageState.FAILED, DeliveryState.FAILED)
    if message.customer.email is None or message.customer.suppressed_at is not None:
        raise Conflict(f"Mail does not reach {message.customer.name}. Tell them another way.")
    inside = _inside(envelope, MessageState.FAILED)
    _post_again(envelope, inside)
    for each in inside:
        _record(EventKind.MESSAGE_RELEASED, each, actor)


def _envelope(message: Message, state: MessageState, envelope_state: DeliveryState) -> Delivery:
    found = sa.select(Delivery).where(Delivery.id == message.delivery_id, Delivery.state == envelope_state)
    envelope = db.session.scalar(found.with_for_update().execution_options(populate_existing=True))
    db.session.refresh(message)
    if envelope is None or message.state is not state:
        raise Conflict("Somebody has dealt with it already.")
    return envelope


def _inside(envelope: Delivery, state: MessageState) -> Collection[Message]:
    inside = sa.select(Message).where(Message.delivery_id == envelope.id, Message.state == state).order_by(Message.id)
    return db.session.scalars(inside).all()


def _post_again(envelope: Delivery, inside: Collection[Message]) -> None:
    """Let an envelope leave once more; whoever no longer waits for what is in it is owed it no more."""
    for message in inside:
        owed.choose_report(message)
        waits_for = canonical(message.report.bug).id
        is_over = message.report.settled_at is not None or waits_for != canonical(message.announcement.bug).id
        message.state = MessageState.CANCELLED if is_over else MessageState.PENDING
        message.reason, message.state_at = owed.NOT_WAITING if is_over else "", clock.now()
    goes = any(message.state is MessageState.PENDING for message in inside)
    envelope.state = DeliveryState.PENDING if goes else DeliveryState.CANCELLED
    envelope.attempts, envelope.not_before = 0, clock.now()
    envelope.lease_owner = envelope.lease_until = None


def _decide(message: Message, state: MessageState, **values: object) -> None:
    hold(message.announcement.bug)
    if not take_out(Message.id == message.id, OWED, state=state, **values):
        db.session.refresh(message)
        raise Conflict(LEAVING if message.state in OWED else f"{message.customer.name} was dealt with already.")


def _settle(message: Message, by: SettledBy, actor: User) -> None:
    """End the waiting of a customer, unless the bug was opened again since: then they wait for its next outcome.

    Whoever was only asked waits on.
    """
    bug = message.announcement.bug
    if message.announcement.kind in OUTCOMES and message.announcement.generation == bug.generation:
        waiting.settle(bug, [message.customer_id], by, actor=actor)


def _record(kind: EventKind, message: Message, actor: User, **details: Any) -> None:
    bug = message.announcement.bug
    events.record(kind, actor=actor, bug=bug, report=message.report, message_id=message.id, **details)
