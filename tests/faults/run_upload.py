"""Keeps files as web processes do, each of which dies or stands still at a named point on the way (F-K2)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bugintake.app import create_app
from bugintake.core import db as house
from bugintake.core.db import db
from bugintake.intake.attachments import keeping, storage
from bugintake.team.models import User
from tests.factories import make_picture
from tests.faults.forking import take_orders
from tests.faults.points import die, stop


def in_the_file() -> None:
    """Half of the file is written."""
    write = os.fdopen

    def half(*args: Any) -> Any:
        file = write(*args)
        file.write(b"half a fi")
        file.flush()
        die()
        return file

    os.fdopen = half


def after_file() -> None:
    """The file is there, its row is not."""
    _after_file(die)


def slow_after_file() -> None:
    """The same, but the process only stands still."""
    _after_file(stop)


def after_commit() -> None:
    """The row is there, nobody has been answered."""
    sa.event.listen(Session, "after_commit", lambda session: die())


def after_removal() -> None:
    """A file is taken out: its row is gone, it is not."""
    storage.drop = lambda name: die()


def _after_file(act: Callable[[], None]) -> None:
    put = storage.put

    def put_and_act(content: Any) -> str:
        name = put(content)
        act()
        return name

    storage.put = put_and_act


def row_before_file() -> None:
    """Broken: the row is committed, and its file written afterwards."""
    put = storage.put

    def put_later(content: Any) -> str:
        sa.event.listen(Session, "after_commit", lambda session: put(content))
        return "f" * 32

    storage.put = put_later


POINTS = {point.__name__: point for point in (in_the_file, after_file, slow_after_file, after_commit, after_removal)}


def keep(point: str, mutant: str) -> None:
    """Keep a picture; take it out again where the point is about that."""
    app = create_app()
    with app.app_context():
        person = db.session.scalars(sa.select(User)).first()
        assert person is not None
        if mutant:
            globals()[mutant]()
        if point == "after_removal":
            chosen = keeping.choose("form", "screen.png", make_picture(), actor=person)
            POINTS[point]()
            with house.transaction():
                keeping.remove(chosen)
        else:
            POINTS[point]()
            keeping.choose("form", "screen.png", make_picture(), actor=person)


if __name__ == "__main__":
    take_orders(keep)
