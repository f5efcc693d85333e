"""What the tests of triage share."""

import pytest
from flask import Flask

from bugintake.team.models import Role, User
from tests.conftest import Clock
from tests.factories import make_user, make_workspace


@pytest.fixture
def company(app: Flask, clock: Clock) -> None:
    """A workspace, while the clock stands still."""
    make_workspace()


@pytest.fixture
def mira(app: Flask) -> User:
    """An engineer."""
    return make_user(Role.ENGINEER, "Mira Kos")
