"""Putting a bug off until a day, waking it, and the list of what is put off."""

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.forms import Seen
from bugintake.core.pages import register_page
from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import short_day
from bugintake.intake.models import Bug
from bugintake.intake.queries import bug_or_404
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.triage import forms, looking, queries, queue, snoozing
from bugintake.triage.views import bp
from bugintake.triage.views.bug import done


@bp.route("/bugs/<ref>/snooze", methods=["GET", "POST"])
@engineer_required
def snooze(ref: str) -> ResponseReturnValue:
    """Put a bug off until a day."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    form = forms.SnoozeForm()
    if request.method == "POST" and form.validate() and form.until.data:
        try:
            with transaction():
                event = snoozing.snooze(bug, form.until.data, actor=me, seen=Seen.on(request.form))
        except Invalid as refusal:
            form.refuse(refusal.sentence, refusal.field)
        else:
            return done(bug, _("%(ref)s is snoozed until %(day)s.", ref=bug.ref, day=_until(bug)), event)
    choices = snoozing.choices(looking.today_of(me))
    context = {"bug": bug, "form": form, "choices": choices, "next": request.values.get("next", "")}
    context["snoozed_until"] = looking.put_off_until(bug, me)
    return make_response(render_template("triage/snooze.html", **context), 422 if form.errors else 200)


@bp.post("/bugs/<ref>/waking")
@engineer_required
def wake(ref: str) -> ResponseReturnValue:
    """Wake a bug before its day."""
    me = signed_in_user()
    bug = bug_or_404(ref, me)
    with transaction():
        event = snoozing.wake(bug, actor=me)
    return done(bug, _("%(ref)s is awake.", ref=bug.ref), event)


@bp.get("/snoozed")
@signed_in
def snoozed() -> ResponseReturnValue:
    """List the bugs that are put off: one's own, or everybody's."""
    me = signed_in_user()
    of_everybody = request.args.get("of") == "everybody"
    found = queue.asleep(me, of_everybody=of_everybody, start=page_start(queries.ROWS_SHOWN))
    return render_template(
        "triage/snoozed.html",
        cards=found[: queries.ROWS_SHOWN],
        has_more=len(found) > queries.ROWS_SHOWN,
        page=page_number(),
        of_everybody=of_everybody,
        here=request.full_path.rstrip("?"),
        me=me,
        today=looking.today_of(me),
    )


def _until(bug: Bug) -> str:
    return short_day(bug.snoozed_until) if bug.snoozed_until else ""


register_page("Snoozed bugs", "triage.snoozed")
