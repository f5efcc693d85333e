"""The field at the top of every page: search, pages, and whatever can be done here, by name."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def options(page: Page) -> list[str]:
    return page.get_by_role("listbox", name="Found").get_by_role("option").all_inner_texts()


def open_palette(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search, or what to do")).to_be_focused()
    expect(page.get_by_role("listbox", name="Found")).to_be_visible()


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_it_opens_by_key_shows_what_is_here_and_each_key(visit, key):
    page = visit("board.html")

    page.keyboard.press(key)

    expect(page.get_by_role("option", name="Duty")).to_contain_text("g d")
    expect(page.get_by_role("option", name="File a bug")).to_contain_text("n")


def test_what_can_be_done_with_the_selected_card_comes_first(visit, site):
    page = visit("board.html")
    page.keyboard.press("j")
    open_palette(page)

    page.keyboard.type("acc")
    expect(page.get_by_role("option").first).to_contain_text("Accept · BUG-1")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert site.posted[0][0] == "/bugs/BUG-1/acceptance"


@pytest.mark.parametrize("typed", ["bug-142", "142", "BUG-142"])
def test_a_reference_opens_its_bug(visit, typed):
    page = visit("board.html")
    open_palette(page)

    page.keyboard.type(typed)
    page.keyboard.press("Enter")

    page.wait_for_url("**/bugs/BUG-142")


def test_words_are_searched_for(visit):
    page = visit("board.html")
    open_palette(page)

    page.keyboard.type("tax line")
    page.keyboard.press("Enter")

    page.wait_for_url("**/search?q=tax+line")


def test_arrows_walk_and_escape_closes_then_leaves(visit):
    page = visit("board.html")
    field = page.get_by_role("combobox", name="Search, or what to do")
    open_palette(page)

    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Found")).to_be_hidden()
    expect(field).to_be_focused()
    page.keyboard.press("Escape")

    expect(field).not_to_be_focused()


def test_a_page_is_opened_by_its_name_and_by_pointer(visit):
    page = visit("board.html")
    open_palette(page)

    page.keyboard.type("du")
    page.get_by_role("option", name="Duty").click()

    page.wait_for_url("**/page/toast.html")


FOUND = [
    {"name": "Bugs", "rows": [{"label": "BUG-142 Tax line is <missing>", "url": "/bugs/BUG-142", "hint": "New"}]},
    {"name": "Customers", "rows": [{"label": "Taxi Berlin", "url": "/bugs/BUG-7", "hint": ""}]},
]


def test_what_the_server_finds_stands_in_groups_and_is_counted_aloud(visit, site):
    site.found["tax"] = FOUND
    page = visit("board.html")
    open_palette(page)

    page.keyboard.type("tax")

    bugs = page.get_by_role("group", name="Bugs").get_by_role("option")
    expect(bugs).to_have_text(["BUG-142 Tax line is <missing>New"])
    expect(page.get_by_role("group", name="Customers").get_by_role("option")).to_have_text(["Taxi Berlin"])
    assert options(page)[-1].startswith("Search for “tax”")
    expect(page.locator("#live")).to_have_text("3 results. BUG-142 Tax line is <missing>.")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#live")).to_have_text("Taxi Berlin, 2 of 3.")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bugs/BUG-7")


def test_the_bugs_opened_last_are_asked_for_and_offered(visit, site):
    site.found[""] = [{**FOUND[0], "name": "Opened last"}]
    page = visit("board.html")
    page.evaluate("localStorage.setItem('opened', '[142, 7]')")

    with page.expect_request("**/palette?q=&opened=142.7"):
        open_palette(page)

    expect(page.get_by_role("group", name="Opened last").get_by_role("option")).to_contain_text(["BUG-142"])


@pytest.mark.parametrize(("typed", "label"), [("settings", "My settings"), ("keys", "Keys on this page")])
def test_what_stands_in_the_menu_is_called_by_its_name(visit, typed, label):
    page = visit("board.html")
    open_palette(page)

    page.keyboard.type(typed)

    expect(page.get_by_role("option").first).to_contain_text(label)
