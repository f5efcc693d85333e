"""Two records of one person, or of one company, become one: everything follows, and nobody waits or is told twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, hold, update_all
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.intake import waiting
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers import finding
from bugintake.intake.customers.models import Account, Customer, ExternalId, StaffNote
from bugintake.intake.models import Bug, Question, Remark, Report, SettledBy
from bugintake.intake.queries import visible_to
from bugintake.team.models import User


@dataclass(frozen=True)
class Effect:
    """What merging one person's record into another does, as far as the reader may see it."""

    moves: Sequence[Report]
    become_remarks: Sequence[Report]
    email: str | None


def effect(gone: Customer, into: Customer, actor: User) -> Effect:
    """Say what merging would do."""
    there = sa.select(Report.bug_id).where(Report.customer_id == into.id)
    theirs = sa.select(Report).join(Report.bug).where(Report.customer_id == gone.id, visible_to(actor))
    query = theirs.options(sa.orm.contains_eager(Report.bug)).order_by(Report.id)
    same = set(db.session.scalars(there))
    found = db.session.scalars(query).all()
    return Effect(
        moves=[report for report in found if report.bug_id not in same],
        become_remarks=[report for report in found if report.bug_id in same],
        email=into.email or gone.email,
    )


def merge(gone: Customer, into: Customer, *, actor: User) -> None:
    """Let one record stand for a person who had two; what it does not know yet it takes from the other.

    Where both told us of one bug, the later telling becomes a remark. The other's address leads here from now on.
    Records customer.merged, with the reports that stand for others. Raises Conflict for a record that was erased or
    merged, and while a mail to either is being handed over.
    """
    _refuse(gone, into)
    either = sa.select(Report.bug_id).where(Report.customer_id.in_((gone.id, into.id)))

    def is_right() -> bool:
        told = waiting.trees_under(either)
        waiting.take(told)
        for each in sorted((gone, into), key=lambda each: each.id):
            hold(each, is_leaving=each is gone)
        return waiting.trees_under(either) == told

    waiting.take_until(is_right)
    _refuse(gone, into)
    under = sa.select(Bug.canonical_id).where(Bug.id.in_(either)).distinct()
    bug_ids = sorted(number for number in db.session.scalars(under) if number is not None)
    stand_for = _join_reports(gone, into)
    _take_over(gone, into)
    db.session.flush()
    update_all(sa.update(Customer).where(Customer.merged_into_id == gone.id).values(merged_into_id=into.id))
    finding.learn([gone.id, into.id])
    events.record(
        EventKind.CUSTOMER_MERGED,
        actor=actor,
        customer_id=gone.id,
        into_id=into.id,
        bug_ids=bug_ids,
        reports=stand_for,
    )
    waiting.recount(bug_ids)


def merge_accounts(gone: Account, into: Account, *, actor: User) -> None:
    """Let one company stand for two; its people, numbers and notes follow, and its old name leads here.

    Records account.merged. Raises Conflict for one that was merged.
    """
    _refuse(gone, into)
    for each in sorted((gone, into), key=lambda each: each.id):
        hold(each)
    _refuse(gone, into)
    into.plan = into.plan or gone.plan
    into.runs_own_version = into.runs_own_version or gone.runs_own_version
    into.owner_id = into.owner_id or gone.owner_id
    into.quiet_until_on = max(filter(None, (into.quiet_until_on, gone.quiet_until_on)), default=None)
    gone.merged_into_id = into.id
    db.session.flush()
    update_all(sa.update(Account).where(Account.merged_into_id == gone.id).values(merged_into_id=into.id))
    update_all(sa.update(Customer).where(Customer.account_id == gone.id).values(account_id=into.id))
    for kind in (ExternalId, StaffNote):
        update_all(sa.update(kind).where(kind.account_id == gone.id).values(account_id=into.id))
    finding.learn(account_ids=[gone.id, into.id])
    events.record(EventKind.ACCOUNT_MERGED, actor=actor, account_id=into.id, gone_id=gone.id)


def _refuse(gone: Customer | Account, into: Customer | Account) -> None:
    if gone.id == into.id:
        raise Conflict("That is the same record.")
    for each in (gone, into):
        if each.merged_into_id is not None or getattr(each, "erased_at", None) is not None:
            raise Conflict("One of the two was merged or erased already.")


def _join_reports(gone: Customer, into: Customer) -> dict[str, int]:
    """Move the reports; where the bug has one of the other record, that stands for it, and hears what it said."""
    there = {
        report.bug_id: report for report in db.session.scalars(sa.select(Report).where(Report.customer_id == into.id))
    }
    stand_for: dict[str, int] = {}
    for report in db.session.scalars(sa.select(Report).where(Report.customer_id == gone.id).order_by(Report.id)).all():
        other = there.get(report.bug_id)
        if other is None:
            report.customer_id = into.id
            continue
        stand_for[str(report.id)] = other.id
        words = "\n\n".join(text for text in (report.actual, report.steps, report.expected) if text)
        if words:
            db.session.add(Remark(report_id=other.id, text=words, said_at=report.filed_at))
        if report.settled_at is None:
            other.settled_at = other.settled_by = None
            report.settled_at = clock.now()
        if report.settled_by is not SettledBy.WITHDRAWN:
            report.settled_by = SettledBy.MERGED  # so that nothing lets the record wait again that is gone
        other.unsubscribed_at = other.unsubscribed_at or report.unsubscribed_at
        db.session.flush()
        for kind in (Question, Remark, Attachment):
            update_all(sa.update(kind).where(kind.report_id == report.id).values(report_id=other.id))
    return stand_for


def _take_over(gone: Customer, into: Customer) -> None:
    if into.email is None and gone.email is not None:
        address, gone.email = gone.email, None
        db.session.flush()
        into.email = address
        into.suppressed_at, into.suppressed_because = gone.suppressed_at, gone.suppressed_because
    into.account_id = into.account_id or gone.account_id
    into.zone = into.zone or gone.zone
    into.quiet_until_on = max(filter(None, (into.quiet_until_on, gone.quiet_until_on)), default=None)
    gone.merged_into_id = into.id
    for kind in (ExternalId, StaffNote):
        update_all(sa.update(kind).where(kind.customer_id == gone.id).values(customer_id=into.id))
