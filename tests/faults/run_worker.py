"""Starts workers that kill or stop themselves at a named point, each a process of its own, forked from a warm one.

Reads one order per line from standard input, as JSON, and answers each with a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from bugintake.app import create_app
from bugintake.core import clock
from bugintake.loop import worker
from tests.faults.mutants import MUTANTS
from tests.faults.points import POINTS


def work(point: str, at: str, mutant: str) -> None:
    """Work one round, as far as the point. Settings come from the environment, the time from the test."""
    app = create_app()
    clock.freeze(datetime.fromisoformat(at))
    with app.app_context():
        if mutant:
            MUTANTS[mutant][0](setattr)
        POINTS[point]()
    while worker.sweep(app):
        worker.send(app)


def start(order: dict[str, Any]) -> int:
    """Start one worker and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.environ.update(order["environment"])
        work(order["point"], order["at"], order["mutant"])
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)


def main() -> None:
    """Take orders until the test is over; leave no worker behind."""
    started = []
    for line in sys.stdin:
        order = json.loads(line)
        if "point" in order:
            answer = start(order)
            started.append(answer)
        else:
            answer = os.waitpid(order["wait"], os.WUNTRACED)[1]
            if not os.WIFSTOPPED(answer):
                started.remove(order["wait"])
        print(answer, flush=True)
    for pid in started:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
