"""Asking for a swap and taking it, from menus by mouse and keyboard, with and without any script."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from bugintake.core.db import db
from bugintake.duty import queries
from tests.visitors import served, visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]
THURSDAY = datetime(2026, 3, 12, 10, tzinfo=UTC)


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def has_script(request):
    return request.param


@pytest.fixture
def opened(app, browser, rotation, has_script):
    """Open a browser signed in as somebody; none may complain."""
    contexts, said = [], []
    with served(app) as address:

        def open_as(person):
            cookie = visit(app, person).client.get_cookie("session")
            context = browser.new_context(java_script_enabled=has_script, base_url=address)
            context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
            contexts.append(context)
            page = context.new_page()
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            return page

        yield open_as
        for context in contexts:
            context.close()
    assert said == []


def on_thursday():
    db.session.rollback()
    return queries.on_duty(THURSDAY).person.first_name


def test_mira_asks_from_the_schedule_and_ana_takes_it(opened, mira, ana):
    asker, taker = opened(mira), opened(ana)
    asker.goto("/duty/schedule")
    asker.locator("details.menu summary", has_text="Thu 12 Mar").click()
    asker.get_by_role("link", name=re.compile("Ask for a swap ?, Thu 12 Mar")).click()
    panel = asker.get_by_role("region", name="Ask for a swap")
    panel.get_by_label("Why").fill("School play.")
    panel.get_by_role("button", name="Ask", exact=True).click()
    expect(asker.get_by_role("heading", name="You ask for a swap")).to_be_visible()
    assert on_thursday() == "Mira"

    taker.goto("/duty/me")
    swaps = taker.get_by_role("region", name="Open swaps")
    expect(swaps.get_by_text("School play.")).to_be_visible()
    swaps.get_by_role("button", name="Take it").click()
    expect(taker.get_by_text("Ana took it", exact=False).first).to_be_visible()
    assert on_thursday() == "Ana"

    taker.goto("/duty/schedule")
    taker.locator("details.menu summary", has_text="Thu 12 Mar").click()
    taker.get_by_role("link", name="Who was it before? Thu 12 Mar").click()
    rows = taker.get_by_role("region", name="Who was it before?").get_by_role("row")
    expect(rows.nth(1)).to_contain_text("Mira Kovač")
    expect(rows.nth(2)).to_contain_text("Ana Lončar")


def test_a_trade_is_offered_and_agreed_to(opened, mira, ana):
    asker, giver = opened(mira), opened(ana)
    asker.goto("/duty/me")
    asker.get_by_role("link", name="Ask for a swap Thu 12 Mar").click()
    asker.get_by_role("region", name="Ask for a swap").get_by_role("button", name="Ask", exact=True).click()
    expect(asker.get_by_role("heading", name="You ask for a swap")).to_be_visible()

    giver.goto("/duty/me")
    giver.get_by_role("link", name="Offer a trade").click()
    giver.get_by_label("One of your shifts").select_option(label="Mon 16 Mar, 09:00–17:00 (Bug duty)")
    giver.get_by_role("button", name="Offer it").click()
    expect(giver.get_by_text("Offered. Nothing changes until Mira agrees.")).to_be_visible()
    assert on_thursday() == "Mira"

    asker.reload()
    asker.get_by_role("button", name="Agree").click()
    expect(asker.get_by_text("In return Mira took Mon 16 Mar")).to_be_visible()
    assert on_thursday() == "Ana"


@pytest.mark.parametrize("has_script", [True], indirect=True)
def test_w_asks_for_a_swap_of_ones_next_shift(opened, mira):
    page = opened(mira)
    page.goto("/duty/me")
    page.keyboard.press("w")

    expect(page.get_by_role("heading", name="Thu 12 Mar, 09:00–17:00")).to_be_visible()
