"""Releases, announcements and messages."""

from typing import Any

from bugintake.api import arguments, queries, schemas
from bugintake.api.idempotency import idempotent
from bugintake.api.views.blueprint import bp
from bugintake.core.db import transaction
from bugintake.core.errors import NotFound
from bugintake.intake import proposals
from bugintake.intake.queries import is_visible
from bugintake.loop import announcements, releases
from bugintake.team.guards import signed_in_user, token_required
from bugintake.team.models import Role
from bugintake.team.tokens import ANNOUNCEMENTS_WRITE, READ, RELEASES_WRITE


@bp.route("/releases", methods=["POST"])
@token_required(RELEASES_WRITE, Role.ENGINEER)
@idempotent
@bp.arguments(arguments.ReleaseArgs)
@bp.response(201, schemas.ReleaseSchema)
def release(args: dict[str, Any]) -> dict[str, Any]:
    """Say that a version is live: its fixed bugs become live, and their customers are told."""
    me = signed_in_user()
    with transaction():
        version = proposals.version_named(args["version"], actor=me)
        bugs = releases.release_live(version, actor=me, live_at=args["live_at"])
        seen = [bug.ref for bug in bugs if is_visible(bug, me)]
        return {"version": version.label, "live_at": queries.in_utc(version.live_since_at), "bugs": seen}


@bp.route("/announcements")
@token_required(READ)
@bp.arguments(arguments.AnnouncementsArgs, location="query")
@bp.response(200, schemas.AnnouncementsSchema)
def list_announcements(args: dict[str, Any]) -> dict[str, Any]:
    """List what is to be told, the newest first."""
    items, following = queries.announcements(
        signed_in_user(), state=args["state"], after=args["cursor"], limit=args["limit"]
    )
    return {"items": items, "next": following}


@bp.route("/announcements/<int:announcement_id>/sending", methods=["POST"])
@token_required(ANNOUNCEMENTS_WRITE)
@idempotent
@bp.response(200, schemas.AnnouncementSchema)
def send(announcement_id: int) -> dict[str, Any]:
    """Send an announcement now, instead of when its review window ends."""
    me = signed_in_user()
    with transaction():
        announcement = queries.announcement_of(announcement_id, me) if announcement_id < 2**31 else None
        if announcement is None:
            raise NotFound
        announcements.send(announcement, actor=me)
        return queries.announcement_facts(announcement)


@bp.route("/messages")
@token_required(READ)
@bp.arguments(arguments.MessagesArgs, location="query")
@bp.response(200, schemas.MessagesSchema)
def list_messages(args: dict[str, Any]) -> dict[str, Any]:
    """List what people are owed, the newest first."""
    items, following = queries.messages(
        signed_in_user(), state=args["state"], after=args["cursor"], limit=args["limit"]
    )
    return {"items": items, "next": following}
