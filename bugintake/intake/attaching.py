"""Attaching one more customer to a known bug, whether it comes back with them, and taking that back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake import proposals, reports, waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Option, Remark, Report, SettledBy, Status
from bugintake.intake.reports import Telling, canonical, hold_bug_of, hold_canonical
from bugintake.team.models import User


def attach(bug: Bug, telling: Telling, *, actor: User, key: str | None = None) -> Report:
    """Let one more customer wait for a known bug, with their own words.

    Acts on the canonical bug. A customer who is there already gets a remark, and waits again if they had stopped. A bug
    that is live comes back, unless their version lacks the fix. Records report.attached, with how a customer who was
    there stood before. Raises Invalid for an overlong text, Conflict as file_report.
    """
    reports.check_texts(telling)
    earlier = reports.filed_before(telling, canonical(bug), actor, key)
    if earlier is not None:
        return earlier
    bug = hold_canonical(bug)  # what it became while this waited for its row decides whether an outcome is owed
    if bug.withdrawn_at is not None:
        raise Conflict(f"{bug.ref} was taken back, so nobody can wait for it.")
    telling = reports.of_whoever_stands(telling)
    report, before = _report_of(bug, telling.customer), {}
    if report is None:
        report = reports.add_report(telling, bug, bug, actor, key)
    else:
        before = wait_again(report, *_news_in(report, telling))
    bug.changed_at = clock.now()
    waiting.recount([bug.id])
    what = {**before, **where_live(bug, telling.version)}
    events.record(EventKind.REPORT_ATTACHED, actor=actor, bug=bug, report=report, **what)
    proposals.note_use(telling.options, report, bug, actor=actor)
    return report


def lacks_fix(bug: Bug, version: Option) -> bool:
    """Whether a version is known to be older than the release a bug is fixed in; the list's order is the versions'.

    Of "Not sure", and of a word whose place in the list nobody has decided yet, it is not known.
    """
    if bug.release is None or version.is_unsure or version.proposed_at is not None:
        return False
    return version.position < bug.release.position


def asks_version(bug: Bug) -> bool:
    """Whether the version of whoever is attached has to be known: it decides whether a live bug came back."""
    whole = canonical(bug)
    return whole.status == Status.LIVE and whole.release is not None


def where_live(bug: Bug, version: Option) -> dict[str, Any]:
    """Say of a telling about a live bug in which version that was, and whether it happens in spite of the fix.

    Where that is not known it counts so: an engineer looks once too often, and no customer reads that it is fixed while
    it is not.
    """
    return {"version": version.id, "still_happens": not lacks_fix(bug, version)} if bug.status == Status.LIVE else {}


def wait_again(report: Report, words: str = "", choices: dict[str, Any] | None = None) -> dict[str, Any]:
    """Let somebody wait who may have stopped, with what they say now, and return how it was before."""
    before: dict[str, Any] = {"settled_at": report.settled_at and report.settled_at.isoformat()}
    before["settled_by"] = report.settled_by
    report.settled_at = report.settled_by = None
    if words:
        remark = Remark(report_id=report.id, text=words, choices=choices or {})
        db.session.add(remark)
        db.session.flush()
        before["remark"] = remark.id
    return before


def telling_or_404(report: Report, event_id: int) -> Event:
    """Load what attached a customer: an event of their report. Raises NotFound."""
    event = db.session.get(Event, event_id) if 0 < event_id < 2**31 else None
    if event is None or event.kind != EventKind.REPORT_ATTACHED or event.report_id != report.id:
        raise NotFound()
    return event


def last_telling(report: Report) -> Event | None:
    """Return what attached a customer last; nothing where all that they told us is what the bug was filed with."""
    told = sa.select(Event).where(Event.report_id == report.id, Event.kind == EventKind.REPORT_ATTACHED)
    return db.session.scalars(told.order_by(Event.id.desc()).limit(1)).first()


def was_there(event: Event) -> bool:
    """Whether the customer who was attached had told us of the bug before."""
    return "settled_at" in event.details


def take_back(event: Event, *, actor: User) -> None:
    """Take an attaching back: a report that it made is withdrawn; of one that was there, only what was added goes.

    Records report.withdrawn, which names the attaching, so that whoever did something because of it takes that back
    too. Raises Conflict where the customer was told meanwhile, or told us more since.
    """
    report = db.session.get_one(Report, event.report_id)
    bug = hold_bug_of(report)
    if report.settled_at is not None or last_telling(report) is not event:
        raise Conflict("More happened to this report since, so this cannot be taken back.")
    if was_there(event):
        stand_as_before(report, event.details)
    else:
        report.settled_at, report.settled_by = clock.now(), SettledBy.WITHDRAWN
    bug.changed_at = clock.now()
    waiting.recount([bug.id])
    events.record(EventKind.REPORT_WITHDRAWN, actor=actor, bug=bug, report=report, attached=event.id)


def stand_as_before(report: Report, before: Mapping[str, Any]) -> None:
    """Put a report back to how it stood before its customer told us again."""
    settled_at, settled_by = before["settled_at"], before["settled_by"]
    report.settled_at = datetime.fromisoformat(settled_at) if settled_at else None
    report.settled_by = SettledBy(settled_by) if settled_by else None
    if "remark" in before:
        db.session.delete(db.session.get_one(Remark, before["remark"]))


def _report_of(bug: Bug, customer: Customer | None) -> Report | None:
    if customer is None:
        return None
    query = waiting.reports_under(bug.id).where(Report.customer_id == customer.id)
    return db.session.scalars(query.order_by(Report.id).limit(1)).first()


def _news_in(report: Report, telling: Telling) -> tuple[str, dict[str, Any]]:
    """Return the words and choices of another telling, unless they are the last ones once more."""
    words = "\n\n".join(text for text in (telling.actual, telling.steps, telling.expected) if text)
    chosen = {"impact": telling.impact.id, "platform": telling.platform.id, "version": telling.version.id}
    chosen |= {further.name: option.id for further, option in telling.choices}
    last = sa.select(Remark).where(Remark.report_id == report.id).order_by(Remark.id.desc()).limit(1)
    said = db.session.scalars(last).first()
    is_news = said is None or (said.text, said.choices) != (words, chosen)
    return (words, chosen) if is_news else ("", {})
