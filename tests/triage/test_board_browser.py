"""What the pages of triage keep to in a browser: their weight, keys that are off, menus beside drags, what is said."""

import gzip
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from bench import seeding
from bugintake.core.db import db, transaction
from bugintake.intake.models import OPEN, Report, Status
from bugintake.loop.links import make_link
from bugintake.loop.models import LinkPurpose
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.factories import make_bug, make_customer, make_option, make_user
from tests.visitors import served, visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]

KILOBYTE = 1024
WHOLE = "/board?" + "&".join(f"more={status}:1000" for status in seeding.OPEN)
KINDS = {"document": 0, "stylesheet": 1, "script": 2}
# Kilobytes of HTML, CSS and scripts as they travel, and how many requests.
BUDGETS = {
    WHOLE: (40, 12, 18, 5),
    "/bugs/BUG-1": (20, 12, 14, 6),
    "/duty": (20, 12, 14, 5),
    "/loop": (20, 12, 14, 5),
    "/s/": (6, 6, 0, 2),
}
LISTEN = """addEventListener("DOMContentLoaded", () => {
  const live = document.getElementById("live");
  new MutationObserver(() => live.textContent && hear(live.textContent)).observe(live, { childList: true });
})"""
DRAGGED = """(card) => {
  card.dispatchEvent(new DragEvent("dragstart", { bubbles: true, dataTransfer: new DataTransfer() }));
  const found = [...document.querySelectorAll(".may")].map((each) => each.dataset.status);
  card.dispatchEvent(new DragEvent("dragend", { bubbles: true }));
  return found.sort();
}"""
ROWS = "(menu) => [...new Set([...menu.querySelectorAll('[data-to]')].map((row) => row.dataset.to))].sort()"


def test_pages_stay_within_their_bytes_and_requests_while_500_bugs_are_open(app, context):
    seeding.seed(500)
    with transaction():
        link = make_link(db.session.get_one(Report, 1), LinkPurpose.REPORT, "en")[1]
    over = {}
    with served(app) as address:
        cookie = visit(app, make_user(Role.ENGINEER)).client.get_cookie("session")
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        for path, budget in BUDGETS.items():
            page, answers = context.new_page(), []
            page.on("response", lambda answer, answers=answers: answers.append(answer))
            page.goto(address + (urlsplit(link).path if path == "/s/" else path))
            page.wait_for_load_state("networkidle")
            weight = weigh([answer for answer in answers if answer.status == 200], address)
            if any(found > most for found, most in zip(weight, budget, strict=True)):
                over[path] = weight
    assert over == {}


def weigh(answers, address):
    """Add up the kilobytes of each kind; nobody else is asked."""
    assert {urlsplit(answer.url).netloc for answer in answers} == {urlsplit(address).netloc}
    size = [0.0, 0.0, 0.0]
    for answer in answers:
        if (place := KINDS.get(answer.request.resource_type)) is not None:
            size[place] += len(gzip.compress(answer.body(), 6)) / KILOBYTE
    return *(round(each, 1) for each in size), len(answers)


@pytest.mark.usefixtures("company")
def test_once_keys_are_switched_off_in_the_settings_the_board_takes_none(page, desk):
    bug = make_bug()
    page.goto(f"{desk}/settings")
    keys = page.locator("section", has=page.get_by_role("heading", name="Keys", exact=True))
    keys.get_by_role("checkbox").uncheck()
    keys.get_by_role("button").click()
    page.goto(f"{desk}/board")
    before = page.content()

    page.keyboard.type("jke1mxzung.?/")

    assert (page.url, page.content()) == (f"{desk}/board", before)
    assert page.evaluate("document.activeElement === document.body")
    page.locator(f"#{bug.ref} .t").focus()
    page.keyboard.type("1")
    assert page.url == f"{desk}/board"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{desk}/bugs/{bug.ref}")


