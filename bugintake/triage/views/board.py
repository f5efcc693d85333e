"""The board, the list of bugs, and the queue on the duty page."""

import hashlib

from flask import make_response, render_template, request, session
from flask.typing import ResponseReturnValue

from bugintake.core import clock
from bugintake.core.kept import state
from bugintake.core.templating import register_nav, register_panel, theme
from bugintake.duty.queries import plan_to_show
from bugintake.intake.models import OPEN, Status
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import queries, queue
from bugintake.triage.views import bp


@bp.get("/board")
@signed_in
def board() -> ResponseReturnValue:
    """Show every open bug in the column of its status."""
    me = signed_in_user()
    filters = queries.Filters.from_address(request.args)
    tag = _board_tag()
    if tag in request.if_none_match and "_flashes" not in session:
        return "", 304, {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    more = {Status(name): 1000 for name in request.args.getlist("more") if name in set(OPEN)}
    columns, closed = queries.board(filters, me, more)
    page = render_template(
        "triage/board.html",
        columns=columns,
        closed=closed,
        filters=filters,
        me=me,
        here=request.full_path.rstrip("?"),
        tag=tag,
    )
    answer = make_response(page)
    answer.set_etag(tag)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _board_tag() -> str:
    plan = plan_to_show()
    on_duty = plan.at(clock.now()) if plan is not None else None
    person = on_duty.shift.person_id if on_duty is not None else None
    parts = (state(), signed_in_user().id, person, theme())
    return hashlib.sha256(repr((parts, request.query_string)).encode()).hexdigest()[:24]


@bp.get("/bugs")
@signed_in
def bugs() -> ResponseReturnValue:
    """List bugs of any status, the newest first."""
    filters = queries.Filters.from_address(request.args)
    chosen = tuple(Status(name) for name in request.args.getlist("status") if name in set(Status))
    after = request.args.get("after", "")
    found = queries.listed(filters, chosen, signed_in_user(), int(after) if _is_id(after) else None)
    return render_template(
        "triage/list.html",
        cards=found[: queries.ROWS_SHOWN],
        following=found[queries.ROWS_SHOWN - 1].id if len(found) > queries.ROWS_SHOWN else None,
        filters=filters,
        chosen=chosen,
        statuses=list(Status),
    )


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _queue_panel() -> str:
    me = signed_in_user()
    items, count = queue.queue(me)
    return render_template("triage/queue.html", items=items, count=count, me=me)


register_nav("Board", "triage.board", "b", position=10)
register_panel("duty.queue", _queue_panel)
