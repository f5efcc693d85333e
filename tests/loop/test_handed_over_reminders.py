"""Hours that somebody takes for another: one reminder for each day, and never a pile of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import transaction
from bugintake.duty import handing_over, overrides, roster
from bugintake.duty.models import Override, Rotation
from bugintake.duty.turns import TurnUnit
from bugintake.loop import duty_notices
from bugintake.loop.models import DeliveryKind
from bugintake.team.models import Role, User
from tests.conftest import AT_ONCE
from tests.duty.conftest import everybody_knows
from tests.factories import make_user, make_workspace
from tests.faults.rig import states, work
from tests.faults.server import FaultServer

pytestmark = pytest.mark.long_on("postgres")

FRIDAY_BEFORE = datetime(2026, 9, 18, 10, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture
def team(app: Any, clock: Any) -> dict[str, User]:
    clock.set(FRIDAY_BEFORE)
    make_workspace(zone="UTC")
    make_user(Role.LEAD, "Petra Lang", email="petra@team.test")
    return {
        name: make_user(Role.ENGINEER, f"{name.title()} Test", email=f"{name}@team.test", zone="UTC")
        for name in ("mira", "tin", "ana")
    }


def weekly(team: dict[str, User], days: Sequence[int] = range(5)) -> Rotation:
    """Mira has the week from Monday the 21st, and everybody knows; then come Tin and Ana."""
    terms = roster.Terms(
        "UTC", date(2026, 9, 21), time(9), time(17), days, list(team.values()), turn_unit=TurnUnit.WEEKS
    )
    with transaction():
        made = roster.add_rotation("Bug duty", terms, actor=None)
    everybody_knows(made)
    return made


def hand_over(made: Rotation, first: int, last: int, giver: User, taker: User) -> list[Override]:
    """Let somebody hand the hours of some days over: a layer for each day."""
    start, end = (datetime(2026, 9, day, hour, tzinfo=UTC) for day, hour in ((first, 9), (last, 17)))
    with transaction():
        return handing_over.hand_over(made, start, end, taker, actor=giver, seen_id=giver.id)


def told(sink: FaultServer, since: int = 0) -> list[tuple[str, str]]:
    """What was sent since then, without the week on Mondays: (first name, subject)."""
    work()
    found = [(to.split("@")[0], str(mail["Subject"])) for to, mail in sink.accepted[since:]]
    return [each for each in found if "this week" not in each[1]]


def reminders(sink: FaultServer, clock: Any, days: Sequence[int]) -> dict[tuple[int, int], list[tuple[str, str]]]:
    """What is sent at which hour of some days, workers looking every hour of the afternoon, each hour twice."""
    found = {}
    for day in days:
        for hour in range(14, 20):
            since = len(sink.accepted)
            clock.set(datetime(2026, 9, day, hour, tzinfo=UTC))
            told(sink)
            found[day, hour] = told(sink, since)
    return {at: said for at, said in found.items() if said}


def test_a_week_that_is_handed_over_is_one_reminder_on_the_evening_before_each_day(team, sink, clock):
    laid = hand_over(weekly(team), 21, 25, team["mira"], team["tin"])
    assert len(laid) == 5
    assert told(sink) == [("tin", "Your bug duty changed")]

    assert reminders(sink, clock, range(18, 25)) == {
        (18, 16): [("tin", "You're on bug duty on Mon 21 Sept, 09:00–17:00")],
        (21, 16): [("tin", "You're on bug duty tomorrow, Tue 22 Sept, 09:00–17:00")],
        (22, 16): [("tin", "You're on bug duty tomorrow, Wed 23 Sept, 09:00–17:00")],
        (23, 16): [("tin", "You're on bug duty tomorrow, Thu 24 Sept, 09:00–17:00")],
        (24, 16): [("tin", "You're on bug duty tomorrow, Fri 25 Sept, 09:00–17:00")],
    }


def test_days_that_are_due_at_once_are_one_mail_that_names_them(team, sink, clock):
    """Saturday to Monday are all due on Friday at four. What is said in the morning of a change is not said again."""
    made = weekly(team, range(7))
    clock.set(FRIDAY_BEFORE + timedelta(days=7))
    told(sink)
    since = len(sink.accepted)
    hand_over(made, 26, 27, team["mira"], team["ana"])

    assert told(sink, since) == [("ana", "Your bug duty changed")]
    assert reminders(sink, clock, range(25, 28)) == {
        (25, 16): [
            ("ana", "You're on bug duty tomorrow, Sat 26 Sept, 09:00–17:00"),
            ("tin", "You're on bug duty on Mon 28 Sept, 09:00–17:00"),
        ]
    }
    [mail] = [mail for to, mail in sink.accepted if "Sat 26 Sept" in mail["Subject"]]
    assert "Your next days after that: Sun 27 Sept, Mon 5 Oct" in mail.get_body(("plain",)).get_content()


def test_days_that_come_when_all_of_them_are_due_are_one_mail_at_once(team, sink, clock):
    made = weekly(team, range(7))
    clock.set(FRIDAY_BEFORE + timedelta(days=7, hours=8))
    told(sink)
    since = len(sink.accepted)
    hand_over(made, 26, 27, team["mira"], team["ana"])

    assert told(sink, since) == [("ana", "You're on bug duty tomorrow, Sat 26 Sept, 09:00–17:00")]
    assert reminders(sink, clock, (26, 27)) == {}


def test_a_day_that_joins_those_reminded_of_is_reminded_of_at_once(team, sink, clock):
    made = weekly(team, range(7))
    clock.set(FRIDAY_BEFORE + timedelta(days=7, hours=8))
    hand_over(made, 26, 26, team["mira"], team["ana"])
    told(sink)
    since = len(sink.accepted)
    hand_over(made, 27, 27, team["mira"], team["ana"])

    assert told(sink, since) == [("ana", "You're on bug duty on Sun 27 Sept, 09:00–17:00")]


def test_what_is_left_of_a_mail_about_several_days_is_still_said(team, sink, clock):
    made = weekly(team, range(7))
    clock.set(FRIDAY_BEFORE + timedelta(days=7, hours=8))
    told(sink)
    since = len(sink.accepted)
    saturday, _ = hand_over(made, 26, 27, team["mira"], team["ana"])
    duty_notices.queue_changes(house_clock.now())
    duty_notices.queue_reminders(house_clock.now())
    with transaction():
        overrides.take_back(saturday, actor=team["mira"])

    assert [each for each in told(sink, since) if "You're on" in each[1]] == [
        ("ana", "You're on bug duty on Sun 27 Sept, 09:00–17:00")
    ]
    assert reminders(sink, clock, (26, 27)) == {}


def test_hours_that_go_back_and_forth_are_reminded_of_once(team, sink, clock):
    made = weekly(team)
    clock.set(FRIDAY_BEFORE + timedelta(hours=8))
    told(sink)
    since = len(sink.accepted)
    for _ in range(2):
        hand_over(made, 21, 21, team["mira"], team["tin"])
        told(sink)
        hand_over(made, 21, 21, team["tin"], team["mira"])
        told(sink)

    assert told(sink, since) == [
        ("tin", "You're on bug duty on Mon 21 Sept, 09:00–17:00"),
        ("mira", "Your bug duty changed: Mon 21 Sept is now yours"),
        ("tin", "Your bug duty changed: Mon 21 Sept is now yours"),
        ("mira", "Your bug duty changed: Mon 21 Sept is now yours"),
    ]


def test_two_parts_of_a_day_are_one_mail_with_both(team, sink, clock):
    made = weekly(team)
    clock.set(FRIDAY_BEFORE + timedelta(hours=8))
    told(sink)
    since = len(sink.accepted)
    for hour in (10, 14):
        start = datetime(2026, 9, 21, hour, tzinfo=UTC)
        with transaction():
            overrides.stand_in(made, team["tin"], start, start + timedelta(hours=1), actor=team["mira"])

    assert told(sink, since) == [("tin", "You're on bug duty on Mon 21 Sept, 10:00–11:00, 14:00–15:00")]


def test_workers_at_once_mail_the_days_of_a_weekend_once(team, clock, together):
    made = weekly(team, range(7))
    clock.set(FRIDAY_BEFORE + timedelta(days=7, hours=8))
    hand_over(made, 26, 27, team["mira"], team["ana"])
    now = house_clock.now()

    assert sorted(together(lambda _: duty_notices.queue_reminders(now))) == [0] * (AT_ONCE - 1) + [2]
    assert states(DeliveryKind.DUTY_REMINDER) == {"pending": 2}
