"""Cards of the board by pointer: each column takes what a verb leads to, and nothing else."""

import re

import pytest
from playwright.sync_api import expect

from bugintake.core.db import transaction
from bugintake.intake.models import Status
from bugintake.team.models import Role
from tests.factories import make_bug

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


def column(page, status):
    return page.locator(f'[data-status="{status}"]').first


def drag(page, bug, status):
    column(page, status).scroll_into_view_if_needed()  # what closed bugs stand in is below the columns
    page.locator(f"#{bug.ref}").drag_to(column(page, status), target_position={"x": 60, "y": 20})


def test_a_card_that_is_dropped_on_a_column_is_moved_there_and_u_takes_it_back(page, desk):
    bug = make_bug(Status.NEW)
    page.goto(f"{desk}/board")

    drag(page, bug, "accepted")
    expect(column(page, "accepted").locator(f"#{bug.ref}")).to_be_visible()
    page.keyboard.press("u")

    expect(column(page, "new").locator(f"#{bug.ref}")).to_be_visible()


@pytest.mark.parametrize(
    ("status", "to", "address"),
    [("new", "needs_info", "question"), ("accepted", "fixed", "fix"), ("in_progress", "declined", "decline")],
)
def test_what_a_verb_asks_is_asked_before_anything_moves(page, desk, status, to, address):
    bug = make_bug(Status(status))
    page.goto(f"{desk}/board")

    drag(page, bug, to)

    expect(page).to_have_url(re.compile(f"/bugs/{bug.ref}/{address}"))


def test_where_no_verb_leads_nothing_happens_and_nobody_is_told_that_it_is_live(page, desk):
    bug = make_bug(Status.FIXED)
    page.goto(f"{desk}/board")

    for status in ("new", "accepted", "live"):
        drag(page, bug, status)

    expect(column(page, "fixed").locator(f"#{bug.ref}")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/board$"))


def test_while_a_card_is_dragged_the_columns_that_take_it_are_marked(page, desk):
    bug = make_bug(Status.IN_PROGRESS)
    page.goto(f"{desk}/board")

    page.locator(f"#{bug.ref}").hover()
    page.mouse.down()
    page.mouse.move(400, 300, steps=4)

    marked = page.locator(".may")
    expect(marked).to_have_count(4)
    page.mouse.up()
    expect(marked).to_have_count(0)


def test_an_agent_drags_nothing(page, desk, mira):
    bug = make_bug(Status.NEW)
    with transaction():
        mira.role = Role.AGENT

    page.goto(f"{desk}/board")

    assert page.locator(f"#{bug.ref}").get_attribute("draggable") is None
