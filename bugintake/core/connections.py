"""What each connection to the database is set up with, and how a transaction that only reads ends."""

import selectors
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

BUSY_TIMEOUT_MS = 5000


def tune(engine: sa.Engine) -> None:
    """Give every connection of an engine its settings.

    Who writes says so with the execution option `is_writing`; who does so with a single statement, which needs neither
    a beginning nor an end, with `is_alone`, on PostgreSQL with AUTOCOMMIT too. On both databases a lock is waited for
    equally long, and what is kept without `awaits_disk` is on the disk before anything that is kept after it.
    """
    if engine.dialect.name == "sqlite":
        _tune_sqlite(engine)
    else:
        _tune_postgres(engine)


def awaits_disk(connection: sa.Connection) -> bool:
    """Tell whether the end of a connection's transaction waits until the disk has it, as it does unless told not to."""
    return bool(connection.get_execution_options().get("awaits_disk", True))


def is_writing(connection: sa.Connection) -> bool:
    """Tell whether whoever opened a connection's transaction said that it writes."""
    return bool(connection.get_execution_options().get("is_writing", False))


def _is_alone(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("is_alone", False))


def _tune_sqlite(engine: sa.Engine) -> None:
    """WAL, synchronous=FULL, foreign keys, a busy timeout, and BEGIN IMMEDIATE for writers.

    A deferred transaction that turns to writing fails at once instead of waiting.
    """

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if is_writing(connection):
            raw: Any = connection.connection.driver_connection
            raw.execute(f"PRAGMA synchronous={'FULL' if awaits_disk(connection) else 'NORMAL'}")
        if not _is_alone(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing(connection) else "BEGIN")


def _tune_postgres(engine: sa.Engine) -> None:
    """BEGIN READ ONLY for readers, who end with COMMIT.

    psycopg forgets its prepared statements at every ROLLBACK, so each would be parsed and planned anew. A server that
    has ended is noticed without asking it: a connection at rest has nothing to say until then.
    """

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.execute(f"SET lock_timeout = {BUSY_TIMEOUT_MS}")
        connection.commit()

    @sa.event.listens_for(engine, "checkout")
    def look(connection: Any, _record: Any, _proxy: Any) -> None:
        if connection.closed:
            raise sa.exc.DisconnectionError("The server hung up on whoever used it last.")
        with selectors.PollSelector() as unread:  # epoll would open and close a descriptor of its own each time
            unread.register(connection.fileno(), selectors.EVENT_READ)
            if unread.select(0):
                raise sa.exc.DisconnectionError("The server has hung up, or says so right now.")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        raw: Any = connection.connection.driver_connection
        raw.read_only = None if is_writing(connection) else True
        if not awaits_disk(connection) and not _is_alone(connection):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    @sa.event.listens_for(engine, "rollback")
    def end(connection: sa.Connection) -> None:
        if not is_writing(connection) and not connection.invalidated:
            raw: Any = connection.connection.driver_connection
            if raw.info.transaction_status.name == "INTRANS":
                with suppress(engine.dialect.loaded_dbapi.Error):  # the ROLLBACK that follows tells of it
                    raw.commit()
