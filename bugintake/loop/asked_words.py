"""Asking an agent to word what customers are told: nothing of it leaves until somebody has changed the words."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug
from bugintake.intake.queries import is_visible, visible_to
from bugintake.loop.announcements import ASKED_NOBODY, leaves_at
from bugintake.loop.models import OF_THE_BUG, Announcement, DeliveryKind
from bugintake.loop.notices import queue_notice
from bugintake.loop.unsent import change_unsent, record_about, refuse_outdated
from bugintake.team.models import Role, User

LEFT = "It has left, or was taken back."


def who_may_word(announcement: Announcement, actor: User) -> list[User]:
    """List the agents whom somebody may ask, whoever filed the bug first; nobody for what leaves at once."""
    if announcement.kind not in OF_THE_BUG:
        return []
    agents = sa.select(User).where(User.role == Role.AGENT, User.disabled_at.is_(None), User.id != actor.id)
    bug = announcement.bug
    found = [each for each in db.session.scalars(agents.order_by(User.name, User.id)) if is_visible(bug, each)]
    return sorted(found, key=lambda each: each.id != bug.filed_by_id)


def ask_to_word(announcement: Announcement, person_id: int, *, actor: User) -> User:
    """Ask an agent to word an announcement, and keep it until the words are changed; whoever was asked before is not.

    Records announcement.wording_asked. Raises Invalid for somebody who cannot be asked, Conflict once it has left.
    """
    person = next((each for each in who_may_word(announcement, actor) if each.id == person_id), None)
    if person is None:
        raise Invalid("Choose an agent who works here and may see it.", "person")
    refuse_outdated(announcement)
    asked = {"worder_id": person.id, "worder_asked_by_id": actor.id, "worder_asked_at": clock.now()}
    change_unsent(announcement, LEFT, due_at=None, sent_by_id=None, **asked)
    record_about(EventKind.ANNOUNCEMENT_WORDING_ASKED, announcement, actor, user=person, after=person.name)
    return person


def take_back(announcement: Announcement, *, actor: User) -> None:
    """Ask nobody any more: the review window begins anew. Records announcement.wording_taken_back.

    Raises Conflict where nobody is asked.
    """
    if announcement.worder_id is None:
        raise Conflict("Nobody is asked to word it.")
    change_unsent(announcement, LEFT, due_at=leaves_at(announcement, is_worded=True), **ASKED_NOBODY)
    record_about(EventKind.ANNOUNCEMENT_WORDING_TAKEN_BACK, announcement, actor)


def to_word(actor: User) -> Sequence[Announcement]:
    """List what somebody is asked to word, the first asked first."""
    stands = (Announcement.cancelled_at.is_(None), Announcement.generation == Bug.generation)
    query = sa.select(Announcement).join(Announcement.bug).where(Announcement.worder_id == actor.id, *stands)
    parts = (contains_eager(Announcement.bug), joinedload(Announcement.worder_asked_by))
    query = query.where(Bug.merged_into_id.is_(None), visible_to(actor)).options(*parts)
    return db.session.scalars(query.order_by(Announcement.worder_asked_at, Announcement.id)).all()


def queue_wording(event: Event) -> None:
    """Mail whoever is asked."""
    person = db.session.get_one(User, event.user_id)
    asked = event.details["announcement"]
    queue_notice(DeliveryKind.WORDING, person, f"wording:{event.id}", announcement=asked)


SUBSCRIPTIONS = [(EventKind.ANNOUNCEMENT_WORDING_ASKED, queue_wording)]
