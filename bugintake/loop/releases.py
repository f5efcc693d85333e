"""Releases: a version goes live, and every bug fixed in it with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, update_one
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.intake import proposals
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.intake.queries import visible_to
from bugintake.team.models import User
from bugintake.triage import transitions


@dataclass(frozen=True)
class Release:
    """A version as it stands: live or not, and how many bugs and people wait for it."""

    version: Option
    bug_count: int
    people_waiting: int


def release_live(
    version: str | Option, *, actor: User | None, live_at: datetime | None = None, **details: Any
) -> list[Bug]:
    """Say that a version is live; every bug fixed in it becomes live with it, and its people are owed word of it.

    A version nobody knows is made on the spot. One that is live stays as it is, and takes along what was fixed in it
    since. `live_at` says since when, where that is past. Records release.live, with `details` where a program said it.
    Raises Invalid for an empty or retired version, or a time to come. Returns the bugs that became live.
    """
    at = live_at or clock.now()
    if at > clock.now():
        raise Invalid("A release is live when it is: give a time that is past, or none.", "live_at")
    option = _version(version, actor)
    if option.list != OptionList.VERSION or option.is_unsure or option.retired_at is not None:
        raise Invalid(f"{option.label} is not a version that can be live.", "version")
    change = sa.update(Option).where(Option.id == option.id, Option.live_since_at.is_(None))
    if update_one(change.values(live_since_at=at)):
        events.record(EventKind.RELEASE_LIVE, actor=actor, option=option, after=option.label, **details)
    bugs = _bugs_of(option, Status.FIXED)
    for bug in bugs:
        transitions.go_live(bug, actor=actor)
    return bugs


def withdraw_release(version: Option, *, actor: User) -> list[Bug]:
    """Say that a version is not live after all; its bugs are fixed again, and whoever was told otherwise waits again.

    Records release.withdrawn. Raises Conflict for a version that is not live. Returns the bugs concerned.
    """
    change = sa.update(Option).where(Option.id == version.id, Option.live_since_at.is_not(None))
    if not update_one(change.values(live_since_at=None)):
        raise Conflict(f"{version.label} is not live.")
    events.record(EventKind.RELEASE_WITHDRAWN, actor=actor, option=version, before=version.label)
    bugs = _bugs_of(version, Status.LIVE)
    for bug in bugs:
        transitions.unrelease(bug, actor=actor)
    return bugs


def page_of_releases(actor: User, *, start: int, size: int) -> Sequence[Release]:
    """List the versions a bug can be fixed in, the newest first, with what waits for each as this person may see it."""
    fixed = sa.and_(
        Bug.release_id == Option.id,
        Bug.status == Status.FIXED,
        Bug.merged_into_id.is_(None),
        Bug.withdrawn_at.is_(None),
        visible_to(actor),
    )
    people = sa.func.coalesce(sa.func.sum(Bug.waiting_count), 0)
    query = (
        sa.select(Option, sa.func.count(Bug.id), people)
        .outerjoin(Bug, fixed)
        .where(Option.list == OptionList.VERSION, Option.retired_at.is_(None), Option.is_unsure.is_(False))
        .group_by(Option.id)
        .order_by(Option.position.desc(), Option.id.desc())
    )
    found = db.session.execute(query.offset(start).limit(size)).all()
    return [Release(option, count, int(waiting)) for option, count, waiting in found]


def _version(version: str | Option, actor: User | None) -> Option:
    if isinstance(version, Option):
        return version
    if not version.strip():
        raise Invalid("Say which version is live.", "version")
    return proposals.version_named(clean_line(version), actor=actor)


def _bugs_of(option: Option, status: Status) -> list[Bug]:
    """Read the bugs of a release; the parts a move looks at come along."""
    query = sa.select(Bug).where(Bug.release_id == option.id, Bug.status == status, Bug.merged_into_id.is_(None))
    parts = (joinedload(Bug.release), joinedload(Bug.decline_reason))
    return list(db.session.scalars(query.where(Bug.withdrawn_at.is_(None)).order_by(Bug.id).options(*parts)))


def version_or_404(option_id: int) -> Option:
    """Load a version by its number. Raises NotFound."""
    option = db.session.get(Option, option_id) if 0 < option_id < 2**31 else None
    if option is None or option.list != OptionList.VERSION:
        raise NotFound()
    return option
