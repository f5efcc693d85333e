"""Filing by keyboard: known bugs beside the form, nothing filed by accident, nothing filed twice."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def press(page: Page, keys: str) -> int:
    for key in keys.split():
        page.keyboard.press(key)
    return len(keys.split())


def choose_both(page: Page) -> None:
    page.get_by_label("Where").fill("pdf")
    page.keyboard.press("Tab")
    page.get_by_label("What goes wrong").fill("wr")
    page.keyboard.press("Enter")


def test_a_report_takes_at_most_twenty_five_keystrokes_besides_its_texts(visit, site):
    page = visit("form.html")
    expect(page.get_by_label("Customer")).to_be_focused()

    count = press(page, "h a n Tab p d f Tab w r Tab")
    expect(page.locator(".dup")).to_have_count(2)
    expect(page.locator(".dup").first).to_be_focused()
    count += press(page, "Tab 2 Tab a l Tab c Tab Tab")
    page.keyboard.type("1. Open an invoice")
    count += press(page, "Tab")
    page.keyboard.type("No VAT line")
    count += press(page, "Tab")
    page.keyboard.type("A VAT line")
    count += press(page, "Control+Enter") + 1

    expect(page.get_by_role("heading")).to_have_text("taken")
    path, sent = site.posted[0]
    assert path == "/page/form.html"
    chosen = {
        name: sent[name] for name in ("customer_id", "area", "symptom", "impact", "frequency", "platform", "version")
    }
    assert chosen == {
        "customer_id": "1",
        "area": "1",
        "symptom": "2",
        "impact": "2",
        "frequency": "1",
        "platform": "1",
        "version": "",
    }
    assert (sent["steps"], sent["actual"], sent["expected"]) == ("1. Open an invoice", "No VAT line", "A VAT line")
    assert count <= 25


def test_attaching_a_customer_takes_at_most_fifteen_keystrokes(visit, site):
    page = visit("form.html")
    expect(page.get_by_label("Customer")).to_be_focused()

    count = press(page, "h a n Tab p d f Tab w r Tab")
    expect(page.locator(".dup").first).to_be_focused()
    count += press(page, "Enter")

    expect(page.get_by_role("heading")).to_have_text("taken")
    path, sent = site.posted[0]
    assert (path, sent["bug"], sent["customer_id"]) == ("/bugs/BUG-142/attach", "BUG-142", "1")
    assert count <= 15


def test_known_bugs_are_one_tab_stop_with_arrows_and_are_said_once(visit):
    page = visit("form.html")
    choose_both(page)
    expect(page.locator("#live")).to_have_text("2 known bugs look the same. Press Tab to review them.")

    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".dup").nth(1)).to_be_focused()
    expect(page.locator(".dup").nth(1)).to_contain_text("Tax line is <missing>")
    page.keyboard.press("Tab")

    expect(page.get_by_label("Cannot work")).to_be_focused()


def test_without_look_alikes_the_panel_says_so(visit):
    page = visit("form.html?area=2&symptom=1")

    expect(page.locator(".calm-box")).to_have_text("No known bug looks like this. Yours is the first.")


def test_a_failing_search_for_look_alikes_does_not_stand_in_the_way(page, site):
    page.route("**/similar?*", lambda route: route.fulfill(status=200, body="not json"))
    page.goto(f"{site.url}/page/form.html?area=1&symptom=1")

    expect(page.locator(".calm-box")).to_have_text(re.compile("Could not look for known bugs"))
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading")).to_have_text("taken")


def test_enter_in_a_field_never_files(visit, site):
    page = visit("form.html")

    page.get_by_label("Cannot work").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Where").focus()
    page.keyboard.press("Enter")

    assert site.posted == []


def test_two_clicks_file_once(visit, site):
    page = visit("form.html")
    button = page.get_by_role("button", name="File bug")

    button.evaluate("button => { button.click(); button.click(); }")
    expect(page.get_by_role("heading")).to_have_text("taken")

    assert len(site.posted) == 1


def test_back_brings_the_words_and_choices_again(visit):
    page = visit("form.html")
    choose_both(page)
    page.get_by_label("Hard to work").check(force=True)
    page.get_by_label("What happened").fill("No VAT line")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading")).to_have_text("taken")

    page.go_back()

    expect(page.get_by_label("Where")).to_have_value("Invoices › PDF export")
    expect(page.get_by_label("What happened")).to_have_value("No VAT line")
    expect(page.get_by_label("Hard to work")).to_be_checked()


def test_a_fresh_form_is_empty_again(visit, site):
    page = visit("form.html")
    page.get_by_label("What happened").fill("No VAT line")
    page.goto(f"{site.url}/page/board.html")

    page.goto(f"{site.url}/page/form.html")

    expect(page.get_by_label("What happened")).to_have_value("")


def test_a_refused_form_puts_focus_on_the_summary_and_its_links_on_the_fields(visit):
    page = visit("form.html?refused&area=1")
    assert page.title().startswith("Error: ")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Where")).to_have_value("Invoices › PDF export")

    page.get_by_role("link", name="Choose what goes wrong").click()

    expect(page.get_by_label("What goes wrong")).to_be_focused()
    expect(page.get_by_label("What goes wrong")).to_have_attribute("aria-invalid", "true")
