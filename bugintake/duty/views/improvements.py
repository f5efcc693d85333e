"""What would save the next person on duty time: noted, listed, and ended."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import zone_or_utc
from bugintake.core.pages import register_page
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import register_panel
from bugintake.duty import improvements
from bugintake.duty.fairness import month_name
from bugintake.duty.forms import ImprovementForm
from bugintake.duty.views import bp
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.team.models import Role

SHOWN, ON_DUTY_PAGE = 50, 5


@bp.get("/duty/improvements")
@signed_in
def show_improvements() -> str:
    """List what is open, what became of the rest, and the figures."""
    return _page(ImprovementForm())


@bp.post("/duty/improvements")
@engineer_required
def note_improvement() -> ResponseReturnValue:
    """Note what would have saved time."""
    form = ImprovementForm()
    if not form.validate():
        return _page(form), 422
    try:
        with transaction():
            improvements.note(form.chosen, form.text.data or "", actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(form), 422
    flash(_("Noted. It stands on the page of duty until somebody does it."))
    return redirect(url_for("duty.show_improvements"))


@bp.post("/duty/improvements/<int:improvement_id>/ending")
@engineer_required
def end_improvement(improvement_id: int) -> ResponseReturnValue:
    """Say that it is done, or dropped."""
    found, is_done = improvements.improvement_or_404(improvement_id), request.form.get("done") == "y"
    with transaction():
        improvements.end(found, is_done=is_done, actor=signed_in_user())
    flash(_("Done: thank you.") if is_done else _("Dropped. It stays below."))
    return redirect(url_for("duty.show_improvements"))


@bp.post("/duty/improvements/<int:improvement_id>/return")
@engineer_required
def take_improvement_up(improvement_id: int) -> ResponseReturnValue:
    """Let an ended one be open again."""
    found = improvements.improvement_or_404(improvement_id)
    with transaction():
        improvements.take_up(found, actor=signed_in_user())
    flash(_("It is open again."))
    return redirect(url_for("duty.show_improvements"))


def _page(form: ImprovementForm) -> str:
    start = page_start(SHOWN)
    found, ended = (read(start=start, most=SHOWN + 1) for read in (improvements.open_ones, improvements.ended_ones))
    return render_template(
        "duty/improvements.html",
        form=form,
        open_ones=found[:SHOWN],
        ended=ended[:SHOWN],
        by_kind=improvements.open_by_kind(),
        months=improvements.months(clock.today(zone_or_utc("UTC"))),
        month_name=month_name,
        page=page_number(),
        has_more=max(len(found), len(ended)) > SHOWN,
        may=signed_in_user().can(Role.ENGINEER),
    )


def _panel() -> str:
    found = improvements.open_ones(most=ON_DUTY_PAGE + 1)
    return render_template(
        "duty/improvements_panel.html", found=found[:ON_DUTY_PAGE], has_more=len(found) > ON_DUTY_PAGE
    )


register_page("What would save time on duty", "duty.show_improvements")
register_panel("duty.improvements", _panel)
