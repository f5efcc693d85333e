"""Who is on duty."""

from datetime import timedelta
from typing import Any

from bugintake.api import arguments, schemas
from bugintake.api.queries import in_utc
from bugintake.api.views.blueprint import bp
from bugintake.core.forms import zone_or_utc
from bugintake.duty import queries
from bugintake.duty.plans import PlannedShift
from bugintake.team.guards import token_required
from bugintake.team.tokens import READ


@bp.route("/duty")
@token_required(READ)
@bp.arguments(arguments.DutyArgs, location="query")
@bp.response(200, schemas.DutySchema)
def show_duty(args: dict[str, Any]) -> dict[str, Any]:
    """Say who is on duty at an instant, by default now."""
    rotation = queries.rotation_or_404(args["rotation"]) if args["rotation"] else None
    planned = queries.on_duty(args["at"], rotation)
    return _facts(planned) if planned is not None else {"person": None, "shift": None}


@bp.route("/duty/shifts")
@token_required(READ)
@bp.arguments(arguments.ShiftsArgs, location="query")
@bp.response(200, schemas.ShiftsSchema)
def list_shifts(args: dict[str, Any]) -> dict[str, Any]:
    """List who is on duty from a day to another, both included."""
    rotation = queries.rotation_or_404(args["rotation"]) if args["rotation"] else queries.default_rotation()
    if rotation is None:
        return {"items": []}
    zone = zone_or_utc(rotation.rules[-1].zone)
    since = queries.day_start(args["since"], zone)
    to = queries.day_start(args["to"] + timedelta(days=1), zone)
    return {"items": [_facts(planned) for planned in queries.planned_shifts(since, to, rotation)]}


def _facts(planned: PlannedShift) -> dict[str, Any]:
    person = planned.person
    return {
        "person": {"name": person.name, "email": person.email} if person else None,
        "shift": {"start": in_utc(planned.start), "end": in_utc(planned.end)},
    }
