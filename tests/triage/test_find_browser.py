"""Narrowing and searching in a real browser: by keyboard, with suggestions, and on a small screen."""

import logging
import threading

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from bugintake.intake.customers import adding
from tests.factories import make_bug, make_customer
from tests.visitors import visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


@pytest.fixture
def desk(app, mira, context):
    """The address of the app, with Mira signed in to the browser."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.port}"
    cookie = visit(app, mira).client.get_cookie("session")
    context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def suggested(page):
    """The rows that are offered for what is being typed."""
    return page.locator(".pop:visible .opt-row")


def test_a_search_is_typed_with_suggestions_and_becomes_an_address(page, desk):
    bug = make_bug(area="Sign-in › Password reset", actual="The code is refused.")
    make_bug(area="Invoices › PDF export")
    page.goto(f"{desk}/bugs")

    page.get_by_label("Words and fields").focus()
    page.keyboard.type("ar")
    expect(suggested(page)).to_have_text("area:where it happens")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("pass")
    expect(suggested(page)).to_have_text('area:"Sign-in › Password reset"')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("codes")
    page.keyboard.press("Enter")

    page.wait_for_url(f"{desk}/bugs?area={bug.area_id}&q=codes")
    expect(page.get_by_role("table").get_by_role("link")).to_have_text([bug.title])


def test_enter_searches_for_what_was_typed_and_escape_closes_the_suggestions(page, desk):
    page.goto(f"{desk}/bugs")
    page.get_by_label("Words and fields").focus()
    page.keyboard.type("is")
    expect(suggested(page)).to_have_count(1)

    page.keyboard.press("Escape")
    expect(suggested(page)).to_have_count(0)
    page.keyboard.press("Enter")

    page.wait_for_url(f"{desk}/bugs?q=is")


def test_a_board_is_narrowed_by_keyboard_and_to_a_company(page, desk):
    theirs = make_bug(waiting=[make_customer(company="Brightline")])
    make_bug()
    page.goto(f"{desk}/board")

    page.keyboard.press("f")
    page.get_by_label("Company").fill("bright")
    expect(suggested(page)).to_have_text("Brightline")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show", exact=True).click()

    page.wait_for_url(f"{desk}/board?account={adding.account_called('Brightline').id}")
    expect(page.locator("[data-ref]")).to_have_count(1)
    expect(page.locator("[data-ref]")).to_have_attribute("data-ref", theirs.ref)


def test_a_list_is_narrowed_to_one_of_two_customers_of_the_same_name_and_widened_again(page, desk):
    first, second = (make_customer("Hana Kos", company="Brightline") for _ in range(2))
    make_bug(waiting=[first])
    theirs = make_bug(waiting=[second])
    page.goto(f"{desk}/bugs")

    page.locator(".narrow > summary").click()
    page.get_by_label("Customer", exact=True).fill("hana")
    expect(suggested(page)).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show", exact=True).click()

    page.wait_for_url(f"{desk}/bugs?customer={second.id}")
    expect(page.get_by_role("main").get_by_role("link", name=theirs.title)).to_have_count(1)
    page.locator(".narrow > summary").click()
    page.get_by_label("Customer", exact=True).fill("")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(f"{desk}/bugs")


@pytest.mark.parametrize("path", ["board", "bugs"])
def test_the_form_fits_a_small_screen_open_and_closed(page, desk, path):
    make_bug(waiting=[make_customer(company="Brightline")])
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{desk}/{path}?owner=me&waiting=3")

    def overflow():
        return page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert overflow() == 0
    page.locator(".narrow > summary").click()
    expect(page.get_by_label("Company")).to_be_visible()
    assert overflow() == 0
    for menu in ("Views", "Sort"):
        page.locator(".menu > summary", has_text=menu).click()
        assert overflow() == 0
