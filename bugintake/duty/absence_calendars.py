"""Days away from a calendar's address: read every hour by the worker; what was read last holds while it cannot be."""

from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from bugintake.core import clock, events, outside
from bugintake.core.db import db, one_at_a_time, transaction, update_one
from bugintake.core.errors import Invalid, NotFound, Refusal
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line, zone_or_utc
from bugintake.duty import absences, queries
from bugintake.duty.calendar_days import days_away, ranges
from bugintake.duty.models import Absence, AbsenceCalendar
from bugintake.team.models import Role, User

EVERY = timedelta(hours=1)


def follow(person: User, url: str, *, actor: User) -> None:
    """Let the days away of a person follow a calendar; it replaces the one before. Nothing is asked yet.

    Records absence.calendar_added. Raises Invalid for what is no address of the web.
    """
    url = clean_line(url)
    if url.startswith("webcal://"):
        url = f"https://{url.removeprefix('webcal://')}"
    try:
        outside.check(url)
    except outside.Refused as why:
        raise Invalid(str(why), "url") from why
    one_at_a_time(f"calendar of {person.id}")
    if calendar_of(person) is not None:
        stop(person, actor=actor)
    db.session.add(AbsenceCalendar(user_id=person.id, url=url, look_at=clock.now()))
    db.session.flush()
    events.record(EventKind.ABSENCE_CALENDAR_ADDED, actor=actor, user=person)


def stop(person: User, *, actor: User) -> None:
    """No longer read a person's calendar; the days to come that it gave are taken back.

    Records absence.calendar_removed. Raises NotFound where there is none.
    """
    one_at_a_time(f"calendar of {person.id}")
    calendar = calendar_of(person)
    if calendar is None:
        raise NotFound
    _settle(calendar, person, set(), actor=actor)
    db.session.execute(
        sa.update(Absence).where(Absence.calendar_id == calendar.id).values(calendar_id=None),
        execution_options={"synchronize_session": False},
    )
    db.session.delete(calendar)
    db.session.flush()
    events.record(EventKind.ABSENCE_CALENDAR_REMOVED, actor=actor, user=person)


def calendar_of(person: User) -> AbsenceCalendar | None:
    """Return the calendar that a person's days away follow."""
    return db.session.scalars(sa.select(AbsenceCalendar).where(AbsenceCalendar.user_id == person.id)).first()


def read_one() -> bool:
    """Read one calendar that is due, outside any transaction; tell whether there was one."""
    now = clock.now()
    due = sa.select(AbsenceCalendar).join(AbsenceCalendar.user).options(contains_eager(AbsenceCalendar.user))
    due = due.where(AbsenceCalendar.look_at <= now, User.disabled_at.is_(None))
    calendar = db.session.scalars(due.order_by(AbsenceCalendar.look_at).limit(1)).first()
    if calendar is None:
        return False
    claim = sa.update(AbsenceCalendar).where(
        AbsenceCalendar.id == calendar.id, AbsenceCalendar.look_at == calendar.look_at
    )
    with transaction():
        if not update_one(claim.values(look_at=now + EVERY)):
            return True  # another worker was faster
    zone = zone_or_utc(calendar.user.zone)
    days: set[date] | None = None
    try:
        days, trouble = days_away(_fetched(calendar.url), clock.today(zone), zone), ""
    except (outside.Refused, outside.Unreachable) as error:
        trouble = str(error)
    except Invalid as refusal:
        trouble = refusal.sentence
    with transaction():
        _keep(calendar.id, days, trouble, now)
    return True


def _fetched(url: str) -> bytes:
    answer = outside.fetch(url, {"Accept": "text/calendar"})
    if answer.status != 200:
        raise outside.Unreachable(f"{urlsplit(url).hostname} answers {answer.status}.")
    return answer.body


def _keep(calendar_id: int, days: set[date] | None, trouble: str, now: datetime) -> None:
    calendar = db.session.get(AbsenceCalendar, calendar_id, populate_existing=True)
    if calendar is None or not calendar.user.is_active or not calendar.user.can(Role.ENGINEER):
        return
    calendar.trouble = trouble[:200]
    if days is not None:
        calendar.read_at = now
        _settle(calendar, calendar.user, days, actor=calendar.user)
    db.session.flush()


def _settle(calendar: AbsenceCalendar, person: User, days: set[date], *, actor: User) -> None:
    """Bring the absences of a calendar to its days; days that are noted otherwise stay as they are."""
    coming = queries.coming_absences(person)
    there = {(each.first_on, each.last_on): each for each in coming if each.calendar_id == calendar.id}
    others = [each for each in coming if each.calendar_id != calendar.id]
    free = {day for day in days if not any(each.first_on <= day <= each.last_on for each in others)}
    today = clock.today(zone_or_utc(person.zone))
    wanted = [(first, last) for first, last in ranges(free) if last >= today]
    running = {first: each for (first, _), each in there.items() if each.starts_at <= clock.now()}
    for span, absence in there.items():
        if span not in wanted and absence.first_on not in {first for first, _ in wanted if first in running}:
            absences.take_back(absence, actor=actor, from_calendar=True)
    for first, last in wanted:
        if (first, last) in there:
            continue
        if first in running:
            absences.change_absence(running[first], first, last, actor=actor, from_calendar=True)
            continue
        try:
            absences.note_absence(person, first, last, actor=actor).calendar_id = calendar.id
        except Refusal as refusal:
            calendar.trouble = refusal.sentence[:200]
