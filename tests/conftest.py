"""What every test stands on: a database of its own, a clock it sets, and no way out of the house."""

import contextlib
import contextvars
import gc
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import db
from bugintake.team import passwords
from tests import apps, browsers, databases
from tests.faults.server import FaultServer
from tests.tally import Tally

SHARED = Path(os.environ.get("BUGINTAKE_SHARED") or Path(__file__).parents[2] / "shared")

hypothesis.settings.register_profile("house", deadline=None, print_blob=True)  # how fast is for `make bench`
hypothesis.settings.load_profile("house")

_kinds = pytest.StashKey[tuple[str, ...]]()
_server = pytest.StashKey[databases.PostgresServer]()


# --- What runs ---------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--db", choices=(*databases.KINDS, "both"), default="both", help="the databases to run on")
    parser.addoption("--long", action="store_true", help="run the long tier too: kill rounds, soak, large data")


def pytest_configure(config: pytest.Config) -> None:
    chosen = config.getoption("--db")
    config.stash[_kinds] = databases.KINDS if chosen == "both" else (chosen,)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Tally(config.stash[_kinds], SHARED))


def pytest_unconfigure(config: pytest.Config) -> None:
    if server := config.stash.get(_server, None):
        os.environ.pop(databases.URL, None)
        server.stop()


def _postgres_url(config: pytest.Config) -> str:
    """Return the server that tests use; where none is named, start one that lives as long as this process.

    Every process of a run has its own: what one keeps is read again while anybody on its server writes.
    """
    if not os.environ.get(databases.URL):
        config.stash[_server] = databases.PostgresServer()
        os.environ[databases.URL] = config.stash[_server].url
    return os.environ[databases.URL]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that has an app on each database, or on those that its marks name."""
    if "database" in metafunc.fixturenames:
        chosen = metafunc.config.stash[_kinds]
        only_on, long_on = (_named(metafunc.definition, mark) for mark in ("only_on", "long_on"))
        marked = []
        for kind in chosen:
            if not only_on or kind in only_on:
                marks = [getattr(pytest.mark, f"on_{kind}")]
                if kind in long_on and len(chosen) > 1:
                    marks.append(pytest.mark.long)
                marked.append(pytest.param(kind, marks=marks))
        metafunc.parametrize("database", marked, indirect=True)


def _named(definition: pytest.Item, mark: str) -> tuple[str, ...]:
    marker = definition.get_closest_marker(mark)
    return marker.args if marker is not None else ()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if {"page", "browser", "browser_executable"} & set(fixtures):
            item.add_marker("browser")
        if "shared" in fixtures:
            item.add_marker("shared")
        is_long = item.get_closest_marker("long") and not config.getoption("--long")
        needs_browser = item.get_closest_marker("browser") and not browsers.are_wanted()
        (left_out if is_long or needs_browser else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


def pytest_collection_finish() -> None:
    """Keep what is loaded by now out of every later search for garbage, as the server does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


# --- Databases ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> databases.SqliteTemplate:
    return databases.SqliteTemplate(tmp_path_factory.mktemp("template"), apps.migrate)


@pytest.fixture(scope="session")
def postgres_template(pytestconfig: pytest.Config) -> Iterator[databases.PostgresTemplate]:
    template = databases.PostgresTemplate(_postgres_url(pytestconfig), apps.migrate)
    yield template
    apps.close_connections()
    template.drop()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder, at the same place for every test of a process, so that apps can serve again."""
    return tmp_path_factory.mktemp("installation")


@pytest.fixture
def data_folder(installation: Path) -> Path:
    """The data folder, empty."""
    for path in installation.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return installation


@contextlib.contextmanager
def copy_of_template(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """Give the address of a migrated, empty database of the kind that was asked for."""
    if request.param == "sqlite":
        template: databases.SqliteTemplate = request.getfixturevalue("sqlite_template")
        with template.copy(folder) as url:
            yield url
    else:
        other: databases.PostgresTemplate = request.getfixturevalue("postgres_template")
        with other.copy() as url:
            yield url


@pytest.fixture
def database(request: pytest.FixtureRequest, data_folder: Path) -> Iterator[str]:
    """The address of a migrated, empty database of this test's own."""
    with copy_of_template(request, data_folder) as url:
        yield url


