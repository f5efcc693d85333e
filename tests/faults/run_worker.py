"""Starts workers that kill or stop themselves at a named point, each a process of its own."""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bugintake.app import create_app
from bugintake.core import clock
from bugintake.core.db import db
from bugintake.loop import worker
from tests.apps import make_settings
from tests.faults.forking import take_orders
from tests.faults.mutants import MUTANTS
from tests.faults.points import POINTS


def work(point: str, at: str, mutant: str) -> None:
    """Work one round, as far as the point. Settings come from the environment, the time from the test."""
    app = create_app()
    clock.freeze(datetime.fromisoformat(at))
    with app.app_context():
        if mutant:
            MUTANTS[mutant][0](setattr)
        POINTS[point]()
    while worker.sweep(app):
        worker.send(app)


def warm_up() -> None:
    """Work one round where there is nothing to do: what every first round loads, those that are forked have loaded."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(make_settings(Path(folder), "sqlite://"))
        with app.app_context():
            db.create_all()
            worker.sweep(app)
            db.engine.dispose()


if __name__ == "__main__":
    warm_up()
    take_orders(work)
