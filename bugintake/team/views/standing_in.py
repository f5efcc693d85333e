"""Who stands in for whom: each for themselves, and leads for everybody."""

import re

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen
from bugintake.team import people
from bugintake.team.guards import lead_required, signed_in, signed_in_user
from bugintake.team.models import User
from bugintake.team.views.blueprint import bp


@bp.get("/admin/stand-ins")
@lead_required
def stand_ins() -> ResponseReturnValue:
    """List who stands in for whom."""
    return render_template("team/stand_ins.html", people=people.everybody(), working_here=people.working_here())


@bp.post("/admin/people/<int(max=2147483647):user_id>/stand-in")
@lead_required
def name_stand_in(user_id: int) -> ResponseReturnValue:
    """Say who stands in for somebody."""
    flash(_named(people.user_or_404(user_id)))
    return redirect(url_for(".stand_ins", _anchor=f"u-{user_id}"))


@bp.post("/settings/stand-in")
@signed_in
def name_own_stand_in() -> ResponseReturnValue:
    """Say who stands in for oneself."""
    flash(_named(signed_in_user()))
    return redirect(url_for(".settings"))


def _named(user: User) -> str:
    with transaction():
        people.name_stand_in(user, _chosen(), Seen.on(request.form), actor=signed_in_user())
        colleague = user.stands_in
    if colleague is None:
        return str(_("Nobody stands in for %(name)s.", name=user.name))
    return str(_("%(colleague)s stands in for %(name)s.", colleague=colleague.name, name=user.name))


def _chosen() -> User | None:
    given = request.form.get(people.STANDS_IN, "")
    if not given:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", given):
        raise Invalid("Choose somebody from the list.", people.STANDS_IN)
    return people.user_or_404(int(given))
