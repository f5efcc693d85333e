"""The app as tests run it: its context open, and each request in a context of its own."""

import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from flask import Flask, has_app_context
from flask.testing import FlaskClient, FlaskCliRunner
from jinja2 import BytecodeCache, StrictUndefined
from jinja2.bccache import Bucket
from psycopg import sql

from bugintake.app import create_app
from bugintake.core import migrating
from bugintake.core.config import Settings
from bugintake.core.db import db
from bugintake.core.security import limiter
from tests import databases


class Client(FlaskClient):
    """A browser without a screen. Each request runs in a context of its own, as on a server.

    Without that, Flask would reuse the app context of the test, and with it Flask-Login's signed-in person and the
    test's database session: another client would be signed in too, and a change that was never committed would be seen.
    """

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Answer a request; what it changed is what the test reads next."""
        response = contextvars.Context().run(super().open, *args, **kwargs)
        _read_anew()
        return response


class Runner(FlaskCliRunner):
    """The command line, outside the context of the test for the same reason."""

    def invoke(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command; what it changed is what the test reads next."""
        result = contextvars.Context().run(super().invoke, *args, **kwargs)
        _read_anew()
        return result


def _read_anew() -> None:
    if has_app_context():
        db.session.rollback()
        db.session.expire_all()


class CompiledTemplates(BytecodeCache):
    """What templates compile to: the same for every app of a test run, and half of what a page costs the first time."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what another app compiled."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the next app."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


compiled_templates = CompiledTemplates()


def make_settings(data: Path, url: str) -> Settings:
    """Settings for a database; everything else as an installation has it by default."""
    queue = f"sqlite:///{data / 'queue.db'}"
    return Settings(data=data, database_url=url, queue_url=queue, secret_key="a secret that only tests know, not you")


def migrate(url: str) -> None:
    """Bring an empty database to its newest shape, as the product does."""
    app = create_app(make_settings(Path("/nonexistent"), url))
    with app.app_context():
        migrating.upgrade()
        db.engine.dispose()


@contextmanager
def opened(settings: Settings, furnish: Callable[[Flask], None] | None = None) -> Iterator[Flask]:
    """Open the app's context, so that a test calls verbs without ceremony.

    Building the app and compiling its statements takes longer than most tests, so one that comes back unchanged serves
    the next test with the same settings. `furnish` adds what several tests need to an app of their own.
    """
    app = _unchanged.pop((settings, furnish), None) or _build(settings, furnish)
    before, config, extensions = _parts(app), dict(app.config), dict(app.extensions)
    app._got_first_request = False  # so that a test may add routes
    limiter.reset()
    with app.app_context():
        yield app
        db.session.remove()
        _keep_connection(db.engine)
        db.engine.dispose()
    app.config.clear()
    app.config.update(config)
    app.extensions.clear()
    app.extensions.update(extensions)
    if _parts(app) == before:
        _unchanged[settings, furnish] = app
        while len(_unchanged) > KEPT:
            _unchanged.pop(next(iter(_unchanged)))


KEPT = 12
HEARD_BY_ENGINE = ("before_cursor_execute", "after_cursor_execute", "before_execute", "begin", "commit", "rollback")
HEARD_BY_POOL = ("connect", "first_connect", "checkout", "checkin")
_unchanged: dict[tuple[Settings, Callable[[Flask], None] | None], Flask] = {}
_connections: dict[sa.URL, psycopg.Connection[Any]] = {}


def _build(settings: Settings, furnish: Callable[[Flask], None] | None) -> Flask:
    app = create_app(settings)
    app.config["TESTING"] = True
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = Client
    app.test_cli_runner_class = Runner
    with app.app_context():
        sa.event.listen(db.engine, "do_connect", partial(_take_kept, db.engine.url))
    if furnish:
        furnish(app)
    return app


def _keep_connection(engine: sa.Engine) -> None:
    """Keep a connection to PostgreSQL for the next test, which would wait while a new one looks every table up."""
    pool = engine.pool
    if engine.dialect.name != "postgresql" or engine.url in _connections:
        return
    if not isinstance(pool, sa.QueuePool) or not pool.checkedin():
        return
    with suppress(sa.exc.OperationalError, psycopg.Error):  # a test may have ended the server
        taken = engine.raw_connection()
        raw: Any = taken.driver_connection
        taken.detach()
        raw.autocommit = True
        raw.execute(sql.SQL("SET application_name = {}").format(databases.KEPT))
        _connections[engine.url] = raw


def close_connections() -> None:
    """Close what was kept for a next test, because there is none."""
    while _connections:
        _connections.popitem()[1].close()


def _take_kept(url: sa.URL, *_how: Any) -> psycopg.Connection[Any] | None:
    """Give it to whoever connects next, as a new one is; None where there is none or it has ended."""
    kept = _connections.pop(url, None)
    if kept is None:
        return None
    try:
        kept.execute("RESET ALL")
        kept.execute("SELECT pg_advisory_unlock_all()")
    except psycopg.Error:
        kept.close()
        return None
    kept.autocommit = False
    kept.read_only = None
    return kept


def _parts(app: Flask) -> list[object]:
    """What a test could have added to an app or taken from it."""
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    with app.app_context():
        engine = db.engine
    return [
        dict(app.view_functions),
        [{scope: list(functions) for scope, functions in kind.items()} for kind in hooks],
        {
            (scope, code): dict(found)
            for scope, kind in app.error_handler_spec.items()
            for code, found in kind.items()
            if found  # Flask leaves an empty one wherever it looked for a handler
        },
        dict(app.jinja_env.globals),
        dict(app.jinja_env.filters),
        set(app.cli.commands) - {"db"},  # what a migration adds is the same every time
        app.wsgi_app,
        engine,
        [len(getattr(engine.dispatch, name)) for name in HEARD_BY_ENGINE],
        [len(getattr(engine.pool.dispatch, name)) for name in HEARD_BY_POOL],
    ]
