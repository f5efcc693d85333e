"""/api/v1, its document, and a page to read it."""

from bugintake.api.views import bugs, duty, loop, reading
from bugintake.api.views.blueprint import api, bp, init_app

__all__ = ["api", "bp", "bugs", "duty", "init_app", "loop", "reading"]
