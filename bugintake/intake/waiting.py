"""Who waits: the one rule for counting people and for settling them."""

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, read_again, update_all
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.team.models import User


def reports_under(bug_id: int) -> sa.Select[Report]:
    """Select every report under a canonical bug, those of the bugs merged into it included."""
    under = sa.select(Bug.id).where(Bug.canonical_id == bug_id)
    return sa.select(Report).where(Report.bug_id.in_(under))


def unsettled_under(bug_id: int) -> sa.Select[Report]:
    """Select the reports under a canonical bug whose customers still wait."""
    return reports_under(bug_id).where(Report.customer_id.is_not(None), Report.settled_at.is_(None))


def take(bug_ids: Iterable[int]) -> None:
    """Let nobody else change who waits for some bugs until this transaction ends; core.db.hold says in which order."""
    wanted = sa.select(Bug.id).where(Bug.id.in_(list(bug_ids))).order_by(Bug.id)
    db.session.execute(wanted.with_for_update(key_share=True)).all()


def trees_under(bug_ids: sa.Select[Any] | sa.CompoundSelect[Any]) -> list[int]:
    """Name the bugs that stand for some, and all that is part of those."""
    roots = sa.select(Bug.canonical_id).where(Bug.id.in_(bug_ids))
    return list(db.session.scalars(sa.select(Bug.id).where(Bug.canonical_id.in_(roots)).order_by(Bug.id)))


def take_until(is_right: Callable[[], bool]) -> None:
    """Take rows by a function that tells whether they are still the right ones; else let them go, and take anew.

    Which rows are the right ones may change while this waits for them. To keep those and take others would be out of
    order, and two who do so wait for each other. On SQLite nobody waits in here.

    A savepoint by hand, which ends with the transaction: the session's own costs filing a tenth. Within another one of
    these the inner one counts; nothing is taken between the two.
    """
    session = db.session()
    if session.connection().dialect.name == "sqlite":
        while not is_right():
            pass
        return
    session.flush()
    session.execute(_HERE)
    while not is_right():
        session.execute(_BACK)
        session.expire_all()


_HERE, _BACK = sa.text("SAVEPOINT taking"), sa.text("ROLLBACK TO SAVEPOINT taking")


def recount(bug_ids: Iterable[int]) -> None:
    """Store how many people wait for each canonical bug: distinct customers with an unsettled report under it.

    Takes the bugs first, so that of two who change one bug's people at once the second counts the first's.
    """
    wanted = sorted(set(bug_ids))
    part = sa.orm.aliased(Bug)
    people = (
        sa.select(sa.func.count(sa.distinct(Report.customer_id)))
        .join(part, part.id == Report.bug_id)
        .where(part.canonical_id == Bug.id, Report.customer_id.is_not(None), Report.settled_at.is_(None))
        .scalar_subquery()
    )
    db.session.flush()
    take(wanted)
    change = sa.update(Bug).where(Bug.id.in_(wanted)).values(waiting_count=people)
    db.session.execute(change.execution_options(synchronize_session="fetch"))


def settle(bug: Bug, customer_ids: Iterable[int], by: SettledBy, *, actor: User | None) -> None:
    """End the waiting of some customers under a canonical bug, and say how. Records report.settled for each report.

    Of two who settle one person at once, one does. Counts down instead of counting anew: telling a hundred thousand
    people must not count them for each one.
    """
    at, wanted = clock.now(), list(customer_ids)
    take([bug.id])
    db.session.flush()
    chosen = unsettled_under(bug.id).where(Report.customer_id.in_(wanted)).with_only_columns(Report.id)
    change = sa.update(Report).where(Report.id.in_(chosen), Report.settled_at.is_(None))
    done = change.values(settled_at=at, settled_by=by).returning(Report.id, Report.customer_id)
    settled = db.session.execute(done.execution_options(synchronize_session=False)).all()
    read_again(Report)
    for report_id, _ in settled:
        report = db.session.get_one(Report, report_id)
        events.record(EventKind.REPORT_SETTLED, actor=actor, bug=bug, report=report, after=by)
    gone = {customer_id for _, customer_id in settled}
    db.session.execute(sa.update(Bug).where(Bug.id == bug.id).values(waiting_count=Bug.waiting_count - len(gone)))


def unsettle(bug: Bug, customer_ids: Iterable[int]) -> None:
    """Let some customers wait again under a canonical bug, because what they were told was not so."""
    wanted = list(customer_ids)
    for report in db.session.scalars(reports_under(bug.id).where(Report.customer_id.in_(wanted))).all():
        report.settled_at = report.settled_by = None
    recount([bug.id])


def settle_all(bug_id: int, customer_ids: sa.Select[Any], by: SettledBy) -> None:
    """End the waiting of however many customers a query names, as settle does, without reading them."""
    take([bug_id])
    db.session.flush()
    chosen = [Report.customer_id.in_(customer_ids), Report.id.in_(unsettled_under(bug_id).with_only_columns(Report.id))]
    bug, kind = sa.literal(bug_id), sa.literal(EventKind.REPORT_SETTLED, Event.kind.type)
    happened = sa.select(kind, bug, Report.id, sa.literal(str(by))).where(*chosen).order_by(Report.id)
    columns = [Event.kind, Event.bug_id, Event.report_id, Event.after]
    db.session.execute(sa.insert(Event).from_select(columns, happened))
    if update_all(sa.update(Report).where(*chosen).values(settled_at=clock.now(), settled_by=by)):
        recount([bug_id])


def unsettle_all(bug_id: int, customer_ids: sa.Select[Any], by: SettledBy) -> None:
    """Let however many customers a query names wait again who had stopped in this way."""
    take([bug_id])
    under = reports_under(bug_id).with_only_columns(Report.id)
    chosen = (Report.customer_id.in_(customer_ids), Report.id.in_(under), Report.settled_by == by)
    if update_all(sa.update(Report).where(*chosen).values(settled_at=None, settled_by=None)):
        recount([bug_id])
