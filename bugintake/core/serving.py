"""Web and worker under one supervisor, which restarts what dies and stops both in good order."""

import errno
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from flask import Flask

from bugintake.core.config import Settings
from bugintake.core.db import db

WEB_PROCESSES = 2
WEB_THREADS = 4
WEB_GRACE = 5
GRACE = 10
START_WITHIN = 30
RESTART_AFTER = 0.5
LOOKS_EVERY = 0.05

log = logging.getLogger(__name__)

Job = Callable[[], None]


class CannotServe(Exception):
    """The server cannot start; the message says why."""


def refuse_taken_port(settings: Settings) -> None:
    """Raise CannotServe where something else listens already; web processes share their port and would not notice."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                reason = "something else listens there. Stop it, or choose another one with --port or BUGINTAKE_PORT"
            else:
                reason = error.strerror or str(error)
            raise CannotServe(f"Port {settings.port} of {settings.host} cannot be used: {reason}.") from error


class Supervisor:
    """Keeps each of its jobs running in a process of its own until it is told to stop.

    The app is loaded once and the processes are forked from it, so they start at once and share its memory. No
    database connection crosses a fork. Each process stops by itself when the supervisor is gone.
    """

    def __init__(self, jobs: dict[str, Job]) -> None:
        self._jobs = jobs
        self._running: dict[int, str] = {}
        self._due: dict[str, float] = dict.fromkeys(jobs, 0.0)
        self._is_stopping = False
        self._lifeline = os.pipe()

    def run(self, when_ready: Callable[[], bool]) -> None:
        """Start everything, call `when_ready` until it has had its say, and return once everything has stopped."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        db.engine.dispose()
        gc.collect()
        gc.freeze()
        is_ready = False
        while not self._is_stopping:
            for name in [name for name, at in self._due.items() if at <= time.monotonic()]:
                del self._due[name]
                self._start(name)
            is_ready = is_ready or when_ready()
            self._bury()
            time.sleep(LOOKS_EVERY if not is_ready or self._due else LOOKS_EVERY * 4)
        self._end()

    def _start(self, name: str) -> None:
        child = os.fork()
        if child:
            self._running[child] = name
            return
        status = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            os.setpgid(0, 0)  # Ctrl-C is for the supervisor, which then stops the others in good order
            os.close(self._lifeline[1])
            stop_with(self._lifeline[0])
            self._jobs[name]()
            status = 0
        except SystemExit as leaving:
            status = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            log.exception("%s ended", name)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _bury(self) -> None:
        while self._running:
            child, status = os.waitpid(-1, os.WNOHANG)
            if child == 0:
                return
            name = self._running.pop(child, None)
            if name is not None and not self._is_stopping:
                how = os.waitstatus_to_exitcode(status)
                log.error("%s ended (%s); it is started again.", name, how)
                self._due[name] = time.monotonic() + RESTART_AFTER

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _end(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for child in self._running:
                os.kill(child, number)
            deadline = time.monotonic() + GRACE
            while self._running and time.monotonic() < deadline:
                self._bury()
                time.sleep(0.02)


def stop_with(lifeline: int) -> None:
    """Ask this process to stop once nobody holds the other end of a pipe any more, as when its parent was killed."""

    def watch() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def web(app: Flask, settings: Settings) -> None:
    """Answer requests until SIGTERM, with processes that are restarted when they die."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    lifeline = os.pipe()

    def load() -> Flask:
        os.close(lifeline[1])
        stop_with(lifeline[0])
        return app

    multiprocessing.set_start_method("fork", force=True)
    server = Granian(
        "bugintake",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=WEB_PROCESSES,
        blocking_threads=WEB_THREADS,
        respawn_failed_workers=True,
        respawn_interval=0.1,
        workers_kill_timeout=WEB_GRACE,
        log_level=LogLevels.error,
    )
    server.serve(target_loader=load, wrap_loader=False)


def answers(settings: Settings) -> bool:
    """Whether the server takes connections yet."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # as it is reached from here
    try:
        socket.create_connection((host, settings.port), timeout=1).close()
    except OSError:
        return False
    return True
