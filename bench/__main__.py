"""`make bench`: every operation of the product beside what a bare route can do with the same rows, on both databases.

BENCH_N bugs (10000; several, as 10000,100000,1000000, tell how cost grows), BENCH_SECONDS for each measurement (4),
BENCH_DATABASES (sqlite,postgres), BENCH_MAILS (2000),
BENCH_DATABASE_URL for a PostgreSQL of your own.
"""

import gzip
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import mail, seeding
from bench.client import Measured, Visitor, measure, together
from bench.house import House, limits, prepare, resident, serving, start_time
from bench.operations import CLIENTS, Operation, operations
from bugintake.app import create_app
from bugintake.core.db import db
from tests.databases import PostgresServer

SIZES = [int(each) for each in os.environ.get("BENCH_N", "10000").split(",")]
SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgres").split(",")
CROWD = range(CLIENTS)
ALONE = range(CLIENTS, CLIENTS + 1)  # another number than the crowd's, whose bugs stand as they were seeded
GROWTH = 1.3  # times what it took at the smallest size
ROUNDS = 5  # of an operation and of its empty write in turn: both meet whatever else the machine does
MAILS = int(os.environ.get("BENCH_MAILS", "2000"))


def main() -> None:
    """Measure everything and print the tables."""
    print(f"bugintake bench: {SECONDS:g} s each, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    missed: list[str] = []
    for kind in DATABASES:
        before: dict[str, float] = {}
        for size in SIZES:
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bugintake-bench-")))
                url = stack.enter_context(database(kind, folder))
                missed += run(kind, folder, url, size, before)
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


def run(kind: str, folder: Path, url: str, size: int, before: dict[str, float]) -> list[str]:
    """Measure one database, print its table, and return what missed its goal.

    `before` holds what each operation took at the smallest size, in ms; the first run fills it.
    """
    house = prepare(folder, url, size)
    with limits(house):
        started = start_time(house)
        with serving(house) as server:
            visitor = Visitor(house.port)
            visitor.sign_in(seeding.EMAIL, seeding.PASSWORD)
            print(f"\n{kind}, {size:,} bugs")
            print(f"{'':<28}{'1 client':>24} |{f'{CLIENTS} clients':>31} |")
            times = f"{'p50 ms':>8}{'p95 ms':>8}{'per s':>8}"
            print(f"{'operation':<28}{times} |{times}{'failed':>7} |{'limit/s':>9}{'ratio':>7}{'growth':>8}  goal")
            missed = []
            for operation in operations(house.seeded, visitor):
                missed += [f"{kind}, {size:,}: {text}" for text in measure_one(house, operation, before)]
            print_pages(house, visitor)
            memory = resident(server)
    print(f"start to first page {started:.2f} s (goal ≤ 1 s); web and worker {memory:.0f} MiB PSS (goal ≤ 260)")
    if started > 1:
        missed.append(f"{kind}: start to first page {started:.2f} s")
    if memory > 260:
        missed.append(f"{kind}: {memory:.0f} MiB PSS")
    return missed + measure_mail(kind, house)


def measure_one(house: House, operation: Operation, before: dict[str, float]) -> list[str]:
    """Measure an operation and its limit, print a line, and return which goals it missed."""
    good = set(operation.good)
    alone, empty = measure_alone(house, operation)
    crowd = measure(house.port, operation.requests, good, CROWD, SECONDS)
    limit = measure(house.limit_port, operation.limit, {200}, CROWD, SECONDS) if operation.limit else None
    ratio = crowd.per_second / limit.per_second if limit and limit.per_second else None
    growth = alone.percentile(50) / before.setdefault(operation.name, alone.percentile(50))
    missed = verdicts(operation, alone, crowd, ratio)
    if operation.grows and growth > GROWTH:
        missed.append(f"{operation.name}: {growth:.2f} times what it took at {SIZES[0]:,} bugs")
    times = ""
    if operation.goal_times is not None and empty is not None:
        found = alone.percentile(95) / empty.percentile(95)
        times = f"{found:.1f} times an empty write of the same rows"
        if found > operation.goal_times:
            missed.append(f"{operation.name}: p95 is {times}, not {operation.goal_times:g}")
    print(
        f"{operation.name:<28}{alone.percentile(50):>8.2f}{alone.percentile(95):>8.2f}{alone.per_second:>8.0f} |"
        f"{crowd.percentile(50):>8.2f}{crowd.percentile(95):>8.2f}{crowd.per_second:>8.0f}"
        f"{alone.failed + crowd.failed:>7} |{limit.per_second if limit else float('nan'):>9.0f}"
        f"{ratio if ratio is not None else float('nan'):>7.2f}{growth:>8.2f}  {'reached' if not missed else 'missed'}"
        + (f" (p95 {times})" if times else ""),
        flush=True,
    )
    return missed


def measure_alone(house: House, operation: Operation) -> tuple[Measured, Measured | None]:
    """Measure an operation with one client; in turn with the empty write it is compared with, where it has one."""
    good = set(operation.good)
    if operation.empty is None:
        return measure(house.port, operation.requests, good, ALONE, SECONDS), None
    ours, empty = [], []
    for _ in range(ROUNDS):
        ours.append(measure(house.port, operation.requests, good, ALONE, SECONDS / ROUNDS))
        empty.append(measure(house.limit_port, operation.empty, {200}, ALONE, SECONDS / ROUNDS))
    return together(ours), together(empty)


def verdicts(operation: Operation, alone: Measured, crowd: Measured, ratio: float | None) -> list[str]:
    """Say which goals were missed."""
    found: list[tuple[bool, str]] = [(bool(alone.failed + crowd.failed), f"{alone.failed + crowd.failed} failed")]
    if operation.goal_ms is not None:
        found.append((alone.percentile(50) > operation.goal_ms, f"{alone.percentile(50):.1f} > {operation.goal_ms} ms"))
    if operation.goal_p95_ms is not None:
        slowest = alone.percentile(95)
        found.append((slowest > operation.goal_p95_ms, f"p95 {slowest:.1f} > {operation.goal_p95_ms} ms"))
    if operation.goal_rate is not None:
        found.append((crowd.per_second < operation.goal_rate, f"{crowd.per_second:.0f} < {operation.goal_rate:.0f}/s"))
    if operation.goal_ratio is not None and ratio is not None:
        found.append((ratio < operation.goal_ratio, f"ratio {ratio:.2f} < {operation.goal_ratio}"))
    return [f"{operation.name}: {text}" for is_missed, text in found if is_missed]


def print_pages(house: House, visitor: Visitor) -> None:
    """Print what the pages weigh, as they are and compressed."""
    paths: dict[str, str] = {
        "board of one area": f"/board?area={house.seeded.area_id}",
        "board with 500 cards": "/board?" + "&".join(f"more={status}:1000" for status in seeding.OPEN),
        "bug page": f"/bugs/BUG-{house.seeded.big_bug}",
        "file a bug": "/new",
        "duty": "/duty",
        "loop": "/loop",
    }
    for name, path in paths.items():
        page = visitor.fetch("GET", path)[2].encode()
        print(f"  {name:<26}{len(page) / 1024:>8.1f} KB {len(gzip.compress(page, 6)) / 1024:>8.1f} KB gzip")


def measure_mail(kind: str, house: House) -> list[str]:
    """Let the worker send, beside the bare loop."""
    with create_app(house.settings).app_context():
        seeding.owe(MAILS)
        db.session.remove()
        db.engine.dispose()
    sink = mail.Sink()
    try:
        bare = mail.bare_rate(sink, house, MAILS)
        ours = mail.worker_rate(sink, house.environment, MAILS)
    finally:
        sink.stop()
    ratio = ours / bare if bare else 0.0
    print(f"mail to {MAILS:,} people: {ours:.0f}/s, a bare loop {bare:.0f}/s, ratio {ratio:.2f} (goal ≥ 0.8)")
    return [] if ratio >= 0.8 else [f"{kind}: mail: ratio {ratio:.2f} < 0.8"]


if __name__ == "__main__":
    main()
