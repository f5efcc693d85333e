"""People with a browser without a screen: signed in through a real row, sending forms with their token."""

import contextvars
import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from bugintake.core.db import transaction
from bugintake.team import sign_in
from bugintake.team.models import User


class Visitor:
    """One browser; `post` adds the form token that a page would have carried."""

    def __init__(self, app: Flask, client: FlaskClient, token: str) -> None:
        self.app, self.client, self.token = app, client, token

    def get(self, url: str, **kwargs: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(url, **kwargs)

    def post(self, url: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form."""
        return self.client.post(url, data={"csrf_token": self.token, **(data or {})}, **kwargs)


def visit(app: Flask, user: User | None = None) -> Visitor:
    """Open a browser, signed in where a person is given."""
    secret = None
    if user is not None:
        with transaction():
            secret = sign_in.begin(user)

    def begin() -> tuple[FlaskClient, str]:
        client = app.test_client()
        with app.test_request_context():
            token = generate_csrf()
            kept = dict(session)
        with client.session_transaction() as cookie:
            cookie.update(kept)
            if secret is not None:
                cookie.update({"_user_id": secret, "_fresh": True})
        return client, token

    client, token = contextvars.Context().run(begin)
    return Visitor(app, client, token)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app to real browsers, and name its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    # How often the server looks whether it is to stop: by default, every test waits half a second for that.
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def text_of(answer: TestResponse) -> str:
    """What a person reads on a page, in one line."""
    page = re.sub(r"<(script|style|svg).*?</\1>", "", answer.text, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
