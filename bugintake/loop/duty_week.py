"""The mail about the team's week on duty: on Mondays, once, to whoever takes turns and to leads."""

from datetime import date, datetime

from flask_babel import gettext

from bugintake.core.config import settings
from bugintake.duty import week
from bugintake.duty.week import Week
from bugintake.loop.duty_letters import day_in_words
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.loop.notices import queue_new
from bugintake.team.models import User


def queue_weeks(now: datetime) -> int:
    """Owe the week to whoever hears of it by now, once, and tell how many do."""
    wanted = {f"duty-week:{monday.isoformat()}:{user.id}": user for user, monday in week.readers(now)}
    return queue_new(DeliveryKind.DUTY_WEEK, wanted)


def letter(delivery: Delivery, user: User) -> Written | None:
    """Say who is on duty this week, or that nobody is; nothing to whoever has nothing to do with it any more."""
    monday = date.fromisoformat(delivery.key.split(":")[1])
    found = week.weeks_for(user, monday)
    if not found:
        return None
    lines = [Line(gettext("this is the week on bug duty."))]
    for each in found:
        lines += _lines(each, user)
    lines.append(Line(gettext("The schedule:"), url=f"{settings().base_url}/duty/schedule"))
    return gettext("Bug duty this week, from %(day)s", day=day_in_words(monday, user)), lines


def _lines(found: Week, user: User) -> list[Line]:
    lines = [Line(f"{found.rotation.name} ({found.zone}):")]
    lines += [
        Line(f"{_days(cell.days[0], cell.days[-1], user)}: {cell.names}")
        for cell in found.cells
        if cell.parts or cell.holiday
    ]
    if len(lines) == 1:
        lines.append(Line(gettext("No duty this week.")))
    for absence in found.away:
        days = _days(absence.first_on, absence.last_on, user)
        lines.append(Line(gettext("%(name)s is away: %(days)s.", name=absence.user.first_name, days=days)))
    return lines


def _days(first: date, last: date, user: User) -> str:
    one, other = day_in_words(first, user), day_in_words(last, user)
    return one if first == last else str(gettext("%(first)s to %(last)s", first=one, last=other))
