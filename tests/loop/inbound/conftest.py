"""An installation that sends mail and reads what comes back, and the invariants that hold after every test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bugintake.core.config import Settings
from bugintake.team.models import Role, User
from tests.factories import make_user, make_workspace
from tests.faults.rig import broken_invariants
from tests.faults.server import FaultServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(
        settings,
        smtp_url=f"smtp://127.0.0.1:{sink.port}",
        mail_from="Fakturo <support@fakturo.example>",
        inbound_secret=SECRET,
        base_url="https://bugs.example.com",
    )


@pytest.fixture
def company(app: Any, clock: Any) -> None:
    make_workspace(review_minutes=0, reply_address="help@fakturo.example")


@pytest.fixture
def mira(company: None) -> User:
    return make_user(Role.ENGINEER, "Mira Kos")


@pytest.fixture
def holds(company: None, sink: FaultServer) -> Iterator[None]:
    """Check the invariants after the test."""
    yield
    assert broken_invariants(sink) == []
