"""kill -9 of a worker at every point where it matters: nobody is told twice, nobody is forgotten."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bugintake.core.config import Settings
from bugintake.core.db import transaction
from bugintake.intake.models import Status
from bugintake.loop import attempts, envelopes, outbox
from tests.factories import make_bug, make_customer, make_workspace
from tests.faults.rig import broken_invariants, message_states, states, work
from tests.faults.server import FaultServer

LAUNCHER = Path(__file__).with_name("run_worker.py")
PEOPLE = 3


@pytest.fixture
def sink() -> Iterator[FaultServer]:
    with FaultServer().running() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}")


@pytest.fixture(autouse=True)
def _company(app: Any, clock: Any) -> None:
    make_workspace(review_minutes=0)
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(PEOPLE)])


class Launcher:
    """Starts workers that end badly."""

    def __init__(self) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process: subprocess.Popen[str] = subprocess.Popen([sys.executable, LAUNCHER], **pipes)  # type: ignore[call-overload]

    def start(self, point: str, settings: Settings, clock: Any) -> int:
        environment = {
            "BUGINTAKE_DATA": str(settings.data),
            "BUGINTAKE_DATABASE_URL": settings.database_url,
            "BUGINTAKE_SMTP_URL": settings.smtp_url,
            "BUGINTAKE_SECRET_KEY": settings.secret_key,
            "BUGINTAKE_BASE_URL": settings.base_url,
        }
        return self._ask(point=point, at=clock.now().isoformat(), environment=environment)

    def wait(self, pid: int) -> int:
        """Return how a worker stopped or ended, as os.waitpid() does."""
        return self._ask(wait=pid)

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def _ask(self, **order: Any) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher()
    yield launcher
    launcher.close()


def outlast_the_lease(clock: Any) -> None:
    for _ in range(3):
        clock.advance(timedelta(minutes=16))
        work()


@pytest.mark.parametrize(
    ("point", "uncertain", "accepted_before"),
    [
        ("after_claim", 0, 0),
        ("after_rcpt", 0, 0),
        ("before_data", 1, 0),
        ("after_250", 1, 1),
        ("after_commit", 0, 1),
    ],
)
def test_a_worker_killed_at_any_point_tells_nobody_twice_and_forgets_nobody(
    point: str,
    uncertain: int,
    accepted_before: int,
    settings: Settings,
    sink: FaultServer,
    clock: Any,
    launcher: Launcher,
) -> None:
    assert launcher.wait(launcher.start(point, settings, clock)) == signal.SIGKILL
    assert len(sink.accepted) == accepted_before

    outlast_the_lease(clock)

    expected = {"sent": PEOPLE - uncertain} | ({"uncertain": uncertain} if uncertain else {})
    assert (states(), message_states()) == (expected, expected)
    assert broken_invariants(sink) == []


def test_a_worker_killed_while_it_takes_leases_back_loses_none(
    settings: Settings, sink: FaultServer, clock: Any, launcher: Launcher
) -> None:
    with transaction():
        envelopes.open_due()
    first, *_ = outbox.claim()
    attempts.begin_sending(first)
    clock.advance(timedelta(minutes=16))

    assert launcher.wait(launcher.start("in_recovery", settings, clock)) == signal.SIGKILL
    outlast_the_lease(clock)

    expected = {"sent": PEOPLE - 1, "uncertain": 1}
    assert (states(), message_states()) == (expected, expected)
    assert broken_invariants(sink) == []


def test_a_worker_that_stands_still_beyond_its_lease_sends_nothing_when_it_goes_on(
    settings: Settings, sink: FaultServer, clock: Any, launcher: Launcher
) -> None:
    slow = launcher.start("slow_at_rcpt", settings, clock)
    assert os.WIFSTOPPED(launcher.wait(slow))

    outlast_the_lease(clock)
    assert states() == {"sent": PEOPLE}
    os.kill(slow, signal.SIGCONT)
    while os.WIFSTOPPED(launcher.wait(slow)):  # at the next recipient of its old claim
        os.kill(slow, signal.SIGCONT)

    assert states() == {"sent": PEOPLE}
    assert broken_invariants(sink) == []


def test_four_workers_at_once_tell_everybody_once(
    settings: Settings, sink: FaultServer, clock: Any, launcher: Launcher
) -> None:
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(17)])
    with transaction():
        envelopes.open_due()

    workers = [launcher.start("never", settings, clock) for _ in range(4)]

    assert [launcher.wait(worker) for worker in workers] == [0, 0, 0, 0]
    assert states() == {"sent": 20}
    assert broken_invariants(sink) == []
