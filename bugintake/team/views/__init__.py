"""The pages of this room: signing in, one's own settings, administration, the first run."""

from datetime import timedelta
from typing import Any

from flask import Flask, render_template
from werkzeug.local import LocalProxy

from bugintake.core import clock, config, templating
from bugintake.core.pages import register_page
from bugintake.team import setup, sign_in
from bugintake.team.guards import is_admin, is_lead
from bugintake.team.models import LANGUAGES
from bugintake.team.views import admin, first_run, own_settings, signing_in, standing_in
from bugintake.team.views.blueprint import bp
from bugintake.team.workspace import is_sample, is_set_up, workspace

NEW_FOR = timedelta(days=14)
PAGES = (admin, first_run, own_settings, signing_in, standing_in)


def attach(app: Flask) -> None:
    """Give an app the pages of this room, and every template who is signed in."""
    sign_in.init_app(app)
    app.register_blueprint(bp)
    app.context_processor(_context)
    app.jinja_env.globals["LANGUAGES"] = LANGUAGES
    register_page("Who stands in", "team.stand_ins", is_lead)
    templating.register_panel("topbar.menu", _menu)
    templating.register_panel("new.checklist", _checklist)
    setup.register_item("You", "/settings", lambda: True, position=1)
    setup.register_item("Mail to customers", "/setup/mail", lambda: config.settings().smtp_url is not None, position=4)


def _context() -> dict[str, Any]:
    return {"workspace_is_sample": LocalProxy(is_sample)}


def _menu(**_context: Any) -> str:
    return render_template("team/menu.html", is_admin=is_admin()) if is_lead() else ""


def _checklist(**_context: Any) -> str:
    if not is_admin() or not is_set_up() or is_sample() or clock.now() - workspace().set_up_at > NEW_FOR:
        return ""
    items = setup.checklist()
    return "" if all(item.is_done() for item in items) else render_template("team/checklist.html", items=items)
