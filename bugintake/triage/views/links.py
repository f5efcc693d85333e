"""Links from a bug to other systems."""

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.templating import toast
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.triage import forms, linking
from bugintake.triage.views import bp
from bugintake.triage.views.bug import page


@bp.post("/bugs/<ref>/links")
@signed_in
def add_link(ref: str) -> ResponseReturnValue:
    """Link a bug to a page elsewhere."""
    bug = bug_or_404(ref, signed_in_user())
    form = forms.LinkForm()
    if form.validate():
        try:
            with transaction():
                link = linking.add_link(bug, form.url.data or "", actor=signed_in_user())
            toast(_("The link is added."), undo=url_for(".remove_link", ref=bug.ref, out_id=link.id))
            return redirect(_at(ref))
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
    return page(bug, 422, linking=form)


@bp.post("/bugs/<ref>/links/<int:out_id>/removal")
@signed_in
def remove_link(ref: str, out_id: int) -> ResponseReturnValue:
    """Take a link away."""
    bug = bug_or_404(ref, signed_in_user())
    link = linking.link_or_404(bug, out_id)
    with transaction():
        linking.remove_link(link, actor=signed_in_user())
    toast(_("The link is removed."), undo=url_for(".return_link", ref=bug.ref, out_id=link.id))
    return redirect(_at(ref))


@bp.post("/bugs/<ref>/links/<int:out_id>/return")
@signed_in
def return_link(ref: str, out_id: int) -> ResponseReturnValue:
    """Undo the removal of a link."""
    bug = bug_or_404(ref, signed_in_user())
    link = linking.link_or_404(bug, out_id)
    with transaction():
        linking.return_link(link, actor=signed_in_user())
    toast(_("The link is back."))
    return redirect(_at(ref))


def _at(ref: str) -> str:
    return url_for(".show", ref=ref, _anchor="links-h")
