"""Asking whoever knows an area for help with a bug."""

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.intake.queries import bug_or_404, is_visible
from bugintake.team.guards import engineer_required, signed_in_user
from bugintake.triage import forms, helping, queries
from bugintake.triage.views import bp
from bugintake.triage.views.bug import back, done, seen_by, short_form


@bp.route("/bugs/<ref>/help", methods=["GET", "POST"])
@engineer_required
def ask_for_help(ref: str) -> ResponseReturnValue:
    """Ask who helps and with what; then hand the bug over."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    colleagues = [person for person in queries.colleagues() if person.id != me.id]
    first, words = helping.whom_to_ask(bug, me)
    form = forms.help_form(colleagues, owner=str(first.id) if first is not None else "")
    if request.method == "POST" and form.validate():
        helper = next(person for person in colleagues if str(person.id) == form.owner.data)
        try:
            with transaction():
                event = helping.ask_for_help(bug, helper, form.note.data or "", actor=me)
        except Invalid as refusal:
            form.refuse(refusal.sentence, "note" if refusal.field == "text" else refusal.field)
        else:
            said = _("%(name)s is asked for help: %(ref)s is theirs now.", name=helper.name, ref=bug.ref)
            if not is_visible(bug, me):
                flash(f"{said} {seen_by(bug)}")
                return redirect(back(bug))
            return done(bug, said, event)
    return short_form("triage/help.html", [bug], form, words=words)
