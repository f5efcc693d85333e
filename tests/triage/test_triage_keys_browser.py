"""Snooze, raise, look and comment by keyboard, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, RaiseReason, Status
from bugintake.team.models import Role
from bugintake.triage import raising
from bugintake.triage.comment_models import Comment
from tests.factories import make_bug, make_user

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


def now(bug):
    """A bug as it is in the database."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Bug, bug.id)


def go(page, desk, start, bug):
    """Open a page, with the bug chosen on it."""
    page.goto(desk + start.format(ref=bug.ref))
    if "ref" not in start:
        page.locator(f"[data-ref='{bug.ref}'] :is(.t, .tt)").focus()


@pytest.mark.parametrize("start", ["/board", "/duty", "/bugs/{ref}"])
def test_z_snoozes_until_tomorrow_with_enter_and_u_takes_it_back(page, desk, start):
    bug = make_bug()
    go(page, desk, start, bug)

    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Tomorrow")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{bug.ref} is snoozed until Wed 11 Mar.").first).to_be_visible()
    page.wait_for_load_state()
    assert str(now(bug).snoozed_until) == "2026-03-11"

    page.keyboard.press("u")
    expect(page.get_by_text(f"Undone: {bug.ref} is awake.").first).to_be_visible()
    assert now(bug).snoozed_until is None


@pytest.mark.parametrize("start", ["/board", "/duty"])
def test_whoever_only_looked_and_goes_back_has_the_same_bug_in_focus(page, desk, start):
    make_bug()
    bug = make_bug()
    make_bug()
    link = page.locator(f"[data-ref='{bug.ref}'] :is(.t, .tt)")
    go(page, desk, start, bug)

    page.keyboard.press("z")
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(f"**{start}")
    expect(link).to_be_focused()
    page.keyboard.press("4")
    page.get_by_role("heading", name="Ask").wait_for()
    page.go_back()

    expect(link).to_be_focused()
    assert now(bug).status is Status.NEW


def test_a_digit_takes_a_day_and_a_date_is_typed(page, desk):
    bug, other = make_bug(), make_bug()
    go(page, desk, "/board", bug)

    page.keyboard.press("z")
    page.get_by_role("button", name="Tomorrow").wait_for()
    page.wait_for_load_state()
    page.keyboard.press("2")
    expect(page.get_by_text(f"{bug.ref} is snoozed until Mon 16 Mar.").first).to_be_visible()
    page.goto(f"{desk}/bugs/{other.ref}/snooze")
    page.get_by_label("A day").fill("2026-04-01")
    page.get_by_label("A day").press("Enter")
    expect(page.get_by_text(f"{other.ref} is snoozed until Wed 1 Apr.").first).to_be_visible()

    assert [str(now(each).snoozed_until) for each in (bug, other)] == ["2026-03-16", "2026-04-01"]


@pytest.mark.parametrize("start", ["/board", "/bugs/{ref}"])
def test_t_raises_with_a_reason(page, desk, start):
    bug = make_bug(Status.IN_PROGRESS)
    go(page, desk, start, bug)

    page.keyboard.press("t")
    page.get_by_role("heading", name="Raise").wait_for()
    page.wait_for_load_state()
    page.keyboard.press("2")
    expect(page.get_by_text(f"{bug.ref} is on top of today's queue.").first).to_be_visible()

    assert now(bug).raise_reason == RaiseReason.PROMISED


@pytest.mark.parametrize("start", ["/board", "/bugs", "/bugs/{ref}"])
def test_a_lead_pins_with_shift_p_unpins_by_the_palette_and_u_takes_it_back(page, desk, mira, start):
    with transaction():
        mira.role = Role.LEAD
    make_bug()
    bug = make_bug()
    go(page, desk, start, bug)

    page.keyboard.press("P")
    expect(page.get_by_text(f"{bug.ref} is pinned to the top.").first).to_be_visible()
    assert now(bug).is_pinned
    if start == "/board":
        assert page.locator(".card").first.get_attribute("id") == bug.ref
    go(page, desk, start, bug)
    page.keyboard.press("Control+K")
    page.keyboard.type("unpin")
    expect(page.get_by_role("option", name=re.compile("^Unpin"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{bug.ref} is unpinned.").first).to_be_visible()
    assert not now(bug).is_pinned
    page.keyboard.press("u")

    expect(page.get_by_text(f"Undone: {bug.ref} is pinned.").first).to_be_visible()
    assert now(bug).is_pinned


@pytest.mark.parametrize("start", ["/duty", "/bugs/{ref}"])
def test_v_says_that_one_has_looked(page, desk, start):
    bug = make_bug(Status.IN_PROGRESS)
    with transaction():
        raising.raise_bug(bug, RaiseReason.LEAVING, actor=make_user())
    go(page, desk, start, bug)

    page.keyboard.press("v")
    expect(page.get_by_text(f"You have looked at {bug.ref}.").first).to_be_visible()

    assert now(bug).raised_at is None


def test_c_begins_a_comment_an_at_offers_names_and_ctrl_enter_sends_it(page, desk):
    make_user(name="Jonas Sommer"), make_user(name="Jana Čop")
    bug = make_bug()
    go(page, desk, "/bugs/{ref}", bug)

    page.keyboard.press("c")
    area = page.get_by_label("Comment for the team")
    expect(area).to_be_focused()
    page.keyboard.type("Ask @j")
    expect(page.get_by_role("option")).to_have_text(["Jana Čop", "Jonas Sommer"])
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Jonas Sommer")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(area).to_have_value("Ask @Jonas Sommer ")
    page.keyboard.type("or @cop")
    page.keyboard.press("Tab")
    expect(area).to_have_value("Ask @Jonas Sommer or @Jana Čop ")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".comment .words")).to_have_text("Ask @Jonas Sommer or @Jana Čop")

    now(bug)
    assert [db.session.get_one(Comment, 1).text] == ["Ask @Jonas Sommer or @Jana Čop"]


def test_escape_closes_the_names_and_leaves_the_text(page, desk):
    go(page, desk, "/bugs/{ref}", make_bug())

    page.get_by_label("Comment for the team").press_sequentially("@m")
    expect(page.get_by_role("option")).to_have_text(["Mira Kos"])
    page.keyboard.press("Escape")

    expect(page.get_by_role("listbox", name="Colleagues")).to_be_hidden()
    expect(page.get_by_label("Comment for the team")).to_have_value("@m")
