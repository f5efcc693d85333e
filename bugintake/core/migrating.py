"""Bringing the database to the shape the code expects: all in one transaction, one process at a time."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, current_app

from bugintake.core import templating
from bugintake.core.connections import BUSY_TIMEOUT_MS
from bugintake.core.db import UtcDateTime, db

if TYPE_CHECKING:
    from alembic.config import Config

LOCK = 0x6275_6769  # "bugi": one migration at a time per PostgreSQL database
WAIT_MS = 10 * 60 * 1000


class CannotMigrate(Exception):
    """The database cannot be brought to the shape this code expects; the message says why."""


def attach(app: Flask) -> None:
    """Give an app Flask-Migrate and its `flask db` commands. Not done for every web process: it takes 0.2 s to load."""
    if "migrate" in app.extensions:
        return
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(templating.folder("migrations")))


def newest() -> str:
    """Return the number of the newest migration that this code brings."""
    return _numbers()[-1]


def current() -> str | None:
    """Return the number of the migration that the database is at, or None while it is empty."""
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def is_current() -> bool:
    """Whether the database has the shape this code expects."""
    return current() == newest()


def refuse_newer() -> None:
    """Raise CannotMigrate for a database that a newer version of bugintake has already changed."""
    found = current()
    if found is not None and not knows(found):
        raise CannotMigrate(
            f"The database is at migration {found}, and this version of bugintake knows no later one than {newest()}. "
            "Start the version that was used last, or restore a backup that fits this one."
        )


def upgrade() -> bool:
    """Bring the database up to date, and tell whether there was anything to do. Raises CannotMigrate."""
    refuse_newer()
    if is_current():
        return False
    from alembic import command

    command.upgrade(_config(), "head")
    return True


def reach(connection: sa.Connection, number: str) -> None:
    """Bring an empty or older database to a migration inside the transaction that a connection has open."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, number)


def knows(number: str) -> bool:
    """Whether a migration is one that this code brings."""
    return number in _numbers()


def downgrade(number: str) -> None:
    """Take the database back to a migration, or to nothing with "base". What later ones added is lost."""
    from alembic import command

    command.downgrade(_config(), number)


def metadata() -> sa.MetaData:
    """Return every table of every room."""
    importlib.import_module("bugintake.core.events")
    rooms = importlib.import_module("bugintake")
    for room in pkgutil.iter_modules(rooms.__path__, "bugintake."):
        if room.ispkg and importlib.util.find_spec(f"{room.name}.models"):
            importlib.import_module(f"{room.name}.models")
    return db.metadata


def number(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Give a new migration the next number."""
    for script in directives:
        script.rev_id = f"{len(_numbers()) + 1:04}"


def can_compare(_item: Any, name: str | None, kind: str, _is_reflected: bool, _other: Any) -> bool:
    """Leave out of the comparison of models and database what cannot be compared.

    That is what only one of the databases has, which its table names in `info["apart"]`, and indexes over expressions,
    which read back differently.
    """
    tables = db.metadata.tables.values()
    apart = {each for table in tables for each in table.info.get("apart", ())}
    over_expressions = {
        index.name
        for table in tables
        for index in table.indexes
        if not all(isinstance(part, sa.Column) for part in index.expressions)
    }
    return name not in apart and (kind != "index" or name not in over_expressions)


def render(kind: str, item: Any, _context: Any) -> str | bool:
    """Write plain column types into migrations, so that an old one does not depend on today's code."""
    if kind != "type":
        return False
    if isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sa.Enum):
        return f"sa.String({item.length})"
    if isinstance(item, sa.JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


@contextmanager
def alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Open a connection that may change tables, and that waits while another process does.

    SQLite recreates a table to change it, so its references are not checked meanwhile, but at the end.
    """
    with engine.connect() as plain:
        connection = plain.execution_options(is_writing=True)
        if engine.dialect.name != "sqlite":
            yield connection
            return
        _set(connection, foreign_keys="OFF", busy_timeout=WAIT_MS)
        try:
            yield connection
        finally:
            _set(connection, foreign_keys="ON", busy_timeout=BUSY_TIMEOUT_MS)


def _set(connection: sa.Connection, **pragmas: object) -> None:
    raw: Any = connection.connection.driver_connection  # not through SQLAlchemy, which would begin a transaction
    for name, value in pragmas.items():
        raw.execute(f"PRAGMA {name}={value}")


def wait_for_turn(connection: sa.Connection) -> None:
    """Hold the transaction until no other process migrates. On SQLite BEGIN IMMEDIATE has done it."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
        connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        connection.execute(sa.text("SET LOCAL lock_timeout = '10s'"))


def check_references(connection: sa.Connection) -> None:
    """Raise CannotMigrate, and so roll everything back, where a row now points to nothing."""
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if lost is not None:
            raise CannotMigrate(f"A row of {lost[0]} would point to a missing row of {lost[2]}; nothing was changed.")


def _numbers() -> list[str]:
    folder = templating.folder("migrations") / "versions"
    return sorted(path.name[:4] for path in folder.glob("*.py") if re.match(r"[0-9]{4}_", path.name))


def _config() -> "Config":
    attach(current_app)
    config: Config = current_app.extensions["migrate"].migrate.get_config()
    return config
