"""What webhooks are told: queued in the transaction in which it happens, with numbers and never a customer's words."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.core.kept import once
from bugintake.duty.models import Override, Rotation
from bugintake.intake.models import Bug, Option, Status
from bugintake.loop.models import Announcement, Message
from bugintake.loop.webhooks.models import Topic, Webhook, WebhookDelivery
from bugintake.team.models import User
from bugintake.triage.moves import MOVES

TRIED_FOR = timedelta(hours=72)
OUTCOMES = {EventKind.BUG_LIVE: Topic.BUG_LIVE, EventKind.BUG_DECLINED: Topic.BUG_DECLINED}


@once
def _listening() -> list[tuple[int, list[str]]]:
    found = sa.select(Webhook.id, Webhook.topics).where(Webhook.off_at.is_(None)).order_by(Webhook.id)
    return [(number, topics) for number, topics in db.session.execute(found)]


def queue(topic: Topic, *, bug_id: int | None = None, facts: Callable[[], dict[str, Any]]) -> None:
    """Owe something to every webhook that listens to it; the facts are read only where one does."""
    wanted = [number for number, topics in _listening() if topic in topics]
    if wanted:
        owe(wanted, topic, bug_id=bug_id, facts=facts())


def owe(webhook_ids: Iterable[int], topic: Topic, *, facts: dict[str, Any], bug_id: int | None = None) -> None:
    """Owe something to some webhooks."""
    about = {"topic": topic, "bug_id": bug_id, "facts": facts, "gives_up_at": clock.now() + TRIED_FOR}
    db.session.add_all(WebhookDelivery(webhook_id=number, **about) for number in webhook_ids)
    db.session.flush()


def filed(event: Event) -> None:
    """Say that there is a new bug."""
    _queue_bug(Topic.BUG_FILED, event.bug_id)


def moved(event: Event) -> None:
    """Say that a bug has another status, and what that means."""
    _queue_bug(Topic.BUG_STATUS_CHANGED, event.bug_id, before=event.before, after=event.after)
    if event.kind == EventKind.BUG_CAME_BACK:
        _queue_bug(Topic.BUG_CAME_BACK, event.bug_id)
    elif event.kind in OUTCOMES:
        _queue_bug(OUTCOMES[event.kind], event.bug_id)


def announced(event: Event) -> None:
    """Say that an outcome waits to be told."""
    number = event.details["announcement"]
    url = f"{settings().base_url}/loop/{number}"
    about = {"id": number, "kind": event.after, "url": url, "people": event.details["people"]}
    _queue_bug(Topic.ANNOUNCEMENT_WAITING, event.bug_id, announcement=about)


def failed(event: Event) -> None:
    """Say that somebody's mail did not arrive, or nobody knows; notices to the team are none of it."""
    if event.bug_id is not None:
        _queue_bug(Topic.MESSAGE_FAILED, event.bug_id, state=event.kind.removeprefix("delivery."))


def bounced(event: Event) -> None:
    """Say of each bug in a mail that came back that it did."""
    about = sa.select(Announcement.bug_id).join(Message, Message.announcement_id == Announcement.id)
    about = about.where(Message.delivery_id == event.details.get("delivery_id"))
    for bug_id in db.session.scalars(about.distinct().order_by(Announcement.bug_id)).all():
        _queue_bug(Topic.MESSAGE_FAILED, bug_id, state="bounced")


def perhaps_told(event: Event) -> None:
    """Say that nobody waits any more who has to be told of an outcome, where that was the last one."""
    everybody_told(event.bug_id or 0)


def everybody_told(bug_id: int) -> None:
    """Say that nobody waits any more for a bug that is live or declined; nothing while somebody does."""
    over = sa.select(Bug.id).where(Bug.id == bug_id, Bug.status.in_((Status.LIVE, Status.DECLINED)))
    if db.session.scalar(over.where(Bug.waiting_count == 0)) is not None:
        _queue_bug(Topic.BUG_EVERYBODY_TOLD, bug_id)


def handed_over(event: Event) -> None:
    """Say who is on duty now, and until when; a trade is two turns."""
    queue(Topic.DUTY_HANDED_OVER, facts=lambda: {"turns": _turns(event)})


def in_utc(at: datetime) -> str:
    """Write an instant as programs read it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _turns(event: Event) -> list[dict[str, Any]]:
    known = event.details
    found = sa.select(Rotation.name, User.name, Override.starts_at, Override.ends_at)
    found = found.join(Rotation, Rotation.id == Override.rotation_id).join(User, User.id == Override.user_id)
    laid = found.where(Override.id.in_(known.get("override_ids", [known.get("override_id")]))).order_by(Override.id)
    turns = [
        {"rotation": name, "person": person, "from": in_utc(start), "until": in_utc(end)}
        for name, person, start, end in db.session.execute(laid)
    ]
    if turns:
        return turns
    name, until = db.session.get_one(Rotation, known["rotation_id"]).name, datetime.fromisoformat(known["until"])
    return [{"rotation": name, "person": event.after, "from": in_utc(event.at), "until": in_utc(until)}]  # one's own


def _queue_bug(topic: Topic, bug_id: int | None, **more: Any) -> None:
    queue(topic, bug_id=bug_id, facts=lambda: {"bug": _bug(bug_id or 0), **more})


def _bug(bug_id: int) -> dict[str, Any]:
    found = sa.select(Bug.status, Bug.waiting_count, Option.label).outerjoin(Option, Option.id == Bug.release_id)
    status, waiting, version = db.session.execute(found.where(Bug.id == bug_id)).one()
    ref = f"BUG-{bug_id}"
    named = {"ref": ref, "url": f"{settings().base_url}/bugs/{ref}", "status": status.value}
    return {**named, "version": version, "people_waiting": waiting}


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.REPORT_FILED, filed),
    (EventKind.BUG_SPLIT_OFF, filed),
    *((kind, moved) for kind in MOVES),
    (EventKind.ANNOUNCEMENT_OPENED, announced),
    (EventKind.DELIVERY_FAILED, failed),
    (EventKind.DELIVERY_UNCERTAIN, failed),
    (EventKind.ADDRESS_SUPPRESSED, bounced),
    (EventKind.MESSAGE_TOLD_BY_HAND, perhaps_told),
    (EventKind.MESSAGE_SUPPRESSED, perhaps_told),
    (EventKind.DELIVERY_JUDGED, perhaps_told),
    (EventKind.REPORT_WORKS_NOW, perhaps_told),
    (EventKind.REPORT_WITHDRAWN, perhaps_told),
    (EventKind.DUTY_HANDED_OVER, handed_over),
    (EventKind.DUTY_TAKEN_OVER, handed_over),
    (EventKind.SWAP_TAKEN, handed_over),
]
