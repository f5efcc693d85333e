"""Words in a real browser: saved while they are typed, kept without a connection, back after everything."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db, transaction
from bugintake.intake.draft_models import Draft
from bugintake.intake.models import Report
from bugintake.team import passwords, people
from tests.eyes import barriers

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]

SAVED = re.compile(r"^Draft saved \d\d:\d\d$")
WHAT = "What happened"
PASSWORD = "correct horse battery"


def count(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def fill(page):
    page.get_by_label("We found it ourselves").check()
    for name, words in (("Where", "search"), ("What goes wrong", "looks"), ("How often", "alw"), ("Platform", "fire")):
        page.get_by_label(name, exact=True).fill(words)
        page.get_by_label(name, exact=True).press("Enter")
    page.get_by_label("Version").fill("4.12.0")
    page.get_by_label("Version").press("Tab")
    page.get_by_label("Annoying").check()
    for name in ("Steps to see it", WHAT, "What should have happened"):
        page.get_by_label(name).fill(f"{name}:\nwords.")


def test_what_is_typed_is_saved_and_continued_in_another_tab(page, context, company, desk):
    page.goto(f"{desk}/new")
    fill(page)
    expect(page.locator("#draft")).to_have_text(SAVED)

    other = context.new_page()
    other.goto(f"{desk}/new")
    other.get_by_role("link", name="Continue").click()

    expect(other.get_by_label("Where")).to_have_value("Search")
    expect(other.get_by_label("Annoying")).to_be_checked()
    expect(other.get_by_label(WHAT)).to_have_value("What happened:\nwords.")
    other.keyboard.press("Control+Enter")
    expect(other.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-1")
    assert (count(Report), count(Draft)) == (1, 0)


def test_two_tabs_have_two_drafts_and_going_on_in_both_loses_neither(context, company, desk):
    first, second = context.new_page(), context.new_page()
    first.goto(f"{desk}/new")
    first.get_by_label(WHAT).fill("Begun.")
    expect(first.locator("#draft")).to_have_text(SAVED)
    second.goto(f"{desk}/new")
    second.get_by_role("link", name="Continue").click()
    second.get_by_label(WHAT).fill("Begun. Second.")
    expect(second.locator("#draft")).to_have_text(SAVED)

    first.get_by_label(WHAT).fill("Begun. First.")
    with first.expect_response("**/drafts"):
        pass

    db.session.rollback()
    assert sorted(each.fields["actual"] for each in db.session.scalars(sa.select(Draft))) == [
        "Begun. First.",
        "Begun. Second.",
    ]


def test_nothing_is_sent_while_nothing_changes(page, company, desk):
    page.goto(f"{desk}/new")
    posted = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_label(WHAT).fill("Begun.")
    expect(page.locator("#draft")).to_have_text(SAVED)
    page.get_by_label(WHAT).fill("Begun. More")
    page.get_by_label(WHAT).fill("Begun.")
    page.clock.install()

    page.clock.run_for(10_000)

    assert posted == [f"{desk}/drafts"]


def test_without_a_connection_words_stay_here_and_the_form_is_filed_once_when_it_is_back(context, company, desk):
    page = context.new_page()
    page.goto(f"{desk}/new")
    fill(page)
    context.set_offline(True)
    expect(page.locator("#draft")).to_have_text("No connection. Your text is kept here.")
    expect(page.get_by_role("button", name="File when back online")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#draft")).to_have_text("No connection. It is filed once that is back.")
    page.keyboard.press("Control+Enter")

    context.set_offline(False)

    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-1")
    assert (count(Report), count(Draft)) == (1, 0)


def test_words_of_a_tab_that_was_closed_without_a_connection_are_offered_again(context, company, desk):
    page = context.new_page()
    page.goto(f"{desk}/new")
    context.set_offline(True)
    with page.expect_event("requestfailed"):
        page.get_by_label(WHAT).fill("On the train.")
    expect(page.locator("#draft")).to_have_text("No connection. Your text is kept here.")
    page.close()
    context.set_offline(False)

    page = context.new_page()
    page.goto(f"{desk}/new")

    expect(page.locator("#drafts")).to_contain_text("On the train.")
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('draft '))") == []
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_label(WHAT)).to_have_value("On the train.")


@pytest.fixture
def sign_out(lea):
    """End Lea's sign-in and give her a password."""

    def end():
        with transaction():
            people.set_password(lea, passwords.hash_password(PASSWORD), actor=lea)

    return end


