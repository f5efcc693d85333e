"""How long whoever does not answer is left alone: longer each time, and never all at the same moment again."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from random import SystemRandom

PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
AT_MOST = timedelta(days=1)
BUSY = (429, 503)


def pause_after(failures: int) -> timedelta:
    """Say how long to wait after a number of failures: 1, 5, 15, 60 minutes, then hourly, each somewhat varied."""
    return jittered(PAUSES[min(failures, len(PAUSES)) - 1])


def wanted(status: int | None, retry_after: str, now: datetime) -> timedelta:
    """Read how long a server that is busy wants to be left alone, up to a day: seconds, a date, or nothing."""
    if status not in BUSY:
        return timedelta(0)
    if retry_after.isascii() and retry_after.isdigit():
        return min(timedelta(seconds=int(retry_after[:9])), AT_MOST)
    try:
        return min(max(parsedate_to_datetime(retry_after) - now, timedelta(0)), AT_MOST)
    except (ValueError, TypeError):
        return timedelta(0)


def jittered(span: timedelta) -> timedelta:
    """Vary a span by a fifth, so that what waited together does not return together."""
    return span * SystemRandom().uniform(0.8, 1.2)
