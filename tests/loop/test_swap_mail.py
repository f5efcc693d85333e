"""Mail about swaps: to whom, once, and only while it is true; whoever moved by a swap hears nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import transaction
from bugintake.duty import absences, handing_over, overrides, queries, swaps, trades
from bugintake.duty.models import Rotation
from bugintake.duty.swap_models import Asked, Swap
from bugintake.loop import swap_notices
from bugintake.loop.models import DeliveryKind
from bugintake.team.models import Role, User
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
    """Since Monday 14 September: Mira, Tin, Ana, a working day each; Tuesday 22 is Mira's, Thursday 24 Ana's."""
    made = make_rotation(list(team.values()), actor=petra, zone="UTC", start_on=MONDAY)
    everybody_knows(made)
    return made


def on(day: int) -> tuple[datetime, datetime]:
    return datetime(2026, 9, day, 9, tzinfo=UTC), datetime(2026, 9, day, 17, tzinfo=UTC)


def ask(rotation: Rotation, person: User, *, actor: User | None = None, day: int = 22) -> Swap:
    with transaction():
        seen = {"actor": actor or person, "seen_id": person.id}
        return swaps.ask(rotation, *on(day), None, **seen, reason="School play.")


def take(swap: Swap, person: User) -> Any:
    with transaction():
        return swaps.take(swap, actor=person)


def offer(swap: Swap, rotation: Rotation, person: User, day: int = 24) -> Asked:
    with transaction():
        trades.offer_trade(swap, rotation, *on(day), actor=person)
    return next(each for each in swap.asked if each.user_id == person.id)


def mails(sink: FaultServer) -> list[tuple[str, str]]:
    """Everything sent since this was asked last, but for the team's week: (first name, subject)."""
    work()
    found = sorted((to.split("@")[0], str(mail["Subject"])) for to, mail in sink.accepted)
    sink.accepted.clear()
    return [each for each in found if "this week" not in each[1]]


def text(sink: FaultServer, to: str) -> str:
    [found] = [mail for recipient, mail in sink.accepted if recipient == f"{to}@team.test"]
    return str(found.get_body(("plain",)).get_content())


def test_everybody_who_is_asked_gets_one_mail_with_one_link(rotation, team, sink):
    swap = ask(rotation, team["mira"])
    work()

    said = text(sink, "ana")
    for words in (
        "Mira cannot be on duty on Tue 22 Sept, 09:00–17:00.",
        "School play.",
        "Mira stays on duty until then",
    ):
        assert words in said
    assert said.count("https://") == 1
    assert f"https://bugs.example.com/duty/swaps/{swap.id}" in said
    subject = "Can you take bug duty on Tue 22 Sept? Mira asks"
    assert mails(sink) == [("ana", subject), ("tin", subject)]


def test_the_asking_says_how_much_duty_one_had_beside_the_others(rotation, team, petra, sink, clock):
    clock.set(on(17)[0])
    with transaction():
        everybody = {"actor": team["mira"], "seen_id": team["mira"].id}
        swaps.ask(rotation, *on(22), [team["ana"], petra], **everybody)
    work()

    assert "Days of duty you had in the last 90 days: 1 (team: 1–1)." in text(sink, "ana")
    assert "last 90 days" not in text(sink, "petra")


def test_whoever_asks_for_somebody_ill_is_not_asked(rotation, team, petra, sink):
    with transaction():
        people = [team["tin"], petra]
        swaps.ask(rotation, *on(22), people, actor=petra, seen_id=team["mira"].id)

    assert [who for who, _ in mails(sink)] == ["tin"]


def test_both_and_the_leads_hear_who_took_it_and_nothing_else(rotation, team, sink):
    swap = ask(rotation, team["mira"])
    mails(sink)
    take(swap, team["ana"])

    assert mails(sink) == [
        ("mira", "Ana takes your duty on Tue 22 Sept"),
        ("petra", "Ana takes bug duty on Tue 22 Sept instead of Mira"),
    ]


def test_a_lead_who_takes_it_hears_nothing(rotation, team, petra, sink):
    swap = ask(rotation, team["mira"])
    mails(sink)
    take(swap, petra)

    assert mails(sink) == [("mira", "Petra takes your duty on Tue 22 Sept")]


def test_what_was_taken_before_the_mail_left_is_not_asked(rotation, team, sink):
    take(ask(rotation, team["mira"]), team["ana"])

    assert [subject for _, subject in mails(sink)] == [
        "Ana takes your duty on Tue 22 Sept",
        "Ana takes bug duty on Tue 22 Sept instead of Mira",
    ]
    assert states(DeliveryKind.SWAP_ASKED) == {"cancelled": 2}


