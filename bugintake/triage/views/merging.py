"""Duplicates: one bug becomes a part of another one after a look at both, and stands for itself again."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.templating import plural, toast
from bugintake.intake.models import Bug
from bugintake.intake.queries import bug_or_404, is_visible, number_of
from bugintake.intake.reports import canonical
from bugintake.team.guards import engineer_required, signed_in_user
from bugintake.team.models import User
from bugintake.triage import duplicates, forms, merging
from bugintake.triage.duplicates import Comparison, Proposal
from bugintake.triage.views import bp
from bugintake.triage.views.bug import back, seen_by


@bp.get("/bugs/<ref>/merge")
@engineer_required
def merge(ref: str) -> ResponseReturnValue:
    """Ask which bug a bug is the same as, by number or words; once that is known, show both side by side."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    if bug.merged_into_id is not None:
        return redirect(url_for("triage.show", ref=bug.ref))
    form = forms.MergeForm(request.args)
    words = form.into.data or ""
    if not _is_number(words):
        return _page(bug, form, proposals=duplicates.proposals(bug, words, me))
    try:
        into = meant(words, me)
        merging.refuse(bug, into)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, "into")
        return _page(bug, form, refusal.status)
    return _page(bug, form, compared=duplicates.compare(bug, canonical(into)))


@bp.post("/bugs/<ref>/merge")
@engineer_required
def merge_bug(ref: str) -> ResponseReturnValue:
    """Make a bug a part of another one."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    form = forms.MergeForm()
    into = None
    try:
        with transaction():
            into = meant(form.into.data or "", me)
            seen, into_seen = form.status_seen(), form.into_status_seen()
            merging.merge(bug, into, actor=me, seen=seen, into_seen=into_seen)
            into = canonical(into)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, "into")
        return _page(bug, form, refusal.status, _compared(bug, into))
    people = plural(into.waiting_count, "person waits", "people wait")
    words = _("%(ref)s is part of %(into)s now. %(people)s for it.", ref=bug.ref, into=into.ref, people=people)
    if not is_visible(bug, me):
        flash(f"{words} {seen_by(into)}")
        return redirect(url_for("triage.board"))
    toast(words, undo=url_for("triage.separate", ref=bug.ref, of=into.ref, next=back(bug)))
    return redirect(back(bug))


@bp.post("/bugs/<ref>/separation")
@engineer_required
def separate(ref: str) -> ResponseReturnValue:
    """Let a bug stand for itself again; it takes its own people along."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    of = request.values.get("of")
    with transaction():
        unmerged = merging.unmerge(bug, actor=me, of=bug_or_404(of, me) if of else None)
    people = plural(bug.waiting_count, "person waits", "people wait")
    flash(_("%(ref)s stands for itself again. %(people)s for it.", ref=bug.ref, people=people))
    told = unmerged.details["told"]
    if told:
        were = plural(told, "person was", "people were")
        flash(
            _(
                "%(were)s told of %(of)s meanwhile: write to them that it is another problem.",
                were=were,
                of=unmerged.after,
            )
        )
    return redirect(back(bug))


def _is_number(words: str) -> bool:
    try:
        return number_of(words) > 0
    except NotFound:
        return False


def meant(words: str, me: User) -> Bug:
    """Find the other bug that somebody named. Raises Invalid where there is none that they may see."""
    if not words:
        raise Invalid(_("Choose the other bug."), "into")
    try:
        return bug_or_404(words, me)
    except NotFound:
        raise Invalid(_("There is no bug with this number, or none that you may see."), "into") from None


def _compared(bug: Bug, into: Bug | None) -> Comparison | None:
    """Put the two side by side again where they may still be merged."""
    try:
        if into is not None:
            merging.refuse(bug, into)
            return duplicates.compare(bug, canonical(into))
    except Conflict:
        pass
    return None


def _page(
    bug: Bug,
    form: forms.MergeForm,
    status: int = 200,
    compared: Comparison | None = None,
    proposals: list[Proposal] | None = None,
) -> ResponseReturnValue:
    words = {"bug": bug, "form": form, "compared": compared, "proposals": proposals}
    page = render_template("triage/merge.html", next=request.values.get("next", ""), **words)
    return make_response(page, status)
