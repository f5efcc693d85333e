"""`make bench`: every operation of the product beside what a bare route can do with the same rows, on both databases.

BENCH_N bugs (10,000), BENCH_SECONDS for each measurement (4), BENCH_DATABASES (sqlite,postgres), BENCH_MAILS (2000),
BENCH_DATABASE_URL for a PostgreSQL of your own.
"""

import gzip
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count as counting
from pathlib import Path

import psutil
import sqlalchemy as sa

from bench import mail, seeding
from bench.client import Measured, Requests, Visitor, measure
from bugintake.app import create_app
from bugintake.core import migrating
from bugintake.core.config import Settings
from bugintake.core.db import db
from tests.databases import PostgresServer

N = int(os.environ.get("BENCH_N", "10000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgres").split(",")
MAILS = int(os.environ.get("BENCH_MAILS", "2000"))
CLIENTS = 8


@dataclass(frozen=True)
class Operation:
    """Something people do, what is hoped for, and the bare route it is held against."""

    name: str
    requests: Requests
    limit: Requests | None = None
    good: tuple[int, ...] = (200,)
    goal_ms: float | None = None
    goal_rate: float | None = None
    goal_ratio: float | None = None


@dataclass
class House:
    """One installation to measure: its database, and its two servers."""

    settings: Settings
    environment: dict[str, str]
    seeded: seeding.Seeded
    port: int = 0
    limit_port: int = 0


def main() -> None:
    """Measure everything and print the tables."""
    print(f"bugintake bench: {N:,} bugs, {SECONDS:g} s each, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    missed: list[str] = []
    for kind in DATABASES:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bugintake-bench-")))
            url = stack.enter_context(database(kind, folder))
            missed += run(kind, folder, url)
    print("\nEvery goal was reached." if not missed else "\nMissed:\n  " + "\n  ".join(missed))


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give an empty database: a file, the one named, or a throw-away PostgreSQL that syncs to disk."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bugintake.db'}"
    elif url := os.environ.get("BENCH_DATABASE_URL"):
        yield url
    else:
        server = PostgresServer(durable=True)
        try:
            yield server.url
        finally:
            server.stop()


def run(kind: str, folder: Path, url: str) -> list[str]:
    """Measure one database, print its table, and return what missed its goal."""
    house = prepare(folder, url)
    with limits(house):
        started = start_time(house)
        with serving(house) as server:
            visitor = Visitor(house.port)
            visitor.sign_in(seeding.EMAIL, seeding.PASSWORD)
            print(f"\n{kind}, {N:,} bugs")
            print(f"{'':<28}{'1 client':>24} |{f'{CLIENTS} clients':>31} |")
            times = f"{'p50 ms':>8}{'p95 ms':>8}{'per s':>8}"
            print(f"{'operation':<28}{times} |{times}{'failed':>7} |{'limit/s':>9}{'ratio':>7}  goal")
            missed = []
            for operation in operations(house, visitor):
                missed += [f"{kind}: {text}" for text in measure_one(house, operation)]
            print_pages(house, visitor)
            memory = resident(server)
    print(f"start to first page {started:.2f} s (goal ≤ 1 s); web and worker {memory:.0f} MiB PSS (goal ≤ 260)")
    if started > 1:
        missed.append(f"{kind}: start to first page {started:.2f} s")
    if memory > 260:
        missed.append(f"{kind}: {memory:.0f} MiB PSS")
    return missed + measure_mail(kind, house)


def prepare(folder: Path, url: str) -> House:
    """Migrate and fill the database."""
    settings = Settings(
        data=folder, database_url=url, queue_url=f"sqlite:///{folder / 'queue.db'}", secret_key="b" * 40
    )
    with create_app(settings).app_context():
        migrating.upgrade()
        seeded = seeding.seed(N)
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


def operations(house: House, visitor: Visitor) -> list[Operation]:
    """List what is measured, the growing ones last."""
    seeded = house.seeded
    listed, board = f"/bugs?area={seeded.area_id}", f"/board?area={seeded.area_id}"
    tag = visitor.fetch("GET", "/board")[1].get("etag", "")
    whole = "/board?" + "&".join(f"more={status}" for status in seeding.OPEN)
    look_alikes = f"/new/similar?area={seeded.area_id}&symptom={seeded.choices['symptom']}&text=vat+line+missing"
    rows = f"/rows/list/{seeded.area_id}"
    return [
        Operation("board of one area, 50 cards", asks(visitor, board), asks(None, rows), (200,), 5, 500, 0.25),
        Operation("list of one area, 50 bugs", asks(visitor, listed), asks(None, rows), (200,), 5, 500, 0.25),
        Operation("board with 500 cards", asks(visitor, whole), asks(None, "/rows/board/500"), (200,), 25),
        Operation("unchanged board (304)", asks(visitor, "/board", tag), None, (304,), 2),
        Operation(
            "bug page with 20 reports",
            asks(visitor, f"/bugs/BUG-{seeded.big_bug}"),
            asks(None, f"/rows/reports/{seeded.big_bug}"),
            (200,),
            4,
            600,
            0.3,
        ),
        Operation("look-alikes", asks(visitor, look_alikes), None, (200,), 120),
        Operation("change a status", moves(seeded, visitor), commits(2), (302, 303), 6, 400, 0.2),
        Operation("file a bug", filings(seeded, visitor), commits(3), (302, 303), 6, 400, 0.2),
    ]


def asks(visitor: Visitor | None, path: str, tag: str = "") -> Requests:
    """Ask for the same page again and again."""
    if visitor is None:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    else:
        request = visitor.get(path, If_None_Match=tag) if tag else visitor.get(path)

    def requests(_number: int) -> Iterator[bytes]:
        while True:
            yield request

    return requests


def moves(seeded: seeding.Seeded, visitor: Visitor) -> Requests:
    """Begin to work on bugs of one's own, and put them down again."""

    def requests(number: int) -> Iterator[bytes]:
        mine = [
            bug for bug in seeded.open_bugs if bug % CLIENTS == number and bug % 3
        ]  # 1 and 2: accepted, in progress
        while True:
            for bug in mine:
                verbs = ("work", "rest") if bug % 3 == 1 else ("rest", "work")
                for verb in verbs:
                    yield visitor.post(f"/bugs/BUG-{bug}/{verb}", {})

    return requests


def filings(seeded: seeding.Seeded, visitor: Visitor) -> Requests:
    """File one new bug after the other."""

    def requests(number: int) -> Iterator[bytes]:
        for each in counting():
            customer = (number * 7919 + each) % seeded.customers + 1
            choices = {name: str(value) for name, value in seeded.choices.items() if name != "decline_reason"}
            texts = {"steps": "1. Open it\n2. Look", "actual": f"It fails, {each}.", "expected": "It works."}
            told = {"customer": f"c{customer}@customer.example", "customer_id": str(customer)}
            key = f"bench-{os.getpid()}-{number}-{each}-{time.time_ns()}"
            yield visitor.post("/new", {**told, **choices, **texts, "key": key})

    return requests


def commits(rows: int) -> Requests:
    """Commit so many rows, and do nothing else."""
    body = b"text=" + b"x" * 300
    head = f"POST /commits/{rows} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

    def requests(_number: int) -> Iterator[bytes]:
        while True:
            yield request

    return requests


def measure_one(house: House, operation: Operation) -> list[str]:
    """Measure an operation and its limit, print a line, and return which goals it missed."""
    good = set(operation.good)
    alone = measure(house.port, operation.requests, good, 1, SECONDS)
    crowd = measure(house.port, operation.requests, good, CLIENTS, SECONDS)
    limit = measure(house.limit_port, operation.limit, {200}, CLIENTS, SECONDS) if operation.limit else None
    ratio = crowd.per_second / limit.per_second if limit and limit.per_second else None
    missed = verdicts(operation, alone, crowd, ratio)
    print(
        f"{operation.name:<28}{alone.percentile(50):>8.2f}{alone.percentile(95):>8.2f}{alone.per_second:>8.0f} |"
        f"{crowd.percentile(50):>8.2f}{crowd.percentile(95):>8.2f}{crowd.per_second:>8.0f}"
        f"{alone.failed + crowd.failed:>7} |{limit.per_second if limit else float('nan'):>9.0f}"
        f"{ratio if ratio is not None else float('nan'):>7.2f}  {'reached' if not missed else 'missed'}",
        flush=True,
    )
    return missed


def verdicts(operation: Operation, alone: Measured, crowd: Measured, ratio: float | None) -> list[str]:
    """Say which goals were missed."""
    found: list[tuple[bool, str]] = [(bool(alone.failed + crowd.failed), f"{alone.failed + crowd.failed} failed")]
    if operation.goal_ms is not None:
        found.append((alone.percentile(50) > operation.goal_ms, f"{alone.percentile(50):.1f} > {operation.goal_ms} ms"))
    if operation.goal_rate is not None:
        found.append((crowd.per_second < operation.goal_rate, f"{crowd.per_second:.0f} < {operation.goal_rate:.0f}/s"))
    if operation.goal_ratio is not None and ratio is not None:
        found.append((ratio < operation.goal_ratio, f"ratio {ratio:.2f} < {operation.goal_ratio}"))
    return [f"{operation.name}: {text}" for is_missed, text in found if is_missed]


def print_pages(house: House, visitor: Visitor) -> None:
    """Print what the pages weigh, as they are and compressed."""
    paths: dict[str, str] = {
        "board of one area": f"/board?area={house.seeded.area_id}",
        "board with 500 cards": "/board?" + "&".join(f"more={status}" for status in seeding.OPEN),
        "bug page": f"/bugs/BUG-{house.seeded.big_bug}",
        "file a bug": "/new",
        "duty": "/duty",
        "loop": "/loop",
    }
    for name, path in paths.items():
        page = visitor.fetch("GET", path)[2].encode()
        print(f"  {name:<26}{len(page) / 1024:>8.1f} KB {len(gzip.compress(page, 6)) / 1024:>8.1f} KB gzip")


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


def measure_mail(kind: str, house: House) -> list[str]:
    """Let the worker send, beside the bare loop."""
    with create_app(house.settings).app_context():
        seeding.owe(MAILS)
        db.session.remove()
        db.engine.dispose()
    sink = mail.Sink()
    try:
        bare = mail.bare_rate(sink, MAILS)
        ours = mail.worker_rate(sink, house.environment, MAILS)
    finally:
        sink.stop()
    ratio = ours / bare if bare else 0.0
    print(f"mail to {MAILS:,} people: {ours:.0f}/s, a bare loop {bare:.0f}/s, ratio {ratio:.2f} (goal ≥ 0.8)")
    return [] if ratio >= 0.8 else [f"{kind}: mail: ratio {ratio:.2f} < 0.8"]


if __name__ == "__main__":
    main()
