"""The lists for leads: what nobody has, nobody looked at in time, or people wait for too long."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from bugintake.core.paging import page_number, page_start
from bugintake.core.templating import register_nav
from bugintake.team.guards import is_lead, lead_required, signed_in_user
from bugintake.triage import overlooked, queries
from bugintake.triage.looking import today_of
from bugintake.triage.overlooked import Lack
from bugintake.triage.views import bp


@bp.get("/overlooked")
@lead_required
def show_overlooked() -> ResponseReturnValue:
    """List what a lead looks after."""
    me = signed_in_user()
    lack = Lack(request.args["list"]) if request.args.get("list") in set(Lack) else Lack.OWNER
    found = overlooked.listed(lack, me, start=page_start(queries.ROWS_SHOWN))
    shown = found[: queries.ROWS_SHOWN]
    return render_template(
        "triage/overlooked.html",
        lack=lack,
        lacks=list(Lack),
        counts=overlooked.counted(me),
        cards=shown,
        since=overlooked.waiting_since([card.id for card in shown]),
        page=page_number(),
        has_more=len(found) > queries.ROWS_SHOWN,
        here=request.full_path.rstrip("?"),
        me=me,
        today=today_of(me),
    )


def _count() -> int:
    return overlooked.counted(signed_in_user()).total


register_nav("Overlooked", "triage.show_overlooked", "o", position=35, count=_count, is_for=is_lead)
