"""Migrations in processes that are killed or held up; prints what came of it as JSON. Forks, so it has no threads."""

import json
import os
import select
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bugintake.app import create_app
from bugintake.core import migrating
from bugintake.core.config import Settings
from bugintake.core.db import db


def fork(story: Callable[[], None]) -> int:
    """Run something in a process of its own, with database connections of its own."""
    db.engine.dispose()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        story()
        status = 0
    finally:
        os._exit(status)


def wait(child: int) -> int:
    """Wait for a process, and return its exit status, negative where a signal ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def before_statement(number: int, act: Callable[[], None]) -> None:
    """Act right before the n-th statement of this process."""
    seen = 0

    def count(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            act()

    sa.event.listen(db.engine, "before_cursor_execute", count)
    sa.event.listen(db.engine, "commit", count)


def tables() -> list[str]:
    found = sa.inspect(db.engine).get_table_names()
    db.engine.dispose()
    return found


def kill_each(step: str) -> tuple[int, list[Any], str]:
    """Kill a migration before each of its statements in turn, commit included, until one gets through."""
    rounds, left_behind = 0, []
    while True:
        rounds += 1

        def story(number: int = 1 + (rounds - 1) * int(step)) -> None:
            before_statement(number, lambda: os.kill(os.getpid(), signal.SIGKILL))
            migrating.upgrade()

        status = wait(fork(story))
        if status != -signal.SIGKILL:
            return rounds, left_behind, "migrated" if status == 0 and migrating.is_current() else "not migrated"
        if found := tables():
            left_behind.append([rounds, found])


def two_at_once() -> tuple[str, int, int, str | None]:
    """Let a second process migrate while the first is in the middle of it."""
    go_read, go_write = os.pipe()
    reached_read, reached_write = os.pipe()
    done_read, done_write = os.pipe()

    def first() -> None:
        def hold() -> None:
            os.write(reached_write, b"!")
            os.read(go_read, 1)

        before_statement(30, hold)
        migrating.upgrade()

    def second() -> None:
        migrating.upgrade()
        os.write(done_write, b"!")

    one = fork(first)
    os.read(reached_read, 1)
    two = fork(second)
    waited = not select.select([done_read], [], [], 1)[0]
    os.write(go_write, b"!")
    return "the second waited" if waited else "the second did not wait", wait(one), wait(two), migrating.current()


if __name__ == "__main__":
    _, chosen, url, *arguments = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), database_url=url, queue_url="sqlite://", secret_key="x" * 32)
        app = create_app(settings)
        migrating.attach(app)  # loads Alembic once, and not in every process that is killed
        with app.app_context():
            stories: dict[str, Callable[..., Any]] = {"kill_each": kill_each, "two_at_once": two_at_once}
            print(json.dumps(stories[chosen](*arguments)))
