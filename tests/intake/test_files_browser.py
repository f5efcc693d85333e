"""Files in a real browser: picked, pasted, dropped, taken out, and there after Back."""

import base64
import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db
from bugintake.intake.attachments.models import Attachment
from tests.eyes import barriers
from tests.factories import make_bug, make_customer, make_picture

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]

HAND_OVER = """([kind, name, type, content, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([Uint8Array.from(atob(content), (each) => each.charCodeAt(0))], name, { type }));
  if (text) files.setData("text/plain", text);
  const about = { bubbles: true, cancelable: true };
  const event = kind === "paste" ? new ClipboardEvent(kind, { ...about, clipboardData: files })
    : new DragEvent(kind, { ...about, dataTransfer: files });
  return document.getElementById("f-actual").dispatchEvent(event);
}"""


def hand_over(page, kind, name, data=None, media_type="image/png", text=""):
    """Paste or drop a file into the text of what happened, and tell whether the browser may go on with it itself."""
    content = base64.b64encode(data or make_picture()).decode()
    return page.evaluate(HAND_OVER, [kind, name, media_type, content, text])


def kept():
    db.session.rollback()
    return [tuple(row) for row in db.session.execute(sa.select(Attachment.name, Attachment.report_id))]


def shown(page):
    return page.get_by_role("list", name="Chosen so far").get_by_role("listitem")


def test_files_are_pasted_dropped_and_picked_and_go_with_the_report(context, company, desk):
    page = context.new_page()  # of which the console may say that a file was refused
    make_customer("Hana Kovač")
    page.goto(f"{desk}/new?customer=Hana+Kovač&area=search&symptom=looks+wrong&frequency=always&version=4.12.1")
    for name in ("Steps to see it", "What happened", "What should have happened"):
        page.get_by_label(name).fill("Words.")
    page.get_by_label("Platform").fill("firef")
    page.keyboard.press("Tab")
    page.get_by_label("Annoying").check()

    assert hand_over(page, "paste", "image.png") is False
    expect(page.get_by_role("link", name="Picture: image.png")).to_be_visible()
    expect(page.locator("#live")).to_have_text("image.png is added.")
    hand_over(page, "drop", "second.png", make_picture(size=(9, 9)))
    picked = [
        {"name": "app.log", "mimeType": "text/plain", "buffer": b"10:42 no VAT line"},
        {"name": "d.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"},
        {"name": "big.log", "mimeType": "text/plain", "buffer": b"x" * 10_000_001},
    ]
    page.get_by_label("Files").set_input_files(picked)
    expect(shown(page).filter(has_text="web page or a drawing")).to_be_visible()
    expect(shown(page).filter(has_text="larger than 10 MB")).to_be_visible()
    expect(page.get_by_role("link", name="app.log")).to_be_visible()
    assert hand_over(page, "paste", "cells.png", text="a\tb") is True  # a table, of which the text is wanted

    page.get_by_role("button", name="Take out second.png").click()
    expect(page.get_by_role("link", name="second.png")).to_have_count(0)
    expect(page.get_by_label("Files")).to_be_focused()
    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-")
    assert kept() == [("image.png", 1), ("app.log", 1)]


def test_a_form_waits_for_a_file_that_is_on_its_way(context, company, desk):
    page = context.new_page()  # of which the console may say that a file was refused
    page.goto(f"{desk}/new")
    held = []
    page.route("**/new/files", lambda route: held.append(route))  # noqa: PLW0108  # a built-in has no place for its wrapper

    hand_over(page, "paste", "image.png")
    page.get_by_label("What happened").fill("Kept.")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("document.querySelector('#live')")
    expect(page).to_have_title(re.compile("^File a bug"))
    held[0].continue_()

    expect(page).to_have_title(re.compile("^Error: File a bug"))
    expect(page.get_by_role("link", name="Picture: image.png")).to_be_visible()


def test_a_form_stays_where_a_file_on_its_way_was_not_added(context, company, desk):
    page = context.new_page()  # of which the console says that the server failed
    page.goto(f"{desk}/new")
    held = []
    page.route("**/new/files", lambda route: held.append(route))  # noqa: PLW0108  # a built-in has no place for its wrapper
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.is_navigation_request() else None)

    hand_over(page, "paste", "image.png")
    page.keyboard.press("Control+Enter")
    page.wait_for_function("document.querySelector('#live')")
    held[0].fulfill(status=500, body="")

    expect(shown(page)).to_have_text("image.png was not added: the server failed.")
    page.get_by_label("What happened").fill("Kept.")
    assert sent == []


def test_chosen_files_are_there_after_back_and_follow_to_a_known_bug(page, company, desk):
    bug = make_bug(area="Search", symptom="Looks wrong")
    make_customer("Hana Kovač")
    page.goto(f"{desk}/new?customer=Hana+Kovač&area=search&symptom=looks+wrong")
    hand_over(page, "paste", "image.png")
    expect(page.get_by_role("link", name="Picture: image.png")).to_be_visible()
    page.goto(f"{desk}/board")
    page.go_back()
    expect(page.get_by_role("link", name="Picture: image.png")).to_be_visible()

    page.locator(".dup").click()
    page.get_by_role("heading", name=f"to {bug.ref}?").wait_for()
    hand_over(page, "paste", "image.png", make_picture(size=(8, 8)))
    expect(shown(page)).to_have_count(2)
    page.get_by_role("button", name="Attach").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Attached to {bug.ref}")
    assert kept() == [("image.png", 2), ("image.png", 2)]


def test_a_lost_connection_is_said_and_the_file_can_be_chosen_again(context, company, desk):
    page = context.new_page()
    page.goto(f"{desk}/new")
    page.route("**/new/files", lambda route: route.abort())
    hand_over(page, "paste", "image.png")
    expect(shown(page)).to_have_text("image.png was not added: there is no connection.")

    page.unroute("**/new/files")
    hand_over(page, "paste", "image.png")

    expect(page.get_by_role("link", name="Picture: image.png")).to_be_visible()
    expect(shown(page)).to_have_count(1)


def test_files_are_shown_to_everybody_in_both_themes(context, company, desk):
    page = context.new_page()  # of which the console may say that a file was refused
    make_bug()
    found = {}
    for theme, width in (("light", 1366), ("dark", 320)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{desk}/new")
        hand_over(page, "paste", "screenshot of the whole invoice page with a very long name.png", make_picture())
        hand_over(page, "drop", "tool.exe", b"MZ\x90\0")
        expect(shown(page)).to_have_count(2)
        found[theme, "new"] = barriers(page)
    assert not any(found.values()), found
