"""One installation to measure, and the servers on it: bugintake with its defaults, and the bare app beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa

from bench import seeding
from bench.client import Visitor
from bugintake.app import create_app
from bugintake.core import migrating
from bugintake.core.config import Settings
from bugintake.core.db import db


@dataclass
class House:
    """One installation to measure: its database, and its two servers."""

    settings: Settings
    environment: dict[str, str]
    seeded: seeding.Seeded
    port: int = 0
    limit_port: int = 0


def prepare(folder: Path, url: str, bugs: int, opened: int = seeding.OPENED) -> House:
    """Migrate and fill the database."""
    settings = Settings(
        data=folder, database_url=url, queue_url=f"sqlite:///{folder / 'queue.db'}", secret_key="b" * 40
    )
    with create_app(settings).app_context():
        migrating.upgrade()
        seeded = seeding.seed(bugs, opened)
        serial = "INTEGER PRIMARY KEY" if settings.is_sqlite else "SERIAL PRIMARY KEY"
        with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
            connection.execute(sa.text(f"CREATE TABLE bench_commits (id {serial}, text TEXT)"))
        db.session.remove()
        db.engine.dispose()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BUGINTAKE_")}
    chosen = {
        "BUGINTAKE_DATA": str(folder),
        "BUGINTAKE_DATABASE_URL": url,
        "BUGINTAKE_SECRET_KEY": "b" * 40,
    }
    return House(settings, {**plain, **chosen}, seeded)


def free_port() -> int:
    """Ask the system for a port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(house: House) -> Iterator[psutil.Process]:
    """Run `bugintake serve` with its defaults."""
    house.port = free_port()
    log = (house.settings.data / "serve.log").open("ab")
    command = [sys.executable, "-m", "bugintake.cli", "serve", "--port", str(house.port)]
    process = subprocess.Popen(command, env=house.environment, stdout=log, stderr=log)
    try:
        wait_for(house.port, process)
        yield psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        log.close()


@contextmanager
def limits(house: House) -> Iterator[None]:
    """Run the bare app beside it."""
    house.limit_port = free_port()
    told = {
        "LIMITS_DATA": str(house.settings.data),
        "LIMITS_URL": house.settings.database_url,
        "LIMITS_PORT": str(house.limit_port),
    }
    process = subprocess.Popen([sys.executable, "-m", "bench.limits"], env={**house.environment, **told})
    try:
        wait_for(house.limit_port, process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(f"{process.args!r} did not listen within a minute.")


def start_time(house: House) -> float:
    """Return the seconds from the command to the first whole page, the better of two."""
    found = []
    for _ in range(2):
        begin = time.perf_counter()
        with serving(house):
            status, _, _ = Visitor(house.port).fetch("GET", "/login")
            found.append(time.perf_counter() - begin if status == 200 else float("inf"))
    return min(found)


def resident(server: psutil.Process) -> float:
    """Return the memory of a server and all its processes in MiB, shared pages counted by their share."""
    total = 0
    for process in [server, *server.children(recursive=True)]:
        rollup = Path(f"/proc/{process.pid}/smaps_rollup")
        if rollup.exists():
            total += int(next(line for line in rollup.read_text().splitlines() if line.startswith("Pss:")).split()[1])
        else:
            total += process.memory_info().rss // 1024
    return total / 1024
