"""Taking a GitHub issue form over: a preview that a person may change, and a confirmation."""

import re

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.intake import adopting, github_forms
from bugintake.intake.views import bp
from bugintake.intake.views.catalogue import tabs
from bugintake.team.guards import lead_required, signed_in_user

_TARGET = re.compile(r"target_([0-9]{1,4})", re.ASCII)


@bp.get("/admin/catalogue/form")
@lead_required
def form() -> ResponseReturnValue:
    """Ask for a GitHub issue form."""
    return _page("")


@bp.post("/admin/catalogue/form")
@lead_required
def adopt_form() -> ResponseReturnValue:
    """Show what would become of a form; once confirmed, take it over."""
    text = request.form.get("text", "")
    try:
        file = request.files.get("file")
        if file:
            file.seek(0)  # a request that is answered again has read it already
            text = github_forms.decoded(file.read())
        read = github_forms.read(text)
        named = [(_TARGET.fullmatch(name), target) for name, target in request.form.items()]
        wanted = {int(match[1]): target for match, target in named if match}
        if request.form.get("confirmed"):
            with transaction():
                adopting.adopt(adopting.proposals(read, wanted), actor=signed_in_user())
            flash(_("The form is taken over. What was there already stays as it was."))
            return redirect(url_for(".further"), 303)
        found = adopting.proposals(read, wanted)
    except Invalid as refusal:
        return _page(text, refusal.sentence, 422)
    page = render_template(
        "intake/form_preview.html", form=read, found=found, text=text, tabs=tabs(), targets=adopting.TARGETS
    )
    return make_response(page)


@bp.get("/admin/catalogue/form.yml")
@lead_required
def our_form() -> ResponseReturnValue:
    """Give what our own form asks as a GitHub issue form."""
    text = github_forms.write(adopting.our_form())
    headers = {"Content-Disposition": 'attachment; filename="bug_report.yml"'}
    return Response(text, content_type="application/yaml; charset=utf-8", headers=headers)


def _page(text: str, refusal: str = "", status: int = 200) -> ResponseReturnValue:
    page = render_template("intake/form.html", text=text[: github_forms.LARGEST], refusal=refusal, tabs=tabs())
    return make_response(page, status)
