"""A rotation of three engineers in Berlin, and the people around it."""

from datetime import date, time

import pytest

from bugintake.core import clock as house_clock
from bugintake.core.db import transaction
from bugintake.duty import roster, told
from bugintake.team.models import Role
from tests.factories import make_user, make_workspace
from tests.visitors import visit


@pytest.fixture
def company(app, clock):
    """A workspace in Berlin; the clock stands at 10:00 there, on Tuesday 10 March 2026."""
    return make_workspace(zone="Europe/Berlin")


@pytest.fixture
def mira(company):
    return make_user(Role.ENGINEER, "Mira Kovač", zone="Europe/Berlin")


@pytest.fixture
def tin(company):
    return make_user(Role.ENGINEER, "Tin Horvat", zone="Europe/London")


@pytest.fixture
def ana(company):
    return make_user(Role.ENGINEER, "Ana Lončar", zone="America/New_York")


@pytest.fixture
def petra(company):
    return make_user(Role.LEAD, "Petra Novak", zone="Europe/Berlin")


@pytest.fixture
def lea(company):
    return make_user(Role.AGENT, "Lea Babić", zone="Europe/Berlin")


@pytest.fixture
def rotation(mira, tin, ana, petra):
    """Since Monday 9 March: Mira, Tin and Ana, one working day each, 9 to 5. On Tuesday it is Tin's turn."""
    return make_rotation([mira, tin, ana], actor=petra)


def make_rotation(people, *, actor=None, name="Bug duty", **changed):
    """Make a rotation through the real verb."""
    terms = {
        "zone": "Europe/Berlin",
        "start_on": date(2026, 3, 9),
        "handoff": time(9),
        "until": time(17),
        "days": [0, 1, 2, 3, 4],
    } | changed
    with transaction():
        return roster.create_rotation(name=name, people=people, actor=actor, **terms)


def everybody_knows(rotation):
    """Take it that people know their hours, as they do of a rotation that has run for a while."""
    with transaction():
        told.take_moves(rotation, house_clock.now())


@pytest.fixture
def as_user(app):
    """Open a browser, signed in where a person is given."""
    return lambda user=None: visit(app, user)
