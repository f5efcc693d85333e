"""F-K2: whatever moment a process dies at, each row has its file and each file its row (I5)."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.config import Settings
from bugintake.core.db import db
from bugintake.intake.attachments import keeping, storage
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.attachments.queries import damaged
from bugintake.team.models import Role
from tests.factories import make_user
from tests.faults.launching import Launcher

Start = Callable[..., int]


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher("run_upload.py")
    yield launcher
    launcher.close()


@pytest.fixture
def start(launcher: Launcher, settings: Settings) -> Start:
    """Start a process that keeps a file and does what its point says; gives its process id."""
    environment = {"BUGINTAKE_DATA": str(settings.data), "BUGINTAKE_DATABASE_URL": settings.database_url}

    def start(point: str, mutant: str = "") -> int:
        return launcher.start(environment, point=point, mutant=mutant)

    return start


@pytest.fixture
def die_at(launcher: Launcher, start: Start) -> Callable[..., None]:
    """Let a process die at a point."""

    def die(point: str, mutant: str = "") -> None:
        assert launcher.wait(start(point, mutant)) == signal.SIGKILL

    return die


@pytest.fixture
def upload_beside_a_sweep(launcher: Launcher, start: Start, clock: Any) -> Callable[[], list[str]]:
    """Sweep while a process stands still between its file and its row; gives what is broken once it is through."""

    def sweep() -> list[str]:
        make_user(Role.AGENT)
        slow = start("slow_after_file")
        assert os.WIFSTOPPED(launcher.wait(slow))
        let_pass(clock, timedelta(minutes=1))
        keeping.sweep()
        os.kill(slow, signal.SIGCONT)
        assert launcher.wait(slow) == 0
        return broken_invariants()

    return sweep


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


@pytest.mark.parametrize("point", ["in_the_file", "after_file", "after_commit", "after_removal"])
def test_f_k2_a_killed_process_leaves_no_row_without_its_file_and_files_that_are_swept(die_at, app, clock, point):
    make_user(Role.AGENT)
    die_at(point)
    orphans = broken_invariants()

    let_pass(clock, timedelta(minutes=59))
    keeping.sweep()
    assert broken_invariants() == orphans  # within the hour somebody may still be at it
    let_pass(clock, timedelta(minutes=61))
    keeping.sweep()

    assert [line for line in orphans if "no whole file" in line] == []
    assert bool(orphans) == (point != "after_commit")
    assert broken_invariants() == []


def test_f_k2_a_sweep_takes_nothing_from_a_process_that_is_only_slow(app, upload_beside_a_sweep):
    assert upload_beside_a_sweep() == []


# --- Believed only because each catches the variant that is broken -----------------------------------------------


@pytest.mark.only_on("sqlite")
def test_a_row_that_comes_before_its_file_is_caught(app, die_at):
    make_user(Role.AGENT)
    die_at("after_commit", "row_before_file")

    assert broken_invariants() == ["I5: screen.png has no whole file"]


@pytest.mark.only_on("sqlite")
def test_a_sweep_without_grace_is_caught(app, upload_beside_a_sweep, monkeypatch):
    monkeypatch.setattr(keeping, "GRACE", timedelta(0))

    assert upload_beside_a_sweep() == ["I5: screen.png has no whole file"]
