"""Connections to PostgreSQL that one test after the other uses: in a new one the server reads every table's shape anew.

That takes longer than most tests.
"""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus

MOST = 4
# All that DISCARD ALL does, but for the plans of statements, which psycopg remembers having prepared.
FORGET = """
    CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all();
    DISCARD SEQUENCES; DISCARD TEMP
"""
_idle: list[psycopg.Connection[Any]] = []
_database = ""


def keep(database: str) -> None:
    """Keep connections to a database from now on, and none that were to another one or to what it was before."""
    global _database
    _database = database
    while _idle:
        _idle.pop().close()


def kept() -> list[int]:
    """Name the servers' processes at the other end."""
    return [connection.info.backend_pid for connection in _idle]


def lend(engine: sa.Engine) -> None:
    """Let an engine take a connection from here where it would open one, and give it back where it would close it."""
    close = engine.dialect.do_close

    def give_back(connection: Any) -> None:
        is_sound = not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE
        if is_sound and connection.info.dbname == _database and len(_idle) < MOST:
            _idle.append(connection)
        else:
            close(connection)

    @sa.event.listens_for(engine, "do_connect")
    def take(_dialect: Any, _record: Any, _args: Any, wanted: dict[str, Any]) -> psycopg.Connection[Any] | None:
        while wanted.get("dbname") == _database and _idle:
            connection = _idle.pop()
            if _is_as_new(connection):
                return connection
        return None

    engine.dialect.do_close = give_back  # type: ignore[assignment, method-assign]


def _is_as_new(connection: psycopg.Connection[Any]) -> bool:
    """Forget what was set in it; say no where the server has hung up."""
    connection._notice_handlers.clear()
    try:
        connection.execute(FORGET, prepare=False)
        connection.commit()
    except psycopg.Error:
        connection.close()
        return False
    return True
