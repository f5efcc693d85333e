"""What the tests of triage share."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from bugintake.team.models import Role, User
from tests.conftest import Clock
from tests.factories import make_user, make_workspace
from tests.visitors import served, visit


@pytest.fixture
def company(app: Flask, clock: Clock) -> None:
    """A workspace, while the clock stands still."""
    make_workspace()


@pytest.fixture
def mira(app: Flask) -> User:
    """An engineer."""
    return make_user(Role.ENGINEER, "Mira Kos")


@pytest.fixture
def desk(app: Flask, mira: User, context: Any) -> Iterator[str]:
    """The address of the app, with Mira signed in to the browser."""
    with served(app) as address:
        cookie = visit(app, mira).client.get_cookie("session")
        assert cookie is not None
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        yield address
