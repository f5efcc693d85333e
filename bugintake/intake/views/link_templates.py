"""Links to other systems: which there are, for admins, and those to the people of a bug."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.intake.customers import link_templates
from bugintake.intake.customers.forms import LinkForm
from bugintake.intake.customers.models import LinkTemplate
from bugintake.intake.models import Bug
from bugintake.intake.views import bp
from bugintake.team.guards import admin_required, signed_in_user


@bp.get("/admin/customer-links")
@admin_required
def link_templates_page() -> ResponseReturnValue:
    """Show the links there are."""
    return _page(LinkForm(formdata=None))


@bp.post("/admin/customer-links")
@admin_required
def add_link_template() -> ResponseReturnValue:
    """Add a link."""
    form = LinkForm(request.form)
    try:
        with transaction():
            link_templates.add(**form.typed(), actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(form, 422)
    flash(_("%(label)s is on the pages of customers and bugs now.", label=form.label.data))
    return redirect(url_for(".link_templates_page"), 303)


@bp.get("/admin/customer-links/<int:link_id>")
@admin_required
def link_template(link_id: int) -> ResponseReturnValue:
    """Show one link as it may be changed."""
    found, form = _found(link_id), LinkForm(formdata=None)
    form.show({"label": found.label, "system": found.system, "url": found.url})
    return _page(form, changed=found.id)


@bp.post("/admin/customer-links/<int:link_id>")
@admin_required
def change_link_template(link_id: int) -> ResponseReturnValue:
    """Change a link."""
    form = LinkForm(request.form)
    try:
        with transaction():
            link_templates.change(_found(link_id), **form.typed(), actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(form, 422, changed=_found(link_id).id)
    flash(_("%(label)s is saved.", label=form.label.data))
    return redirect(url_for(".link_templates_page"), 303)


@bp.post("/admin/customer-links/<int:link_id>/removal")
@admin_required
def remove_link_template(link_id: int) -> ResponseReturnValue:
    """Take a link away."""
    with transaction():
        link_templates.remove(_found(link_id), actor=signed_in_user())
    flash(_("The link is taken away."))
    return redirect(url_for(".link_templates_page"), 303)


def links_of_bug(bug: Bug, **_context: Any) -> str:
    """Link from a bug's page to its people in other systems."""
    links = link_templates.links_to_people_of(bug)
    return render_template("intake/bug_links.html", links=links) if links else ""


def _found(link_id: int) -> LinkTemplate:
    found = db.session.get(LinkTemplate, link_id) if 0 < link_id < 2**31 else None
    if found is None:
        raise NotFound()
    return found


def _page(form: LinkForm, status: int = 200, *, changed: int | None = None) -> ResponseReturnValue:
    """Draw the links, with a form for one that is changed, else for another one."""
    words = {"form": form, "found": link_templates.templates(), "changed": changed}
    return make_response(render_template("intake/link_templates.html", **words), status)
