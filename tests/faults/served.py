"""A running `bugintake serve`, seen from outside."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

PATIENCE = 60


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(found: Callable[[], Any], what: str) -> Any:
    """Ask again and again until something is so."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        threading.Event().wait(0.05)
    raise AssertionError(f"{what} did not happen within {PATIENCE} s.")


class Served:
    """A running `bugintake serve`, seen from outside."""

    def __init__(self, folder: Path, database: str) -> None:
        self.port = free_port()
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BUGINTAKE_")},
            "BUGINTAKE_DATA": str(folder),
            "BUGINTAKE_DATABASE_URL": database,
        }
        self.log = (folder / "log").open("w+")
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again at the same place."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bugintake.cli", "serve", "--port", str(self.port)],
            env=self.environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def said(self) -> str:
        """What it has printed so far."""
        return (self.folder / "log").read_text()

    def get(self, path: str) -> tuple[int, str]:
        """Fetch a page; (0, "") where nobody answers."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()
            except (OSError, http.client.HTTPException):
                return 0, ""

    def is_healthy(self) -> bool:
        """Whether web, database and worker all work."""
        return self.get("/healthz")[0] == 200

    def family(self) -> dict[int, psutil.Process]:
        """Everything that runs under it."""
        return {child.pid: child for child in psutil.Process(self.process.pid).children(recursive=True)}

    def web_and_worker(self) -> tuple[psutil.Process, psutil.Process]:
        """The process that keeps the web processes, and the worker."""
        web, worker = None, None
        for child in psutil.Process(self.process.pid).children():
            if child.children():
                web = child
            else:
                worker = child
        assert web is not None and worker is not None
        return web, worker

    def end(self) -> None:
        """Leave nothing running, whatever went wrong."""
        if self.process.poll() is None:
            for process in self.family().values():
                process.kill()
            self.process.kill()
            self.process.wait()
        self.log.close()
