"""The board, the list of bugs, and the queue on the duty page."""

import hashlib

from flask import make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from bugintake.core import clock, undoing
from bugintake.core.kept import state
from bugintake.core.pages import register_page
from bugintake.core.templating import register_nav, register_panel, theme
from bugintake.duty.queries import plan_to_show
from bugintake.intake.models import OPEN, Status
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import queries, queue, search, sorting
from bugintake.triage.looking import today_of
from bugintake.triage.sorting import Sort
from bugintake.triage.views import bp
from bugintake.triage.views.narrowed import narrowed, place_of


@bp.get("/board")
@signed_in
def board() -> ResponseReturnValue:
    """Show every open bug in the column of its status."""
    asked = search.read(request.args)
    if not asked.is_tidy:
        return redirect(url_for("triage.board", **asked.filters.address()))
    tag = _board_tag()
    if tag in request.if_none_match and "_flashes" not in session:
        return "", 304, {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    more = {Status(name): 1000 for name in request.args.getlist("more") if name in set(OPEN)}
    columns, closed = queries.board(asked.filters, signed_in_user(), more)
    page = render_template(
        "triage/board.html",
        columns=columns,
        closed=closed,
        today=today_of(signed_in_user()),
        here=request.full_path.rstrip("?"),
        tag=tag,
        sort=asked.filters.sort or Sort.WORST,
        **narrowed("triage.board", asked),
    )
    answer = make_response(page)
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _board_tag() -> str:
    plan = plan_to_show()
    on_duty = plan.at(clock.now()) if plan is not None else None
    person = on_duty.shift.person_id if on_duty is not None else None
    me = signed_in_user()
    parts = (state(), me.id, today_of(me), person, theme(), undoing.last())
    return hashlib.sha256(repr((parts, request.query_string)).encode()).hexdigest()[:24]


@bp.get("/bugs")
@signed_in
def bugs() -> ResponseReturnValue:
    """List bugs of any status, the newest first unless another order is asked for."""
    asked = search.read(request.args)
    if not asked.is_tidy:
        return redirect(url_for("triage.bugs", **asked.filters.address()))
    filters, sort = asked.filters, asked.filters.sort or Sort.NEWEST
    if (place := place_of(filters.text)) is not None:
        return redirect(place)
    order = sorting.keys(sort, has_days=filters.has_days)
    after = sorting.read_position(request.args.get("after", ""), order)
    found = queries.listed(filters, signed_in_user(), after)
    shown = found[: queries.ROWS_SHOWN]
    return render_template(
        "triage/list.html",
        cards=shown,
        today=today_of(signed_in_user()),
        following=sorting.position(shown[-1], order) if len(found) > len(shown) else None,
        sort=sort,
        **narrowed("triage.bugs", asked),
    )


def _queue_panel() -> str:
    me = signed_in_user()
    items, count = queue.queue(me)
    return render_template("triage/queue.html", items=items, count=count, me=me, today=today_of(me))


def _keys_panel() -> str:
    return render_template("triage/_keys.html", me=signed_in_user())


register_nav("Board", "triage.board", "b", position=10)
register_page("Bugs", "triage.bugs")
register_panel("duty.queue", _queue_panel)
register_panel("duty.keys", _keys_panel)
