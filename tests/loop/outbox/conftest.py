"""An outbox with a mail server to send through, and the invariants that hold after every test."""

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


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.fixture(autouse=True)
def _company(app: Any, clock: Any) -> None:
    make_workspace(review_minutes=0, reply_address="help@fakturo.example.com")


@pytest.fixture(autouse=True)
def _holds(app: Any, sink: FaultServer) -> Iterator[None]:
    yield
    assert broken_invariants(sink) == []


@pytest.fixture
def mira(app: Any) -> User:
    return make_user(Role.ENGINEER, "Mira Kos")
