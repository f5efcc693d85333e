"""People who file bugs all the time, whatever becomes of the server, and what has to be true afterwards."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

import sqlalchemy as sa

from tests.faults.served import Served

CLIENTS = 6
LATER = (503,)  # said with Retry-After: the database is away


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
        """Send one report; the number of the bug, or nothing where it has to be sent again."""
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
        if answer.status in LATER and answer.headers["Retry-After"]:
            return None
        if answer.status != 201:
            self.surprises.append(f"{answer.status} {content[:200]!r}")
            self.stop.set()
            return "none"
        return str(json.loads(content)["bug"]["ref"])


@contextmanager
def filing(server: Served) -> Iterator[list[Filer]]:
    """Let six people file for as long as the block lasts; it must have cost each of them something."""
    command(server, "init", "--email", "ada@example.com", "--name", "Ada", "--pack", "web")
    token = command(server, "token", "create", "--email", "ada@example.com", "--scope", "reports:write").strip()
    stop = threading.Event()
    filers = [Filer(server, token, number, stop) for number in range(CLIENTS)]
    for filer in filers:
        filer.start()
    try:
        yield filers
    finally:
        stop.set()
        for filer in filers:
            filer.join()


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


def check_numbers(filers: list[Filer], database: str) -> None:
    """I4: every number that was answered exists, none was given twice, and no report became two bugs."""
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