@pytest.mark.parametrize("happens", ["no", "withdrawn", "away"])
def test_an_asking_that_is_over_is_not_mailed(rotation, team, sink, happens):
    swap = ask(rotation, team["mira"])
    with transaction():
        if happens == "no":
            swaps.refuse(swap, actor=team["ana"])
        elif happens == "withdrawn":
            swaps.withdraw(swap, actor=team["mira"])
        else:
            absences.note_absence(team["mira"], date(2026, 9, 22), date(2026, 9, 22), actor=team["mira"])

    asked = [who for who, subject in mails(sink) if "Mira asks" in subject]
    assert asked == (["tin"] if happens == "no" else [])


def test_an_offer_is_mailed_to_whoever_asks_while_it_stands(rotation, team, sink):
    swap = ask(rotation, team["mira"])
    mails(sink)
    offered = offer(swap, rotation, team["ana"])
    work()
    assert "Ana takes your duty on Tue 22 Sept, 09:00–17:00 if you take theirs on Thu 24 Sept" in text(sink, "mira")
    assert mails(sink) == [("mira", "Ana offers a trade for your duty on Tue 22 Sept")]

    offer(swap, rotation, team["ana"], 29)
    with transaction():
        trades.decline_trade(offered, actor=team["mira"], seen=on(29)[0])
    assert mails(sink) == []


def test_both_of_a_trade_and_the_leads_hear_what_moved(rotation, team, sink):
    swap = ask(rotation, team["mira"])
    offered = offer(swap, rotation, team["ana"])
    mails(sink)
    with transaction():
        trades.accept_trade(offered, actor=team["mira"], seen=on(24)[0])
    work()

    assert "Mira takes your duty on Thu 24 Sept, 09:00–17:00. You take theirs on Tue 22 Sept" in text(sink, "ana")
    assert "instead of Mira. Mira takes bug duty on Thu 24 Sept" in text(sink, "petra")
    assert mails(sink) == [
        ("ana", "Mira takes your duty on Thu 24 Sept"),
        ("petra", "Ana takes bug duty on Tue 22 Sept instead of Mira"),
    ]


def test_what_is_taken_and_given_back_before_the_mail_left_is_told_to_nobody(rotation, team, sink):
    swap = ask(rotation, team["mira"])
    mails(sink)
    [laid] = take(swap, team["ana"])
    with transaction():
        overrides.take_back(laid, actor=team["ana"])

    assert mails(sink) == []


def test_what_is_taken_back_is_told_as_every_move(rotation, team, petra, sink):
    [laid] = take(ask(rotation, team["mira"]), team["ana"])
    mails(sink)
    with transaction():
        overrides.take_back(laid, actor=petra)

    assert mails(sink) == [
        ("ana", "Your bug duty changed: Tue 22 Sept is no longer yours"),
        ("mira", "Your bug duty changed: Tue 22 Sept is now yours"),
    ]


def test_the_leads_are_asked_once_a_day_before_and_not_when_it_is_taken(rotation, team, petra, sink, clock):
    swap = ask(rotation, team["mira"])
    mails(sink)
    clock.set(on(21)[0] - timedelta(minutes=1))
    assert swap_notices.queue_untaken(house_clock.now()) == 0
    clock.set(on(21)[0])
    assert swap_notices.queue_untaken(house_clock.now()) == 1
    assert swap_notices.queue_untaken(house_clock.now()) == 0
    assert mails(sink) == [("petra", "Nobody takes bug duty on Tue 22 Sept for Mira")]

    second = ask(rotation, team["mira"], day=25)
    clock.set(on(24)[0])
    assert swap_notices.queue_untaken(house_clock.now()) == 1
    take(second, team["tin"])
    assert [subject for _, subject in mails(sink) if "Nobody takes" in subject] == []
    assert swap.is_open


def test_the_sweep_of_the_worker_asks_the_leads(rotation, team, petra, sink, clock, app):
    from bugintake.loop import worker

    ask(rotation, team["mira"])
    clock.set(on(21)[0])
    worker.sweep(app)

    assert states(DeliveryKind.SWAP_UNTAKEN) == {"pending": 1}


def test_handing_over_tells_whoever_it_moves_to_unless_they_took_it(rotation, team, sink):
    with transaction():
        seen = {"actor": team["mira"], "seen_id": team["mira"].id}
        handing_over.hand_over(rotation, *on(22), team["ana"], **seen)
    assert mails(sink) == [("ana", "Your bug duty changed: Tue 22 Sept is now yours")]
    with transaction():
        seen = {"actor": team["tin"], "seen_id": queries.on_duty(on(25)[0]).person.id}
        handing_over.hand_over(rotation, *on(25), team["tin"], **seen)
    assert [who for who, _ in mails(sink)] == ["mira"]


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("de", "Können Sie den Bug-Dienst am Di. 22 Sept. übernehmen? Mira fragt"),
        ("es", "¿Puede hacer la guardia de fallos del mar 22 sept? Lo pide Mira"),
    ],
)
def test_the_asking_is_in_the_readers_language(rotation, team, sink, language, subject):
    with transaction():
        team["ana"].language = language
    ask(rotation, team["mira"])

    assert ("ana", subject) in mails(sink)
