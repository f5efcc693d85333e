"""Every route says who may use it."""

import re

import pytest
from flask import Flask

pytestmark = pytest.mark.only_on("sqlite")

GUARD = re.compile(
    r"public|signed_in|engineer_required|lead_required|admin_required|customer_link|token_required\([a-z:._]+\)"
)


def guards(app: Flask) -> dict[str, str | None]:
    """Name the guard of every method of every route: flask-smorest's class views carry one on each method."""
    found: dict[str, str | None] = {}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            handler = getattr(getattr(view, "view_class", None), method.lower(), view)
            found[f"{method} {rule.rule}"] = getattr(handler, "guard", getattr(view, "guard", None))
    return found


def test_every_route_carries_a_guard(app):
    # Flask's own route for files anybody may have.
    without = {route: guard for route, guard in guards(app).items() if route != "GET /static/<path:filename>"}
    assert [route for route, guard in without.items() if not guard or not GUARD.fullmatch(guard)] == []


def test_a_route_without_a_guard_is_found(app):
    app.add_url_rule("/forgotten", view_func=lambda: "", endpoint="forgotten")
    assert guards(app)["GET /forgotten"] is None
