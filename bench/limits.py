"""What the machine can do: bare routes over the same rows, and bare commits of as many rows, on the same server."""

import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from flask import Flask, request
from jinja2 import Template

from bugintake.core.config import Settings
from bugintake.core.serving import web

PAGE = Template(
    "<!doctype html><title>Limit</title><main>{% for row in rows %}<article><h3>{{ row[1] }}</h3>"
    "<p>{{ row[2] }} · {{ row[3] }} · {{ row[4] }}</p></article>{% endfor %}</main>",
    autoescape=True,
)
LIST = (
    "SELECT id, title, status, waiting_count, filed_at FROM bugs WHERE area_id = {0} AND status IN "
    "('new', 'accepted', 'in_progress') ORDER BY impact_rank, waiting_count DESC, filed_at, id LIMIT 50"
)
BOARD = (
    "SELECT id, title, status, waiting_count, filed_at FROM bugs WHERE status IN ('new', 'accepted', 'in_progress') "
    "ORDER BY impact_rank, waiting_count DESC, filed_at, id LIMIT {0}"
)
REPORTS = (
    "SELECT reports.id, reports.actual, reports.steps, customers.name, customers.email FROM reports "
    "JOIN customers ON customers.id = reports.customer_id WHERE bug_id = {0} ORDER BY reports.id"
)
KINDS = {"list": LIST, "board": BOARD, "reports": REPORTS}

_mine = threading.local()


def bare_app(settings: Settings) -> Flask:
    """Build an app without anything: no session, no person, no history."""
    app = Flask("limits")
    mark = "?" if settings.is_sqlite else "%s"

    @app.get("/rows/<kind>/<int:number>")
    def rows(kind: str, number: int) -> str:
        found = connection(settings).execute(KINDS[kind].format(mark), (number,)).fetchall()
        return str(PAGE.render(rows=found))

    @app.post("/commits/<int:count>")
    def commit(count: int) -> str:
        text = request.form.get("text", "")
        link = connection(settings)
        if settings.is_sqlite:
            link.execute("BEGIN IMMEDIATE")
        for _ in range(count):
            link.execute(f"INSERT INTO bench_commits (text) VALUES ({mark})", (text[:500],))
        link.commit()
        return "kept"

    return app


def connection(settings: Settings) -> Any:
    """Open this thread's connection, with the durability that bugintake asks for."""
    if not hasattr(_mine, "link"):
        if settings.is_sqlite:
            _mine.link = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
            for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL"):
                _mine.link.execute(f"PRAGMA {pragma}")
        else:
            import psycopg

            _mine.link = psycopg.connect(settings.database_url.replace("+psycopg", ""))
            _mine.link.autocommit = False
    if not settings.is_sqlite:
        _mine.link.rollback()
    return _mine.link


def serve(data: str, url: str, port: int) -> None:
    """Serve the bare app as bugintake serves itself."""
    settings = Settings(data=Path(data), database_url=url, queue_url="sqlite://", secret_key="x" * 40, port=port)
    web(bare_app(settings), settings)


if __name__ == "__main__":
    serve(os.environ["LIMITS_DATA"], os.environ["LIMITS_URL"], int(os.environ["LIMITS_PORT"]))
