"""The confirmation of a report: its number, what to tell the customer now, and taking an attaching back."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core.db import db, transaction
from bugintake.core.errors import NotFound
from bugintake.core.templating import plural, toast
from bugintake.intake import attaching, queries, replies
from bugintake.intake.customers.queries import language_name
from bugintake.intake.models import News, Option, Report, Status
from bugintake.intake.queries import bug_or_404
from bugintake.intake.reports import canonical
from bugintake.intake.views import bp
from bugintake.intake.views.reading import panel
from bugintake.team.guards import signed_in, signed_in_user


def confirm(report: Report, *, is_attached: bool, with_another: bool = False) -> str:
    """Return where a report is confirmed, or the form for another. One that was attached can be taken back there."""
    if with_another and not is_attached:
        toast(_("Filed as %(ref)s.", ref=report.bug.ref))
        return url_for(".new", customer_id=report.customer_id, panel=panel())
    event = attaching.last_telling(report) if is_attached else None
    if event is not None:
        bug = canonical(report.bug)
        undo = url_for(".take_telling_back", report_id=report.id, event_id=event.id, panel=panel())
        toast(f"{_('Attached.')} {plural(bug.waiting_count, 'person waits', 'people wait')}.", undo=undo)
    telling = event.id if event is not None and attaching.was_there(event) else None
    return url_for(".filed", ref=canonical(report.bug).ref, report=report.id, telling=telling, panel=panel())


@bp.get("/bugs/<ref>/filed")
@signed_in
def filed(ref: str) -> ResponseReturnValue:
    """Confirm a report, or what was added to one; without a number the latest that this person filed."""
    me = signed_in_user()
    bug = canonical(bug_or_404(ref, me))
    asked = request.args.get("report", type=int)
    if asked is not None and not 0 < asked < 2**31:
        raise NotFound()
    report = queries.report_of(bug, me, asked)
    if report is None:
        raise NotFound()
    number = request.args.get("telling", type=int)
    telling = attaching.telling_or_404(report, number) if number is not None else None
    said = telling.details.get("version") if telling is not None else None
    version = db.session.get_one(Option, said) if said is not None else report.version
    language = report.customer.language if report.customer else "en"
    return render_template(
        "intake/filed.html",
        bug=bug,
        report=report,
        telling=telling,
        was_there=telling is not None and attaching.was_there(telling),
        version=version,
        came_back=bug.news is News.CAME_BACK,
        is_first=queries.opened_the_bug(report),
        language=language,
        language_name=language_name(language),
        words=replies.reply(report, bug, version, language),
        english=replies.reply(report, bug, version, "en") if language != "en" else "",
        lacks_fix=attaching.lacks_fix(bug, version),
    )


@bp.post("/reports/<int:report_id>/tellings/<int:event_id>/undo")
@signed_in
def take_telling_back(report_id: int, event_id: int) -> ResponseReturnValue:
    """Take back what attaching a customer did, while it is the last that was said about their report."""
    me = signed_in_user()
    with transaction():
        report = queries.report_or_404(report_id, me)
        telling = attaching.telling_or_404(report, event_id)
        attaching.take_back(telling, actor=me)
        bug = canonical(report.bug)
    flash(_("Taken back. Nobody is written to about it."))
    if telling.details.get("still_happens") and bug.status is Status.LIVE:
        flash(_("%(ref)s had come back with it, and is live as before.", ref=bug.ref))
    elif telling.details.get("still_happens") and bug.news is News.CAME_BACK:
        flash(_("%(ref)s came back with it, and stays open until an engineer looks.", ref=bug.ref), "warning")
    return redirect(url_for(".attach", ref=bug.ref, panel=panel()), 303)
