"""Telling people on the way: the way round of a bug, and that we have somebody's report."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.templating import toast
from bugintake.intake.models import OPEN, Bug, Report
from bugintake.intake.queries import bug_or_404, report_or_404
from bugintake.loop import updates
from bugintake.loop.views.blueprint import bp
from bugintake.team.guards import signed_in, signed_in_user


@bp.post("/bugs/<ref>/workaround/telling")
@signed_in
def tell_way_round(ref: str) -> ResponseReturnValue:
    """Open the announcement of a bug's way round, and show it."""
    bug = bug_or_404(ref, signed_in_user())
    with transaction():
        announcement = updates.tell_way_round(bug, actor=signed_in_user())
    return redirect(url_for("loop.show", announcement_id=announcement.id))


@bp.post("/reports/<int:report_id>/confirmation/mail")
@signed_in
def confirm_report(report_id: int) -> ResponseReturnValue:
    """Write to a customer that we have their report."""
    report = report_or_404(report_id, signed_in_user())
    with transaction():
        updates.confirm(report, actor=signed_in_user())
    toast(_("It leaves in a minute."))
    return redirect(url_for("triage.show", ref=report.bug.ref))


def way_round(bug: Bug, **_context: object) -> str:
    """Offer on a bug's page to tell everybody who waits the way round, and say when that was done."""
    if bug.status not in OPEN or not any(text.strip() for text in bug.workarounds.values()):
        return ""
    return render_template("loop/way_round.html", bug=bug, told=updates.way_round_told(bug))


def confirmation(report: Report, **_context: object) -> str:
    """Offer, right after filing, to write to the customer that we have it."""
    return "" if updates.why_not_confirmed(report) else render_template("loop/confirmation.html", report=report)
