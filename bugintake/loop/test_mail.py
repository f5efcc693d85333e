"""A mail by which an admin sees whether mail leaves, and what the server said to it."""

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.templating import hour
from bugintake.loop import notices, worker
from bugintake.loop.models import LEAVING, Delivery, DeliveryKind, DeliveryState
from bugintake.team.models import User

ON_ITS_WAY = (DeliveryState.PENDING, DeliveryState.CLAIMED, *LEAVING)


def send(user: User) -> None:
    """Put a test mail to somebody of the team into the outbox; the worker sends it like any other."""
    notices.queue_test(user)
    worker.wake()


def answer(user: User) -> str | None:
    """Say what became of the last test mail to somebody, in the server's words where it said any."""
    latest = sa.select(Delivery).where(Delivery.kind == DeliveryKind.TEST, Delivery.user_id == user.id)
    delivery = db.session.scalar(latest.order_by(Delivery.id.desc()).limit(1))
    if delivery is None:
        return None
    asked = hour(delivery.created_at)
    said = delivery.last_error or " ".join(str(part) for part in (delivery.last_code, delivery.last_phase) if part)
    if delivery.state is DeliveryState.SENT:
        return f"The server took the test of {asked}. Is it in your mailbox?"
    if delivery.state in ON_ITS_WAY:
        tried = f" The last try ended with: {said}. It is tried again at {hour(delivery.not_before)}." if said else ""
        return f"The test of {asked} is on its way.{tried}"
    if delivery.state is DeliveryState.UNCERTAIN:
        return f"The server broke off the test of {asked} without an answer: {said}."
    return f"The test of {asked} did not leave: {said or delivery.state.value}."
