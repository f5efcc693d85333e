"""Who waits: the one rule for counting people and for settling them."""

from collections.abc import Iterable

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.events import EventKind
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.team.models import User


def reports_under(bug_id: int) -> sa.Select[Report]:
    """Select every report under a canonical bug, those of the bugs merged into it included."""
    under = sa.select(Bug.id).where(Bug.canonical_id == bug_id)
    return sa.select(Report).where(Report.bug_id.in_(under))


def unsettled_under(bug_id: int) -> sa.Select[Report]:
    """Select the reports under a canonical bug whose customers still wait."""
    return reports_under(bug_id).where(Report.customer_id.is_not(None), Report.settled_at.is_(None))


def recount(bug_ids: Iterable[int]) -> None:
    """Store how many people wait for each canonical bug: distinct customers with an unsettled report under it."""
    part = sa.orm.aliased(Bug)
    people = (
        sa.select(sa.func.count(sa.distinct(Report.customer_id)))
        .join(part, part.id == Report.bug_id)
        .where(part.canonical_id == Bug.id, Report.customer_id.is_not(None), Report.settled_at.is_(None))
        .scalar_subquery()
    )
    db.session.flush()
    change = sa.update(Bug).where(Bug.id.in_(list(bug_ids))).values(waiting_count=people)
    db.session.execute(change.execution_options(synchronize_session="fetch"))


def settle(bug: Bug, customer_ids: Iterable[int], by: SettledBy, *, actor: User | None) -> None:
    """End the waiting of some customers under a canonical bug, and say how. Records report.settled for each report."""
    wanted = list(customer_ids)
    for report in db.session.scalars(unsettled_under(bug.id).where(Report.customer_id.in_(wanted))).all():
        report.settled_at = clock.now()
        report.settled_by = by
        events.record(EventKind.REPORT_SETTLED, actor=actor, bug=bug, report=report, after=by)
    recount([bug.id])


def unsettle(bug: Bug, customer_ids: Iterable[int]) -> None:
    """Let some customers wait again under a canonical bug, because what they were told was not so."""
    wanted = list(customer_ids)
    for report in db.session.scalars(reports_under(bug.id).where(Report.customer_id.in_(wanted))).all():
        report.settled_at = report.settled_by = None
    recount([bug.id])
