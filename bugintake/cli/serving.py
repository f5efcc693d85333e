"""Running bugintake: web and worker together, or the worker alone."""

import importlib
import os

import click
from flask import Flask

from bugintake.cli.commands import Command, in_app
from bugintake.core import config, migrating
from bugintake.core.db import db
from bugintake.core.serving import Supervisor, answers, refuse_taken_port, web
from bugintake.loop.worker import run_worker
from bugintake.team import setup
from bugintake.team.workspace import is_sample, is_set_up


@click.command(cls=Command)
@click.option("--host", metavar="H", help="Where to listen; BUGINTAKE_HOST, else 127.0.0.1.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="P", help="BUGINTAKE_PORT, else 8000.")
def serve(host: str | None, port: int | None) -> None:
    """Bring the database up to date, then run web and worker until Ctrl-C."""
    chosen = {"BUGINTAKE_HOST": host, "BUGINTAKE_PORT": str(port) if port else None}
    os.environ.update({name: value for name, value in chosen.items() if value})
    settings = config.from_environment()
    refuse_taken_port(settings)
    app: Flask = importlib.import_module("bugintake.app").create_app(settings)
    with app.app_context():
        migrating.upgrade()
        lines = [f"bugintake is at {settings.base_url}"]
        if not is_set_up():
            lines.append(f"Nobody is here yet. Set it up within 24 hours at\n  {setup.new_link()}")
        elif is_sample():
            lines.append("It holds the sample company, so nothing leaves.")
        if settings.smtp_url is None:
            lines.append("No mail server is set, so mail stays readable in the outbox (BUGINTAKE_SMTP_URL).")
        lines.append("Ctrl-C stops it.")
        db.session.remove()

    def work() -> None:
        with app.app_context():
            run_worker()

    def greet() -> bool:
        is_ready = answers(settings)
        if is_ready:
            click.echo("\n".join(lines))
        return is_ready

    supervisor = Supervisor({"web": lambda: web(app, settings), "worker": work})
    with app.app_context():
        supervisor.run(greet)


@click.command(cls=Command)
@in_app(migrate=True)
def worker() -> None:
    """Send what is due until SIGTERM; for installations that run the web elsewhere."""
    run_worker()
