"""Whatever happens to a bug, in whatever order: everybody who waits is told once, and nothing that is not so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bugintake.core import resting
from bugintake.core.config import Settings
from bugintake.core.db import db
from tests.loop.any_order.of_bugs import OfBugs
from tests.loop.any_order.of_mail import OfMail
from tests.loop.any_order.of_people import OfPeople
from tests.loop.any_order.variants import VARIANTS
from tests.loop.inbound.conftest import SECRET

LENGTH = 40  # of a story, in steps
FEW, MANY = 15, 200
OFTEN_ENOUGH = 2
VERBS = [
    "file",
    "attach",
    "fix",
    "release",
    "withdraw the release",
    "decline",
    "reconsider",
    "undo",
    "merge",
    "separate",
]
VERBS += ["restrict", "withdraw", "not my problem", "works now", "still happening", "unsubscribe", "return to mail"]
VERBS += ["confirm", "tell a way round", "word", "word a correction", "erase", "come back, failed", "answer, remarked"]
VERBS += ["hold", "send", "tell by hand", "do not tell", "judge", "claim", "hand over", "hear yes", "note"]
VERBS += ["die after 250", "die once it is accepted"]


class Loop(OfBugs, OfMail, OfPeople):
    """All that can happen."""


@pytest.fixture(name="settings")
def _settings(settings: Settings) -> Settings:
    reads_mail = {"mail_from": "Fakturo <support@fakturo.example>", "inbound_secret": SECRET}
    return replace(settings, smtp_url="smtp://127.0.0.1:9", base_url="https://bugs.example.com", **reads_mail)


@pytest.fixture
def start_over(
    app: Any, clock: Any, request: pytest.FixtureRequest, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], None]:
    """Empty the database, so that nothing of one story happens in the next; nothing is left to chance but the seed."""
    monkeypatch.setattr(resting, "jittered", lambda span: span)

    def empty() -> None:
        db.session.remove()
        db.engine.dispose()
        if db.engine.dialect.name == "sqlite":
            copy = request.getfixturevalue("sqlite_template").copy(data_folder)
        else:
            copy = request.getfixturevalue("postgres_template").copy()
        with copy:
            pass

    return empty


def tell(start_over: Callable[[], None], seeds: range) -> Counter[str]:
    """Tell one story for each seed, and count what happened in them."""
    happened: Counter[str] = Counter()
    for seed in seeds:
        start_over()
        company = Loop(seed)
        try:
            company.live_through(LENGTH)
        except BaseException as error:
            error.add_note(f"Seed {seed} tells this story: {company.story}")
            raise
        happened += company.counts
    return happened


def test_whatever_happens_everybody_is_told_once_and_what_is_so(start_over: Callable[[], None]) -> None:
    happened = tell(start_over, range(FEW))

    assert set(VERBS) - happened.keys() == set()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_in_many_stories_too(start_over: Callable[[], None]) -> None:
    happened = tell(start_over, range(FEW, MANY))

    assert {verb for verb in VERBS if happened[verb] < OFTEN_ENOUGH} == set()


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_broken_variant_is_caught(
    start_over: Callable[[], None], monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    VARIANTS[variant](monkeypatch.setattr)

    with pytest.raises(AssertionError):
        tell(start_over, range(MANY))
