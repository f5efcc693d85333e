"""Planning a month of 22 days by keyboard alone, without any script, with three adjustments."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from bugintake.core.db import db
from bugintake.duty import queries
from tests.visitors import served, visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]
TAB = "Tab"


@pytest.fixture
def page(app, browser, rotation, petra):
    """A lead's browser, which runs no script."""
    cookie = visit(app, petra).client.get_cookie("session")
    with served(app) as address:
        context = browser.new_context(java_script_enabled=False, base_url=address)
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        yield context.new_page()
        context.close()


class Hands:
    """Presses keys and counts them, and the pages that come."""

    def __init__(self, page):
        self.page, self.keys, self.loads = page, 0, 0
        page.on("load", self._note_load)

    def _note_load(self, _page):
        self.loads += 1

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def go_to(self, locator):
        """Press Tab until it has the focus."""
        here = locator.element_handle()
        for _ in range(80):
            if self.page.evaluate("element => document.activeElement === element", here):
                return
            self.press(TAB)
        raise AssertionError(f"Tab does not lead to {locator}")


def test_a_month_is_planned_in_four_pages_and_less_than_a_hundred_keys(page):
    hands = Hands(page)
    page.goto("/duty/schedule")
    hands.go_to(page.get_by_role("link", name="Plan a month"))
    hands.press("Enter")
    expect(page.get_by_role("heading", name="Plan Apr 2026")).to_be_visible()

    for day, letter in (("Wed 1 Apr", "t"), ("Fri 10 Apr", "a"), ("Thu 23 Apr", "a")):
        hands.go_to(page.get_by_label(f"Who takes {day}"))
        hands.press(letter)
    hands.go_to(page.get_by_role("button", name="Show what it means"))
    hands.press("Enter")
    expect(page.get_by_text("Nothing is saved yet.", exact=True)).to_be_visible()
    hands.go_to(page.get_by_role("button", name="Save").first)
    hands.press("Enter")
    expect(page.get_by_text("Saved: 3 slots have changed hands.")).to_be_visible()

    db.session.rollback()
    on_duty = [queries.on_duty(datetime(2026, 4, day, 10, tzinfo=UTC)).person.first_name for day in (1, 10, 23)]
    assert on_duty == ["Tin", "Ana", "Ana"]
    assert hands.loads == 4
    assert hands.keys < 100  # 71 when this was written; each link of the top bar is three more