# --- The app -----------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(database: str, data_folder: Path) -> Settings:
    """The settings of this test's app; a module may override this fixture with dataclasses.replace()."""
    return apps.make_settings(data_folder, database)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The app on a database of its own, with its context pushed, so that a test calls verbs without ceremony."""
    with apps.opened(settings) as app:
        yield app


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Take the place of pytest-flask's fixture, which keeps one request context for the whole test."""


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a screen, not signed in; pytest-flask's would keep the last request's context."""
    return app.test_client()


@pytest.fixture
def new_client(app: Flask) -> Callable[[], FlaskClient]:
    """Make one more browser, with cookies of its own."""
    return app.test_client


@pytest.fixture(scope="session", autouse=True)
def _cheap_passwords() -> None:
    """Hash with the least work argon2 allows: what is safe takes half a second each time."""
    passwords.hasher = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


# --- Time, shared data, the outside ------------------------------------------------------------------------------


class Clock:
    """The clock of the house, standing still until the test moves it."""

    def __init__(self) -> None:
        self.set(datetime(2026, 3, 10, 9, 0, tzinfo=UTC))  # a Tuesday

    def now(self) -> datetime:
        """Tell the time of the house."""
        return house_clock.now()

    def set(self, at: datetime) -> None:
        """Stand still at an aware instant."""
        house_clock.freeze(at)

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        house_clock.freeze(house_clock.now() + by)


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A clock that stands still, on Tuesday 10 March 2026 at 09:00 UTC."""
    yield Clock()
    house_clock.freeze(None)


@pytest.fixture
def shared() -> Path:
    """The folder of shared data."""
    if not SHARED.is_dir():
        pytest.skip(f"There is no shared data at {SHARED}; BUGINTAKE_SHARED names its folder.")
    return SHARED


@pytest.fixture(autouse=True)
def _nothing_leaves_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that connects to anything but this machine."""

    def guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
        def connect_here(self: socket.socket, address: Any) -> Any:
            host = str(address[0]) if isinstance(address, tuple) else "localhost"
            if not (host in ("localhost", "::1") or host.startswith("127.")):
                pytest.fail(f"This test called out, to {host}.")
            return connect(self, address)

        return connect_here

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))


@pytest.fixture(scope="session")
def mail_port() -> int:
    """A port for one mail server after the other, so that apps can serve again; the system gives it to nobody else."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError("There is no free port for the mail server of the tests.")


@pytest.fixture
def sink(mail_port: int) -> Iterator[FaultServer]:
    """A mail server of this test's own, that misbehaves on demand."""
    with FaultServer().running(mail_port) as server:
        yield server


# --- Several at once ---------------------------------------------------------------------------------------------

AT_ONCE = 6


@pytest.fixture
def together(app: Flask) -> Callable[[Callable[[int], Any]], list[Any]]:
    """Call a function in several threads at the same moment, each with a database connection of its own."""

    def run(call: Callable[[int], Any]) -> list[Any]:
        gate = threading.Barrier(AT_ONCE)
        answers: list[Any] = [None] * AT_ONCE

        def one(number: int) -> None:
            with app.app_context():
                gate.wait()
                try:
                    answers[number] = call(number)
                except Exception as error:  # the test looks at what each of them got
                    answers[number] = error

        threads = [threading.Thread(target=contextvars.Context().run, args=(one, n)) for n in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        db.session.rollback()
        db.session.expire_all()
        return answers

    return run


# --- A real browser ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_executable() -> str:
    """The program of the browser; with none, the tests that need it fail and say what to install."""
    return browsers.find() or pytest.fail(browsers.MISSING)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_executable: str) -> dict[str, Any]:
    """How pytest-playwright starts the browser."""
    return {"executable_path": browser_executable, "args": browsers.ARGUMENTS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Pages are named in full; this takes the place of a plugin's fixture that pytest 9 warns about."""


@pytest.fixture
def page(page: Any) -> Iterator[Any]:
    """A page whose console stays silent: this is where a broken script or a refused inline style shows."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []
