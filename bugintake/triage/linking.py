"""Links from a bug to other systems: added, removed, and looked at by the worker from time to time."""

import json
from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock, events, outside
from bugintake.core.db import db, hold, transaction, update_one
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.intake.models import OPEN, Bug
from bugintake.intake.reports import hold_canonical
from bugintake.team.models import User
from bugintake.triage import elsewhere, looking
from bugintake.triage.elsewhere import Place, Told
from bugintake.triage.link_models import BugLink

MOST = 30
AGAIN = {"open": timedelta(hours=1), "draft": timedelta(hours=1)}
SELDOM = timedelta(days=1)  # what is closed, merged or a commit rarely changes
FIRST_RETRY = timedelta(minutes=5)
CLAIMED_FOR = timedelta(minutes=10)


def add_link(bug: Bug, url: str, *, actor: User) -> BugLink:
    """Link a bug, or the one it is part of, to a page elsewhere; the worker asks for its state where it can.

    Records bug.linked. Raises Invalid for what is no https address, Conflict where it is linked already.
    """
    if not elsewhere.is_link(url):
        raise Invalid("Paste an address that begins with https://.", "url")
    bug = hold_canonical(bug)
    there = links_of(bug)
    if url in [link.url for link in there]:
        raise Conflict("This bug is linked to that page already.")
    if len(there) >= MOST:
        raise Conflict(f"There are {MOST} links already. Remove one first.")
    can_be_asked = elsewhere.place_of(url).api is not None
    link = BugLink(bug=bug, url=url, added_by_id=actor.id, look_at=clock.now() if can_be_asked else None)
    db.session.add(link)
    db.session.flush()
    _note(EventKind.BUG_LINKED, link, actor)
    return link


def remove_link(link: BugLink, *, actor: User) -> None:
    """Take a link away. Records bug.unlinked. Raises Conflict for one that is gone."""
    hold(link.bug)
    db.session.refresh(link)
    if link.removed_at is not None:
        raise Conflict("This link is removed already.")
    link.removed_at = clock.now()
    _note(EventKind.BUG_UNLINKED, link, actor)


def return_link(link: BugLink, *, actor: User) -> None:
    """Undo the removal of a link within ten minutes. Records bug.linked.

    Raises Conflict when it is too late, or where it named somebody who was erased.
    """
    hold(link.bug)
    db.session.refresh(link)
    if not link.url:
        raise Conflict("Where this link led is erased.")
    if link.removed_at is None or clock.now() - link.removed_at > looking.UNDO_WITHIN:
        raise Conflict("That was more than ten minutes ago. Add the link again.")
    link.removed_at = None
    _note(EventKind.BUG_LINKED, link, actor)


def links_of(bug: Bug) -> Sequence[BugLink]:
    """List the links of a bug and of what is part of it, the first one first."""
    return db.session.scalars(_LINKS, {"bug": bug.id}).all()


def link_or_404(bug: Bug, link_id: int) -> BugLink:
    """Load a link of a bug or of what is part of it, removed or not. Raises NotFound."""
    link = db.session.get(BugLink, link_id) if 0 < link_id < 2**31 else None
    if link is None or bug.id not in (link.bug_id, link.bug.canonical_id):
        raise NotFound()
    return link


def look_at_one() -> bool:
    """Ask another system about the link that has waited longest, and tell whether there was one.

    What does not answer is asked again later and later; one that leads into this network is asked no more.
    """
    now = clock.now()
    link = db.session.scalars(_DUE, {"now": now}).first()
    if link is None:
        return False
    claim = sa.update(BugLink).where(BugLink.id == link.id, BugLink.look_at == link.look_at)
    with transaction():
        if not update_one(claim.values(look_at=now + CLAIMED_FOR)):
            return True  # another worker was faster
    try:
        told, trouble = _ask(elsewhere.place_of(link.url)), ""
    except outside.Refused as refusal:
        told, trouble = None, str(refusal)
    except outside.Unreachable as silence:
        told, trouble = None, str(silence)
    with transaction():
        link = db.session.get_one(BugLink, link.id)
        if link.url:  # else it was erased meanwhile
            _keep(link, told, trouble)
    return True


def _ask(place: Place) -> Told:
    answer = outside.fetch(place.api or "", {"Accept": "application/json"})
    if answer.status in (401, 403, 404):
        raise outside.Unreachable(f"{place.kind} {place.name} is not public, or is gone.")
    if answer.status != 200:
        raise outside.Unreachable(f"{place.kind} {place.name}: the server answers {answer.status}.")
    try:
        return elsewhere.told_by(json.loads(answer.body))
    except (ValueError, AttributeError) as error:
        raise outside.Unreachable(f"{place.kind} {place.name}: the answer cannot be read.") from error


def _keep(link: BugLink, told: Told | None, trouble: str) -> None:
    now, link.trouble = clock.now(), trouble[:200]
    if told is None:
        link.look_at = now + min(FIRST_RETRY * 2 ** min(link.failed_count, 10), SELDOM)
        link.failed_count += 1
        return
    if (link.title, link.state) != told:
        link.bug.changed_at = now  # the API's version of the bug is another one
    link.title, link.state = told
    link.checked_at, link.failed_count = now, 0
    link.look_at = now + AGAIN.get(told.state, SELDOM)


def _note(kind: EventKind, link: BugLink, actor: User) -> None:
    looking.touch(link.bug, actor)
    events.record(kind, actor=actor, bug=link.bug, after=elsewhere.place_of(link.url).kind, link=link.id)


_LINKS = (
    sa.select(BugLink)
    .join(BugLink.bug)
    .where(Bug.canonical_id == sa.bindparam("bug"), BugLink.removed_at.is_(None))
    .order_by(BugLink.id)
)
_DUE = (
    sa.select(BugLink)
    .join(BugLink.bug)
    .where(BugLink.look_at <= sa.bindparam("now", type_=BugLink.look_at.type), BugLink.removed_at.is_(None))
    .where(sa.or_(Bug.status.in_(OPEN), BugLink.checked_at.is_(None)))
    .order_by(BugLink.look_at, BugLink.id)
    .limit(1)
)
