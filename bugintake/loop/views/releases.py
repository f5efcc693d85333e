"""Releases: which versions are live, and saying that one is."""

from flask import make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from bugintake.core.db import transaction
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import toast
from bugintake.intake.queries import is_visible
from bugintake.loop import releases
from bugintake.loop.forms import ReleaseForm
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.team.models import Role

ROWS_SHOWN = 25


@bp.get("/releases")
@signed_in
def list_releases() -> ResponseReturnValue:
    """List the versions, and what waits for each to be live."""
    return _page(ReleaseForm())


def _page(form: ReleaseForm, status: int = 200) -> ResponseReturnValue:
    me = signed_in_user()
    found = releases.page_of_releases(me, start=page_start(ROWS_SHOWN), size=ROWS_SHOWN + 1)
    page = render_template(
        "loop/releases.html",
        form=form,
        rows=found[:ROWS_SHOWN],
        has_more=len(found) > ROWS_SHOWN,
        page=page_number(),
        may_release=me.can(Role.ENGINEER),
    )
    return make_response(page, status)


@bp.post("/releases")
@engineer_required
def release() -> ResponseReturnValue:
    """Say that a version is live."""
    me, form = signed_in_user(), ReleaseForm()
    if not form.validate():
        return _page(form, 422)
    with transaction():
        bugs = releases.release_live(str(form.version.data), actor=me)
        count = sum(is_visible(bug, me) for bug in bugs)
    live = _("%(version)s is live.", version=form.version.data)
    also = ngettext("%(num)d bug went live with it.", "%(num)d bugs went live with it.", count)
    toast(f"{live} {also}")
    return redirect(url_for("loop.index") if count else url_for("loop.list_releases"))


@bp.post("/releases/<int:option_id>/withdrawal")
@engineer_required
def withdraw(option_id: int) -> ResponseReturnValue:
    """Say that a version is not live after all."""
    me = signed_in_user()
    version = releases.version_or_404(option_id)
    with transaction():
        releases.withdraw_release(version, actor=me)
    toast(_("%(version)s is not live any more. Its bugs wait for it again.", version=version.label))
    return redirect(url_for("loop.list_releases"))
