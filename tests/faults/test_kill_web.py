"""Web processes, the server and its database end while people file bugs: no number is lost, none is given twice."""

import random
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import apps
from tests.databases import PostgresServer
from tests.faults.filers import check_numbers, filing
from tests.faults.served import PATIENCE, Served, until

ROUNDS = 50
RESTARTS = 5

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    """A server that answers."""
    yield from serve(tmp_path, database)


def serve(folder: Path, database: str) -> Iterator[Served]:
    server = Served(folder, database)
    try:
        wait_for_health(server)
        yield server
    finally:
        server.end()


def wait_for_health(server: Served) -> None:
    until(lambda: server.is_healthy() or server.process.poll() is not None, "Health")
    assert server.process.poll() is None, server.said()


def web_processes(server: Served) -> list[psutil.Process]:
    """The processes that answer requests; none where one is just ending."""
    assert server.process.poll() is None, server.said()
    try:
        return [child for kept in psutil.Process(server.process.pid).children() for child in kept.children()]
    except psutil.NoSuchProcess:
        return []


@pytest.mark.fault("F-K1")
def test_fifty_killed_web_processes_lose_no_number_and_give_none_twice(served: Served, database: str) -> None:
    dice = random.Random(71)
    with filing(served) as filers:
        for _ in range(ROUNDS):
            victims = until(lambda: web_processes(served), "A web process")
            threading.Event().wait(dice.uniform(0.0, 0.25))
            try:
                dice.choice(victims).kill()
            except psutil.NoSuchProcess:
                continue
            until(lambda: len(web_processes(served)) == 2 and served.is_healthy(), "Two web processes again")

    check_numbers(filers, database)


@pytest.mark.fault("F-K3")
def test_a_server_stopped_and_started_under_load_ends_well_and_loses_no_number(served: Served, database: str) -> None:
    with filing(served) as filers:
        for _ in range(RESTARTS):
            filed = sum(len(filer.answered) for filer in filers)
            until(lambda filed=filed: sum(len(filer.answered) for filer in filers) > filed + 10, "Some filing")
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(PATIENCE) == 0
            served.start()
            wait_for_health(served)

    check_numbers(filers, database)
    assert "Traceback" not in served.said()


@pytest.mark.fault("F-P1")
def test_a_postgresql_that_crashes_under_load_is_used_again_as_soon_as_it_is_back(tmp_path: Path) -> None:
    postgres = PostgresServer(durable=True)
    database = postgres.url
    apps.migrate(database)
    try:
        for server in serve(tmp_path, database):
            with filing(server) as filers:
                for _ in range(RESTARTS):
                    filed = sum(len(filer.answered) for filer in filers)
                    until(lambda filed=filed: sum(len(filer.answered) for filer in filers) > filed + 10, "Some filing")
                    postgres.crash()
                    postgres.start()
                    wait_for_health(server)

            check_numbers(filers, database)
    finally:
        postgres.stop()