def test_a_sign_in_that_ended_is_renewed_in_place_and_the_form_filed_with_what_was_asked_for(
    context, company, desk, lea, sign_out
):
    page = context.new_page()
    page.goto(f"{desk}/new")
    fill(page)
    sign_out()
    dialog = page.get_by_role("dialog", name="Sign in again")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Password")).to_be_focused()
    expect(dialog.get_by_label("E-mail")).to_have_value(lea.email)
    assert barriers(page) == []

    dialog.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("That address and password do not belong together.")
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#draft")).to_contain_text("Draft saved")
    page.get_by_label(WHAT).fill("What happened:\nmore words.")
    with page.expect_response("**/drafts") as kept:
        pass
    assert kept.value.status == 401
    expect(dialog).to_be_hidden()
    page.keyboard.press("Control+Enter")
    dialog.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-1")
    db.session.rollback()
    assert db.session.scalars(sa.select(Report.actual)).all() == ["What happened:\nmore words."]
    assert count(Draft) == 0


def test_a_file_chosen_after_the_sign_in_ended_is_sent_once_somebody_signed_in(context, company, desk, sign_out):
    page = context.new_page()
    page.goto(f"{desk}/new")
    sign_out()
    page.locator("input[type=file]").set_input_files({"name": "log.txt", "mimeType": "text/plain", "buffer": b"words"})
    dialog = page.get_by_role("dialog", name="Sign in again")
    dialog.get_by_label("Password").fill(PASSWORD)

    dialog.get_by_role("button", name="Sign in as Lea").click()

    expect(page.get_by_role("link", name="log.txt")).to_be_visible()
    expect(dialog).to_be_hidden()


def test_signing_in_again_in_another_tab_closes_the_dialog_here(context, company, desk, lea, sign_out):
    page = context.new_page()
    page.goto(f"{desk}/new")
    sign_out()
    page.get_by_label(WHAT).fill("Begun.")
    dialog = page.get_by_role("dialog", name="Sign in again")
    with context.expect_page() as opened:
        dialog.get_by_role("link", name="In another tab").click()
    other = opened.value
    other.get_by_label("E-mail").fill(lea.email)
    other.get_by_label("Password").fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/new")

    page.evaluate("dispatchEvent(new Event('focus'))")

    expect(dialog).to_be_hidden()
    expect(page.locator("#draft")).to_have_text(SAVED)


def test_back_after_filing_shows_the_words_and_files_nothing_twice(context, company, desk):
    page = context.new_page()
    page.goto(f"{desk}/new")
    fill(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-1")

    page.go_back()
    expect(page.get_by_label(WHAT)).to_have_value("What happened:\nwords.")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-1")
    assert (count(Report), count(Draft)) == (1, 0)


def test_hints_come_while_somebody_types_and_what_looks_secret_is_masked_in_place(page, company, desk):
    page.goto(f"{desk}/new")
    page.get_by_label("Steps to see it").fill("Look.")
    page.get_by_label(WHAT).fill("It says password: hunter2 here.")
    page.get_by_label("What should have happened").focus()

    expect(page.locator("[data-hints=steps]")).to_have_text(re.compile("^These steps are very short"))
    page.get_by_role("button", name="Mask it").click()

    expect(page.get_by_label(WHAT)).to_have_value("It says password: •••••• here.")
    expect(page.get_by_label(WHAT)).to_be_focused()
    expect(page.get_by_role("button", name="Mask it")).to_have_count(0)
    with page.expect_response("**/drafts"):
        pass
    db.session.rollback()
    assert [each.fields["actual"] for each in db.session.scalars(sa.select(Draft))] == [
        "It says password: •••••• here."
    ]


def test_back_brings_words_again_that_are_not_listed(context, company, desk):
    page = context.new_page()
    page.goto(f"{desk}/new")
    page.get_by_label("Where").fill("Kiosk mode")
    page.get_by_label("Where").press("ArrowDown")
    page.get_by_label("Where").press("Enter")
    page.keyboard.press("Control+Enter")
    page.locator(".err").wait_for()

    page.go_back()

    expect(page.get_by_label("Where")).to_have_value("Kiosk mode")
    assert page.evaluate("document.querySelector('[data-intake]').elements.area_other.value") == "Kiosk mode"
