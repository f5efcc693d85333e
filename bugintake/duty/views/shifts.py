"""One shift, or several in a row: who has it and had it before, handing it over, and asking for a swap."""

from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid, NotFound
from bugintake.core.templating import day, toast
from bugintake.duty import handing_over, queries, swap_queries, swaps
from bugintake.duty.handing_over import Stretch
from bugintake.duty.models import Rotation
from bugintake.duty.swap_forms import AskForm, HandOverForm
from bugintake.duty.views import bp
from bugintake.team.guards import engineer_required, signed_in, signed_in_user


@bp.get("/duty/rotations/<int:rotation_id>/shift")
@signed_in
def shift(rotation_id: int) -> ResponseReturnValue:
    """Show who has some hours, who had them before, and what may be done; the address says from when to when."""
    found = _asked_for(queries.rotation_or_404(rotation_id))
    people = handing_over.candidates(found)
    return _page(found, AskForm(found, people), HandOverForm(found, people))


@bp.post("/duty/rotations/<int:rotation_id>/takings")
@engineer_required
def take_shift(rotation_id: int) -> ResponseReturnValue:
    """Take hours of somebody else, or of nobody."""
    found = _asked_for(queries.rotation_or_404(rotation_id))
    user = signed_in_user()
    with transaction():
        laid = handing_over.hand_over(
            found.rotation, found.start, found.end, user, actor=user, seen_id=_number(request.form.get("seen"))
        )
    undo = url_for("duty.take_back", override_id=laid[0].id) if len(laid) == 1 else None
    toast(_("%(day)s is yours.", day=_day(found, laid[0].starts_at)), undo=undo)
    return redirect(_week(found))


@bp.post("/duty/rotations/<int:rotation_id>/handovers")
@engineer_required
def hand_over(rotation_id: int) -> ResponseReturnValue:
    """Hand hours over to somebody."""
    found = _asked_for(queries.rotation_or_404(rotation_id))
    people = handing_over.candidates(found)
    form = HandOverForm(found, people)
    if not form.validate():
        return _page(found, AskForm(found, people, formdata=None), form), 422
    try:
        start, end = form.hours
        with transaction():
            person = queries.candidate_or_refuse(int(form.person.data))
            laid = handing_over.hand_over(
                found.rotation,
                start,
                end,
                person,
                actor=signed_in_user(),
                seen_id=_number(request.form.get("seen")),
                reason=form.reason.data or "",
            )
    except Invalid as refusal:
        form.refuse(refusal.sentence, refusal.field)
        return _page(found, AskForm(found, people, formdata=None), form), 422
    undo = url_for("duty.take_back", override_id=laid[0].id) if len(laid) == 1 else None
    said = _("%(name)s has %(day)s now, and is told.", name=person.first_name, day=_day(found, laid[0].starts_at))
    toast(said, undo=undo)
    return redirect(_week(found))


@bp.post("/duty/rotations/<int:rotation_id>/swaps")
@engineer_required
def ask_for_swap(rotation_id: int) -> ResponseReturnValue:
    """Ask others to take hours."""
    found = _asked_for(queries.rotation_or_404(rotation_id))
    people = handing_over.candidates(found)
    form = AskForm(found, people)
    if not form.validate():
        return _page(found, form, HandOverForm(found, people, formdata=None)), 422
    try:
        start, end = form.hours
        asked = form.asked
        with transaction():
            swap = swaps.ask(
                found.rotation,
                start,
                end,
                asked,
                actor=signed_in_user(),
                seen_id=_number(request.form.get("seen")),
                reason=form.reason.data or "",
            )
    except Invalid as refusal:
        form.refuse(refusal.sentence, "named" if refusal.field == "people" else refusal.field)
        return _page(found, form, HandOverForm(found, people, formdata=None)), 422
    toast(_("Asked. %(name)s stays on duty until somebody takes it.", name=swap.user.first_name))
    return redirect(url_for("duty.swap", swap_id=swap.id))


def _page(found: Stretch, ask: AskForm, hand: HandOverForm) -> str:
    now = clock.now()
    return render_template(
        "duty/shift.html",
        found=found,
        ask=ask,
        hand=hand,
        free=handing_over.free_people(found) if found.holder else [],
        before=handing_over.people_before(found),
        swap=swap_queries.open_swap(found),
        has_begun=found.start <= now,
        is_over=found.end <= now,
    )


def _asked_for(rotation: Rotation) -> Stretch:
    """Read the hours that the address names; where it names none, the running shift or the next one."""
    if "from" in request.args or "to" in request.args:
        return handing_over.stretch(rotation, _instant("from"), _instant("to"))
    coming = queries.planned_shifts(clock.now(), clock.now() + queries.AHEAD, rotation)
    if not coming:
        raise NotFound
    return handing_over.stretch(rotation, coming[0].shift.start, coming[0].shift.end)


def _instant(name: str) -> datetime:
    try:
        at = datetime.fromisoformat(request.args.get(name, ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Invalid(_("Write when it begins and ends like 2026-09-14T09:00Z."), name)
    return at


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None


def _day(found: Stretch, at: datetime) -> str:
    return day(at, found.zone.key)


def _week(found: Stretch) -> str:
    local = found.start.astimezone(found.zone).date()
    week: dict[str, Any] = {"rotation": found.rotation.id, "from": local.isoformat()}
    return url_for("duty.schedule", **week)
