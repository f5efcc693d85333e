"""Counting what is asked of the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from bugintake.core.db import db


@contextmanager
def asked() -> Iterator[list[str]]:
    """Collect what the block asks of the database, itself or through a client."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


@contextmanager
def plans(table: str) -> Iterator[list[list[str]]]:
    """Collect how SQLite reads a table for what the block asks, step by step."""
    found: list[list[str]] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if f"FROM {table}" in statement and not statement.startswith("EXPLAIN"):
            plan = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append([row[3] for row in plan])

    sa.event.listen(db.engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", explain)


def fewest(call: Callable[[], Any]) -> int:
    """Count what a call asks at the least: on PostgreSQL, what is kept is read again while anybody else writes.

    The first call does not count: the session may still hold what the test itself has just written.
    """
    call()
    found = []
    for _ in range(4):
        with asked() as statements:
            call()
        found.append(len(statements))
    return min(found)
