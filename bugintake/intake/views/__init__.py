"""The pages of intake: filing a bug, attaching a customer to a known one, customers, and the catalogue."""

from typing import Any

from flask import Blueprint, render_template
from flask_login import current_user

from bugintake.core.templating import register_panel
from bugintake.team.models import Role

bp = Blueprint("intake", __name__)

from bugintake.intake.views import catalogue, customers, filing, lists  # noqa: E402, F401  # each adds its routes


def _menu(**_context: Any) -> str:
    keeps_lists = current_user.is_authenticated and current_user.can(Role.LEAD)
    return render_template("intake/menu.html") if keeps_lists else ""


register_panel("topbar.menu", _menu)
