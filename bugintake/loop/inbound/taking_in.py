"""What a mail that came in does: in one transaction, once, and only where it came to an address of ours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, one_at_a_time, transaction
from bugintake.core.errors import Refusal
from bugintake.core.forms import clean_text
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.intake.reports import canonical
from bugintake.loop import coming_back, replies
from bugintake.loop.inbound.addresses import Purpose, delivery_behind
from bugintake.loop.inbound.reading import Incoming
from bugintake.loop.inbound.returned import Failure
from bugintake.loop.inbound_models import Did, InboundKind, InboundMail
from bugintake.loop.models import LEAVING, Delivery, DeliveryKind, DeliveryState, Message

MOST_ANSWERS = 30
ANSWERS_WITHIN = timedelta(hours=1)
HANDED_OVER = (DeliveryState.SENT, DeliveryState.UNCERTAIN)


class NotYet(Refusal):
    """The envelope is being handed over at this moment: what came in has to come again."""

    status = 503
    title = "Not yet"


def take_in(mail: Incoming, webhook_id: str | None = None) -> Did | None:
    """Do what a mail that came in says, and tell what that was; nothing where it did not come to an address of ours.

    A bounce counts where it came to the address for bounces, an answer where it came to the one for answers. The same
    mail again does nothing, nor does the same webhook. Raises NotYet.
    """
    with transaction():
        found = delivery_behind(mail.recipients)
        if found is None:
            return None
        delivery, purpose = found
        fingerprint = sha256(f"{delivery.id}\n{purpose}\n{mail.name}".encode()).hexdigest()
        webhook = sha256(webhook_id.encode("utf-8", "replace")).hexdigest() if webhook_id is not None else None
        one_at_a_time(f"mail to envelope {delivery.id}")
        is_known = InboundMail.fingerprint == fingerprint
        if webhook is not None:
            is_known = sa.or_(is_known, InboundMail.webhook == webhook)
        if db.session.scalar(sa.select(InboundMail.id).where(is_known).limit(1)) is not None:
            return Did.NOTHING
        if delivery.state in LEAVING:
            raise NotYet("The mail that this one answers is just being sent.")
        did, code = Did.NOTHING, ""
        if mail.failures and purpose is Purpose.BOUNCE:
            failure = _about(delivery, mail.failures)
            did, code = _returned(delivery, failure), failure.code
        elif mail.kind is InboundKind.HUMAN and purpose is Purpose.ANSWER:
            did = _answered(delivery, clean_text(mail.words))
        known = {"fingerprint": fingerprint, "webhook": webhook, "delivery_id": delivery.id}
        db.session.add(InboundMail(kind=mail.kind, did=did, code=code, **known))
    return did


def _about(delivery: Delivery, failures: Sequence[Failure]) -> Failure:
    """Pick what concerns the customer: their own address, else nobody's, else whom they pass mail on to."""
    address = (delivery.customer.email or "").lower() if delivery.customer is not None else ""
    ours = [failure for failure in failures if address in failure.addresses]
    nobodys = [failure for failure in failures if not failure.addresses]
    return (ours or nobodys or list(failures))[0]


def _returned(delivery: Delivery, failure: Failure) -> Did:
    customer = delivery.customer
    if not failure.is_final or delivery.state not in HANDED_OVER or customer is None or customer.erased_at is not None:
        return Did.NOTHING
    is_theirs = not failure.addresses or (customer.email or "").lower() in failure.addresses
    if failure.ends_address and is_theirs:
        coming_back.address_is_gone(delivery, failure.code)
        return Did.SUPPRESSED
    coming_back.could_not_be_delivered(delivery, failure.why.in_words, failure.code)
    return Did.FAILED


def _answered(delivery: Delivery, words: str) -> Did:
    lately = (InboundMail.kind == InboundKind.HUMAN, InboundMail.arrived_at > clock.now() - ANSWERS_WITHIN)
    count = sa.select(sa.func.count(InboundMail.id)).where(InboundMail.delivery_id == delivery.id, *lately)
    reports = _reports_in(delivery)
    if not words or not reports or (db.session.scalar(count) or 0) >= MOST_ANSWERS:
        return Did.NOTHING
    did = Did.REMARKED
    first, *rest = (
        words[start : start + replies.REMARK_LENGTH] for start in range(0, len(words), replies.REMARK_LENGTH)
    )
    for report in reports:
        if delivery.kind is DeliveryKind.QUESTION and replies.open_question(report) is not None:
            replies.answer(report, first)
            did = Did.ANSWERED
        else:
            replies.add_remark(report, first)
        for more in rest:
            replies.add_remark(report, more)
    return did


def _reports_in(delivery: Delivery) -> list[Report]:
    """Return what a mail was about, with the rights of the customer's page.

    Of several things in one mail nobody knows which is meant, so it is an answer about each; where one of them is
    restricted, about the restricted alone, because others must not read what was perhaps said of it.
    """
    inside = sa.select(Message.report_id).where(Message.delivery_id == delivery.id)
    found = sa.select(Report).join(Bug, Bug.id == Report.bug_id).where(Report.id.in_(inside))
    theirs = found.where(
        Report.customer_id == delivery.customer_id, Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN)
    )
    if delivery.customer is None or delivery.customer.erased_at is not None:
        return []
    reports = list(db.session.scalars(theirs.order_by(Bug.canonical_id, Report.id)).unique())
    return [report for report in reports if canonical(report.bug).is_restricted] or reports
