"""F-K1: web processes are killed while people file bugs. No number that was answered is lost, none is given twice."""

import json
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from tests.faults.served import Served, until

ROUNDS = 50
CLIENTS = 6


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


def command(server: Served, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bugintake.cli", *words],
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Filer(threading.Thread):
    """Files bugs one after the other; what gets no answer is sent again under the same key."""

    def __init__(self, server: Served, token: str, number: int, stop: threading.Event) -> None:
        super().__init__()
        self.server, self.token, self.number, self.stop = server, token, number, stop
        self.answered: dict[str, str] = {}
        self.repeats = 0
        self.surprises: list[str] = []

    def run(self) -> None:
        """File until told to stop; the last one is seen through."""
        count = 0
        while not self.stop.is_set():
            count += 1
            key = f"filer-{self.number}-{count}"
            ref = None
            while ref is None:
                ref = self.file(key)
                self.repeats += ref is None
            self.answered[key] = ref

    def file(self, key: str) -> str | None:
        """Send one report; the number of the bug, or nothing where the connection was lost."""
        body = {
            "customer": None,
            "area": "Search",
            "symptom": "Nothing happens",
            "impact": "Annoying",
            "frequency": "Always",
            "platform": "Firefox",
            "version": "Not sure",
            "steps": "Search.",
            "actual": f"Nothing for {key}.",
            "expected": "Something.",
        }
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Idempotency-Key": key}
        connection = HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request("POST", "/api/v1/reports", json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()
        if answer.status != 201:
            self.surprises.append(f"{answer.status} {content[:200]!r}")
            self.stop.set()
            return "none"
        return str(json.loads(content)["bug"]["ref"])


def web_processes(server: Served) -> list[psutil.Process]:
    """The processes that answer requests; none where one is just ending."""
    assert server.process.poll() is None, server.said()
    try:
        return [child for kept in psutil.Process(server.process.pid).children() for child in kept.children()]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fifty_killed_web_processes_lose_no_number_and_give_none_twice(served: Served, database: str) -> None:
    command(served, "init", "--email", "ada@example.com", "--name", "Ada", "--pack", "web")
    token = command(served, "token", "create", "--email", "ada@example.com", "--scope", "reports:write").strip()
    stop = threading.Event()
    filers = [Filer(served, token, number, stop) for number in range(CLIENTS)]
    dice = random.Random(71)
    for filer in filers:
        filer.start()

    for _ in range(ROUNDS):
        victims = until(lambda: web_processes(served), "A web process")
        stop.wait(dice.uniform(0.0, 0.25))
        try:
            dice.choice(victims).kill()
        except psutil.NoSuchProcess:
            continue
        until(lambda: len(web_processes(served)) == 2 and served.is_healthy(), "Two web processes again")
    stop.set()
    for filer in filers:
        filer.join()

    answered = {key: ref for filer in filers for key, ref in filer.answered.items()}
    assert [surprise for filer in filers for surprise in filer.surprises] == []
    assert sum(filer.repeats for filer in filers) > 0, "No request was ever cut off, so nothing was tried."
    assert [ref for ref, count in Counter(answered.values()).items() if count > 1] == []
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT bugs.id, reports.actual FROM bugs JOIN reports ON bug_id = bugs.id"))
        by_key = {actual.removeprefix("Nothing for ").removesuffix("."): f"BUG-{number}" for number, actual in kept}
        count = connection.scalar(sa.text("SELECT count(*) FROM bugs"))
        filed = connection.scalar(sa.text("SELECT count(*) FROM events WHERE kind = 'report.filed'"))
    engine.dispose()
    assert by_key == answered
    assert count == filed == len(answered)
