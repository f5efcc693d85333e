"""The board, the list of bugs, and the queue on the duty page."""

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bugintake.core.pages import register_page
from bugintake.core.templating import register_nav, register_panel
from bugintake.intake.models import OPEN, Status
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import Role, User
from bugintake.triage import queries, queue, search, shift_load, sorting
from bugintake.triage.looking import today_of
from bugintake.triage.owners import decides_now
from bugintake.triage.sorting import Sort
from bugintake.triage.verbs import Verb, verbs_for
from bugintake.triage.views import bp
from bugintake.triage.views.narrowed import narrowed, place_of
from bugintake.triage.views.news import tag_of, unless_known
from bugintake.triage.views.rotations import rotation_asked_for

QUEUE = "/duty/queue"


@bp.get("/board")
@signed_in
def board() -> ResponseReturnValue:
    """Show every open bug in the column of its status."""
    asked = search.read(request.args)
    if not asked.is_tidy:
        return redirect(url_for("triage.board", **asked.filters.address()))
    tag = tag_of(request.full_path)
    return unless_known(tag, lambda: _board(asked, tag))


def _board(asked: search.Asked, tag: str) -> str:
    me = signed_in_user()
    columns, closed = queries.board(asked.filters, me, _more())
    return render_template(
        "triage/board.html",
        columns=columns,
        closed=closed,
        more=tuple(f"{status}:{count}" for status, count in _more().items()),
        today=today_of(me),
        here=request.full_path.rstrip("?"),
        tag=tag,
        sort=asked.filters.sort or Sort.WORST,
        **narrowed("triage.board", asked),
    )


def _more() -> dict[Status, int]:
    """Read how many cards of each column are asked for: `more` says “new:1100”."""
    asked = (each.partition(":") for each in request.args.getlist("more"))
    return {Status(name): int(count) for name, _colon, count in asked if name in set(OPEN) and _is_count(count)}


def _is_count(words: str) -> bool:
    return words.isascii() and words.isdigit() and len(words) < 7


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
    tag = tag_of(request.full_path)
    return unless_known(tag, lambda: _list(asked, sort, tag))


def _list(asked: search.Asked, sort: Sort, tag: str) -> str:
    order = sorting.keys(sort, has_days=asked.filters.has_days)
    after = sorting.read_position(request.args.get("after", ""), order)
    found = queries.listed(asked.filters, signed_in_user(), after)
    shown = found[: queries.ROWS_SHOWN]
    return render_template(
        "triage/list.html",
        cards=shown,
        today=today_of(signed_in_user()),
        following=sorting.position(shown[-1], order) if len(found) > len(shown) else None,
        sort=sort,
        tag=tag,
        **narrowed("triage.bugs", asked),
    )


@bp.get(QUEUE)
@signed_in
def show_queue() -> ResponseReturnValue:
    """Show the queue of the duty page by itself, which asks for it while it is looked at."""
    return unless_known(tag_of(_here(QUEUE)), _queue_panel)


def _queue_panel() -> str:
    me, rotation_id = signed_in_user(), rotation_asked_for()
    items, count = queue.queue(me, rotation_id)
    return render_template(
        "triage/queue.html",
        items=items,
        count=count,
        load=shift_load.load(me, rotation_id),
        me=me,
        offered=_offered(me),
        decides=decides_now(me, rotation_id),
        address=_here(QUEUE),
        back=_here("/duty"),
        tag=tag_of(_here(QUEUE)),
        today=today_of(me),
    )


def _offered(me: User) -> list[Verb]:
    """List what somebody may do in the queue: while it is a colleague's turn what agents may, until they take over."""
    decides = decides_now(me, rotation_asked_for())
    return [verb for verb in verbs_for(me) if decides or verb.role is Role.AGENT]


def _here(address: str) -> str:
    rotation_id = rotation_asked_for()
    return address if rotation_id is None else f"{address}?rotation={rotation_id}"


def _keys_panel() -> str:
    me = signed_in_user()
    return render_template("triage/_keys.html", me=me, offered=_offered(me))


register_nav("Board", "triage.board", "b", position=10)
register_page("Bugs", "triage.bugs")
register_panel("duty.queue", _queue_panel)
register_panel("duty.keys", _keys_panel)
