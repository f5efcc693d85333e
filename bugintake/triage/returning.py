"""Live bugs that come back because a customer who has the fix was attached."""

from bugintake.core import events
from bugintake.core.db import db
from bugintake.core.events import Event, EventKind
from bugintake.intake.models import Bug, Status
from bugintake.team.models import User
from bugintake.triage import transitions


def return_for_customer(event: Event) -> None:
    """Reopen a live bug that happens in spite of its fix; once, however many are attached. Records bug.came_back."""
    bug = db.session.get_one(Bug, event.bug_id)
    if event.details.get("still_happens") and bug.status == Status.LIVE:
        transitions.come_back(bug, actor=db.session.get(User, event.actor_id) if event.actor_id else None)


def listen() -> None:
    """Follow who is attached."""
    events.subscribe(EventKind.REPORT_ATTACHED, return_for_customer)
