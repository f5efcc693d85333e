"""Every fault story holds, and each is believed only because it catches the variant of the product that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bugintake.core.config import Settings
from tests.factories import make_workspace
from tests.faults import duty_weeks, outage
from tests.faults.launching import Launcher, Rig
from tests.faults.mutants import MUTANTS
from tests.faults.scenarios import SCENARIOS
from tests.faults.server import FaultServer

POWER = "F-WAL"  # plays on SQLite's write-ahead log; all other stories play on both databases
PLAYED = [story for story in SCENARIOS if story != POWER]
CAUGHT = [(mutant, story) for mutant, (_, own) in MUTANTS.items() for story in own if story != POWER]
PASSED = [(mutant, story) for mutant, (_, own) in MUTANTS.items() for story in PLAYED if story not in own]
UNPLUGGED = [mutant for mutant, (_, own) in MUTANTS.items() if POWER not in own]


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}")


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher("run_worker.py")
    yield launcher
    launcher.close()


@pytest.fixture
def rig(app: Any, settings: Settings, sink: FaultServer, clock: Any, launcher: Launcher) -> Rig:
    make_workspace(review_minutes=0)
    return Rig(settings, sink, clock, launcher)


def break_as(mutant: str, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Play on a broken variant of the product, here and in the workers."""
    rig.mutant = mutant
    MUTANTS[mutant][0](monkeypatch.setattr)


def catches(rig: Rig, mutant: str, story: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that a story does not hold on a broken variant."""
    break_as(mutant, rig, monkeypatch)

    with pytest.raises(AssertionError):
        SCENARIOS[story](rig)


@pytest.mark.parametrize("story", PLAYED)
def test_a_fault_costs_nobody_a_message_and_gives_nobody_two(rig: Rig, story: str) -> None:
    SCENARIOS[story](rig)


@pytest.mark.long
@pytest.mark.fault("F-S4")
def test_five_thousand_mails_leave_in_order_after_a_server_was_away_for_two_hours(rig: Rig) -> None:
    outage.server_away_for(rig, timedelta(hours=2), 5_000)


@pytest.mark.long
@pytest.mark.parametrize("changed_on", sorted((*duty_weeks.CHANGES, *duty_weeks.CHANGES_ELSEWHERE)))
def test_whenever_clocks_change_everybody_is_reminded_of_each_turn_once_at_four(rig: Rig, changed_on: date) -> None:
    duty_weeks.a_clock_changes(rig, changed_on)


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(("mutant", "story"), CAUGHT)
def test_the_broken_variant_is_caught_by_its_own_story(
    rig: Rig, mutant: str, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catches(rig, mutant, story, monkeypatch)


@pytest.mark.long
@pytest.mark.only_on("postgres")
@pytest.mark.parametrize(("mutant", "story"), CAUGHT)
def test_the_broken_variant_is_caught_on_postgresql_too(
    rig: Rig, mutant: str, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    catches(rig, mutant, story, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize(("mutant", "story"), PASSED)
def test_the_broken_variant_is_caught_by_no_other_story(
    rig: Rig, mutant: str, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_as(mutant, rig, monkeypatch)

    SCENARIOS[story](rig)


@pytest.mark.only_on("sqlite")
def test_a_power_cut_leaves_each_outcome_with_its_messages(rig: Rig) -> None:
    SCENARIOS[POWER](rig)


@pytest.mark.only_on("sqlite")
def test_the_variant_that_a_power_cut_breaks_is_caught(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    break_as("announces_in_a_second_commit", rig, monkeypatch)

    with pytest.raises(AssertionError):
        SCENARIOS[POWER](rig)


@pytest.mark.long
@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("mutant", UNPLUGGED)
def test_a_power_cut_catches_no_other_variant(rig: Rig, mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_as(mutant, rig, monkeypatch)

    SCENARIOS[POWER](rig)
