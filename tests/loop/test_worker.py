"""The worker as a process: what wakes it, what it does by itself, and how it ends."""

from __future__ import annotations

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
import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.intake.models import Status
from bugintake.loop import duty_notices, worker
from bugintake.loop.models import Delivery
from bugintake.loop.pulse_models import WorkerPulse
from bugintake.team import people
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.faults.rig import broken_invariants, message_states, states
from tests.faults.server import FaultServer

PROGRAM = "import sys; from bugintake.cli import main; sys.argv[1:] = ['worker']; main()"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}")


@pytest.fixture(autouse=True)
def _company(app: Any) -> None:
    make_workspace(review_minutes=0)


@pytest.fixture
def process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "BUGINTAKE_DATA": str(settings.data),
        "BUGINTAKE_DATABASE_URL": settings.database_url,
        "BUGINTAKE_SMTP_URL": settings.smtp_url or "",
        "BUGINTAKE_SECRET_KEY": settings.secret_key,
    }
    with subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, cwd=ROOT) as started:
        yield started
        started.kill()


def test_a_worker_process_finishes_the_mail_at_hand_and_gives_the_rest_back(
    process: subprocess.Popen[bytes], sink: FaultServer
) -> None:
    made = make_bug(Status.LIVE, waiting=[make_customer(email=f"slowdot+{n}@example.com") for n in range(40)])

    assert sink.wait_for(3)
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 0
    sent = len(sink.accepted)
    assert sent < 40
    assert states() == {"sent": sent, "pending": 40 - sent}
    assert set(db.session.scalars(sa.select(Delivery.lease_owner))) == {None}
    assert broken_invariants(sink) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WorkerPulse)) == 1
    assert made.id


def test_work_wakes_only_when_the_transaction_is_kept(app: Any) -> None:
    make_user(email="mira@team.test")
    queue = worker.work_task(app).huey

    with pytest.raises(ZeroDivisionError), transaction():
        people.request_reset("mira@team.test")
        raise ZeroDivisionError
    assert queue.pending_count() == 0
    for _ in range(3):
        with transaction():
            people.request_reset("mira@team.test")

    assert queue.pending_count() == 1


def test_the_queue_runs_what_is_due(app: Any, sink: FaultServer) -> None:
    make_user(email="mira@team.test")
    with transaction():
        people.request_reset("mira@team.test")
    queue = worker.work_task(app).huey

    queue.execute(queue.dequeue())

    assert [recipient for recipient, _ in sink.accepted] == ["mira@team.test"]


@pytest.mark.only_on("postgres")
def test_postgres_can_be_the_queue(app: Any, settings: Settings, sink: FaultServer) -> None:
    url = settings.database_url.replace("postgresql+psycopg", "postgresql")
    app.extensions["bugintake"] = replace(settings, queue_url=url)
    make_user(email="mira@team.test")
    with transaction():
        people.request_reset("mira@team.test")
    queue = worker.work_task(app).huey

    queue.execute(queue.dequeue())

    assert len(sink.accepted) == 1
    queue.storage.close()


def test_a_queue_out_of_reach_costs_nothing_but_a_warning(
    app: Any, settings: Settings, sink: FaultServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app.extensions["bugintake"] = replace(settings, queue_url=f"sqlite:///{tmp_path}")
    make_user(email="mira@team.test")

    with transaction():
        people.request_reset("mira@team.test")
    assert worker.sweep(app)
    assert not worker._ring(app, 2)
    worker.send(app)

    assert states() == {"sent": 1}
    assert "The queue cannot be reached" in caplog.text


def test_a_step_that_fails_does_not_keep_the_others_from_happening(
    app: Any, sink: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bug(Status.LIVE, waiting=[make_customer()])

    def broken(_now: Any) -> int:
        raise ArithmeticError("made up")

    monkeypatch.setattr(duty_notices, "queue_reminders", broken)

    assert worker.sweep(app)
    worker.send(app)

    assert message_states() == {"sent": 1}


def test_a_worker_leaves_a_sign_of_life_that_is_forgotten_after_a_day(app: Any, clock: Any) -> None:
    assert worker.last_pulse() is None
    with transaction():
        db.session.add(WorkerPulse(worker="long gone", at=house_clock.now() - timedelta(days=2)))

    worker.beat()
    first = house_clock.now()
    clock.advance(timedelta(minutes=1))
    worker.beat()

    assert worker.last_pulse() == first + timedelta(minutes=1)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WorkerPulse)) == 1


def test_looking_for_work_writes_nothing_when_there_is_none(app: Any, clock: Any) -> None:
    worker.sweep(app, 1)
    written: list[str] = []

    @sa.event.listens_for(db.engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE") or statement == "BEGIN IMMEDIATE":
            written.append(statement)

    assert worker.sweep(app, 1) is False

    assert written == []
