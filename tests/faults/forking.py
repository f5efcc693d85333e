"""Starts processes that kill or stop themselves, each forked from a warm one.

Reads one order per line from standard input, as JSON, and answers each with a line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

Work = Callable[..., None]


def take_orders(work: Work) -> None:
    """Take orders until the test is over; leave no process behind."""
    started = []
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            answer = os.waitpid(order["wait"], os.WUNTRACED)[1]
            if not os.WIFSTOPPED(answer):
                started.remove(order["wait"])
        else:
            answer = start(work, **order)
            started.append(answer)
        print(answer, flush=True)
    for pid in started:
        os.kill(pid, signal.SIGKILL)


def start(work: Work, environment: dict[str, str], given: dict[str, Any]) -> int:
    """Start one process that does some work, and return its process id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.environ.update(environment)
        work(**given)
        status = 0
    except BaseException:
        traceback.print_exc()
    os._exit(status)
