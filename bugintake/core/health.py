"""Whether this installation works: for /healthz and for `bugintake doctor`."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, Response, jsonify
from sqlalchemy.exc import OperationalError, SQLAlchemyError

import bugintake
from bugintake.core import clock, migrating
from bugintake.core.db import db

WORKER_SILENT_AFTER = timedelta(minutes=1)

LastPulse = Callable[[], datetime | None]


def answer_at_healthz(app: Flask, last_pulse: LastPulse) -> None:
    """Answer /healthz: 200 with version, migration and the worker's age, or 503 with what is wrong.

    `last_pulse` says when the worker was last alive.
    """

    def health() -> Response:
        """Say whether everything works, for a load balancer or a monitor."""
        found, problems = examine(last_pulse)
        answer = jsonify(status="failing" if problems else "ok", **found, problems=problems)
        answer.status_code = 503 if problems else 200
        return answer

    health.guard = "public"  # type: ignore[attr-defined]  # what team.guards.public says; core knows no room
    app.add_url_rule("/healthz", "health", health)


def examine(last_pulse: LastPulse) -> tuple[dict[str, Any], list[str]]:
    """Return what is known about the running installation, and what is wrong with it, in words."""
    found: dict[str, Any] = {"version": bugintake.__version__, "migration": None, "worker_age_seconds": None}
    try:
        found["migration"] = migrating.current()
        if found["migration"] != migrating.newest():
            return found, [f"The database is at migration {found['migration']}, not at {migrating.newest()}."]
        if not _can_write():
            return found, ["The database cannot be written to."]
        pulse = last_pulse()
    except SQLAlchemyError as error:
        return found, [f"The database does not answer: {type(error).__name__}."]
    if pulse is None:
        return found, ["The worker has not run yet, so no mail leaves."]
    age = clock.now() - pulse
    found["worker_age_seconds"] = round(age.total_seconds(), 1)
    if age > WORKER_SILENT_AFTER:
        return found, [f"The worker has been silent for {int(age.total_seconds())} s, so no mail leaves."]
    return found, []


def _can_write() -> bool:
    try:
        # On SQLite this takes the writers' lock and lets it go again.
        with db.engine.connect().execution_options(is_writing=True) as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(sa.text("SELECT 1"))
                return True
            return bool(connection.scalar(sa.text("SHOW transaction_read_only")) == "off")
    except OperationalError as error:
        if "readonly" in str(error.orig):
            return False
        raise
