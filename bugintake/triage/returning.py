"""Live bugs that come back with a customer who has the fix, and stand as before once that attaching is taken back."""

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, News, Status
from bugintake.team.models import User
from bugintake.triage import looking, moves, snoozing, transitions


def return_for_customer(event: Event) -> None:
    """Reopen a live bug that happens in spite of its fix; once, however many are attached. Records bug.came_back."""
    bug = db.session.get_one(Bug, event.bug_id)
    if event.details.get("still_happens") and bug.status == Status.LIVE:
        transitions.come_back(bug, actor=_actor(event), attached=event.id)


def show_what_is_written(event: Event) -> None:
    """Bring a bug that a customer wrote about into the duty queue, until an engineer has looked at it.

    What they write is not guessed at: it may be thanks, and may be that it still happens.
    """
    bug = db.session.get_one(Bug, event.bug_id)
    if bug.news is None and bug.withdrawn_at is None:
        bug.news, bug.news_at = News.WROTE, event.at
        db.session.flush()


def stand_as_before(event: Event) -> None:
    """Let a bug be live, put off or paused as before an attaching that is taken back, where that had ended it.

    Not after ten minutes, nor where it was moved or looked at since, its release is not live any more, or something
    else that a customer did since says the same: then an engineer decides. Records bug.undone or bug.snoozed.
    """
    if event.details.get("attached") is None:
        return
    bug = db.session.get_one(Bug, event.bug_id)
    last = moves.last_move(bug)
    came_back = _ended_by_attaching(last, EventKind.BUG_CAME_BACK)
    woken = _ended_by_attaching(looking.last_of(bug, looking.KINDS), EventKind.BUG_WOKEN)
    if came_back is not None and _is_released(bug):
        transitions.stand_as_before(bug, came_back, came_back, actor=_actor(event))
    if woken is not None and (last is None or last is came_back or last.id < woken.id):
        snoozing.sleep_again(bug, woken)


def _ended_by_attaching(last: Event | None, kind: EventKind) -> Event | None:
    """Return what happened last if an attaching led to it a short while ago, of which nothing is left."""
    attached = last.details.get("attached") if last is not None and last.kind == kind else None
    if last is None or attached is None or clock.now() - last.at > looking.UNDO_WITHIN:
        return None
    later = sa.orm.aliased(Event)
    is_gone = sa.exists().where(
        later.report_id == Event.report_id,
        later.kind == EventKind.REPORT_WITHDRAWN,
        later.details["attached"].as_integer() == Event.id,
    )
    done = sa.select(Event.id).where(Event.bug_id == last.bug_id, Event.id >= attached, Event.kind.in_(snoozing.WAKING))
    return last if db.session.scalar(done.where(~is_gone).limit(1)) is None else None


def _is_released(bug: Bug) -> bool:
    if bug.release is not None:
        db.session.refresh(bug.release, with_for_update={"read": True})
    return bug.release is None or bug.release.live_since_at is not None


def _actor(event: Event) -> User | None:
    return db.session.get(User, event.actor_id) if event.actor_id else None


def listen() -> None:
    """Follow who is attached, whose attaching is taken back, and what customers write."""
    events.subscribe(EventKind.REPORT_ATTACHED, return_for_customer)
    events.subscribe(EventKind.REPORT_WITHDRAWN, stand_as_before)
    events.subscribe(EventKind.REPORT_REMARKED, show_what_is_written)
