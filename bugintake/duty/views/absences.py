"""One's own duty: the next shifts, and the days away, which a lead may note for somebody who is ill."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.templating import register_panel
from bugintake.duty import absence_calendars, absences, queries, swap_queries
from bugintake.duty.fairness import amount, lately
from bugintake.duty.forms import AbsenceForm, AddressForm
from bugintake.duty.reminders import reminded_at
from bugintake.duty.views import bp
from bugintake.team.guards import engineer_required, signed_in, signed_in_user
from bugintake.team.models import Role


@bp.get("/duty/me")
@signed_in
def me() -> ResponseReturnValue:
    """Show a person their next shifts and days away."""
    return _page(AbsenceForm(signed_in_user()), AddressForm())


@bp.post("/duty/absences")
@signed_in
def note_absence() -> ResponseReturnValue:
    """Note that somebody is away."""
    user = signed_in_user()
    form = AbsenceForm(user)
    if not form.validate():
        return _page(form, AddressForm()), 422
    try:
        with transaction():
            person = absences.person_or_refuse(form.person.data) if form.person.data else user
            absences.note_absence(person, *form.days, word=form.word.data or "", actor=user)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(form, AddressForm()), 422
    flash(_("Noted. Nobody is asked to be on duty while they are away: whoever is next stands in."))
    return redirect(url_for("duty.me"))


@bp.get("/duty/absences/<int:absence_id>")
@signed_in
def absence(absence_id: int) -> ResponseReturnValue:
    """Offer an absence to change."""
    found = absences.absence_or_404(absence_id, signed_in_user())
    return render_template("duty/absence.html", form=AbsenceForm(signed_in_user(), obj=found), absence=found)


@bp.post("/duty/absences/<int:absence_id>")
@signed_in
def change_absence(absence_id: int) -> ResponseReturnValue:
    """Change an absence."""
    found = absences.absence_or_404(absence_id, signed_in_user())
    form = AbsenceForm(signed_in_user())
    if not form.validate():
        return render_template("duty/absence.html", form=form, absence=found), 422
    try:
        with transaction():
            absences.change_absence(found, *form.days, word=form.word.data or "", actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return render_template("duty/absence.html", form=form, absence=found), 422
    flash(_("Saved."))
    return redirect(url_for("duty.me"))


@bp.post("/duty/absences/<int:absence_id>/removal")
@signed_in
def take_absence_back(absence_id: int) -> ResponseReturnValue:
    """Take an absence back."""
    found = absences.absence_or_404(absence_id, signed_in_user())
    with transaction():
        absences.take_back(found, actor=signed_in_user())
    flash(_("Taken back. From now on the rotation is as it was."))
    return redirect(url_for("duty.me"))


@bp.post("/duty/calendar")
@engineer_required
def follow_calendar() -> ResponseReturnValue:
    """Let one's days away follow a calendar."""
    user, form = signed_in_user(), AddressForm()
    try:
        with transaction():
            absence_calendars.follow(user, form.url.data or "", actor=user)
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(AbsenceForm(user, formdata=None), form), 422
    flash(_("Your calendar is read within a minute, and then every hour."))
    return redirect(url_for("duty.me"))


@bp.post("/duty/calendar/removal")
@engineer_required
def stop_calendar() -> ResponseReturnValue:
    """No longer read one's calendar."""
    with transaction():
        absence_calendars.stop(signed_in_user(), actor=signed_in_user())
    flash(_("It is no longer read. The days to come that it gave are taken back."))
    return redirect(url_for("duty.me"))


def _page(form: AbsenceForm, address: AddressForm) -> str:
    user, now = signed_in_user(), clock.now()
    plans = queries.plans_ahead()
    mine = queries.upcoming_shifts(user, plans=plans)
    away = queries.coming_absences(None if user.can(Role.ENGINEER) else user)
    return render_template(
        "duty/me.html",
        form=form,
        mine=mine,
        lately=[(plan.rotation, spread) for plan in plans if user in (spread := lately(plan, now))],
        amount=amount,
        remind_at=reminded_at(mine, user),
        away=[each for each in away if each.user_id == user.id],
        others=[each for each in away if each.user_id != user.id],
        stood_in={each.id: queries.stood_in_for(each, plans) for each in away},
        calendar=absence_calendars.calendar_of(user),
        address=address,
        open_swaps=swap_queries.open_swaps(user, plans),
        now=now,
    )


def _away_link(**_context: Any) -> str:
    return render_template("duty/away_link.html")


register_panel("settings.away", _away_link)
