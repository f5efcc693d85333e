"""The story of a rotation across changes of the clocks, played by worker processes that are started anew each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bugintake.core.db import db
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
ONE_DAY, ONE_MINUTE = timedelta(days=1), timedelta(minutes=1)
SATURDAY = 5


def clocks_change(rig: Rig) -> None:
    """On the Fridays before and the Mondays after both changes of the rotation's clock."""
    on_duty(rig, [(changed_on - 2 * ONE_DAY, changed_on + ONE_DAY) for changed_on in CHANGES])


def a_clock_changes(rig: Rig, changed_on: date) -> None:
    """Around a change of the rotation's or a person's clock, somewhat longer."""
    on_duty(rig, [_days(changed_on - 3 * ONE_DAY, 6)])


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
        before = _told()
        for at, point in zip(looks, cycle(KILLED_AT), strict=False):
            _look(rig, at, point)
            due = Counter(key for key in owed if begin < key[0] <= at)
            assert _told() - before == due, f"told too early or twice, or forgotten, at {at}"
    rig.outlast_leases()
    assert {name: count for name, count in rig.sink.count.items() if count > 1} == {}
    assert set(db.session.scalars(sa.select(Delivery.state))) <= {DeliveryState.SENT, DeliveryState.UNCERTAIN}


def _look(rig: Rig, at: datetime, point: str) -> None:
    rig.clock.set(at)
    db.session.rollback()
    rig.launcher.wait(rig.start_worker(point))


def _told() -> Counter[tuple[datetime, int | None]]:
    """Count the reminders by the instant they came into being and who got them."""
    db.session.rollback()
    found = sa.select(Delivery.created_at, Delivery.user_id).where(Delivery.kind == DeliveryKind.DUTY_REMINDER)
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


def _around_four(day: date) -> Iterator[datetime]:
    for zone in ZONES:
        four = datetime.combine(day, time(16), ZoneInfo(zone)).astimezone(UTC)
        yield from (four - ONE_MINUTE, four)


def _days(first: date, count: int) -> Iterator[date]:
    return (first + number * ONE_DAY for number in range(count))
