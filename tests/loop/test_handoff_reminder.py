"""Whoever has not handed over a quarter of an hour before their turn ends is reminded, once, if there is anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import transaction
from bugintake.core.forms import Seen
from bugintake.duty import handoffs
from bugintake.duty.handoff_models import Handoff
from bugintake.loop import handoff_letters
from bugintake.team.models import User
from bugintake.triage import handing_over, transitions
from tests.duty.conftest import everybody_knows, make_rotation
from tests.factories import make_bug, make_user, make_workspace
from tests.faults.rig import work
from tests.faults.server import FaultServer

pytestmark = pytest.mark.long_on("postgres")

MONDAY = date(2026, 9, 14)
QUARTER_TO_FIVE = datetime(2026, 9, 14, 16, 45, tzinfo=UTC)


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture
def mira(app: Any, clock: Any) -> User:
    clock.set(QUARTER_TO_FIVE - timedelta(hours=3))
    make_workspace(zone="UTC")
    return make_user(name="Mira Kos", email="mira@team.test", zone="UTC")


@pytest.fixture(autouse=True)
def rotation(mira: User) -> Any:
    """Mira until Monday at 17:00, then Tin."""
    tin = make_user(name="Tin Horvat", email="tin@team.test", zone="UTC")
    made = make_rotation([mira, tin], zone="UTC", start_on=MONDAY)
    everybody_knows(made)
    return made


def touch(mira: User) -> None:
    bug = make_bug(waiting=[])
    with transaction():
        transitions.start(bug, actor=mira)


def write(mira: User, hot: str) -> Handoff:
    turn = handoffs.turn_of(mira)
    assert turn is not None
    with transaction():
        return handoffs.save(turn, {"hot": hot, "waiting": "", "watch": ""}, (), Seen(), actor=mira)


def remind() -> int:
    return handoff_letters.queue_unsent(house_clock.now())


def told(sink: FaultServer) -> list[tuple[str, str]]:
    """Everything sent about notes, in order: (first name, subject)."""
    work()
    return [(to.split("@")[0], str(mail["Subject"])) for to, mail in sink.accepted if "handoff" in str(mail["Subject"])]


def test_one_mail_goes_out_a_quarter_of_an_hour_before_the_end(clock: Any, mira: User, sink: FaultServer) -> None:
    touch(mira)
    clock.set(QUARTER_TO_FIVE - timedelta(minutes=1))
    assert remind() == 0

    clock.set(QUARTER_TO_FIVE)
    assert [remind(), remind()] == [1, 0]

    assert told(sink) == [("mira", "Your bug duty ends at 17:00: the handoff note is not sent yet")]
    [text] = [mail.get_body(("plain",)).get_content() for to, mail in sink.accepted if to == "mira@team.test"]
    assert "Tin is on duty after you." in text
    assert "https://bugs.example.com/duty/handoff" in text
    clock.advance(timedelta(minutes=14))
    assert remind() == 0


def test_nobody_is_reminded_of_a_quiet_day_but_of_what_they_typed(clock: Any, mira: User, sink: FaultServer) -> None:
    clock.set(QUARTER_TO_FIVE)
    assert remind() == 0

    write(mira, "Halden calls again tomorrow.")
    assert remind() == 1


def test_who_has_sent_it_is_not_reminded_also_not_by_a_mail_that_waits(
    clock: Any, mira: User, sink: FaultServer
) -> None:
    touch(mira)
    clock.set(QUARTER_TO_FIVE)
    assert remind() == 1
    note = write(mira, "Halden")
    with transaction():
        handing_over.send(note, actor=mira)

    assert (told(sink), remind()) == ([], 0)


def test_who_goes_on_tomorrow_has_nobody_to_hand_over_to(clock: Any, mira: User, sink: FaultServer) -> None:
    touch(mira)
    clock.set(QUARTER_TO_FIVE)
    remind()
    with transaction():
        handoffs.queries.on_duty_now()  # the plan of this moment
    for other in handoffs.turns(handoffs.queries.current_plan()):
        if other.person.id != mira.id:
            with transaction():
                other.person.disabled_at = house_clock.now()

    assert (told(sink), remind()) == ([], 0)
