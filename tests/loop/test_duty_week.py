"""The team hears of its week on Mondays at eight, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import transaction
from bugintake.duty import absences, overrides, public_holidays
from bugintake.loop import duty_week
from bugintake.loop.models import DeliveryKind
from bugintake.team.models import Role
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_user, make_workspace
from tests.faults.rig import states, work
from tests.faults.server import FaultServer

pytestmark = pytest.mark.long_on("postgres")

MONDAY = date(2026, 9, 14)


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture
def house(app: Any, clock: Any) -> dict[str, Any]:
    """Mira in Berlin and Tin in London take turns of two working days; Petra leads, Lea and Omar have no turn."""
    clock.set(datetime(2026, 9, 10, 12, tzinfo=UTC))
    make_workspace(zone="Europe/Berlin")
    found = {
        name: make_user(role, name=f"{name.title()} Test", email=f"{name}@team.test", zone=zone)
        for name, role, zone in [
            ("mira", Role.ENGINEER, "Europe/Berlin"),
            ("tin", Role.ENGINEER, "Europe/London"),
            ("omar", Role.ENGINEER, "Europe/Berlin"),
            ("lea", Role.AGENT, "Europe/Berlin"),
            ("petra", Role.LEAD, "Europe/Berlin"),
        ]
    }
    rotation = make_rotation([found["mira"], found["tin"]], start_on=date(2026, 9, 7), turn_days=2)
    everybody_knows(rotation)
    return {**found, "rotation": rotation}


def weeks(sink: FaultServer) -> list[str]:
    work()
    return [to.split("@")[0] for to, mail in sink.accepted if "this week" in str(mail["Subject"])]


def text(sink: FaultServer, to: str) -> str:
    mails = [m for recipient, m in sink.accepted if recipient == f"{to}@team.test" and "this week" in str(m["Subject"])]
    return str(mails[-1].get_body(("plain",)).get_content())


def test_whoever_takes_turns_and_leads_hear_at_eight_where_they_are_and_once(house, sink, clock):
    heard: list[tuple[str, datetime]] = []
    for minutes in (*range(0, 60 * 3, 60), *range(60 * 3, 60 * 9, 30), *range(60 * 9, 60 * 48, 180)):
        clock.set(datetime(2026, 9, 14, 0, tzinfo=UTC) + timedelta(minutes=minutes))
        for who in weeks(sink)[len(heard) :]:
            heard.append((who, house_clock.now()))

    six, seven = (datetime(2026, 9, 14, hour, tzinfo=UTC) for hour in (6, 7))
    assert sorted(heard) == [("mira", six), ("petra", six), ("tin", seven)]


def test_it_says_who_has_which_day_with_stand_ins_holidays_absences_and_nobody(house, sink, clock):
    rotation, petra = house["rotation"], house["petra"]
    with transaction():
        public_holidays.add_holiday(rotation, date(2026, 9, 18), "Picnic", actor=petra)
        absences.note_absence(house["mira"], date(2026, 9, 16), date(2026, 9, 16), actor=petra)
        absences.note_absence(house["tin"], date(2026, 9, 16), date(2026, 9, 16), actor=petra)
        noon = datetime(2026, 9, 14, 10, tzinfo=UTC)
        overrides.stand_in(rotation, house["tin"], noon, noon + timedelta(hours=1), actor=petra)
    clock.set(datetime(2026, 9, 14, 8, tzinfo=UTC))
    weeks(sink)

    said = text(sink, "petra")
    assert "Bug duty (Europe/Berlin):" in said
    assert "Mon 14 Sept: Mira 09:00–12:00, Tin 12:00–13:00, Mira 13:00–17:00" in said
    assert "Tue 15 Sept: Tin" in said
    assert "Wed 16 Sept: nobody" in said
    assert "Fri 18 Sept: Picnic" in said
    assert "Mira is away: Wed 16 Sept." in said
    assert "https://bugs.example.com/duty/schedule" in said


def test_days_in_a_row_of_one_person_are_one_line(house, sink, clock):
    clock.set(datetime(2026, 9, 14, 8, tzinfo=UTC))
    weeks(sink)

    lines = [line for line in text(sink, "mira").splitlines() if "Sept" in line]
    assert lines == ["Mon 14 Sept: Mira", "Tue 15 Sept to Wed 16 Sept: Tin", "Thu 17 Sept to Fri 18 Sept: Mira"]


def test_a_lead_hears_of_every_rotation_and_an_engineer_of_their_own(house, sink, clock):
    everybody_knows(make_rotation([house["omar"]], name="Phones", start_on=date(2026, 9, 7)))
    clock.set(datetime(2026, 9, 14, 8, tzinfo=UTC))
    weeks(sink)

    assert ["Phones" in text(sink, who) for who in ("petra", "omar", "mira")] == [True, True, False]
    assert "Bug duty (" not in text(sink, "omar")


def test_it_is_written_in_the_readers_language(house, sink, clock):
    with transaction():
        house["mira"].language = "de"
    clock.set(datetime(2026, 9, 14, 8, tzinfo=UTC))
    weeks(sink)
    work()

    said = [m for to, m in sink.accepted if to == "mira@team.test"]
    assert str(said[-1]["Subject"]) == "Bug-Dienst in dieser Woche, ab Mo., 14. Sept."
    assert "Di., 15. Sept. bis Mi., 16. Sept.: Tin" in said[-1].get_body(("plain",)).get_content()


def test_on_other_days_and_for_whoever_left_the_rotation_there_is_none(house, sink, clock):
    clock.set(datetime(2026, 9, 15, 9, tzinfo=UTC))
    assert weeks(sink) == []
    clock.set(datetime(2026, 9, 21, 8, tzinfo=UTC))
    duty_week.queue_weeks(house_clock.now())
    with transaction():
        house["mira"].disabled_at = house_clock.now()

    assert "mira" not in weeks(sink)
    assert states(DeliveryKind.DUTY_WEEK)["cancelled"] == 1
