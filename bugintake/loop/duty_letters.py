"""What mails about duty say, written when they leave, so that they say what is true then."""

from datetime import timedelta

from babel.dates import format_date
from flask_babel import gettext, ngettext

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.duty.gaps import coming_gaps
from bugintake.duty.plans import PlannedShift
from bugintake.duty.reminders import Reminder, coming_reminders
from bugintake.loop.letters import LOCALES
from bugintake.loop.mail import Line
from bugintake.loop.models import Delivery
from bugintake.team.models import User
from bugintake.triage.queue import queue

SLOTS_SHOWN = 5
Written = tuple[str, list[Line]]


def reminder(delivery: Delivery, user: User) -> Written | None:
    """Say when it is somebody's turn, while it is."""
    found = [coming for coming in coming_reminders(clock.now()) if coming.key == delivery.key]
    if not found or found[0].person.id != user.id:
        return None
    shift = found[0].shift
    day, hours = _day(shift, user), _hours(shift)
    is_tomorrow = shift.on == clock.now().astimezone(found[0].zone).date() + timedelta(days=1)
    if is_tomorrow:
        subject = gettext("You're on bug duty tomorrow, %(day)s, %(hours)s", day=day, hours=hours)
    else:
        subject = gettext("You're on bug duty on %(day)s, %(hours)s", day=day, hours=hours)
    return subject, _reminder_lines(found[0], user)


def gap(delivery: Delivery, user: User) -> Written | None:
    """Say when nobody is on duty, while it is so."""
    found = next((gap for gap in coming_gaps(clock.now()) if f"{gap.key}:{user.id}" == delivery.key), None)
    if found is None:
        return None
    slots = [f"{_day(slot, user)}, {_hours(slot)}" for slot in found.slots]
    words = gettext("nobody in %(rotation)s is there on these days, so nobody is on duty:", rotation=found.rotation)
    more = [gettext("%(count)d more", count=len(slots) - SLOTS_SHOWN)] if len(slots) > SLOTS_SHOWN else []
    zone = gettext("Times are %(zone)s.", zone=str(found.slots[0].zone))
    lines = [Line(words), *(Line(slot) for slot in slots[:SLOTS_SHOWN]), *(Line(said) for said in more)]
    asked = Line(gettext("Find somebody, or take it yourself:"), url=f"{settings().base_url}/duty/schedule")
    return gettext("Nobody is on bug duty on %(day)s", day=_day(found.slots[0], user)), [*lines, asked, Line(zone)]


def _reminder_lines(coming: Reminder, user: User) -> list[Line]:
    zone = gettext("Times are %(zone)s.", zone=str(coming.zone))
    if coming.previous is not None:
        takes_over = gettext("you take over from %(name)s.", name=coming.previous.first_name)
    else:
        takes_over = gettext("it is your turn.")
    _, count = queue(user)
    waiting = ngettext(
        "Right now there is %(num)d bug to look at.", "Right now there are %(num)d bugs to look at.", count
    )
    lines = [Line(f"{takes_over} {waiting}")]
    lines.append(Line(gettext("Cannot do it? See the schedule:"), url=f"{settings().base_url}/duty/schedule"))
    if coming.next_shifts:
        days = ", ".join(_day(shift, user) for shift in coming.next_shifts)
        zone = f"{gettext('Your next days after that: %(days)s.', days=days)} {zone}"
    return [*lines, Line(zone)]


def _day(shift: PlannedShift, user: User) -> str:
    return format_date(shift.on, "EEE d MMM", locale=LOCALES.get(user.language, "en_GB"))


def _hours(shift: PlannedShift) -> str:
    return f"{shift.start:%H:%M}–{shift.end:%H:%M}"
