"""Raising a bug to the top of today's queue, and saying that one has looked."""

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.intake.models import RaiseReason
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.triage import forms, looking, raising
from bugintake.triage.views import bp
from bugintake.triage.views.bug import done


@bp.route("/bugs/<ref>/raise", methods=["GET", "POST"])
@signed_in
def raise_bug(ref: str) -> ResponseReturnValue:
    """Put a bug on top of today's queue."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    form = forms.RaiseForm()
    form.reason.choices = [(reason.value, reason.label) for reason in RaiseReason]
    if request.method == "POST" and form.validate():
        with transaction():
            event = raising.raise_bug(bug, RaiseReason(form.reason.data), actor=me)
        return done(bug, _("%(ref)s is on top of today's queue.", ref=bug.ref), event)
    words = {"bug": bug, "form": form, "next": request.values.get("next", "")}
    return make_response(render_template("triage/raise.html", **words), 422 if form.errors else 200)


@bp.post("/bugs/<ref>/look")
@engineer_required
def look(ref: str) -> ResponseReturnValue:
    """Say that one has looked."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        event = looking.look(bug, actor=me)
    words = _("You have looked at %(ref)s.", ref=bug.ref) if event else _("Nothing was new on %(ref)s.", ref=bug.ref)
    return done(bug, words, event)
