"""Attaching many customers to a bug at once: paste, look who is meant, attach, take back."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.security import new_secret
from bugintake.core.templating import toast
from bugintake.intake import attaching, catalogue, crowds
from bugintake.intake.crowds import Crowd
from bugintake.intake.customers.forms import CrowdForm
from bugintake.intake.filing import WHICH_VERSION
from bugintake.intake.models import Bug, OptionList
from bugintake.intake.queries import bug_or_404
from bugintake.intake.reports import canonical
from bugintake.intake.views import bp
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import LANGUAGES


@bp.get("/bugs/<ref>/attach/many")
@signed_in
def crowd(ref: str) -> ResponseReturnValue:
    """Ask whom to attach."""
    form = CrowdForm(formdata=None)
    form.key.data = new_secret()
    return _page(canonical(bug_or_404(ref, signed_in_user())), form)


@bp.post("/bugs/<ref>/attach/many")
@signed_in
def attach_crowd(ref: str) -> ResponseReturnValue:
    """Show who is meant; once somebody has looked at that, attach them."""
    me, form = signed_in_user(), CrowdForm()
    if "confirmed" not in request.form:
        bug = canonical(bug_or_404(ref, me))
        try:
            if attaching.asks_version(bug) and not form.version.data:
                raise Invalid(WHICH_VERSION, "version")
            return _page(bug, form, crowd=crowds.meant(bug, *form.who()))
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
            return _page(bug, form, 422)
    try:
        with transaction():
            bug = canonical(bug_or_404(ref, me))
            found = crowds.meant(bug, *form.who())
            if not found.count:
                raise Invalid("Nobody of these is left to attach: all of them wait already.", "addresses")
            found = found.only(request.form.getlist("person"), request.form.getlist("address"))
            if not found.count:
                raise Invalid("Everybody was left out. Tick who is to be attached.", "addresses")
            batch = crowds.attach_all(
                bug,
                found,
                words=form.actual.data or "",
                languages={name.removeprefix("language:"): value for name, value in request.form.items()},
                actor=me,
                key=form.key.data or new_secret(),
                version=form.version.data or "",
            )
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(canonical(bug_or_404(ref, me)), form, 422)
    undo = url_for(".take_crowd_back", ref=bug.ref, batch=batch)
    toast(ngettext("%(num)d person is attached.", "%(num)d people are attached.", found.count), undo=undo)
    return redirect(f"/bugs/{bug.ref}", 303)


@bp.post("/bugs/<ref>/attach/many/<batch>/undo")
@signed_in
def take_crowd_back(ref: str, batch: str) -> ResponseReturnValue:
    """Take back what one attaching of many did."""
    me = signed_in_user()
    with transaction():
        bug = canonical(bug_or_404(ref, me))
        count = crowds.take_back(bug, batch, actor=me)
    taken = ngettext("%(num)d report is taken back.", "%(num)d reports are taken back.", count)
    toast(f"{taken} {_('Nobody is written to.')}")
    return redirect(f"/bugs/{bug.ref}", 303)


def _page(bug: Bug, form: CrowdForm, status: int = 200, crowd: Crowd | None = None) -> ResponseReturnValue:
    if bug.withdrawn_at is not None:
        raise Conflict(f"{bug.ref} was taken back, so nobody can wait for it.")
    if attaching.asks_version(bug):
        offered = catalogue.names().offered[OptionList.VERSION]
        newest = sorted(offered, key=lambda each: (each.is_unsure, -each.position))
        form.version.choices = [(str(each.id), each.label) for each in newest]
    words = {"bug": bug, "form": form, "crowd": crowd, "me": signed_in_user(), "LANGUAGES": LANGUAGES}
    return make_response(render_template("intake/crowd.html", **words), status)
