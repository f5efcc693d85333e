"""What pages ask every 20 seconds: whether anything happened, which mostly costs a look at one number."""

import hashlib
from collections.abc import Callable

from flask import jsonify, make_response, request, session
from flask.typing import ResponseReturnValue

from bugintake.core import clock, undoing
from bugintake.core.kept import state
from bugintake.core.templating import theme
from bugintake.duty.queries import plans_to_show
from bugintake.intake.queries import number_of
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import news
from bugintake.triage.looking import today_of
from bugintake.triage.views import bp

MOST = 100


@bp.get("/bugs/news")
@signed_in
def told() -> ResponseReturnValue:
    """Answer what last happened to the bugs that are named."""

    def answer() -> ResponseReturnValue:
        numbers = [number_of(ref) for ref in request.args.getlist("ref")[:MOST]]
        return jsonify(items=[each._asdict() for each in news.news_of(numbers, signed_in_user())])

    return unless_known(tag_of(request.full_path), answer)


def tag_of(address: str) -> str:
    """Name what a page at an address shows to this person; it changes with everything that anybody does."""
    now, me = clock.now(), signed_in_user()
    there = [plan.at(now) for plan in plans_to_show()]
    turns = tuple((planned.shift.person_id, planned.shift.start) if planned is not None else None for planned in there)
    parts = (state(), me.id, today_of(me), turns, theme(), session.get("csrf_token"), undoing.last())
    return hashlib.sha256(repr((parts, address)).encode()).hexdigest()[:24]


def unless_known(tag: str, draw: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """Draw a page, or answer that it is as the browser has it already."""
    caching = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if tag in request.if_none_match and "_flashes" not in session:
        return "", 304, caching
    answer = make_response(draw())
    answer.headers.update(caching)
    return answer
