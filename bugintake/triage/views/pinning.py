"""Pinning a bug to the top of its column."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.triage import pinning
from bugintake.triage.views import bp
from bugintake.triage.views.bug import done


@bp.post("/bugs/<ref>/pin")
@lead_required
def pin(ref: str) -> ResponseReturnValue:
    """Let a bug stand first in its column, or no longer."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        event = pinning.pin(bug, request.form.get("pinned") == "1", actor=me)
    words = _("%(ref)s is pinned to the top.", ref=bug.ref) if bug.is_pinned else _("%(ref)s is unpinned.", ref=bug.ref)
    return done(bug, words, event)
