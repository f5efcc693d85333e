"""Single keys on staff pages, on the board, and when they must keep quiet."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def selected(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('[data-ref]')?.dataset.ref ?? ''"))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_n_files_a_bug_and_g_goes(visit, site):
    page = visit("board.html")
    press(page, "g", "d")
    page.wait_for_url("**/page/toast.html")

    page = visit("board.html")
    press(page, "n")
    page.wait_for_url("**/intake.new")


def test_the_question_mark_shows_the_keys_and_escape_hides_them(visit):
    page = visit("board.html")

    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys on this page")).to_be_visible()
    press(page, "Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()


def test_no_key_fires_inside_a_field(visit, site):
    page = visit("form.html")

    for field in ("What happened", "Customer"):
        page.get_by_label(field).focus()
        page.keyboard.type("n?gdu")
        assert page.get_by_label(field).input_value() == "n?gdu"
    page.get_by_label("Cannot work").focus()
    press(page, "n", "u")

    assert page.url.endswith("form.html")
    assert site.posted == []


def test_escape_leaves_a_field_and_keys_are_heard_again(visit):
    page = visit("form.html")

    page.get_by_label("What happened").focus()
    press(page, "Escape", "n")

    page.wait_for_url("**/intake.new")


def test_keys_that_are_switched_off_stay_off(visit, site):
    page = visit("board.html")
    page.evaluate("document.documentElement.dataset.keys = 'off'")

    press(page, "j", "k", "e", "1", "n", "?")

    assert (selected(page), site.posted) == ("", [])
    assert page.url.endswith("board.html")


def test_j_k_h_l_walk_the_board(visit):
    page = visit("board.html")
    seen = []

    for key in "jjjklh":
        press(page, key)
        seen.append(selected(page))

    assert seen == ["BUG-1", "BUG-2", "BUG-2", "BUG-1", "BUG-3", "BUG-1"]


def test_the_board_is_one_tab_stop(visit):
    page = visit("board.html")

    press(page, "j", "j")

    assert page.locator(".card .t[tabindex='0']").count() == 1


def test_enter_opens_the_selected_card(visit):
    page = visit("board.html")

    press(page, "j", "j", "Enter")

    page.wait_for_url("**/bugs/BUG-2")


def test_a_verb_is_posted_and_the_next_card_is_selected_afterwards(visit, site):
    page = visit("board.html")

    press(page, "j", "1")
    expect(page.get_by_role("heading")).to_have_text("taken")
    path, sent = site.posted[0]
    assert (path, "csrf_token" in sent) == ("/bugs/BUG-1/acceptance", True)
    site.board = site.board[1:]
    page.goto(f"{site.url}/page/board.html")

    assert selected(page) == "BUG-2"


def test_a_verb_that_the_status_does_not_have_does_nothing(visit, site):
    page = visit("board.html")

    press(page, "j", "i")
    assert site.posted == []
    press(page, "l", "i")

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert site.posted[0][0] == "/bugs/BUG-3/start"


def test_m_opens_the_menu_of_the_card_and_escape_gives_the_focus_back(visit):
    page = visit("board.html")

    press(page, "j", "m")
    expect(page.get_by_role("group", name="Actions for BUG-1")).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_be_focused()
    press(page, "ArrowDown")
    expect(page.get_by_role("link", name="Won't fix…")).to_be_focused()
    press(page, "Escape")

    expect(page.get_by_role("group", name="Actions for BUG-1")).to_be_hidden()
    assert selected(page) == "BUG-1"


def test_the_menu_opens_by_pointer_and_posts_the_form(visit, site):
    page = visit("board.html")

    page.locator("#BUG-2").hover()
    page.get_by_role("link", name="Actions for BUG-2").click()
    page.get_by_role("button", name="Accept").click()

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert site.posted[0][0] == "/bugs/BUG-2/acceptance"


def test_the_selection_survives_a_reload(visit):
    page = visit("board.html")
    press(page, "j", "j")

    page.reload()
    press(page, "k")

    assert selected(page) == "BUG-1"


def test_new_reports_wait_to_be_shown_and_move_nothing(visit, site):
    page = visit("board.html")
    press(page, "j", "j")

    site.board = [("BUG-4", "new", "1"), *site.board]
    site.etag = '"two"'
    expect(page.get_by_role("button", name="1 new report")).to_be_visible()
    expect(page.locator("#live")).to_have_text("1 new report. Press r to show.")
    expect(page.locator("#BUG-4")).to_have_count(0)
    assert selected(page) == "BUG-2"

    press(page, "r")
    expect(page.locator("#BUG-4")).to_be_visible()
    assert selected(page) == "BUG-2"


def test_a_card_that_somebody_else_changed_is_redrawn_in_its_place(visit, site):
    page = visit("board.html")
    press(page, "j")

    site.board[0] = ("BUG-1", "new", "2")
    site.etag = '"two"'

    expect(page.locator("#BUG-1")).to_contain_text("version 2")
    assert selected(page) == "BUG-1"


def test_u_takes_back_the_last_change_and_its_message_is_said(visit, site):
    page = visit("toast.html")
    expect(page.locator("#live")).to_have_text("BUG-12 is accepted.")

    press(page, "u")

    expect(page.get_by_role("heading")).to_have_text("taken")
    assert site.posted[0][0] == "/bugs/BUG-12/undo"


def test_a_menu_of_the_top_bar_closes_with_escape(visit):
    page = visit("toast.html")
    page.locator(".who-menu > summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    page.get_by_role("link", name=re.compile("My settings")).focus()
    press(page, "Escape")

    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(page.locator(".who-menu > summary")).to_be_focused()
