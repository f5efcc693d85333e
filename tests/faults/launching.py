"""Processes that end badly, and what a fault story plays on."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bugintake.core.config import Settings
from bugintake.core.db import db
from tests.faults.rig import broken_invariants, message_states, states, work
from tests.faults.server import FaultServer

LEASE_IS_OVER = timedelta(minutes=16)


class Launcher:
    """Starts processes that end badly, each forked from one that has loaded a program of this folder."""

    def __init__(self, program: str) -> None:
        command = [sys.executable, str(Path(__file__).with_name(program))]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, environment: dict[str, str], **given: str) -> int:
        """Start one and return its process id."""
        return self._ask({"environment": environment, "given": given})

    def wait(self, pid: int) -> int:
        """Return how one stopped or ended, as os.waitpid() does."""
        return self._ask({"wait": pid})

    def close(self) -> None:
        """Start no more."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def _ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@dataclass
class Rig:
    """What a fault story plays on."""

    settings: Settings
    sink: FaultServer
    clock: Any
    launcher: Launcher
    mutant: str = ""

    def start_worker(self, point: str) -> int:
        """Start a worker that does what its point says."""
        environment = {
            "BUGINTAKE_DATA": str(self.settings.data),
            "BUGINTAKE_DATABASE_URL": self.settings.database_url,
            "BUGINTAKE_SMTP_URL": self.settings.smtp_url,
            "BUGINTAKE_SECRET_KEY": self.settings.secret_key,
            "BUGINTAKE_BASE_URL": self.settings.base_url,
        }
        at = self.clock.now().isoformat()
        return self.launcher.start(environment, point=point, at=at, mutant=self.mutant)

    def kill_worker(self, point: str) -> None:
        """Let a worker die at a point."""
        db.session.rollback()
        assert self.launcher.wait(self.start_worker(point)) == signal.SIGKILL

    def outlast_leases(self) -> None:
        """Let other workers go on until whatever the dead one held has come back."""
        for _ in range(3):
            self.clock.advance(LEASE_IS_OVER)
            work()

    def holds(self) -> None:
        """Check that nobody was told twice and nobody was forgotten."""
        assert broken_invariants(self.sink) == []
        assert set(states()) <= {"sent", "uncertain"}
        assert states().get("uncertain", 0) <= 1
        assert states() == message_states()
