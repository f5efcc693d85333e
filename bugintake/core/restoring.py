"""Restoring a backup: whole, or nothing has changed."""

import json
import os
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bugintake.core import backup as backups
from bugintake.core import config, migrating
from bugintake.core.backup import ATTACHMENTS, BATCH, Backup, CannotRestore, member_of, sequence_names
from bugintake.core.db import db


def is_empty() -> bool:
    """Whether the database holds nobody's work: no tables, or nobody who works here."""
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table("users"):
            return True
        return bool(connection.scalar(sa.text("SELECT count(*) FROM users")) == 0)


def restore(path: Path, *, replace: bool = False, then: Callable[[Backup, sa.Connection], None]) -> Backup:
    """Put a backup into place, and let `then` repair what must not be believed after a restore.

    Rows, tables and `then` are one transaction: it works whole, or nothing has changed. Raises CannotRestore for a
    file that is damaged or too new, and where there is work already unless it may be replaced.
    """
    backup = backups.read(path)
    if not replace and not is_empty():
        raise CannotRestore(
            "There is work in this installation already. With --replace the backup takes its place, and it is gone."
        )
    folder = config.settings().data / ATTACHMENTS
    fresh, old = folder.with_name(f"{ATTACHMENTS}.restored"), folder.with_name(f"{ATTACHMENTS}.replaced")
    if old.exists():
        raise CannotRestore(f"A restore was cut off here. Look at {old}: it has the files from before. Move it away.")
    shutil.rmtree(fresh, ignore_errors=True)
    with zipfile.ZipFile(path) as archive:
        _extract_attachments(archive, backup, fresh)
        with _swapped_back(folder, old), migrating.alone(db.engine) as connection, connection.begin():
            migrating.wait_for_turn(connection)
            _drop_everything(connection)
            migrating.reach(connection, backup.migration)
            _load(archive, backup, connection)
            migrating.reach(connection, "head")
            then(backup, connection)
            migrating.check_references(connection)
            if fresh.exists():
                if folder.exists():
                    folder.rename(old)
                fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
    return backup


@contextmanager
def _swapped_back(folder: Path, old: Path) -> Iterator[None]:
    """Put the files of before back where the rows of before stay."""
    try:
        yield
    except BaseException:
        if old.exists():
            shutil.rmtree(folder, ignore_errors=True)
            old.rename(folder)
        raise


def _extract_attachments(archive: zipfile.ZipFile, backup: Backup, folder: Path) -> None:
    for name in backup.attachments:
        path = (folder / Path(name).relative_to(ATTACHMENTS)).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise CannotRestore(f"This backup names a file outside its folder: {name}.")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with archive.open(name) as member, os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as target:
            shutil.copyfileobj(member, target)


def _drop_everything(connection: sa.Connection) -> None:
    cascade = " CASCADE" if connection.dialect.name == "postgresql" else ""
    for name in sa.inspect(connection).get_table_names():
        # SQLite drops the tables of a full-text index with it.
        connection.execute(sa.text(f'DROP TABLE IF EXISTS "{name}"{cascade}'))


def _load(archive: zipfile.ZipFile, backup: Backup, connection: sa.Connection) -> None:
    there = sa.MetaData()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        there.reflect(connection)
    for table in there.sorted_tables:
        if table.name in backup.tables:
            _load_table(archive, backup.tables[table.name]["columns"], table, connection)
    _continue_numbers(connection, backup.sequences)


def _load_table(archive: zipfile.ZipFile, columns: list[str], table: sa.Table, connection: sa.Connection) -> None:
    """Insert a table's rows. A reference to another row of the same table is filled in at the end.

    The rows stand in no order: PostgreSQL reads those that were changed last.
    """
    own = [column.name for column in table.columns if any(key.column.table is table for key in column.foreign_keys)]
    readers = [_reader(table.c[name].type, connection.dialect.name) for name in columns]
    later: list[dict[str, Any]] = []
    batch: list[dict[str, Any]] = []
    with archive.open(member_of(table.name)) as member:
        for line in member:
            values = zip(columns, readers, json.loads(line), strict=True)
            row: dict[str, Any] = {name: None if value is None else read(value) for name, read, value in values}
            if any(row[name] not in (None, row["id"]) for name in own):
                later.append({"row_id": row["id"], **{f"to_{name}": row[name] for name in own}})
                row.update(dict.fromkeys(own))
            batch.append(row)
            if len(batch) >= BATCH:
                connection.execute(sa.insert(table), batch)
                batch = []
    if batch:
        connection.execute(sa.insert(table), batch)
    if later:
        fill = sa.update(table).where(table.c.id == sa.bindparam("row_id"))
        connection.execute(fill.values({name: sa.bindparam(f"to_{name}") for name in own}), later)


def _reader(kind: sa.types.TypeEngine[Any], dialect: str) -> Callable[[Any], Any]:
    if isinstance(kind, sa.DateTime):
        if dialect == "sqlite":
            return lambda text: datetime.fromisoformat(text).replace(tzinfo=None)  # written in UTC
        return datetime.fromisoformat
    if isinstance(kind, sa.Date):
        return date.fromisoformat
    if isinstance(kind, sa.Time):
        return time.fromisoformat
    return lambda value: value


def _continue_numbers(connection: sa.Connection, last: Mapping[str, int]) -> None:
    """Let every table count on from the last number it ever gave out."""
    if connection.dialect.name == "sqlite":
        counted = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
        for name in connection.scalars(sa.text(counted)).all():
            connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": name})
            newest = connection.scalar(sa.text(f'SELECT max(id) FROM "{name}"')) or 0  # noqa: S608
            row = {"name": name, "last": max(newest, last.get(name, 0))}
            connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), row)
        return
    for name, sequence in sequence_names(connection):
        newest = connection.scalar(sa.text(f'SELECT max(id) FROM "{name}"')) or 0  # noqa: S608
        if number := max(newest, last.get(name, 0)):
            connection.execute(sa.text("SELECT setval(:sequence, :number)"), {"sequence": sequence, "number": number})
