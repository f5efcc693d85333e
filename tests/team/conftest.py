"""What tests of people share: a cheap way of hashing passwords, and people with a browser."""

from collections.abc import Callable

import pytest
from flask import Flask
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from bugintake.team import passwords
from bugintake.team.models import Role, User
from tests.factories import make_user, make_workspace
from tests.visitors import Visitor, visit

PASSWORD = "a train to Ljubljana at nine"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))


@pytest.fixture
def petra(app: Flask) -> User:
    """The admin of a workspace, with a password."""
    make_workspace()
    return make_user(
        Role.ADMIN, "Petra Admin", email="petra@team.test", password_hash=passwords.hash_password(PASSWORD)
    )


@pytest.fixture
def as_user(app: Flask) -> Callable[..., Visitor]:
    """Open a browser, signed in where a person is given."""
    return lambda user=None: visit(app, user)
