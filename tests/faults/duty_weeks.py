"""The story of a rotation across changes of the clocks, played by worker processes that are started anew each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.duty import handing_over, roster
from bugintake.duty.models import Rotation
from bugintake.duty.roster import Terms
from bugintake.duty.turns import TurnUnit
from bugintake.loop.models import Delivery, DeliveryKind, DeliveryState
from bugintake.team.models import User
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_user, make_workspace
from tests.faults.launching import Rig

FIRST = date(2026, 1, 5)
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/Chicago")
CHANGES = (date(2026, 3, 29), date(2026, 10, 25))
CHANGES_ELSEWHERE = (date(2026, 3, 8), date(2026, 4, 5), date(2026, 10, 4), date(2026, 11, 1))
KILLED_AT = ("never", "after_claim", "never", "after_250", "never", "before_data", "never", "after_commit")
HANDED_OVER = date(2025, 10, 20)  # a Monday; the clocks change on its Sunday
ENDED = {DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.CANCELLED}
ONE_DAY, ONE_MINUTE = timedelta(days=1), timedelta(minutes=1)
SATURDAY = 5


def clocks_change(rig: Rig) -> None:
    """On the Fridays before and the Mondays after both changes of the rotation's clock."""
    on_duty(rig, [(changed_on - 2 * ONE_DAY, changed_on + ONE_DAY) for changed_on in CHANGES])


def a_clock_changes(rig: Rig, changed_on: date) -> None:
    """Around a change of the rotation's or a person's clock, somewhat longer."""
    on_duty(rig, [_days(changed_on - 3 * ONE_DAY, 6)])


def a_week_changes_hands(rig: Rig) -> None:
    """Hand a week to somebody else, and a day of it on and back; two workers look at once, and some are killed.

    The taker hears of each day on the evening of the working day before, and of the weekend in one mail. Whoever has a
    day for an hour hears of it at once, and who gets it back was reminded of it already.
    """
    rig.clock.set(_utc(HANDED_OVER - 14 * ONE_DAY, 12))
    make_workspace(review_minutes=0, zone="Europe/Berlin")
    people = [make_user(name=f"{name} Test", zone="UTC") for name in ("Mira", "Ana", "Tin")]
    mira, ana, tin = people
    terms = Terms("Europe/Berlin", HANDED_OVER, time(9), time(17), range(7), people, turn_unit=TurnUnit.WEEKS)
    with transaction():
        desk = roster.add_rotation("Desk", terms, actor=None)
    everybody_knows(desk)
    friday, wednesday, thursday = (HANDED_OVER + days * ONE_DAY for days in (-3, 2, 3))
    _give(desk, HANDED_OVER, HANDED_OVER + 6 * ONE_DAY, mira, tin)
    evenings = [friday, *_days(HANDED_OVER, 5)]
    owed = [(_utc(day, 16), tin.id) for day in evenings]
    owed += [(_utc(wednesday, 18), ana.id), (_utc(evenings[-1], 16), ana.id)]
    looks = [_utc(friday, 15), *(_utc(day, 16) for day in evenings), *(_utc(wednesday, hour) for hour in (18, 19))]
    for at, point in zip(
        sorted([*looks, _utc(evenings[-1], 19)]), cycle(("never", "after_claim", "after_commit")), strict=False
    ):
        if at == _utc(wednesday, 18):
            _give(desk, thursday, thursday, tin, ana)
        if at == _utc(wednesday, 19):
            _give(desk, thursday, thursday, ana, tin)
        _look(rig, at, point, *(["never"] if at == _utc(at.date(), 16) else []))
        due = Counter(each for each in owed if each[0] <= at)
        assert _told(people) == due, f"told too early or twice, or forgotten, at {at}"
    _nobody_is_told_twice(rig)


def on_duty(rig: Rig, spans: Iterable[Iterable[date]]) -> None:
    """Start a worker a minute before and at four in the afternoon of everybody, kill every second one, and count.

    One person in each zone takes turns of a working day in Berlin since January. Who is to be told of which day and
    when is worked out here by stepping through the calendar.
    """
    rig.clock.set(datetime.combine(FIRST, time(12), UTC))
    make_workspace(review_minutes=0, zone="Europe/Berlin")
    people = [make_user(name=f"Person{number} Test", zone=zone) for number, zone in enumerate(ZONES)]
    everybody_knows(make_rotation(people, start_on=FIRST))
    for span in spans:
        begin, *looks = sorted({at for day in span for at in _around_four(day)})
        owed = {(at, person.id) for at, person in _owed(people, looks[-1].date())}
        _look(rig, begin, "never")
        before = _told(people)
        for at, point in zip(looks, cycle(KILLED_AT), strict=False):
            _look(rig, at, point)
            due = Counter(key for key in owed if begin < key[0] <= at)
            assert _told(people) - before == due, f"told too early or twice, or forgotten, at {at}"
    _nobody_is_told_twice(rig)


def _nobody_is_told_twice(rig: Rig) -> None:
    """Let what dead workers held go on, and count the mails; what was no longer so by then is taken back."""
    rig.outlast_leases()
    assert {name: count for name, count in rig.sink.count.items() if count > 1} == {}
    assert set(db.session.scalars(sa.select(Delivery.state))) <= ENDED


def _give(rotation: Rotation, first: date, last: date, giver: User, taker: User) -> None:
    zone = ZoneInfo("Europe/Berlin")
    start, end = datetime.combine(first, time(9), zone), datetime.combine(last, time(17), zone)
    with transaction():
        handing_over.hand_over(rotation, start, end, taker, actor=giver, seen_id=giver.id)


def _look(rig: Rig, at: datetime, *points: str) -> None:
    rig.clock.set(at)
    db.session.rollback()
    for worker in [rig.start_worker(point) for point in points]:
        rig.launcher.wait(worker)


def _told(people: list[User]) -> Counter[tuple[datetime, int | None]]:
    """Count the reminders by the instant they came into being and who got them."""
    db.session.rollback()
    theirs = (Delivery.kind == DeliveryKind.DUTY_REMINDER, Delivery.user_id.in_([person.id for person in people]))
    found = sa.select(Delivery.created_at, Delivery.user_id).where(*theirs)
    return Counter((row[0], row[1]) for row in db.session.execute(found))


def _owed(people: list[User], last: date) -> Iterator[tuple[datetime, User]]:
    """Say who is to be told, and when: at four on the working day before a turn, where that person is."""
    worked = [day for day in _days(FIRST, (last - FIRST).days + 7) if day.weekday() < SATURDAY]
    for day, person in zip(worked, cycle(people), strict=False):
        zone = ZoneInfo(person.zone)
        before = datetime.combine(day, time(9), ZoneInfo("Europe/Berlin")).astimezone(zone).date() - ONE_DAY
        while before.weekday() >= SATURDAY:
            before -= ONE_DAY
        yield datetime.combine(before, time(16), zone).astimezone(UTC), person


def _utc(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _around_four(day: date) -> Iterator[datetime]:
    for zone in ZONES:
        four = datetime.combine(day, time(16), ZoneInfo(zone)).astimezone(UTC)
        yield from (four - ONE_MINUTE, four)


def _days(first: date, count: int) -> Iterator[date]:
    return (first + number * ONE_DAY for number in range(count))
