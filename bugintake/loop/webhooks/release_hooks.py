"""Releases by webhook: made by an admin, checked, taken once, and never turning anything back."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload
from werkzeug.datastructures import Headers

from bugintake.core import clock, events
from bugintake.core.db import db, hold, transaction
from bugintake.core.errors import NotFound, Refusal
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import clean_line
from bugintake.core.security import new_secret
from bugintake.intake import proposals
from bugintake.intake.models import Option
from bugintake.loop import releases
from bugintake.loop.webhooks import signing
from bugintake.loop.webhooks.models import Occasion, ReceivedRelease, ReleaseHook, Sender
from bugintake.loop.webhooks.reading import Told
from bugintake.team.models import User

SHOWN = 50
REMEMBERED = timedelta(days=90)
REFUSALS_NOTED = timedelta(minutes=1)
_VERSION = re.compile(r"[vV]?\d+(\.\d+)+([-+.]\w+)*|[vV]\d+", re.ASCII)


def make(sender: Sender, occasion: Occasion, *, actor: User) -> ReleaseHook:
    """Make an address that takes word of releases. Records release_hook.made, without its secret."""
    secret = signing.new_standard_secret() if sender is Sender.STANDARD else new_secret()
    hook = ReleaseHook(key=new_secret(), sender=sender, occasion=occasion, secret=secret, made_by_id=actor.id)
    db.session.add(hook)
    db.session.flush()
    events.record(EventKind.RELEASE_HOOK_MADE, actor=actor, after=sender, hook=hook.id)
    return hook


def revoke(hook: ReleaseHook, *, actor: User) -> None:
    """End an address at once. Revoking it again changes nothing. Records release_hook.revoked."""
    if hook.revoked_at is None:
        hook.revoked_at = clock.now()
        events.record(EventKind.RELEASE_HOOK_REVOKED, actor=actor, before=hook.sender, hook=hook.id)


def hooks() -> Sequence[ReleaseHook]:
    """List the hooks, the working ones first, each group newest first."""
    order = (ReleaseHook.revoked_at.is_not(None), ReleaseHook.id.desc())
    return db.session.scalars(sa.select(ReleaseHook).options(joinedload(ReleaseHook.made_by)).order_by(*order)).all()


def received() -> Sequence[ReceivedRelease]:
    """List what was received last, the latest first."""
    found = sa.select(ReceivedRelease).options(joinedload(ReceivedRelease.hook)).order_by(ReceivedRelease.id.desc())
    return db.session.scalars(found.limit(SHOWN)).all()


def hook_or_404(hook_id: int) -> ReleaseHook:
    """Load a hook by its number. Raises NotFound."""
    hook = db.session.get(ReleaseHook, hook_id) if 0 < hook_id < 2**31 else None
    if hook is None:
        raise NotFound
    return hook


def hook_behind(key: str) -> ReleaseHook:
    """Load the working hook of an address. Raises NotFound for one that never was and for one that is revoked."""
    found = sa.select(ReleaseHook).where(ReleaseHook.key == key, ReleaseHook.revoked_at.is_(None))
    hook = db.session.scalar(found)
    if hook is None:
        raise NotFound
    return hook


def check(hook: ReleaseHook, headers: Headers, raw: bytes) -> None:
    """Check that a delivery is from whom the hook is for. Raises Unverified."""
    if hook.sender is Sender.STANDARD:
        signing.check_standard(headers, raw, hook.secret, clock.now())
    elif hook.sender is Sender.GITHUB:
        signing.check_github(headers, raw, hook.secret)
    else:
        signing.check_gitlab(headers, hook.secret)


def note_refused(hook: ReleaseHook, because: str) -> None:
    """Remember for the admins' page why a delivery was refused: once a minute, however many come."""
    now = clock.now()
    is_time = sa.or_(ReleaseHook.refused_at.is_(None), ReleaseHook.refused_at < now - REFUSALS_NOTED)
    change = sa.update(ReleaseHook).where(ReleaseHook.id == hook.id, is_time)
    db.session.execute(change.values(refused_at=now, refused_because=because[:200]))


def did(hook: ReleaseHook, delivery: str) -> str | None:
    """Say what a delivery did when it was taken, or nothing where it was not."""
    found = sa.select(ReceivedRelease.did)
    return db.session.scalar(found.where(ReceivedRelease.hook_id == hook.id, ReceivedRelease.delivery == delivery))


def take(hook: ReleaseHook, told: Told) -> str:
    """Do what a delivery says, and say what that was.

    Records release.live with the hook in its details. Raises IntegrityError for a delivery that was taken already.
    """
    row = ReceivedRelease(hook_id=hook.id, delivery=told.delivery)
    db.session.add(row)
    db.session.flush()
    try:
        row.did = _do(hook, told)[:300]
    except Refusal as refusal:  # raised before anything was changed
        row.did = f"Nothing: {refusal.sentence}"[:300]
    return row.did


def forget_old() -> None:
    """Forget what was received long ago; by then the times in a delivery keep it from doing harm."""
    old = ReceivedRelease.received_at < clock.now() - REMEMBERED
    with transaction():
        db.session.execute(sa.delete(ReceivedRelease).where(old))


def _do(hook: ReleaseHook, told: Told) -> str:
    now = clock.now()
    if told.said_at is None or told.live_at is None:
        return f"Nothing: {told.nothing_because}"
    if told.live_at > now + signing.TOLERANCE:
        return "Nothing: it says that a version will be live, and not that it is."
    if proposals.version_called(told.version) is None and told.is_reference and not _VERSION.fullmatch(told.version):
        return f"Nothing: {clean_line(told.version)} is not a version."
    version = proposals.version_named(told.version, actor=None)
    hold(version)
    if _was_withdrawn_after(version, told.said_at):
        return f"Nothing: somebody said after this that {version.label} is not live."
    was_live = version.live_since_at is not None
    bugs = releases.release_live(version, actor=None, live_at=min(told.live_at, now), hook=hook.id)
    if was_live and not bugs:
        return f"Nothing: {version.label} was live already."
    named = ", ".join(bug.ref for bug in bugs if not bug.is_restricted)  # whoever sent it reads this
    return f"{version.label} is live" + (f", and with it {named}." if named else ".")


def _was_withdrawn_after(version: Option, at: datetime) -> bool:
    withdrawn = sa.select(Event.id).where(Event.kind == EventKind.RELEASE_WITHDRAWN, Event.option_id == version.id)
    return db.session.scalar(withdrawn.where(Event.at >= at).limit(1)) is not None
