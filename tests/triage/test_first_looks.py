"""How soon somebody looks at what is filed."""

from datetime import UTC, datetime, timedelta

import pytest

from bugintake.core.db import transaction
from bugintake.team.models import Role
from bugintake.triage import first_looks, transitions
from tests.factories import make_bug, make_user
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

MONDAY_NINE = datetime(2026, 9, 14, 9, tzinfo=UTC)


@pytest.fixture
def looked_after(company, mira, clock):
    def after(*minutes):
        clock.set(MONDAY_NINE)
        bugs = [make_bug() for _each in minutes]
        for bug, later in sorted(zip(bugs, minutes, strict=True), key=lambda each: each[1]):
            clock.set(MONDAY_NINE + timedelta(minutes=later))
            with transaction():
                transitions.accept(bug, actor=mira)
        return bugs

    return after


def test_half_were_looked_at_within_the_usual_time(looked_after):
    looked_after(10, 20, 40, 60, 90)

    assert first_looks.usual_minutes() == 40


def test_of_fewer_than_five_nothing_is_said(looked_after):
    looked_after(10, 20, 40, 60)

    assert first_looks.usual_minutes() is None


def test_who_waits_for_a_look_still_counts_and_nights_do_not(looked_after, clock):
    looked_after(10, 20)
    clock.set(MONDAY_NINE)
    for _number in range(3):
        make_bug()
    clock.set(MONDAY_NINE + timedelta(days=1))

    assert first_looks.usual_minutes() == 480


def test_what_was_filed_before_the_last_month_and_restricted_bugs_do_not_count(looked_after, clock):
    bugs = looked_after(10, 20, 40, 60, 90)
    with transaction():
        bugs[0].is_restricted = True
    assert first_looks.usual_minutes() is None
    with transaction():
        bugs[0].is_restricted = False
    clock.advance(timedelta(days=31))

    assert first_looks.usual_minutes() is None


def test_the_confirmation_says_it(app, looked_after):
    looked_after(10, 20, 40, 60, 90)
    agent = visit(app, make_user(Role.AGENT))

    page = agent.get("/bugs/BUG-1/filed")

    assert "Whoever is on duty usually looks within 40 min (last 30 days)." in page.text
