"""How duty is spread over people, days of the week and months, for a period that the address names."""

from datetime import date, timedelta

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from bugintake.core import clock
from bugintake.core.errors import Invalid
from bugintake.core.forms import printable, zone_or_utc
from bugintake.core.pages import register_page
from bugintake.duty import queries
from bugintake.duty.fairness import ONE_DAY, amount, balance_in_words, fairness, month_name, weekday_name
from bugintake.duty.plans import load_plan
from bugintake.duty.queries import REMEMBERED, day_start
from bugintake.duty.views import bp
from bugintake.duty.views.plan import chosen_rotation, day_or_refuse
from bugintake.team.guards import signed_in
from bugintake.team.workspace import workspace

AHEAD = timedelta(weeks=4)
LONGEST = timedelta(days=731)


@bp.get("/duty/fairness")
@signed_in
def spread() -> ResponseReturnValue:
    """Show who had how much of duty and what would have been fair; a period that cannot be is refused in words."""
    rotation = chosen_rotation()
    zone = zone_or_utc(workspace().zone)
    today = clock.today(zone)
    usual = today - REMEMBERED, today + AHEAD - ONE_DAY
    refusal = ""
    try:
        since, to = _asked(*usual)
    except Invalid as refused:
        (since, to), refusal = usual, refused.sentence
    plan = load_plan(day_start(since, zone), day_start(to, zone), rotation) if rotation is not None else None
    if plan is None:
        return render_template("duty/none.html")
    page = render_template(
        "duty/fairness.html",
        rotation=plan.rotation,
        rotations=queries.rotations(),
        spread=fairness(plan, since, to, clock.now()),
        typed=_typed() if refusal else {"from": since, "to": to},
        periods=_periods(today),
        refusal=refusal,
        is_usual=(since, to) == usual,
        amount=amount,
        in_words=balance_in_words,
        weekday_name=weekday_name,
        month_name=month_name,
    )
    return make_response(page, 422 if refusal else 200)


def _asked(since: date, to: date) -> tuple[date, date]:
    """Read the first and the last day from the address; what it does not name is as usual. Raises Invalid."""
    since = day_or_refuse(request.args.get("from")) or since
    to = day_or_refuse(request.args.get("to")) or to
    if to < since:
        raise Invalid(_("The last day lies before the first."), "to")
    if to - since > LONGEST:
        raise Invalid(_("That is more than two years at once. Ask for a shorter time."), "to")
    return since, to


def _typed() -> dict[str, str]:
    return {name: printable(request.args.get(name, "")) for name in ("from", "to")}


def _periods(today: date) -> list[tuple[str, date | None, date | None]]:
    """List the periods that one press shows."""
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    after = (quarter + timedelta(days=100)).replace(day=1)
    return [
        (_("Last 90 days and next 4 weeks"), None, None),
        (_("This quarter"), quarter, after - ONE_DAY),
        (_("This year"), date(today.year, 1, 1), date(today.year, 12, 31)),
    ]


register_page("How duty is spread", "duty.spread")
