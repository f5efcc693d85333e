"""The hook that takes mail, and what the admins' page says of the roads by which mail comes in."""

from typing import Any

from flask import jsonify, render_template, request
from flask.typing import ResponseReturnValue

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.errors import NotFound
from bugintake.core.security import needs_no_form_token
from bugintake.loop.inbound import roads
from bugintake.loop.inbound.parts import MOST_BYTES
from bugintake.loop.inbound.reading import read
from bugintake.loop.inbound.taking_in import take_in
from bugintake.loop.views.blueprint import bp
from bugintake.loop.views.release_hooks import NotSigned
from bugintake.loop.webhooks.signing import Unverified, check_standard
from bugintake.team.guards import public


@bp.post("/hooks/mail")
@public
@needs_no_form_token
def receive_mail() -> ResponseReturnValue:
    """Take in one mail, and say in a word what it did."""
    secret = settings().inbound_secret
    if secret is None or not settings().reads_mail:
        raise NotFound
    request.max_content_length = MOST_BYTES
    raw = request.get_data()
    try:
        check_standard(request.headers, raw, secret, clock.now())
    except Unverified:
        raise NotSigned("This mail is not accepted.") from None
    did = take_in(read(raw), request.headers["webhook-id"])
    roads.note_hook()
    return jsonify({"did": did or "nothing"})


def state(**_context: Any) -> str:
    """Say on the page about mail what is read, and when it was last."""
    return render_template("loop/inbound.html", roads=roads.roads())
