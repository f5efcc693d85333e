"""`bugintake serve`: migrates, greets, keeps web and worker alive, and stops without leaving anything behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from bugintake.core import migrating
from tests.faults.served import PATIENCE, Served, until


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


@pytest.mark.fault("F-FORK")
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
