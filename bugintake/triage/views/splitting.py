"""A report about another problem becomes a bug of its own, and goes back while nobody has worked on that."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.templating import toast
from bugintake.intake.models import Report
from bugintake.intake.queries import bug_or_404, report_or_404
from bugintake.intake.reports import canonical, title_from
from bugintake.team.guards import engineer_required, signed_in_user
from bugintake.triage import forms, splitting
from bugintake.triage.views import bp


@bp.get("/reports/<int:report_id>/split")
@engineer_required
def split(report_id: int) -> ResponseReturnValue:
    """Show a report and what the bug would be called that is made of it."""
    report = report_or_404(report_id, signed_in_user())
    form = forms.SplitForm(title=title_from(report))
    try:
        splitting.refuse_gone(report)
    except Conflict as refusal:
        form.refuse(refusal.sentence)
    return _page(report, form)


@bp.post("/reports/<int:report_id>/split")
@engineer_required
def split_report(report_id: int) -> ResponseReturnValue:
    """Make a bug of its own of a report; where it `stays`, it tells of two problems."""
    me = signed_in_user()
    report = report_or_404(report_id, me)
    form = forms.SplitForm()
    whole = canonical(report.bug)
    stays = bool(request.form.get("stays"))
    verb = splitting.file_apart if stays else splitting.split
    try:
        with transaction():
            bug = verb(report, form.title.data or "", actor=me)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, getattr(refusal, "field", None))
        return _page(report, form, refusal.status)
    if stays:
        words = _("%(ref)s is filed for the other problem.", ref=bug.ref)
    else:
        words = _("%(ref)s is a bug of its own now, and not a part of %(whole)s.", ref=bug.ref, whole=whole.ref)
    toast(words, undo=url_for("triage.rejoin", ref=bug.ref))
    return redirect(url_for("triage.show", ref=bug.ref), 303)


@bp.post("/bugs/<ref>/split/undo")
@engineer_required
def rejoin(ref: str) -> ResponseReturnValue:
    """Give the report back to the bug it was split off."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        whole = splitting.rejoin(bug, actor=me)
    flash(_("Undone: the report is about %(whole)s alone.", whole=whole.ref))
    return redirect(url_for("triage.show", ref=whole.ref), 303)


def _page(report: Report, form: forms.SplitForm, status: int = 200) -> ResponseReturnValue:
    words = {"report": report, "bug": canonical(report.bug), "form": form, "is_all": splitting.is_all(report)}
    return make_response(render_template("triage/split.html", **words), status)
