"""Whoever's hours of duty move hears of it, once, whatever moved them; nobody else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.duty import absences, overrides, public_holidays, roster, told
from bugintake.duty.models import Rotation
from bugintake.duty.told_models import ToldShift
from bugintake.loop import duty_notices
from bugintake.loop.models import DeliveryKind
from bugintake.team import people
from bugintake.team.models import Role, User
from tests.conftest import AT_ONCE
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_user, make_workspace
from tests.faults.rig import states, work
from tests.faults.server import FaultServer

pytestmark = pytest.mark.long_on("postgres")

MONDAY = date(2026, 9, 14)
NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture
def petra(app: Any, clock: Any) -> User:
    clock.set(NOON)
    make_workspace(zone="UTC")
    return make_user(Role.LEAD, "Petra Lang", email="petra@team.test")


@pytest.fixture
def team(petra: User) -> dict[str, User]:
    return {
        name: make_user(Role.ENGINEER, f"{name.title()} Test", email=f"{name}@team.test", zone="UTC")
        for name in ("mira", "tin", "ana")
    }


@pytest.fixture
def rotation(team: dict[str, User], petra: User) -> Rotation:
    """Since Monday 14 September: Mira, Tin, Ana, a working day each, and everybody knows."""
    made = make_rotation(list(team.values()), actor=petra, zone="UTC", start_on=MONDAY)
    everybody_knows(made)
    return made


def mails(sink: FaultServer) -> list[tuple[str, str]]:
    """Everything sent about moved hours, in order: (first name, subject)."""
    work()
    return [(to.split("@")[0], str(mail["Subject"])) for to, mail in sink.accepted if "changed" in str(mail["Subject"])]


def text(sink: FaultServer, to: str) -> str:
    [found] = [mail for recipient, mail in sink.accepted if recipient == f"{to}@team.test"]
    return str(found.get_body(("plain",)).get_content())


def at(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 9, day, hour, tzinfo=UTC)


def stand_in(rotation: Rotation, person: User, day: int, actor: User, *, hours: tuple[int, int] = (9, 17)) -> Any:
    with transaction():
        return overrides.stand_in(rotation, person, at(day, hours[0]), at(day, hours[1]), actor=actor)


def test_a_shift_that_somebody_else_moves_is_told_to_both_and_to_nobody_else(rotation, team, petra, sink):
    stand_in(rotation, team["tin"], 22, petra)

    assert sorted(mails(sink)) == [
        ("mira", "Your bug duty changed: Tue 22 Sept is no longer yours"),
        ("tin", "Your bug duty changed: Tue 22 Sept is now yours"),
    ]
    assert "Tue 22 Sept, 09:00–17:00" in text(sink, "tin")
    assert "https://bugs.example.com/duty/me" in text(sink, "tin")


def test_whoever_moves_their_own_hours_is_not_told_what_they_did(rotation, team, sink):
    stand_in(rotation, team["tin"], 17, team["tin"])

    assert mails(sink) == [("mira", "Your bug duty changed: Thu 17 Sept is no longer yours")]
    assert "Thu 17 Sept, 09:00–17:00 (Tin has it)" in text(sink, "mira")


def test_days_away_give_hours_to_whoever_is_next_and_they_hear(rotation, team, sink):
    with transaction():
        absences.note_absence(team["mira"], date(2026, 9, 17), date(2026, 9, 17), actor=team["mira"])

    assert mails(sink) == [("tin", "Your bug duty changed: Thu 17 Sept is now yours")]


def test_days_away_that_somebody_else_notes_are_told(rotation, team, petra, sink):
    with transaction():
        absences.note_absence(team["mira"], date(2026, 9, 17), date(2026, 9, 17), actor=petra)

    assert sorted(who for who, _ in mails(sink)) == ["mira", "tin"]


def test_several_hours_that_move_at_once_are_one_mail(rotation, team, petra, sink):
    for day in (22, 25, 30):
        stand_in(rotation, team["ana"], day, petra)

    assert sorted(mails(sink)) == [("ana", "Your bug duty changed"), ("mira", "Your bug duty changed")]
    assert text(sink, "ana").count("09:00–17:00") == 3
    assert text(sink, "mira").count("09:00–17:00 (Ana has it)") == 3


def test_what_was_undone_before_anybody_looked_is_told_to_nobody(rotation, team, petra, sink):
    override = stand_in(rotation, team["tin"], 24, petra)
    with transaction():
        overrides.take_back(override, actor=petra)

    assert (mails(sink), states(DeliveryKind.DUTY_CHANGED)) == ([], {})


def test_what_is_undone_after_it_was_told_is_told_again(rotation, team, petra, sink):
    override = stand_in(rotation, team["tin"], 25, petra)
    first = mails(sink)
    with transaction():
        overrides.take_back(override, actor=petra)

    assert len(first) == 2
    assert sorted(mails(sink)[2:]) == [
        ("mira", "Your bug duty changed: Fri 25 Sept is now yours"),
        ("tin", "Your bug duty changed: Fri 25 Sept is no longer yours"),
    ]


def test_a_changed_rule_tells_exactly_those_whose_days_moved(rotation, team, petra, sink):
    """Monday 12 October would be Ana's, then Mira, Tin; Tin and Ana change places, and Mira's days stay."""
    order = [team["tin"], team["mira"], team["ana"]]
    terms = roster.Terms("UTC", date(2026, 10, 12), time(9), time(17), range(5), order)
    with transaction():
        roster.change_rotation(rotation, terms, actor=petra)

    assert sorted(mails(sink)) == [("ana", "Your bug duty changed"), ("tin", "Your bug duty changed")]


def test_a_holiday_of_ones_own_moves_every_turn_after_it(rotation, team, petra, sink):
    with transaction():
        public_holidays.add_holiday(rotation, date(2026, 9, 25), "Picnic", actor=petra)

    assert {to for to, _ in mails(sink)} == {"mira", "tin", "ana"}


def test_somebody_who_leaves_gives_their_hours_to_the_next_who_hears(rotation, team, petra, sink):
    make_user(Role.ADMIN)
    with transaction():
        people.disable(team["mira"], actor=None)

    assert {to for to, _ in mails(sink)} == {"tin"}


def test_hours_that_come_with_a_reminder_are_left_to_it(rotation, team, petra, sink, clock):
    """On Wednesday at five, Ana gets Thursday: its reminder was due at four, so it comes at once and is enough."""
    clock.set(at(16, 17))
    work()
    sink.accepted.clear()
    stand_in(rotation, team["ana"], 17, petra)

    assert mails(sink) == [("mira", "Your bug duty changed: Thu 17 Sept is no longer yours")]
    assert [to for to, _ in sink.accepted].count("ana@team.test") == 1


def test_hours_lost_after_the_reminder_and_given_back_are_told_again(rotation, team, petra, sink, clock):
    clock.set(at(16, 17))
    work()
    override = stand_in(rotation, team["ana"], 17, petra)
    mails(sink)
    with transaction():
        overrides.take_back(override, actor=petra)

    assert ("mira", "Your bug duty changed: Thu 17 Sept is now yours") in mails(sink)


def test_a_part_of_a_shift_moves_alone(rotation, team, petra, sink):
    stand_in(rotation, team["tin"], 17, petra, hours=(11, 12))

    mails(sink)
    assert "Thu 17 Sept, 11:00–12:00 (Tin has it)" in text(sink, "mira")


def test_what_comes_into_view_as_time_passes_moves_nobody(rotation, team, sink, clock):
    for day in range(0, 40, 3):
        clock.set(NOON + timedelta(days=day))
        mails(sink)

    assert mails(sink) == []
    assert db.session.scalar(sa.select(sa.func.max(ToldShift.ends_at))) > NOON + timedelta(days=39) + timedelta(
        weeks=11
    )


def test_in_a_new_rotation_everybody_hears_their_days(team, petra, sink):
    make_rotation([team["mira"], team["tin"]], actor=petra, zone="UTC", start_on=date(2026, 9, 21))

    assert {to for to, _ in mails(sink)} == {"mira", "tin"}


def test_a_retired_rotation_tells_whoever_counted_on_it(rotation, team, sink):
    with transaction():
        row = db.session.get_one(Rotation, rotation.id)
        row.is_default, row.retired_at = False, NOON + timedelta(days=1)

    assert {to for to, _ in mails(sink)} == {"mira", "tin", "ana"}
    assert len(mails(sink)) == 3


def test_a_second_worker_finds_nothing_left_to_tell(rotation, team, petra):
    stand_in(rotation, team["tin"], 22, petra)

    assert [duty_notices.queue_changes(house_clock.now()) for _ in range(2)] == [2, 0]
    assert states(DeliveryKind.DUTY_CHANGED) == {"pending": 2}


def test_workers_at_once_tell_once(rotation, team, petra, together):
    stand_in(rotation, team["tin"], 22, petra)

    assert sorted(together(lambda _: duty_notices.queue_changes(NOON))) == [0] * (AT_ONCE - 1) + [2]
    assert states(DeliveryKind.DUTY_CHANGED) == {"pending": 2}


def test_what_is_no_longer_so_when_the_mail_leaves_is_not_said(rotation, team, petra, sink):
    override = stand_in(rotation, team["tin"], 22, petra)
    duty_notices.queue_changes(house_clock.now())
    with transaction():
        overrides.take_back(override, actor=petra)
    work()

    assert [str(mail["Subject"]) for _, mail in sink.accepted if "no longer" in str(mail["Subject"])] == [
        "Your bug duty changed: Tue 22 Sept is no longer yours"
    ]
    assert states(DeliveryKind.DUTY_CHANGED) == {"cancelled": 2, "sent": 2}


def test_where_nothing_moved_nothing_is_written(rotation):
    assert not told.is_behind(rotation, house_clock.now() + timedelta(hours=2))
