"""The last contact with a customer of a bug: they told us something, or were told or asked something that has left."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core.event_kinds import EventKind
from bugintake.core.events import IS_CONTACT, Event
from bugintake.intake.models import Bug, Report, SettledBy


def with_contact(found: sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]]) -> sa.Select[Any]:
    """Add to the cards of one page when the last contact was: of each bug and its parts the latest event is read.

    What we found ourselves is no contact, nor is a report that was taken back. What was split off was told when its
    report was.
    """
    cards, part = found.subquery(), aliased(Bug)
    counts = sa.and_(Report.customer_id.is_not(None), Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN))
    of_part = (
        sa.select(sa.case((Event.kind == EventKind.BUG_SPLIT_OFF, Report.filed_at), else_=Event.at))
        .select_from(Event)
        .outerjoin(Report, Report.id == Event.report_id)
        .where(Event.bug_id == part.id, IS_CONTACT, sa.or_(Event.report_id.is_(None), counts))
        .order_by(Event.id.desc())
        .limit(1)
        .correlate(part)
    )
    last = sa.select(sa.func.max(of_part.scalar_subquery())).where(part.canonical_id == cards.c.id).correlate(cards)
    return sa.select(cards, last.scalar_subquery().label("contacted_at"))
