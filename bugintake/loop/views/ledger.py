"""The ledger: everything that anybody was told, as a page and as a file."""

import tempfile

from flask import render_template, request, send_file
from flask.typing import ResponseReturnValue

from bugintake.core.paging import page_number, page_start
from bugintake.intake.queries import bug_or_404
from bugintake.loop import ledger, words
from bugintake.loop.ledger import Asked
from bugintake.loop.models import MessageState
from bugintake.loop.queries import PEOPLE_SHOWN
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in, signed_in_user


@bp.get("/loop/ledger")
@signed_in
def show_ledger() -> ResponseReturnValue:
    """Show who was told what, when and how, the latest first."""
    me, asked = signed_in_user(), _asked()
    found = ledger.page_of_ledger(asked, me, start=page_start(PEOPLE_SHOWN))
    return render_template(
        "loop/ledger.html",
        asked=asked,
        bug=request.args.get("bug", ""),
        owed=found[:PEOPLE_SHOWN],
        page=page_number(),
        has_more=len(found) > PEOPLE_SHOWN,
        me=me,
        how=ledger.how,
        why=words.why,
        STATES=words.STATES,
        CHIPS=words.CHIPS,
        KINDS=words.KINDS,
    )


@bp.get("/loop/ledger.csv")
@signed_in
def ledger_file() -> ResponseReturnValue:
    """Give the same as a file; engineers read addresses masked there, too."""
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  # the answer closes it
    for lines in ledger.as_csv(_asked(), signed_in_user()):
        file.write(lines.encode())
    file.seek(0)
    return send_file(file, "text/csv", as_attachment=True, download_name="told.csv")


def _asked() -> Asked:
    state, ref = request.args.get("state", ""), request.args.get("bug", "").strip()
    return Asked(
        state=MessageState(state) if state in set(MessageState) else None,
        bug_id=bug_or_404(ref, signed_in_user()).id if ref else None,
    )
