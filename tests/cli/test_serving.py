"""`bugintake serve`: migrates, greets, keeps web and worker alive, and stops without leaving anything behind."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from bugintake.core import migrating

PATIENCE = 60


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(found: Callable[[], Any], what: str) -> Any:
    """Ask again and again until something is so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        threading.Event().wait(0.05)
    raise AssertionError(f"{what} did not happen within {PATIENCE} s.")


class Served:
    """A running `bugintake serve`, seen from outside."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BUGINTAKE_")},
            "BUGINTAKE_DATA": str(folder),
            "BUGINTAKE_DATABASE_URL": database,
        }
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bugintake.cli", "serve", "--port", str(self.port)],
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        """What it has printed so far."""
        return (self.folder / "log").read_text()

    def get(self, path: str) -> tuple[int, str]:
        """Fetch a page; (0, "") where nobody answers."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException):
                return 0, ""

    def is_healthy(self) -> bool:
        """Whether web, database and worker all work."""
        return self.get("/healthz")[0] == 200

    def family(self) -> dict[int, psutil.Process]:
        """Everything that runs under it."""
        return {child.pid: child for child in psutil.Process(self.process.pid).children(recursive=True)}

    def web_and_worker(self) -> tuple[psutil.Process, psutil.Process]:
        """The process that keeps the web processes, and the worker."""
        web, worker = None, None
        for child in psutil.Process(self.process.pid).children():
            if child.children():
                web = child
            else:
                worker = child
        assert web is not None and worker is not None
        return web, worker

    def end(self) -> None:
        """Leave nothing running, whatever went wrong."""
        if self.process.poll() is None:
            for process in self.family().values():
                process.kill()
            self.process.kill()
            self.process.wait()
        self.log.close()


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    """A server that answers."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = Served(folder, database)
    try:
        until(lambda: server.is_healthy() or server.process.poll() is not None, "A healthy start")
        assert server.process.poll() is None, server.said()
        yield server
    finally:
        server.end()


def test_serving_from_the_first_line_to_the_last(served: Served) -> None:
    said = until(lambda: "Ctrl-C stops it." in served.said() and served.said(), "The greeting")
    health = json.loads(served.get("/healthz")[1])

    assert f"bugintake is at http://127.0.0.1:{served.port}\n" in said
    assert re.search(rf"http://127\.0\.0\.1:{served.port}/setup\?token=\S{{40,}}", said)
    assert (health["status"], health["migration"], health["problems"]) == ("ok", migrating.newest(), [])
    assert health["worker_age_seconds"] < PATIENCE

    # Whatever dies is started again.
    web, worker = served.web_and_worker()
    page = web.children()[0]
    for victim in (page, worker, web):
        victim.kill()
        until(lambda victim=victim: not victim.is_running(), "The end of the victim")  # type: ignore[misc]
        until(served.is_healthy, "Health after a kill")
    until(lambda: len(served.family()) == 4, "Both web processes, what keeps them, and the worker")

    # No process shares a database connection with another: the one they were forked from has none.
    open_files = [file.path for file in psutil.Process(served.process.pid).open_files()]
    assert [path for path in open_files if "bugintake.db" in path] == []

    # What is asked for when it stops is answered, and nothing is left.
    family = served.family()
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(PATIENCE) == 0
    until(lambda: not any(process.is_running() for process in family.values()), "The end of all children")
    assert "Traceback" not in served.said()


@pytest.mark.only_on("sqlite")
def test_nothing_outlives_a_supervisor_that_is_killed(served: Served) -> None:
    family = served.family()
    assert len(family) == 4

    served.process.kill()

    until(lambda: not any(process.is_running() for process in family.values()), "The end of all children")


@pytest.mark.only_on("sqlite")
def test_the_log_keeps_no_secret(served: Served) -> None:
    secret = "kept-to-oneself-kept-to-oneself-kept-to-one"
    for path in (f"/passes/{secret}", f"/s/en/r/{secret}", f"/setup?token={secret}", f"/nowhere/{secret}%0d%0aforged"):
        served.get(path)

    said = until(lambda: "/nowhere" in served.said() and served.said(), "The last line")

    assert secret not in said
    assert "\nforged" not in said
    assert re.search(r"GET /passes/… 404 \d+ ms", said)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BUGINTAKE_PORT", "many", "BUGINTAKE_PORT is 'many'; a whole number from 1 to 65535 is allowed."),
        ("BUGINTAKE_DATABASE_URL", "mysql://x", "BUGINTAKE_DATABASE_URL starts with 'mysql'"),
        ("BUGINTAKE_SECRET_KEY", "short and secret", "BUGINTAKE_SECRET_KEY is too short"),
    ],
)
def test_a_bad_setting_stops_the_start_in_words(tmp_path: Path, name: str, value: str, sentence: str) -> None:
    done = start_and_fail({"BUGINTAKE_DATA": str(tmp_path), name: value})

    assert done.returncode == 1
    assert sentence in done.stderr
    assert "short and secret" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_stops_the_start_in_words(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        done = start_and_fail({"BUGINTAKE_DATA": str(tmp_path), "BUGINTAKE_PORT": port})

    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used: something else listens there." in done.stderr


def start_and_fail(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BUGINTAKE_")}
    return subprocess.run(
        [sys.executable, "-m", "bugintake.cli", "serve"],
        env={**environment, **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
