"""How long an answer may take: three working days until a reminder, and three more until the bug is paused."""

from datetime import datetime

from bugintake.core import clock
from bugintake.team.workspace import working_hours

DAYS = 3


def runs_out_at(start: datetime) -> datetime:
    """Say when somebody who was asked, or reminded, at an instant has had time enough."""
    return working_hours().add_working(start, _minutes())


def latest_start(now: datetime) -> datetime:
    """Return the last instant from which the time for an answer is over by now."""
    return working_hours().latest_start(now, _minutes())


def _minutes() -> float:
    opens, closes = working_hours().span(clock.now().date())
    return DAYS * (closes - opens).total_seconds() / 60
