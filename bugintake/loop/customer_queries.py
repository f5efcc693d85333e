"""Reading what one customer was told, and which of their reports a private link opens."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.queries import records_of
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.intake.queries import visible_to
from bugintake.loop.models import Announcement, CustomerLink, Delivery, LinkPurpose, Message
from bugintake.loop.queries import PEOPLE_SHOWN, Owed
from bugintake.team.models import User


def told_to(customer: Customer, actor: User, *, start: int = 0) -> Sequence[Owed]:
    """List what a customer was told or is owed about the bugs that this person may see, the latest first.

    One more than a page shows.
    """
    theirs = sa.select(Message, Delivery).outerjoin(Delivery, Delivery.id == Message.delivery_id)
    theirs = (
        theirs.join(Message.announcement).join(Announcement.bug).where(Message.customer_id.in_(records_of(customer)))
    )
    bug = sa.orm.contains_eager(Message.announcement).contains_eager(Announcement.bug)
    query = (
        theirs.where(visible_to(actor))
        .options(bug, joinedload(Message.told_by))
        .order_by(Message.id.desc())
        .offset(start)
        .limit(PEOPLE_SHOWN + 1)
    )
    return [Owed(message, envelope) for message, envelope in db.session.execute(query)]


def linked_reports(customer: Customer, actor: User) -> Sequence[tuple[Report, datetime]]:
    """List the reports of a customer that a private link opens, as this person may see them, and when it was made."""
    opens = (CustomerLink.purpose == LinkPurpose.REPORT, CustomerLink.revoked_at.is_(None))
    query = (
        sa.select(Report, sa.func.max(CustomerLink.made_at))
        .join(CustomerLink, CustomerLink.report_id == Report.id)
        .join(Bug, Bug.id == Report.bug_id)
        .where(Report.customer_id == customer.id, *opens, visible_to(actor))
        .where(Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN))
        .group_by(Report.id)
        .order_by(Report.id.desc())
        .options(joinedload(Report.bug))
    )
    return [(report, made_at) for report, made_at in db.session.execute(query.limit(PEOPLE_SHOWN))]
