"""The ledger: everything that anybody was told, as a page and as a file; and who never was."""

import tempfile
from collections.abc import Sequence
from typing import Any

from flask import redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from bugintake.core.db import transaction
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import toast
from bugintake.intake.queries import bug_or_404
from bugintake.loop import ledger, never_told, words
from bugintake.loop.ledger import Asked
from bugintake.loop.models import MessageState
from bugintake.loop.queries import PEOPLE_SHOWN, Owed
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in, signed_in_user
from bugintake.team.models import User


@bp.get("/loop/ledger")
@signed_in
def show_ledger() -> ResponseReturnValue:
    """Show who was told what, when and how, the latest first."""
    me, asked = signed_in_user(), _asked()
    found = ledger.page_of_ledger(asked, me, start=page_start(PEOPLE_SHOWN))
    bug = request.args.get("bug", "")
    return _page("loop/ledger.html", found, me, asked=asked, bug=bug, how=ledger.how, why=words.why)


@bp.get("/loop/ledger.csv")
@signed_in
def ledger_file() -> ResponseReturnValue:
    """Give the same as a file; engineers read addresses masked there, too."""
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # the answer closes it
    for lines in ledger.as_csv(_asked(), signed_in_user()):
        file.write(lines.encode())
    file.seek(0)
    return send_file(file, "text/csv", as_attachment=True, download_name="told.csv")


@bp.get("/loop/never-told")
@signed_in
def show_never_told() -> ResponseReturnValue:
    """Show who should have heard something a month ago and has not, and why."""
    me = signed_in_user()
    found = never_told.page_of_untold(me, start=page_start(PEOPLE_SHOWN))
    missed = never_told.missed(me)
    return _page("loop/never_told.html", found, me, missed=missed, why=never_told.why_untold)


@bp.post("/loop/never-told")
@signed_in
def owe_missed() -> ResponseReturnValue:
    """Owe how it ended to those for whom nothing was ever written."""
    with transaction():
        count = never_told.owe_missed(actor=signed_in_user())
    toast(ngettext("%(num)d person is told how it ended.", "%(num)d people are told how it ended.", count))
    return redirect(url_for("loop.show_never_told"))


def _page(template: str, found: Sequence[Owed], me: User, **shown: Any) -> str:
    shown |= {"owed": found[:PEOPLE_SHOWN], "page": page_number(), "has_more": len(found) > PEOPLE_SHOWN, "me": me}
    return render_template(template, **shown, STATES=words.STATES, CHIPS=words.CHIPS, KINDS=words.KINDS)


def _asked() -> Asked:
    state, ref = request.args.get("state", ""), request.args.get("bug", "").strip()
    return Asked(
        state=MessageState(state) if state in set(MessageState) else None,
        bug_id=bug_or_404(ref, signed_in_user()).id if ref else None,
    )
