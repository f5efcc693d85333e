"""Wall-clock times of a zone as instants, also where the clocks change."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES_OF_A_DAY = 24 * 60
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # a wall clock has no zone of its own


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """Turn a wall-clock time (naive) of a zone into the instant it stands for, in UTC.

    A time the clocks skip moves to the first instant that exists, a time that comes twice is its first
    occurrence (both as GoAlert does it). So a later wall time is never an earlier instant.
    """
    offset = zone.utcoffset(wall - _DAY)
    if offset is not None and offset == zone.utcoffset(wall + _DAY):
        return _EPOCH + (wall - offset - _WALL_EPOCH)
    local = wall.replace(tzinfo=zone, fold=0)
    at = local.astimezone(UTC)
    return at if at.astimezone(zone) == local else _first_after_the_gap(local)


def _first_after_the_gap(local: datetime) -> datetime:
    """Find when the clocks jumped over a time, to the second."""
    zone = local.tzinfo
    late = local.astimezone(UTC)
    early = local.replace(fold=1).astimezone(UTC)
    before = early.astimezone(zone).utcoffset()
    while late - early > _SECOND:
        middle = early + (late - early) // 2
        if middle.astimezone(zone).utcoffset() == before:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def minutes_between(start: time, end: time) -> int:
    """Count the minutes on the clock from one time to the next occurrence of another: 1 to 1440."""
    minutes = (end.hour * 60 + end.minute) - (start.hour * 60 + start.minute)
    return minutes if minutes > 0 else minutes + MINUTES_OF_A_DAY
