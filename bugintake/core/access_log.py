"""One line per request for whoever runs the server, without secrets: no query, no token, no control character."""

import re
import sys
import time
from urllib.parse import quote

from flask import Flask, Response, g, request

from bugintake.core import clock

_SECRET = re.compile(r"(?<=/)[A-Za-z0-9_-]{20,}")
_QUIET = frozenset({"static", "health"})


def log_requests(app: Flask) -> None:
    """Write a line to stderr for each request of an app, but not for files and health checks."""

    @app.before_request
    def start_watch() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def write_line(response: Response) -> Response:
        if request.endpoint not in _QUIET:
            took = (time.perf_counter() - g.get("started", time.perf_counter())) * 1000
            at = clock.now().isoformat(timespec="milliseconds")
            line = f"{at} {request.method} {shown_path()} {response.status_code} {took:.0f} ms\n"
            sys.stderr.write(line)
        return response


def shown_path() -> str:
    """Return the path of the request as a log may keep it: whatever could be the secret of a link is left out."""
    path = quote(request.path, safe="/")
    for name, value in (request.view_args or {}).items():
        if name in ("token", "secret") and isinstance(value, str) and value:
            path = path.replace(quote(value, safe="/"), "…")
    return _SECRET.sub("…", path)[:300]
