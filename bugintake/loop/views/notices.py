"""Mail to the team that waits for a lead: it is sent, or left unsent."""

from collections.abc import Callable

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.templating import toast
from bugintake.loop import notices, queries
from bugintake.loop.models import Delivery
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import lead_required, signed_in_user


def _decide(delivery_id: int, change: Callable[[Delivery], None], done: str) -> ResponseReturnValue:
    notice = queries.notice_or_404(delivery_id)
    with transaction():
        change(notice)
    toast(done)
    return redirect(url_for("loop.index"))


@bp.post("/loop/notices/<int:delivery_id>/release")
@lead_required
def send_notice(delivery_id: int) -> ResponseReturnValue:
    """Let a mail to somebody of the team go."""
    me = signed_in_user()
    done = _("It goes out if it is still true.")
    return _decide(delivery_id, lambda it: notices.send_notice(it, actor=me), done)


@bp.post("/loop/notices/<int:delivery_id>/cancellation")
@lead_required
def drop_notice(delivery_id: int) -> ResponseReturnValue:
    """Leave a mail to somebody of the team unsent."""
    me = signed_in_user()
    return _decide(delivery_id, lambda it: notices.drop_notice(it, actor=me), _("It is not sent."))