@pytest.mark.usefixtures("company")
def test_what_can_be_dragged_has_a_menu_with_a_row_for_each_column_that_takes_it(page, desk):
    bugs = [make_bug(status) for status in OPEN]
    page.goto(f"{desk}/board")
    expect(page.locator("[draggable=true]")).to_have_count(len(bugs))

    for card in page.locator("[draggable=true]").all():
        taken = card.evaluate(DRAGGED)
        card.locator(".more").click()
        rows = page.locator("#board-menu").evaluate(ROWS)
        assert rows == taken
        assert taken
        page.keyboard.press("Escape")


@pytest.mark.usefixtures("company")
def test_what_happens_is_said_to_whoever_listens(context, desk):
    bug, jonas = make_bug(waiting=[make_customer()]), make_user(Role.ENGINEER, "Jonas")
    make_bug(Status.ACCEPTED)
    make_option("area", "Calendar")
    said = []
    context.expose_binding("hear", lambda _, words: said.append(words))
    context.add_init_script(LISTEN)
    page = context.new_page()

    def heard():
        for _ in range(200):
            if not said:
                page.wait_for_timeout(50)
        return said.pop()

    page.goto(f"{desk}/board")
    page.locator(f"#{bug.ref} .t").focus()

    page.keyboard.press("1")
    assert heard() == f"{bug.ref} is accepted. Who fixes it? Accepted, 1 of 2."
    page.locator(f"#{bug.ref} .t").focus()
    page.keyboard.press("m")
    page.keyboard.press("s")
    assert heard() == f"{bug.ref} is in progress. In progress, 1 of 1."
    page.keyboard.press("u")
    assert heard() == f"Undone: {bug.ref} is Accepted again. Accepted, 1 of 2."
    expect(page.locator(f"#{bug.ref} .t")).to_be_focused()
    page.goto(f"{desk}/bugs/{bug.ref}")
    page.get_by_label("Where", exact=True).fill("cal")
    page.keyboard.press("Tab")
    assert heard() == "Saved."
    with transaction():
        editing.assign(bug, jonas, actor=jonas)
    page.locator("h1").click()
    page.keyboard.press("i")
    overtaken = "Nothing of yours was saved yet. What you typed is below, beside what stands there now."
    assert heard() == f"{overtaken} Jonas changed it 1 s ago."


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("address", ["/board", "/bugs", "/overlooked", "/mine", "/duty"])
def test_a_bug_is_followed_by_the_next_of_the_list_one_came_from(page, desk, mira, address):
    bugs = [make_bug(Status.ACCEPTED, actor=mira) for _ in range(2)]
    with transaction():
        mira.role = Role.LEAD
        for bug in bugs:
            bug.owner_id = None
    page.goto(desk + address)
    refs = page.evaluate("[...document.querySelectorAll('[data-ref]')].map((each) => each.dataset.ref)")
    assert sorted(refs) == sorted(bug.ref for bug in bugs)

    page.locator(f"[data-ref={refs[0]}] a").first.click()
    expect(page.get_by_text("1 / 2")).to_be_visible()
    page.keyboard.press("Shift+J")
    page.wait_for_url(f"**/bugs/{refs[1]}")

    expect(page.get_by_text("2 / 2")).to_be_visible()


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("script", [True, False], ids=["with a script", "without one"])
def test_on_a_phone_a_column_is_picked_by_its_name(app, mira, browser, script):
    make_bug(Status.FIXED)
    with served(app) as address:
        cookie = visit(app, mira).client.get_cookie("session")
        context = browser.new_context(java_script_enabled=script, viewport={"width": 320, "height": 640})
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        page = context.new_page()
        page.goto(f"{address}/board")
        column = page.get_by_role("heading", name="Fixed, not live yet 1")
        expect(column).not_to_be_in_viewport()

        page.get_by_role("navigation", name="Columns").get_by_role("link", name="Fixed, not live yet 1").click()

        expect(column).to_be_in_viewport()
        context.close()
