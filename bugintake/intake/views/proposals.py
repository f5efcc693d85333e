"""Words that agents proposed: a lead puts each on its list, makes it another name of a choice, or declines it."""

from collections.abc import Callable

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import toast
from bugintake.intake import catalogue, proposals
from bugintake.intake.catalogue_forms import ProposalForm
from bugintake.intake.models import Option
from bugintake.intake.option_models import OptionMerge
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import labels, tabs
from bugintake.team.guards import lead_required, signed_in_user

ROWS_SHOWN = 50


@bp.get("/admin/catalogue/proposals")
@lead_required
def proposed() -> ResponseReturnValue:
    """Show the words that wait for a decision, the oldest first, with the reports that use them."""
    found = proposals.waiting(start=page_start(ROWS_SHOWN), size=ROWS_SHOWN + 1)
    return render_template(
        "intake/proposals.html",
        tabs=tabs(),
        labels=labels(),
        rows=found[:ROWS_SHOWN],
        has_more=len(found) > ROWS_SHOWN,
        page=page_number(),
    )


@bp.get("/admin/catalogue/proposals/<int:option_id>")
@lead_required
def proposal(option_id: int) -> ResponseReturnValue:
    """Show one word, who used it where, and what may become of it."""
    return _page(proposals.proposal_or_404(option_id), ProposalForm(formdata=None))


@bp.post("/admin/catalogue/proposals/<int:option_id>/acceptance")
@lead_required
def accept_proposal(option_id: int) -> ResponseReturnValue:
    """Put a word on its list."""

    def accept(option: Option, form: ProposalForm) -> None:
        label = form.label.data if "label" in request.form else option.label
        proposals.accept(option, label or "", actor=signed_in_user())

    return _decide(option_id, accept, "label", lambda option: _("%(label)s is on the list.", label=option.label))


@bp.post("/admin/catalogue/proposals/<int:option_id>/alias")
@lead_required
def make_alias(option_id: int) -> ResponseReturnValue:
    """Make a word another name of a choice; its reports follow."""

    def make(option: Option, form: ProposalForm) -> OptionMerge:
        return proposals.make_alias(option, _chosen(option, form), actor=signed_in_user())

    return _decide(option_id, make, "into", _followed)


@bp.post("/admin/catalogue/proposals/<int:option_id>/decline")
@lead_required
def decline_proposal(option_id: int) -> ResponseReturnValue:
    """Turn a word down; its reports get the choice that was named, else "Not sure"."""

    def decline(option: Option, form: ProposalForm) -> OptionMerge | None:
        into = _chosen(option, form) if form.into.data else None
        return proposals.decline(option, into, actor=signed_in_user())

    return _decide(option_id, decline, "into", _followed)


def _decide(
    option_id: int,
    decision: Callable[[Option, ProposalForm], OptionMerge | None],
    field: str,
    words: Callable[[Option], str],
) -> ResponseReturnValue:
    form = ProposalForm(request.form)
    try:
        with transaction():
            option = proposals.proposal_or_404(option_id).option
            merged = decision(option, form)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, field)
        return _page(proposals.proposal_or_404(option_id), form, refusal.status)
    undo = url_for(".undo_merge", merge_id=merged.id) if merged else None
    toast(words(option), undo=undo)
    return redirect(url_for(".proposed"), 303)


def _chosen(option: Option, form: ProposalForm) -> Option:
    if not form.into.data:
        raise Invalid("Choose what it is another name of.", "into")
    return catalogue.choose(option.list, form.into.data, called=labels().get(option.list))


def _followed(option: Option) -> str:
    into = catalogue.standing_for(option)
    if into is option:
        return str(_("%(word)s is not offered. Its reports keep it.", word=option.label))
    return str(_("What was filed with %(word)s has %(label)s now.", word=option.label, label=into.label))


def _page(found: proposals.Proposal, form: ProposalForm, status: int = 200) -> ResponseReturnValue:
    option = found.option
    form.offer(option, catalogue.names().offered.get(option.list, ()))
    unsure = catalogue.not_sure(option.list)
    words = {"found": found, "form": form, "label": labels().get(option.list, option.list), "unsure": unsure}
    return make_response(render_template("intake/proposal.html", **words), status)
