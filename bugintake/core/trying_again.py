"""Requests whose transaction the database ended, because it and another waited for each other."""

import logging
from collections.abc import Callable
from random import SystemRandom
from time import sleep
from typing import Any

from sqlalchemy.exc import OperationalError

ENDED_FOR_ANOTHER = ("40P01", "40001")  # deadlock, serialization failure
PAUSES = (0.1, 0.4)  # seconds before each further try: whoever was let through comes first, not a second deadlock

log = logging.getLogger(__name__)


def once_more(answer: Callable[[], Any]) -> Callable[[], Any]:
    """Wrap what answers requests: one whose transaction was ended for another is answered anew, twice at most.

    Raises OperationalError where the last try fails too.
    """

    def answer_again() -> Any:
        for pause in PAUSES:
            try:
                return answer()
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in ENDED_FOR_ANOTHER:
                    raise
                log.warning("Two transactions waited for each other; one is tried again")
                sleep(SystemRandom().uniform(pause / 2, pause))  # two that were ended do not meet again
        return answer()

    return answer_again
