"""Being away: noted beforehand, so that nobody is on duty then; taken back, the plan is what it was."""

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, NotFound, NotPermitted
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line, zone_or_utc
from bugintake.duty import queries
from bugintake.duty.models import Absence
from bugintake.duty.wall_clock import instant
from bugintake.team import people
from bugintake.team.models import Role, User

LONGEST = timedelta(days=366)
FARTHEST = timedelta(days=3660)
WORD_LENGTH = 80


def note_absence(person: User, first_on: date, last_on: date, *, actor: User, word: str = "") -> Absence:
    """Record that a person is away from one day to another, both included: on duty, whoever is next stands in.

    The days are those of the person's zone. What began already holds from now on. Records absence.noted.
    Raises NotPermitted unless it is one's own or a lead notes it, and Invalid for days that cannot be.
    """
    _check_permitted(person, actor)
    if not person.is_active:
        raise Invalid(f"{person.name} does not work here any more.", "person")
    absence = Absence(user_id=person.id, zone=person.zone, made_by_id=actor.id)
    _lock(person.id)
    _fill(absence, first_on, last_on, word, since=_now())
    db.session.add(absence)
    db.session.flush()
    _record(EventKind.ABSENCE_NOTED, absence, person, actor, after=_days(absence))
    return absence


def change_absence(
    absence: Absence, first_on: date, last_on: date, *, actor: User, word: str = "", from_calendar: bool = False
) -> None:
    """Move or reword an absence; one that has begun keeps its first day. Records absence.changed.

    Raises what note_absence raises, and Conflict where it is over or taken back.
    """
    person, now = _open(absence, actor, from_calendar=from_calendar)
    if absence.starts_at < now and first_on != absence.first_on:
        raise Invalid("This has begun, so its first day stays.", "first_on")
    before = _days(absence)
    _fill(absence, first_on, last_on, word, since=min(absence.starts_at, now))
    db.session.flush()
    _record(EventKind.ABSENCE_CHANGED, absence, person, actor, before=before, after=_days(absence))


def take_back(absence: Absence, *, actor: User, from_calendar: bool = False) -> None:
    """Let a person be there again from now on; what the absence changed from then on is as it was.

    Records absence.taken_back. Raises NotPermitted, or Conflict when it is over already.
    """
    person, now = _open(absence, actor, from_calendar=from_calendar)
    before = _days(absence)
    if absence.starts_at < now:
        absence.ends_at = now
    else:
        absence.taken_back_at = clock.now()
    db.session.flush()
    _record(EventKind.ABSENCE_TAKEN_BACK, absence, person, actor, before=before)


def absence_or_404(absence_id: int, actor: User) -> Absence:
    """Load an absence of one's own, or for a lead anybody's. Raises NotFound."""
    found = db.session.get(Absence, absence_id) if absence_id < 2**31 else None
    if found is None or not (found.user_id == actor.id or actor.can(Role.LEAD)):
        raise NotFound
    return found


def person_or_refuse(person_id: int) -> User:
    """Find whom a lead notes an absence for. Raises Invalid for nobody who works here."""
    found = next((person for person in people.working_here() if person.id == person_id), None)
    if found is None:
        raise Invalid("Choose somebody who works here.", "person")
    return found


def _check_permitted(person: User, actor: User) -> None:
    if person.id != actor.id and not actor.can(Role.LEAD):
        raise NotPermitted("Only whoever is away, or a lead, can say so.")


def _open(absence: Absence, actor: User, *, from_calendar: bool) -> tuple[User, datetime]:
    """Check that an absence may still be changed; its person is locked, as is whoever notes one."""
    _check_permitted(absence.user, actor)
    _lock(absence.user_id)
    db.session.refresh(absence)
    if absence.calendar_id is not None and not from_calendar:
        raise Conflict("This is from a calendar: change it there, or stop reading the calendar.")
    now = _now()
    if absence.taken_back_at is not None or absence.ends_at <= now:
        raise Conflict("This is over already, so there is nothing to change.")
    return absence.user, now


def _fill(absence: Absence, first_on: date, last_on: date, word: str, *, since: datetime) -> None:
    zone = zone_or_utc(absence.zone)
    today = clock.today(zone)
    word = clean_line(word)
    if last_on < first_on:
        raise Invalid("The last day lies before the first.", "last_on")
    if last_on - first_on >= LONGEST:
        raise Invalid("That is more than a year. Note the first year, and the rest when it comes.", "last_on")
    if abs(last_on - today) > FARTHEST:
        raise Invalid("Choose days within ten years of today.", "last_on")
    if last_on < today:
        raise Invalid("Those days are over.", "last_on")
    if len(word) > WORD_LENGTH:
        raise Invalid(f"Use at most {WORD_LENGTH} characters.", "word")
    starts_at = max(instant(datetime.combine(first_on, time(0)), zone), since)
    ends_at = instant(datetime.combine(last_on + timedelta(days=1), time(0)), zone)
    if ends_at <= starts_at:
        raise Invalid(f"That day was left out in {absence.zone}.", "first_on")
    _check_free(absence, starts_at, ends_at)
    absence.first_on, absence.last_on, absence.word = first_on, last_on, word
    absence.starts_at, absence.ends_at = starts_at, ends_at


def _check_free(absence: Absence, starts_at: datetime, ends_at: datetime) -> None:
    others = sa.select(Absence).where(
        Absence.user_id == absence.user_id,
        Absence.taken_back_at.is_(None),
        Absence.starts_at < ends_at,
        Absence.ends_at > starts_at,
        Absence.id != (absence.id or 0),
    )
    with db.session.no_autoflush:
        other = db.session.scalars(others.limit(1)).first()
    if other is not None:
        raise Invalid(
            f"That overlaps an absence noted already: {other.first_on:%d %b %Y} to {other.last_on:%d %b %Y}.",
            "first_on",
        )


def _lock(person_id: int) -> None:
    """Let nobody else note absences of this person until the transaction ends; SQLite has one writer anyway."""
    db.session.execute(sa.select(User.id).where(User.id == person_id).with_for_update(key_share=True))


def _now() -> datetime:
    return clock.now().replace(second=0, microsecond=0)


def _days(absence: Absence) -> str:
    return f"{absence.first_on.isoformat()}/{absence.last_on.isoformat()}"


def _record(
    kind: EventKind,
    absence: Absence,
    person: User,
    actor: User,
    *,
    before: str | None = None,
    after: str | None = None,
) -> None:
    events.record(kind, actor=actor, user=person, before=before, after=after, absence_id=absence.id)
    queries.forget_plan()
