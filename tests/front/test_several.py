"""Choosing several cards of the board, and one verb for all of them."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def bar_of(page):
    return page.get_by_role("form", name="Chosen bugs")


def test_x_chooses_and_a_verb_acts_on_all_that_are_chosen(visit, site):
    page = visit("board.html")
    expect(bar_of(page)).to_be_hidden()

    press(page, "j", "x", "l", "x")
    expect(bar_of(page)).to_contain_text("2 chosen")
    expect(page.locator("#live")).to_have_text("BUG-3 chosen, 2 chosen.")
    press(page, "1")

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert (site.posted[0][0], site.chosen) == ("/bugs/many/acceptance", ["BUG-1 new ", "BUG-3 accepted "])


def test_x_again_and_escape_choose_none(visit, site):
    page = visit("board.html")

    press(page, "j", "x", "x")
    expect(bar_of(page)).to_be_hidden()
    press(page, "x", "j", "x", "Escape")
    expect(bar_of(page)).to_be_hidden()
    press(page, "1")

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert site.posted[0][0] == "/bugs/BUG-2/acceptance"


def test_all_of_it_goes_by_pointer(visit, site):
    page = visit("board.html")
    for ref in ("BUG-1", "BUG-2"):
        page.locator(f"#{ref}").hover()
        page.get_by_role("link", name=f"Actions for {ref}").click()
        page.get_by_role("button", name="Choose together with others").click()

    bar_of(page).get_by_role("button", name="Accept").click()

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert (site.posted[0][0], site.chosen) == ("/bugs/many/acceptance", ["BUG-1 new ", "BUG-2 new "])


def test_what_was_chosen_stays_chosen_when_others_change_the_board(visit, site):
    page = visit("board.html")
    press(page, "j", "x")

    site.board[0] = ("BUG-1", "new", "2")
    site.etag = '"two"'

    expect(page.locator("#BUG-1")).to_contain_text("version 2")
    expect(page.locator(".chosen")).to_have_attribute("data-ref", "BUG-1")
