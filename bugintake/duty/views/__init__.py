"""The pages of duty: today, the schedule, one's own shifts and days away, and a rotation's rule."""

from flask import Blueprint

bp = Blueprint("duty", __name__)

from bugintake.duty.views import (  # noqa: E402, F401  # each adds its routes to the blueprint
    absence_import,
    absences,
    channels,
    fairness,
    feeds,
    holidays,
    improvements,
    plan,
    planning,
    rota_import,
    rotations,
    shifts,
    swaps,
)
