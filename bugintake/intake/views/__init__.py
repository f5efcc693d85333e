"""The pages of intake: filing a bug, attaching a customer to a known one, customers, and the catalogue."""

from flask import Blueprint

bp = Blueprint("intake", __name__)

from bugintake.intake.views import catalogue, customers, filing  # noqa: E402, F401  # each adds its routes
