"""Links to calendar feeds: made by whoever may see the schedule, shown once, kept only as a fingerprint."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from bugintake.core import clock, events
from bugintake.core.config import settings
from bugintake.core.db import db, hold, one_at_a_time
from bugintake.core.errors import NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.security import hash_secret, new_secret
from bugintake.duty import feed_slots, queries
from bugintake.duty.feed_models import Feed, FeedKind
from bugintake.duty.models import Rotation
from bugintake.team.models import User


def make_feed(kind: FeedKind, rotation: Rotation | None = None, *, actor: User) -> str:
    """Give a person a new link to a feed and return its address, which nobody can read again later.

    The one they had is revoked, so this renews it too. Records feed.made.
    """
    one_at_a_time(f"feeds of {actor.id}")
    for old in feeds_of(actor):
        if (old.kind, old.rotation_id) == (kind, rotation.id if rotation else None):
            old.revoked_at = clock.now()
    secret = new_secret()
    feed = Feed(
        user_id=actor.id,
        kind=kind,
        rotation_id=rotation.id if rotation else None,
        secret_hash=hash_secret(secret),
        made_at=clock.now(),
    )
    db.session.add(feed)
    db.session.flush()
    for each in queries.rotations():
        feed_slots.note(each, clock.now())
    events.record(EventKind.FEED_MADE, actor=actor, user=actor, feed_id=feed.id, of=kind, rotation_id=feed.rotation_id)
    return f"{settings().base_url}/cal/{secret}.ics"


def revoke(feed: Feed, *, actor: User) -> None:
    """End a link at once. Revoking it again changes nothing. Records feed.revoked."""
    hold(feed)
    if feed.revoked_at is None:
        feed.revoked_at = clock.now()
        events.record(EventKind.FEED_REVOKED, actor=actor, user=actor, feed_id=feed.id)


def feeds_of(person: User) -> Sequence[Feed]:
    """List a person's links that work."""
    working = sa.select(Feed).where(Feed.user_id == person.id, Feed.revoked_at.is_(None))
    return db.session.scalars(working.options(joinedload(Feed.rotation)).order_by(Feed.id)).all()


def feed_or_404(feed_id: int, actor: User) -> Feed:
    """Load a link of one's own. Raises NotFound."""
    found = db.session.get(Feed, feed_id) if feed_id < 2**31 else None
    if found is None or found.user_id != actor.id:
        raise NotFound
    return found


def feed_behind(secret: str) -> Feed:
    """Find the feed that a link opens. Revoked, or of a person disabled, it raises NotFound like one that never was."""
    working = sa.select(Feed).join(Feed.user).options(contains_eager(Feed.user), joinedload(Feed.rotation))
    feed = db.session.scalar(
        working.where(Feed.secret_hash == hash_secret(secret), Feed.revoked_at.is_(None), User.disabled_at.is_(None))
    )
    if feed is None:
        raise NotFound
    return feed
