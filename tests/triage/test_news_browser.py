"""Two people at once: what one does is told in place to the other, who keeps what they look at and their focus."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from bugintake.core.db import transaction
from bugintake.intake.models import Status
from bugintake.team.models import Role
from bugintake.triage import comments, snoozing, transitions
from tests.factories import make_bug, make_customer, make_user

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]

LISTEN = """() => {
  window.heard = [];
  const live = document.getElementById("live");
  new MutationObserver(() => live.textContent && heard.push(live.textContent)).observe(live, { childList: true });
}"""
# A card gets its height as it comes into sight, with the next frame; the page's clock is the test's, frames are not.
PLACE = """async () => {
  const seen = (done) => new IntersectionObserver((_, it) => { it.disconnect(); done(); }).observe(document.body);
  const frame = () => new Promise(seen);
  await frame();
  await frame();
  return [document.activeElement.closest("[data-ref]").dataset.ref, scrollY,
  ...[...document.querySelectorAll("[data-ref]")].map((each) => [each.dataset.ref, each.getBoundingClientRect().top])
    .filter(([, top]) => top > 0 && top < innerHeight)];
}"""


@pytest.fixture
def jonas():
    return make_user(Role.ENGINEER, "Jonas Sommer")


def opened(page, address, ref=None):
    """Open a page whose clock the test moves, with a bug in the focus, and remember what is announced."""
    page.clock.install()
    page.goto(address)
    if ref:
        page.locator(f"[data-ref='{ref}'] .t").focus()
    page.evaluate(LISTEN)
    poll(page)


def poll(page):
    """Let 20 seconds pass on the page, which then asks for news."""
    with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
        page.clock.run_for(20_000)


def heard(page, words):
    """What was announced since the last time, once the page shows some words."""
    expect(page.locator(".newbar, .later")).to_contain_text(words)
    page.clock.run_for(1_000)
    return page.evaluate("heard.splice(0)")


def test_a_card_that_another_moved_says_so_in_its_place_and_nothing_else_moves(page, desk, jonas):
    bugs = [make_bug(waiting=[make_customer()]) for _ in range(30)]
    page.set_viewport_size({"width": 1366, "height": 500})
    opened(page, f"{desk}/board", bugs[14].ref)
    before = page.evaluate(PLACE)
    with transaction():
        transitions.start(bugs[13], actor=jonas)
        transitions.start(bugs[14], actor=jonas)

    poll(page)

    said = heard(page, "2 moved")
    card = page.locator(f"#{bugs[14].ref}")
    expect(card).to_contain_text("now In progress, by Jonas")
    assert page.evaluate(PLACE) == before
    expect(page.locator("#col-new")).to_have_text("New 28")
    expect(page.locator("#col-in_progress")).to_have_text("In progress 2")
    each = " ".join(f"{bug.ref} is now In progress, by Jonas." for bug in bugs[13:15])
    assert said == [f"{each} 2 moved. Press r to show."]
    with transaction():
        make_bug()
    poll(page)
    assert heard(page, "1 new report") == ["1 new report, 2 moved. Press r to show."]

    page.keyboard.press("r")
    expect(page.locator(f"[data-status=in_progress] #{bugs[14].ref}")).to_be_visible()
    expect(page.locator(f"#{bugs[14].ref} .t")).to_be_focused()


@pytest.mark.parametrize("start", ["/bugs?status=new", "/duty"])
def test_a_row_that_another_moved_says_so_in_its_place(page, desk, jonas, start):
    bugs = [make_bug(waiting=[make_customer()]) for _ in range(6)]
    opened(page, desk + start, bugs[3].ref)
    before = page.evaluate(PLACE)
    with transaction():
        transitions.start(bugs[3], actor=jonas)

    poll(page)

    said = heard(page, "1 moved")
    expect(page.locator(f"#{bugs[3].ref}")).to_contain_text("now In progress, by Jonas")
    assert page.evaluate(PLACE) == before
    assert said == [f"{bugs[3].ref} is now In progress, by Jonas. 1 moved. Press r to show."]

    page.keyboard.press("r")
    expect(page.locator(f"#{bugs[3].ref}")).to_have_count(0)


def test_what_left_the_queue_where_it_stands_says_what_was_done_to_it(page, desk, jonas, clock):
    first, second = make_bug(), make_bug()
    opened(page, f"{desk}/duty", second.ref)
    clock.advance(timedelta(minutes=1))
    with transaction():
        snoozing.snooze(first, date(2026, 3, 20), actor=jonas)

    poll(page)

    expect(page.locator(f"#{first.ref}")).to_contain_text("Jonas Sommer snoozed it until")
    expect(page.locator("#queue-count")).to_have_text("1 left")


def test_the_page_of_a_bug_says_once_what_another_did_and_moves_nothing(page, desk, jonas):
    bug = make_bug(waiting=[make_customer()])
    opened(page, f"{desk}/bugs/{bug.ref}")
    top = page.locator("h1").bounding_box()
    with transaction():
        transitions.start(bug, actor=jonas)

    poll(page)

    assert heard(page, "began") == ["Jonas Sommer began to work on it."]
    expect(page.locator(".later")).to_have_text("Jonas Sommer began to work on it. Show")
    assert page.locator("h1").bounding_box() == top
    poll(page)
    assert heard(page, "began") == []
    with transaction():
        comments.write(bug, "Nearly done.", actor=jonas)
    poll(page)
    assert heard(page, "wrote") == ["Jonas Sommer wrote."]

    page.locator(".later").get_by_role("link", name="Show").click()
    expect(page.locator(".later")).to_be_hidden()
    expect(page.get_by_text("Nearly done.")).to_be_visible()
    assert bug.status == Status.IN_PROGRESS


def test_further_cards_begin_with_the_first_that_was_not_there(page, desk):
    bugs = [make_bug() for _ in range(102)]
    page.goto(f"{desk}/board")

    page.get_by_role("link", name="Show 2 more").click()

    expect(page.locator(f"#{bugs[100].ref} .t")).to_be_focused()
    assert page.url == f"{desk}/board?more=new:1100"
