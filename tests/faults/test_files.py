"""F-K2: whatever moment a process dies at, each row has its file and each file its row (I5)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bugintake.core.config import Settings
from bugintake.core.db import db
from bugintake.intake.attachments import keeping, storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.attachments.queries import damaged
from bugintake.team.models import Role
from tests.factories import make_user

LAUNCHER = Path(__file__).with_name("run_upload.py")


def start(settings: Settings, point: str, mutant: str = "") -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "BUGINTAKE_DATA": str(settings.data),
        "BUGINTAKE_DATABASE_URL": settings.database_url,
    }
    return subprocess.Popen([sys.executable, str(LAUNCHER), point, mutant], env=environment)


def broken_invariants() -> list[str]:
    """List every row without its whole file, and every file without a row (I5)."""
    db.session.rollback()
    db.session.expire_all()
    rows = list(db.session.scalars(sa.select(Attachment)))
    expected = {each.stored_as for each in rows} | {f"{each.stored_as}{storage.SMALL}" for each in rows}
    there = set(os.listdir(storage.folder())) if storage.folder().exists() else set()
    lost = [f"I5: {each.name} has no whole file" for each in damaged()]
    return lost + [f"I5: {name} has no row" for name in sorted(there - expected)]


def let_pass(clock: object, time: timedelta) -> None:
    clock.set(datetime.now(UTC) + time)  # type: ignore[attr-defined]  # files carry the time of the machine


def die_at(settings: Settings, point: str, mutant: str = "") -> None:
    assert start(settings, point, mutant).wait(60) == -signal.SIGKILL


@pytest.mark.parametrize("point", ["in_the_file", "after_file", "after_commit", "after_removal"])
def test_f_k2_a_killed_process_leaves_no_row_without_its_file_and_files_that_are_swept(settings, app, clock, point):
    make_user(Role.AGENT)
    die_at(settings, point)
    orphans = broken_invariants()

    let_pass(clock, timedelta(minutes=59))
    keeping.sweep()
    assert broken_invariants() == orphans  # within the hour somebody may still be at it
    let_pass(clock, timedelta(minutes=61))
    keeping.sweep()

    assert [line for line in orphans if "no whole file" in line] == []
    assert bool(orphans) == (point != "after_commit")
    assert broken_invariants() == []


def test_f_k2_a_sweep_takes_nothing_from_a_process_that_is_only_slow(settings, app, clock):
    assert slow_upload_beside_a_sweep(settings, clock) == []


def slow_upload_beside_a_sweep(settings, clock):
    make_user(Role.AGENT)
    process = start(settings, "slow_after_file")
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    let_pass(clock, timedelta(minutes=1))
    keeping.sweep()
    process.send_signal(signal.SIGCONT)
    assert process.wait(60) == 0
    return broken_invariants()


# --- Believed only because each catches the variant that is broken -----------------------------------------------


@pytest.mark.only_on("sqlite")
def test_a_row_that_comes_before_its_file_is_caught(settings, app):
    make_user(Role.AGENT)
    die_at(settings, "after_commit", "row_before_file")

    assert broken_invariants() == ["I5: screen.png has no whole file"]


@pytest.mark.only_on("sqlite")
def test_a_sweep_without_grace_is_caught(settings, app, clock, monkeypatch):
    monkeypatch.setattr(keeping, "GRACE", timedelta(0))

    assert slow_upload_beside_a_sweep(settings, clock) == ["I5: screen.png has no whole file"]
