"""What the machine can do: bare routes over the same rows, and bare commits of as many rows, on the same server."""

import os
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import Flask, request
from jinja2 import Template

from bugintake.core.config import Settings
from bugintake.core.db import connect, db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.serving import web
from bugintake.intake.models import Bug, Report

CARDS = Template(
    "<!doctype html><title>Limit</title><main>{% for row in rows %}<article id='{{ row[0] }}' data-v='{{ row[13] }}'>"
    "<h3><a href='/bugs/BUG-{{ row[0] }}'>{{ row[1] }}</a></h3><p>{{ row[2] }} · {{ row[3] }} · {{ row[4] }} "
    "{{ row[5] }} · {{ row[6] }} waiting · {{ row[7] }} · {{ row[8] }} · {{ row[9] or '' }} · {{ row[10] }} · "
    "{{ row[11] or '–' }} · {{ row[12] or '' }}</p></article>{% endfor %}</main>",
    autoescape=True,
)
REPORTS = Template(
    "<!doctype html><title>Limit</title><main>{% for row in rows %}<article id='{{ row[0] }}'><h3>{{ row[1] }}, "
    "{{ row[2] }}, {{ row[3] }}</h3><p>{{ row[4] }}</p><p>{{ row[5] }}</p><p>{{ row[6] }}</p><p>{{ row[7] }} · "
    "{{ row[8] }} · {{ row[9] }} · {{ row[10] }} · {{ row[11] }} · {{ row[12] }} · {{ row[13] or '' }}</p></article>"
    "{% endfor %}{% for row in choices %}<option value='{{ row[0] }}'>{{ row[1] }}</option>{% endfor %}"
    "<ol>{% for row in history %}<li>{{ row[1] or '–' }} {{ row[2] }} {{ row[3] or '' }} {{ row[4] or '' }}"
    " {{ row[5] }}</li>{% endfor %}</ol></main>",
    autoescape=True,
)
# What a card shows, of the same bugs in the same order.
ROWS = (
    "SELECT bugs.id, bugs.title, bugs.status, areas.label, bugs.impact_rank, impacts.label, bugs.waiting_count, "
    "bugs.filed_at, bugs.status_since_at, bugs.came_back_at, bugs.is_restricted, users.name, releases.label, "
    "bugs.changed_at FROM bugs JOIN options AS areas ON areas.id = bugs.area_id "
    "JOIN options AS impacts ON impacts.id = bugs.impact_id LEFT JOIN options AS releases "
    "ON releases.id = bugs.release_id LEFT JOIN users ON users.id = bugs.owner_id "
)
OPEN = "bugs.status IN ('new', 'accepted', 'in_progress')"
ORDER = "ORDER BY bugs.is_pinned DESC, bugs.impact_rank, bugs.waiting_count DESC, bugs.filed_at, bugs.id LIMIT"
KINDS = {
    "list": f"{ROWS} WHERE bugs.area_id = {{0}} AND {OPEN} {ORDER} 50",
    "board": f"{ROWS} WHERE {OPEN} {ORDER} {{0}}",
    "titles": f"{ROWS} WHERE bugs.title LIKE '%VAT line%' AND bugs.id > {{0}} ORDER BY bugs.id DESC LIMIT 50",
    # What the page of a bug shows: its reports with people and choices, what happened, and what else could be chosen.
    "reports": "SELECT reports.id, customers.name, accounts.name, customers.email, reports.actual, reports.steps, "
    "reports.expected, versions.label, platforms.label, impacts.label, frequencies.label, users.name, "
    "reports.filed_at, reports.settled_by FROM reports LEFT JOIN customers ON customers.id = reports.customer_id "
    "LEFT JOIN accounts ON accounts.id = customers.account_id JOIN users ON users.id = reports.filed_by_id "
    "JOIN options AS versions ON versions.id = reports.version_id JOIN options AS platforms "
    "ON platforms.id = reports.platform_id JOIN options AS impacts ON impacts.id = reports.impact_id "
    "JOIN options AS frequencies ON frequencies.id = reports.frequency_id WHERE reports.bug_id = {0} "
    "ORDER BY reports.id",
    "choices": "SELECT id, label, list FROM options WHERE list IN ('area', 'symptom', 'impact') AND retired_at IS NULL "
    "AND id > {0} ORDER BY list, position",
    "history": "SELECT events.id, users.name, events.kind, events.before, events.after, events.at FROM events "
    "LEFT JOIN users ON users.id = events.actor_id WHERE events.bug_id = {0} ORDER BY events.id",
}

_mine = threading.local()


def bare_app(settings: Settings) -> Flask:
    """Build an app without anything: no session, no person, no history."""
    app = Flask("limits")
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    connect(app)
    mark = "?" if settings.is_sqlite else "%s"

    @app.get("/rows/<kind>/<int:number>")
    def rows(kind: str, number: int) -> str:
        if kind == "reports":
            shown = {"history": read("history", number), "choices": read("choices", 0)}
            return REPORTS.render(rows=read("reports", number), **shown)
        return CARDS.render(rows=read(kind, number))

    def read(kind: str, number: int) -> Sequence[Sequence[Any]]:
        text = KINDS[kind] if settings.is_sqlite else KINDS[kind].replace("%", "%%")
        return list(connection(settings).execute(text.format(mark), (number,)))

    @app.post("/filings")
    def file() -> str:
        """Write the rows of one new bug as the product does, and nothing else: its report, its event and its words."""
        told = request.form
        area, symptom, impact = ({f"{name}_id": int(told[name])} for name in ("area", "symptom", "impact"))
        other = {f"{name}_id": int(told[name]) for name in ("frequency", "platform", "version")}
        texts = dict.fromkeys(("steps", "actual", "expected"), told["text"])
        with transaction():
            bug = Bug(title=told["text"][:40], filed_by_id=1, waiting_count=1, **area, **symptom, **impact)
            db.session.add(bug)
            db.session.add(Report(bug=bug, customer_id=1, filed_by_id=1, **area, **symptom, **impact, **other, **texts))
            db.session.flush()
            bug.canonical_id = bug.id
            db.session.add(Event(kind=EventKind.REPORT_FILED, bug_id=bug.id, actor_id=1))
        return "kept"

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
    """Return this thread's connection, with nothing begun."""
    if not hasattr(_mine, "link"):
        _mine.link = opened(settings)
    if not settings.is_sqlite:
        _mine.link.rollback()
    return _mine.link


def opened(settings: Settings) -> Any:
    """Open a connection, with the durability that bugintake asks for."""
    if not settings.is_sqlite:
        import psycopg

        return psycopg.connect(settings.database_url.replace("+psycopg", ""))
    link = sqlite3.connect(settings.database_url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL"):
        link.execute(f"PRAGMA {pragma}")
    return link


def serve(data: str, url: str, port: int) -> None:
    """Serve the bare app as bugintake serves itself."""
    settings = Settings(data=Path(data), database_url=url, queue_url="sqlite://", secret_key="x" * 40, port=port)
    web(bare_app(settings), settings)


if __name__ == "__main__":
    serve(os.environ["LIMITS_DATA"], os.environ["LIMITS_URL"], int(os.environ["LIMITS_PORT"]))
