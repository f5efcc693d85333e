"""Calendar feeds: the page where links are made, renewed and revoked, and what they open."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.security import limiter
from bugintake.duty import feeds, queries
from bugintake.duty.feed_calendar import calendar
from bugintake.duty.feed_models import FeedKind
from bugintake.duty.views import bp
from bugintake.team.guards import public, signed_in, signed_in_user

MOST_ALARMS, EARLIEST_ALARM = 5, 7 * 24 * 60


@bp.get("/duty/feeds")
@signed_in
def feed_links() -> ResponseReturnValue:
    """Show which feeds there are, and which of them a person has a link to."""
    return _page()


@bp.post("/duty/feeds")
@signed_in
def make_feed() -> ResponseReturnValue:
    """Make or renew a link, and show it this once."""
    kind = request.form.get("kind", "")
    if kind not in list(FeedKind):
        raise Invalid(_("Choose one of the feeds."), "kind")
    of_rotation = int(request.form.get("rotation", 0, type=int)) if kind == FeedKind.ROTATION else None
    with transaction():
        rotation = None if of_rotation is None else queries.rotation_or_404(of_rotation)
        address = feeds.make_feed(FeedKind(kind), rotation, actor=signed_in_user())
    return _page(address)


@bp.post("/duty/feeds/<int:feed_id>/removal")
@signed_in
def revoke_feed(feed_id: int) -> ResponseReturnValue:
    """Revoke one of one's links."""
    feed = feeds.feed_or_404(feed_id, signed_in_user())
    with transaction():
        feeds.revoke(feed, actor=signed_in_user())
    flash(_("Revoked. Calendars that follow it get nothing more."))
    return redirect(url_for("duty.feed_links"))


@bp.get("/cal/<secret>.ics")
@public
@limiter.limit("120 per minute")
def feed(secret: str) -> ResponseReturnValue:
    """Answer a calendar, which need not sign in: the secret is the right."""
    found = feeds.feed_behind(secret)
    answer = Response(calendar(found, clock.now(), _alarms()), content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="duty.ics"'
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)


def _alarms() -> list[int]:
    """Read how many minutes before a shift a calendar is to remind; what is no such number reminds of nothing."""
    asked = {minutes for minutes in request.args.getlist("alarm", type=int) if 0 <= minutes <= EARLIEST_ALARM}
    return sorted(asked)[:MOST_ALARMS]


def _page(address: str = "") -> str:
    mine = {(feed.kind, feed.rotation_id): feed for feed in feeds.feeds_of(signed_in_user())}
    rotations = queries.rotations()
    offered = [(FeedKind.MINE, None), *((FeedKind.ROTATION, rotation) for rotation in rotations)]
    if len(rotations) > 1:
        offered.append((FeedKind.ALL, None))
    return render_template(
        "duty/feeds.html",
        rows=[(kind, rotation, mine.get((kind, rotation.id if rotation else None))) for kind, rotation in offered],
        FeedKind=FeedKind,
        address=address,
    )
