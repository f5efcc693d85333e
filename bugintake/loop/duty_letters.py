"""What mails about duty say, written when they leave, so that they say what is true then."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from babel.dates import format_skeleton
from flask_babel import gettext, ngettext

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.duty import told
from bugintake.duty.gaps import coming_gaps
from bugintake.duty.models import Rotation
from bugintake.duty.plans import Plan, PlannedShift, load_plan
from bugintake.duty.reminders import Reminder, coming_reminders
from bugintake.intake import catalogue
from bugintake.intake.models import OptionList
from bugintake.loop.dates import LOCALES
from bugintake.loop.handoff_letters import note_so_far
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Delivery
from bugintake.team.models import User
from bugintake.triage.queue import count_worst, queue

SLOTS_SHOWN = 5


def reminder(delivery: Delivery, user: User) -> Written | None:
    """Say when it is somebody's turn, while it is; of several days that were due at once, the first that still is."""
    keys = {delivery.key, *delivery.params.get("also", ())}
    found = [each for each in coming_reminders(clock.now()) if each.key in keys and each.person.id == user.id]
    if not found:
        return None
    shift = found[0].shift
    day, hours = _day(shift, user), ", ".join(map(_hours, found[0].shifts))
    is_tomorrow = shift.on == clock.now().astimezone(found[0].zone).date() + timedelta(days=1)
    if is_tomorrow:
        subject = gettext("You're on bug duty tomorrow, %(day)s, %(hours)s", day=day, hours=hours)
    else:
        subject = gettext("You're on bug duty on %(day)s, %(hours)s", day=day, hours=hours)
    return subject, _reminder_lines(found, user)


def changed(delivery: Delivery, user: User) -> Written | None:
    """Say which hours of duty moved, as far as it is still so."""
    rotation = db.session.get_one(Rotation, delivery.params["rotation"])
    now = clock.now()
    plan = load_plan(now, now + told.AHEAD, rotation)
    if plan is None:
        return None
    gained, lost = (_hours_of(delivery.params[name], now) for name in ("gained", "lost"))
    yours = [hours for hours in gained if _is_on(plan, hours, user)]
    no_longer = [hours for hours in lost if not _is_on(plan, hours, user)]
    if not yours and not no_longer:
        return None
    lines = []
    if yours:
        said = [_stretch(plan, hours, user) for hours in yours]
        lines += [Line(gettext("bug duty is now yours on these days:")), *_some(said)]
    if no_longer:
        said = [_stretch(plan, hours, user) + _who_has(plan, hours) for hours in no_longer]
        lines += [Line(gettext("bug duty is no longer yours on these days:")), *_some(said)]
    zone = gettext("Times are %(zone)s.", zone=str(plan.zone_at(now)))
    url = f"{settings().base_url}/duty/me"
    return _subject(plan, yours, no_longer, user), [*lines, Line(gettext("Your duty:"), url=url), Line(zone)]


def _subject(plan: Plan, yours: list[told.Hours], no_longer: list[told.Hours], user: User) -> str:
    if len(yours) + len(no_longer) > 1:
        return str(gettext("Your bug duty changed"))
    day = day_in_words((yours or no_longer)[0][0].astimezone(plan.zone_at(clock.now())), user)
    if yours:
        return str(gettext("Your bug duty changed: %(day)s is now yours", day=day))
    return str(gettext("Your bug duty changed: %(day)s is no longer yours", day=day))


def _hours_of(kept: list[list[str]], now: datetime) -> list[told.Hours]:
    found = [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in kept]
    return [(max(start, now), end) for start, end in found if end > now]


def _is_on(plan: Plan, hours: told.Hours, user: User) -> bool:
    planned = plan.at(hours[0])
    return planned is not None and planned.shift.person_id == user.id


def _who_has(plan: Plan, hours: told.Hours) -> str:
    planned = plan.at(hours[0])
    if planned is None or planned.person is None:
        return ""
    return f" ({gettext('%(name)s has it', name=planned.person.first_name)})"


def _stretch(plan: Plan, hours: told.Hours, user: User) -> str:
    start, end = (at.astimezone(plan.zone_at(hours[0])) for at in hours)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{day_in_words(end, user)} {end:%H:%M}"
    return f"{day_in_words(start, user)}, {start:%H:%M}–{until}"


def _some(said: list[str]) -> list[Line]:
    more = [gettext("%(count)d more", count=len(said) - SLOTS_SHOWN)] if len(said) > SLOTS_SHOWN else []
    return [Line(each) for each in [*said[:SLOTS_SHOWN], *more]]


def gap(delivery: Delivery, user: User) -> Written | None:
    """Say when nobody is on duty, while it is so."""
    found = next((gap for gap in coming_gaps(clock.now()) if f"{gap.key}:{user.id}" == delivery.key), None)
    if found is None:
        return None
    slots = [f"{_day(slot, user)}, {_hours(slot)}" for slot in found.slots]
    words = gettext("nobody in %(rotation)s is there on these days, so nobody is on duty:", rotation=found.rotation)
    zone = gettext("Times are %(zone)s.", zone=str(found.slots[0].zone))
    lines = [Line(words), *_some(slots)]
    asked = Line(gettext("Find somebody, or take it yourself:"), url=f"{settings().base_url}/duty/schedule")
    return gettext("Nobody is on bug duty on %(day)s", day=_day(found.slots[0], user)), [*lines, asked, Line(zone)]


def _reminder_lines(found: Sequence[Reminder], user: User) -> list[Line]:
    coming = found[0]
    zone = gettext("Times are %(zone)s.", zone=str(coming.zone))
    if coming.previous is not None:
        takes_over = gettext("you take over from %(name)s.", name=coming.previous.first_name)
    else:
        takes_over = gettext("it is your turn.")
    rotation_id = coming.shift.rotation.id
    _, count = queue(user, rotation_id)
    waiting = ngettext(
        "Right now there is %(num)d bug to look at.", "Right now there are %(num)d bugs to look at.", count
    )
    if worst := count_worst(user, rotation_id):
        choices = catalogue.names().choices.values()
        impact = next(choice.label for choice in choices if choice.list == OptionList.IMPACT and choice.position <= 1)
        waiting += f" {gettext('%(count)d of them: %(impact)s.', count=worst, impact=impact)}"
    lines = [Line(f"{takes_over} {waiting}"), *note_so_far(coming, user)]
    lines.append(Line(gettext("Cannot do it? Ask for a swap:"), url=f"{settings().base_url}/duty/me"))
    lines.append(Line(gettext("Duty in your calendar:"), url=f"{settings().base_url}/duty/feeds"))
    after = {shift.on: shift for shift in (*(each.shift for each in found[1:]), *coming.next_shifts)}
    if after:
        days = ", ".join(_day(after[on], user) for on in sorted(after))
        zone = f"{gettext('Your next days after that: %(days)s.', days=days)} {zone}"
    return [*lines, Line(zone)]


def _day(shift: PlannedShift, user: User) -> str:
    return day_in_words(shift.start, user)


def day_in_words(day: date, user: User) -> str:
    """Write a day as its reader does: Mon 14 Sept, or Mo., 14. Sept."""
    at = datetime.combine(day, time(0))
    return str(format_skeleton("MMMEd", at, locale=LOCALES.get(user.language, "en_GB")))


def _hours(shift: PlannedShift) -> str:
    return f"{shift.start:%H:%M}–{shift.end:%H:%M}"
