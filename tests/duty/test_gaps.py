"""Slots with nobody: when whom is told, and that the page shows them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bugintake.core.db import transaction
from bugintake.duty import absences, overrides
from bugintake.duty.gaps import coming_gaps, due_gaps, people_to_tell
from bugintake.team import people, workspace
from bugintake.team.models import Role
from tests.duty.conftest import make_rotation
from tests.duty.test_views import text_of
from tests.factories import make_user


def at(day, hour=9, minute=0):
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def everybody_away(rotation, mira, tin, ana):
    """Nobody is there on Thursday 19, Friday 20 and Monday 23 March."""
    with transaction():
        return [
            absences.note_absence(each, date(2026, 3, 19), date(2026, 3, 23), actor=each) for each in (mira, tin, ana)
        ]


def test_a_gap_is_due_on_the_morning_three_working_days_before(everybody_away):
    """The company opens at nine in Berlin, which is eight."""
    [gap] = coming_gaps(at(10))

    assert [slot.on.day for slot in gap.slots] == [19, 20, 23]
    assert gap.due_at == at(16, 8)
    assert (due_gaps(at(16, 7, 59)), due_gaps(at(16, 8))) == ([], [gap])
    assert (len(due_gaps(at(19, 7, 59))), due_gaps(at(19, 8))) == (1, [])


def test_a_gap_over_a_weekend_is_due_on_the_wednesday_before(rotation, mira, tin, ana):
    with transaction():
        for each in (mira, tin, ana):
            absences.note_absence(each, date(2026, 3, 16), date(2026, 3, 16), actor=each)

    assert [gap.due_at for gap in coming_gaps(at(10))] == [at(11, 8)]


def test_a_gap_keeps_its_key_until_its_first_slot_is_taken(everybody_away, rotation, mira, petra):
    keys = {gap.key for hour in range(0, 200, 5) for gap in coming_gaps(at(10) + timedelta(hours=hour))}
    assert len(keys) == 1
    with transaction():
        overrides.stand_in(rotation, petra, at(19, 8), at(19, 16), actor=petra)
    [rest] = coming_gaps(at(10))

    assert ([slot.on.day for slot in rest.slots], rest.key in keys) == ([20, 23], False)


def test_a_gap_that_is_filled_is_none(everybody_away, mira):
    with transaction():
        absences.take_back(everybody_away[0], actor=mira)

    assert list(coming_gaps(at(10))) == []


def test_each_rotation_has_gaps_of_its_own(everybody_away, mira):
    make_rotation([mira], name="Mobile")

    assert [gap.rotation for gap in coming_gaps(at(10))] == ["Bug duty", "Mobile"]


def test_the_named_fallback_is_told_else_the_leads_else_the_admins(company, petra, lea, app):
    admin = make_user(Role.ADMIN, "Luka Admin")
    second = make_user(Role.LEAD, "Second Lead")
    assert people_to_tell() == [petra, second]
    with transaction():
        workspace.change(workspace.workspace(), {"fallback_owner_id": lea.id}, actor=None)
    assert people_to_tell() == [lea]
    with transaction():
        for gone in (lea, petra, second):
            people.disable(gone, actor=None)
    assert people_to_tell() == [admin]


def test_the_page_of_today_shows_a_coming_gap_in_red(everybody_away, lea, as_user, clock):
    page = as_user(lea).get("/duty")

    assert (
        "Nobody is on duty on Thu 19 Mar, 09:00–17:00 and 2 more times after it: nobody of the rotation is there."
        in (text_of(page))
    )
    assert page.text.count('class="bar bad box"') == 1
    clock.set(at(19, 8))
    assert "more times after it" not in text_of(as_user(lea).get("/duty"))
