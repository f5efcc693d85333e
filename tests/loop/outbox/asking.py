"""Asking, and what a mail server got of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from bugintake.core.db import transaction
from bugintake.intake.models import Bug, Question
from bugintake.loop import asking
from bugintake.team.models import User
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer
from tests.faults.rig import work
from tests.faults.server import FaultServer
from tests.loop.reading import first_report

MINUTE = timedelta(minutes=1)


def asked(bug: Bug, by: User, **how: Any) -> Question:
    with transaction():
        return transitions.ask(bug, first_report(bug), "Which browser?", actor=by, is_for_customer=True, **how)


def bug_of(*addresses: str, language: str = "en", **values: Any) -> Bug:
    people = [make_customer(f"Hana {n}", email=each, language=language) for n, each in enumerate(addresses)]
    return make_bug(waiting=people, **values)


def sent(sink: FaultServer) -> list[tuple[str, str]]:
    return [(recipient, str(mail["Subject"])) for recipient, mail in sink.accepted]


def body(sink: FaultServer, number: int = -1) -> str:
    return " ".join(sink.accepted[number][1].get_body(("plain",)).get_content().split())


def pass_on(clock: Any, to: datetime) -> None:
    """Let a worker do everything that is due by an instant."""
    clock.set(to)
    asking.follow_up(clock.now())
    work()
