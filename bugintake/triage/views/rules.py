"""The rules of triage, for leads: what each does, what a new one would have done, and how often they acted."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.templating import register_panel
from bugintake.team.guards import lead_required, signed_in_user
from bugintake.team.models import Role
from bugintake.triage import queries, rules
from bugintake.triage.rule_forms import RuleForm, rule_form
from bugintake.triage.rule_models import RuleKind, TriageRule
from bugintake.triage.views import bp


@bp.get("/admin/rules")
@lead_required
def triage_rules() -> ResponseReturnValue:
    """Show the rules in force; with the parts of a new one in the address, what it would have done."""
    form = rule_form(request.args if "kind" in request.args else None, queries.colleagues())
    if "kind" not in request.args:
        return _page(form)
    try:
        rule = form.rule()
        rules.check(rule)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(form, 422)
    return _page(form, rule=rule)


@bp.post("/admin/rules")
@lead_required
def make_rule() -> ResponseReturnValue:
    """Let a new rule act from now on."""
    form = rule_form(request.form, queries.colleagues())
    try:
        with transaction():
            made = rules.make(form.rule(), actor=signed_in_user())
            sentence = made.sentence
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(form, 422)
    flash(_("From now on: %(sentence)s", sentence=sentence))
    return redirect(url_for(".triage_rules"), 303)


@bp.post("/admin/rules/<int:rule_id>/ending")
@lead_required
def end_rule(rule_id: int) -> ResponseReturnValue:
    """Let a rule act no more."""
    with transaction():
        found = db.session.get(TriageRule, rule_id) if 0 < rule_id < 2**31 else None
        if found is None:
            raise NotFound()
        rules.end(found, actor=signed_in_user())
    flash(_("The rule is ended. What it did stays."))
    return redirect(url_for(".triage_rules"), 303)


def _page(form: RuleForm, status: int = 200, rule: TriageRule | None = None) -> ResponseReturnValue:
    would, count = rules.dry_run(rule, signed_in_user()) if rule is not None else ([], 0)
    words = {"form": form, "rule": rule, "would": would, "count": count, "RuleKind": RuleKind}
    page = render_template("triage/rules.html", rules=rules.in_force(), acted=rules.acted_lately(), **words)
    return make_response(page, status)


def _menu() -> str:
    return render_template("triage/menu.html") if signed_in_user().can(Role.LEAD) else ""


register_panel("topbar.menu", _menu)
