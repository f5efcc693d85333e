"""The one place that asks what time it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_frozen_at: datetime | None = None


def now() -> datetime:
    """Tell the time, aware and in UTC."""
    return _frozen_at or datetime.now(UTC)


def today(zone: ZoneInfo) -> date:
    """Tell which day it is in a zone."""
    return now().astimezone(zone).date()


def freeze(at: datetime | None) -> None:
    """Stand still at an aware instant, or run again with None; for tests and for writing past history of a sample."""
    global _frozen_at
    if at is not None and at.tzinfo is None:
        raise ValueError("The clock needs an aware time.")
    _frozen_at = at.astimezone(UTC) if at else None


@contextmanager
def travel() -> Iterator[None]:
    """Let a block freeze the time as it likes; afterwards it is what it was, running or not."""
    before = _frozen_at
    try:
        yield
    finally:
        freeze(before)
