"""Merging choices: a lead sees what would move before it does, and may take it back for 30 days."""

from flask import make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.templating import toast
from bugintake.intake import catalogue, option_merging
from bugintake.intake.catalogue_forms import MergeForm
from bugintake.intake.models import Option
from bugintake.intake.option_merging import Effect
from bugintake.intake.option_models import OptionMerge
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import label_of, name_of, option_or_404
from bugintake.team.guards import lead_required, signed_in_user


@bp.get("/admin/catalogue/<name>/<int:option_id>/merge")
@lead_required
def merge(name: str, option_id: int) -> ResponseReturnValue:
    """Ask what a choice is to be merged into; once that is chosen, say what would move."""
    option, form = option_or_404(name, option_id), MergeForm(request.args)
    if not form.into.data:
        return _page(name, option, form)
    try:
        into = _into(name, option, form)
        return _page(name, option, form, effect=option_merging.effect(option, into), into=into)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, "into")
        return _page(name, option, form, refusal.status)


@bp.post("/admin/catalogue/<name>/<int:option_id>/merge")
@lead_required
def merge_option(name: str, option_id: int) -> ResponseReturnValue:
    """Let one choice mean another from now on; what chose it follows."""
    form = MergeForm(request.form)
    try:
        with transaction():
            option = option_or_404(name, option_id)
            into = _into(name, option, form)
            found = option_merging.merge(option, into, actor=signed_in_user())
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal.sentence, "into")
        return _page(name, option_or_404(name, option_id), form, refusal.status)
    undo = url_for(".undo_merge", merge_id=found.id)
    toast(_("%(word)s is another name of %(label)s now.", word=option.label, label=into.label), undo=undo)
    return redirect(url_for(".options", name=name), 303)


@bp.post("/admin/catalogue/merges/<int:merge_id>/undoing")
@lead_required
def undo_merge(merge_id: int) -> ResponseReturnValue:
    """Take back that one choice became another."""
    with transaction():
        found = db.session.get(OptionMerge, merge_id) if 0 < merge_id < 2**31 else None
        if found is None:
            raise NotFound()
        option_merging.undo(found, actor=signed_in_user())
    toast(_("%(label)s is a choice of its own again.", label=found.option.label))
    if found.option.proposed_at is not None:
        return redirect(url_for(".proposed"), 303)
    return redirect(url_for(".options", name=name_of(found.option.list)), 303)


def _into(name: str, option: Option, form: MergeForm) -> Option:
    if not form.into.data:
        raise Invalid("Choose what it is another name of.", "into")
    return catalogue.choose(option.list, form.into.data, called=label_of(name))


def _page(
    name: str,
    option: Option,
    form: MergeForm,
    status: int = 200,
    effect: Effect | None = None,
    into: Option | None = None,
) -> ResponseReturnValue:
    form.offer(option, catalogue.names().offered.get(option.list, ()))
    words = {"name": name, "label": label_of(name), "option": option, "form": form, "effect": effect, "into": into}
    return make_response(render_template("intake/merge.html", **words), status)
