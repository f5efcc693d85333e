"""Migrations run both ways, all at once or not at all, and one process at a time."""

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from flask import Flask

from bugintake.core import migrating
from bugintake.core.db import db
from bugintake.core.migrating import CannotMigrate


@pytest.fixture
def empty(app: Flask) -> Flask:
    """An app on a database without any table."""
    migrating.downgrade("base")
    with writing() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
    return app


@contextmanager
def writing() -> Iterator[sa.Connection]:
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        yield connection


def shape() -> list[Any]:
    """Everything the database says about its tables, its own names for things included."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.execute(sa.text("SELECT type, name, sql FROM sqlite_master ORDER BY type, name"))
            return [
                (kind, name, sorted("".join((sql or "").split()).removesuffix(")").split(",")))
                for kind, name, sql in rows
            ]
        return [
            *connection.execute(
                sa.text(
                    "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default "
                    "FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
                )
            ),
            *connection.execute(sa.text("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1")),
            *connection.execute(
                sa.text(
                    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
                    "WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2"
                )
            ),
        ]


def test_the_migrations_and_the_models_agree(app: Flask) -> None:
    migrating.attach(app)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "autogenerate skipping metadata-specified expression-based index")
        command.check(app.extensions["migrate"].migrate.get_config())  # raises where they differ


def test_migrating_makes_what_the_models_would_make(empty: Flask) -> None:
    migrating.upgrade()
    migrated = [row for row in shape() if "alembic" not in str(row)]
    migrating.downgrade("base")
    with writing() as connection:
        migrating.metadata().create_all(connection)

    created = [row for row in shape() if "alembic" not in str(row)]

    assert migrated == created


@pytest.mark.fault("F-M2")
def test_every_migration_goes_up_and_down_and_up_again(app: Flask) -> None:
    before = shape()
    migrating.downgrade("base")
    gone = [table for table in sa.inspect(db.engine).get_table_names() if table != "alembic_version"]

    assert gone == []
    assert migrating.current() is None
    assert migrating.upgrade() is True
    assert shape() == before


def test_an_up_to_date_database_is_left_alone(app: Flask) -> None:
    assert migrating.is_current()
    assert migrating.upgrade() is False


@pytest.mark.fault("F-M3")
def test_a_database_newer_than_the_code_is_refused_in_words(app: Flask) -> None:
    with writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(CannotMigrate) as refusal:
        migrating.upgrade()

    assert str(refusal.value) == (
        f"The database is at migration 9999, and this version of bugintake knows no later one than "
        f"{migrating.newest()}. Start the version that was used last, or restore a backup that fits this one."
    )


@pytest.mark.only_on("sqlite")
def test_a_row_that_would_point_to_nothing_undoes_the_migration(app: Flask) -> None:
    with pytest.raises(CannotMigrate), migrating.alone(db.engine) as connection, connection.begin():
        connection.execute(sa.text(ORPHAN))
        migrating.check_references(connection)

    with db.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM passes")) == 0
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1


ORPHAN = (
    "INSERT INTO passes (secret_hash, purpose, user_id, created_at, expires_at) "
    "VALUES ('x', 'x', 12345, '2026-01-01', '2026-01-01')"
)


@pytest.mark.fault("F-M1")
@pytest.mark.parametrize("step", [23, pytest.param(1, marks=pytest.mark.long)])
def test_killed_at_any_statement_nothing_has_changed_and_the_next_run_succeeds(empty: Flask, step: int) -> None:
    rounds, left_behind, then = run_elsewhere("kill_each", db.engine.url, step)

    assert left_behind == []
    assert then == "migrated"
    assert rounds > len(migrating.metadata().tables) / step


@pytest.mark.fault("F-M3")
def test_of_two_that_migrate_at_once_one_waits_for_the_other(empty: Flask) -> None:
    assert run_elsewhere("two_at_once", db.engine.url) == ["the second waited", 0, 0, migrating.newest()]


def run_elsewhere(story: str, url: sa.URL, *arguments: int) -> Any:
    """Play a story with processes that are really killed, away from the threads of the tests."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.faults.migrations",
            story,
            url.render_as_string(hide_password=False),
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
