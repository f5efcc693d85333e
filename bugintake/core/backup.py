"""Backups: one file with every row and attachment, that either database can be restored from."""

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa

import bugintake
from bugintake.core import clock, config, migrating
from bugintake.core.db import db

FORMAT = 1
MANIFEST = "manifest.json"
ATTACHMENTS = "attachments"
BATCH = 500
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, NotImplementedError)


class CannotBackUp(Exception):
    """A backup that cannot be written; the message says why."""


class CannotRestore(Exception):
    """A backup that cannot be used here; the message says why. Nothing was changed."""


@dataclass(frozen=True)
class Backup:
    """What a backup file says about itself."""

    version: str
    migration: str
    made_at: datetime
    tables: Mapping[str, Mapping[str, Any]]
    sequences: Mapping[str, int]
    attachments: Mapping[str, str]

    @property
    def row_count(self) -> int:
        """How many rows it holds."""
        return sum(int(table["rows"]) for table in self.tables.values())


def write(path: Path) -> Backup:
    """Write everything, as of one instant, to a file that only its owner reads; people go on working meanwhile.

    The file appears under its name once it is complete. Raises CannotBackUp.
    """
    if not migrating.is_current():
        raise CannotBackUp("The database is not up to date with this version of bugintake; start it once first.")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            backup = _write_to(file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise CannotBackUp(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        fresh.unlink(missing_ok=True)
    return backup


def _write_to(file: IO[bytes]) -> Backup:
    tables: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        snapshot = {"isolation_level": "REPEATABLE READ"} if db.engine.dialect.name == "postgresql" else {}
        with db.engine.connect().execution_options(**snapshot) as connection, connection.begin():
            for table in migrating.metadata().sorted_tables:
                tables[table.name] = _write_table(archive, connection, table)
            sequences = _sequences(connection)
        attachments = {}
        for name, found in _attachments():
            with suppress(FileNotFoundError):  # taken out or swept since the folder was listed
                attachments[name] = _write_file(archive, name, found)
        backup = Backup(bugintake.__version__, migrating.newest(), clock.now(), tables, sequences, attachments)
        about = {**backup.__dict__, "format": FORMAT, "made_at": backup.made_at.isoformat()}
        archive.writestr(MANIFEST, json.dumps(about, indent=1))
    return backup


def _write_table(archive: zipfile.ZipFile, connection: sa.Connection, table: sa.Table) -> dict[str, Any]:
    digest, count = hashlib.sha256(), 0
    rows = connection.execute(sa.select(table).execution_options(yield_per=BATCH))
    with archive.open(member_of(table.name), "w", force_zip64=True) as member:
        for row in rows:
            line = json.dumps([_plain(value) for value in row], ensure_ascii=False, separators=(",", ":")).encode()
            member.write(line + b"\n")
            digest.update(line + b"\n")
            count += 1
    return {"columns": [column.name for column in table.columns], "rows": count, "sha256": digest.hexdigest()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def _write_file(archive: zipfile.ZipFile, name: str, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source, archive.open(name, "w", force_zip64=True) as member:
        while block := source.read(1 << 16):
            member.write(block)
            digest.update(block)
    return digest.hexdigest()


def _attachments() -> Iterator[tuple[str, Path]]:
    folder = config.settings().data / ATTACHMENTS
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{ATTACHMENTS}/{path.relative_to(folder).as_posix()}", path


def _sequences(connection: sa.Connection) -> dict[str, int]:
    """Return the last number each table gave out, so that none is given out twice after a restore."""
    if connection.dialect.name == "sqlite":
        return _counts(connection, "SELECT name, seq FROM sqlite_sequence")
    owned = "SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'"
    last = _counts(connection, owned)
    return {name: last.get(sequence, 0) for name, sequence in sequence_names(connection)}


def _counts(connection: sa.Connection, query: str) -> dict[str, int]:
    return {str(name): int(count or 0) for name, count in connection.execute(sa.text(query))}


def sequence_names(connection: sa.Connection) -> list[tuple[str, str]]:
    """List PostgreSQL's tables that count, each with the name of its sequence."""
    query = (
        "SELECT counted.relname, 'public.' || counter.relname FROM pg_class AS counter "
        "JOIN pg_depend AS tie ON tie.objid = counter.oid AND tie.classid = 'pg_class'::regclass "
        "JOIN pg_class AS counted ON counted.oid = tie.refobjid AND tie.deptype IN ('a', 'i') "
        "WHERE counter.relkind = 'S' AND counter.relnamespace = 'public'::regnamespace"
    )
    return [(table, sequence) for table, sequence in connection.execute(sa.text(query))]


def member_of(table: str) -> str:
    """Name the part of a backup that holds a table's rows, one JSON list per line."""
    return f"tables/{table}.jsonl"


# --- Reading and checking a file ---------------------------------------------------------------------------------


def read(path: Path) -> Backup:
    """Read a backup to its end and check that it is whole and that this version can use it. Raises CannotRestore."""
    try:
        with zipfile.ZipFile(path) as archive:
            backup = _manifest(archive)
            for name, table in backup.tables.items():
                _check_member(archive, member_of(name), table["sha256"])
            for name, digest in backup.attachments.items():
                _check_member(archive, name, digest)
    except FileNotFoundError as error:
        raise CannotRestore(f"There is no file {path}.") from error
    except OSError as error:
        raise CannotRestore(f"{path} cannot be read: {error.strerror or error}.") from error
    except UNREADABLE:
        raise CannotRestore(f"{path} is damaged, cut off, or not a backup of bugintake.") from None
    return backup


def _manifest(archive: zipfile.ZipFile) -> Backup:
    about = json.loads(archive.read(MANIFEST))
    if about.pop("format") != FORMAT or not migrating.knows(about["migration"]):
        raise CannotRestore(
            f"This backup was made by bugintake {about.get('version')}, which is newer than this one "
            f"({bugintake.__version__}). Restore it with that version."
        )
    return Backup(**{**about, "made_at": datetime.fromisoformat(about["made_at"])})


def _check_member(archive: zipfile.ZipFile, name: str, expected: str) -> None:
    digest = hashlib.sha256()
    with archive.open(name) as member:
        while block := member.read(1 << 16):
            digest.update(block)
    if digest.hexdigest() != expected:
        raise zipfile.BadZipFile(name)
