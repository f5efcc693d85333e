"""Duplicates by keyboard, in a real browser."""

from datetime import date, time

import pytest
from playwright.sync_api import expect

from bugintake.core.db import db, transaction
from bugintake.duty import roster
from bugintake.intake.models import Bug
from tests.factories import make_bug

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


def merged_into(bug):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Bug, bug.id).merged_into_id


@pytest.mark.parametrize("start", ["/board", "/bugs", "/duty", "/bugs/{ref}"])
def test_2_merges_a_bug_into_one_that_looks_the_same_and_u_takes_it_back(page, desk, mira, start):
    terms = {"zone": "UTC", "start_on": date(2026, 3, 9), "handoff": time(9), "days": [0, 1, 2, 3, 4]}
    with transaction():
        roster.create_rotation(name="Bug duty", **terms, people=[mira], actor=None)
    bug, other = make_bug(), make_bug()
    page.goto(desk + start.format(ref=bug.ref))
    if "ref" not in start:
        page.locator(f"[data-ref='{bug.ref}'] :is(.t, .tt)").focus()

    page.keyboard.press("2")
    expect(page.get_by_role("heading", name="Duplicate")).to_be_visible()
    expect(page.get_by_label("Which bug is it the same as?")).to_be_focused()
    page.get_by_role("link", name=other.title).click()
    page.get_by_role("button", name=f"Merge into {other.ref}").click()
    expect(page.get_by_text(f"{bug.ref} is part of {other.ref} now.").first).to_be_visible()
    assert merged_into(bug) == other.id

    page.keyboard.press("u")
    expect(page.get_by_text(f"{bug.ref} stands for itself again.").first).to_be_visible()
    assert merged_into(bug) is None


def test_the_other_bug_is_typed_by_number_without_a_pointer(page, desk):
    bug, other = make_bug(), make_bug(area="Search", symptom="Does nothing")
    page.goto(f"{desk}/bugs/{bug.ref}/merge")

    expect(page.get_by_label("Which bug is it the same as?")).to_be_focused()
    page.keyboard.type(str(other.id))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"{bug.ref} becomes a part of {other.ref}")).to_be_visible()

    page.get_by_role("button", name=f"Merge into {other.ref}").press("Enter")
    expect(page.get_by_text(f"{bug.ref} is now part of this.")).to_be_visible()
    assert merged_into(bug) == other.id
