"""A swap: who asks whom for what, and the answers: take it, offer a trade, no."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import Invalid
from bugintake.core.templating import toast
from bugintake.duty import queries, swap_queries, swaps, trades
from bugintake.duty.plans import PlannedShift
from bugintake.duty.swap_forms import TradeForm
from bugintake.duty.swap_models import Answer, Swap
from bugintake.duty.views import bp
from bugintake.team.guards import engineer_required, signed_in, signed_in_user


@bp.get("/duty/swaps/<int:swap_id>")
@signed_in
def swap(swap_id: int) -> ResponseReturnValue:
    """Show what is asked, and what may be answered."""
    found = swap_queries.swap_or_404(swap_id)
    return _page(found, TradeForm(_own_shifts(found)))


@bp.post("/duty/swaps/<int:swap_id>/acceptance")
@engineer_required
def take_swap(swap_id: int) -> ResponseReturnValue:
    """Take the hours."""
    found = swap_queries.swap_or_404(swap_id)
    with transaction():
        laid = swaps.take(found, actor=signed_in_user())
    said = _("It is yours. %(name)s and the leads are told.", name=found.user.first_name)
    toast(said, undo=url_for("duty.take_back", override_id=laid[0].id))
    return redirect(url_for("duty.swap", swap_id=found.id))


@bp.post("/duty/swaps/<int:swap_id>/refusal")
@engineer_required
def refuse_swap(swap_id: int) -> ResponseReturnValue:
    """Say no."""
    found = swap_queries.swap_or_404(swap_id)
    with transaction():
        swaps.refuse(found, actor=signed_in_user())
    flash(_("You said no. Nothing changes for you."))
    return redirect(url_for("duty.me"))


@bp.post("/duty/swaps/<int:swap_id>/trade")
@engineer_required
def offer_trade(swap_id: int) -> ResponseReturnValue:
    """Offer hours of one's own in return."""
    found = swap_queries.swap_or_404(swap_id)
    form = TradeForm(_own_shifts(found))
    if not form.validate():
        return _page(found, form), 422
    offered = form.mine[form.shift.data]
    try:
        with transaction():
            hours = offered.shift.start, offered.shift.end
            trades.offer_trade(found, offered.rotation, *hours, actor=signed_in_user())
    except Invalid as refusal:
        form.refuse(refusal.sentence, "shift")
        return _page(found, form), 422
    flash(_("Offered. Nothing changes until %(name)s agrees.", name=found.user.first_name))
    return redirect(url_for("duty.swap", swap_id=found.id))


@bp.post("/duty/trades/<int:asked_id>/acceptance")
@engineer_required
def accept_trade(asked_id: int) -> ResponseReturnValue:
    """Agree to a trade."""
    asked = swap_queries.asked_or_404(asked_id)
    with transaction():
        laid = trades.accept_trade(asked, actor=signed_in_user(), seen=_seen())
    said = _("Agreed. %(name)s is told.", name=asked.user.first_name)
    toast(said, undo=url_for("duty.take_back", override_id=laid[0].id))
    return redirect(url_for("duty.swap", swap_id=asked.swap_id))


@bp.post("/duty/trades/<int:asked_id>/refusal")
@engineer_required
def decline_trade(asked_id: int) -> ResponseReturnValue:
    """Decline a trade."""
    asked = swap_queries.asked_or_404(asked_id)
    with transaction():
        trades.decline_trade(asked, actor=signed_in_user(), seen=_seen())
    flash(_("Declined. %(name)s may still take it, or offer other hours.", name=asked.user.first_name))
    return redirect(url_for("duty.swap", swap_id=asked.swap_id))


@bp.post("/duty/swaps/<int:swap_id>/removal")
@engineer_required
def withdraw_swap(swap_id: int) -> ResponseReturnValue:
    """Take the request back."""
    found = swap_queries.swap_or_404(swap_id)
    with transaction():
        swaps.withdraw(found, actor=signed_in_user())
    flash(_("Taken back. %(name)s keeps the hours.", name=found.user.first_name))
    return redirect(url_for("duty.swap", swap_id=found.id))


def _page(found: Swap, form: TradeForm) -> str:
    user = signed_in_user()
    return render_template(
        "duty/swap.html",
        swap=found,
        hours=swap_queries.hours_of(found),
        ending=swap_queries.ending(found),
        asked=next((each for each in found.asked if each.user_id == user.id), None),
        trades=[(each, hours) for each in found.asked if (hours := swap_queries.hours_offered(each)) is not None],
        returned=swap_queries.hours_in_return(found),
        may_decide=swaps.may_decide(found, user),
        form=form,
        Answer=Answer,
    )


def _own_shifts(swap: Swap) -> list[PlannedShift]:
    """List the coming shifts of whoever looks, but for those that are asked about."""
    mine = queries.upcoming_shifts(signed_in_user(), count=SHIFTS_OFFERED)
    return [each for each in mine if each.shift.start > clock.now() and each.shift.start != swap.starts_at]


def _seen() -> datetime | None:
    try:
        return datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError:
        return None


SHIFTS_OFFERED = 20
