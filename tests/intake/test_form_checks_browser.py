"""What the pages of filing keep to in a browser, with 200 areas and 500 customers: size, reach, focus, contrast."""

import gzip
import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.eyes import barriers, look, wrong_with
from tests.factories import make_bug
from tests.intake.keyboard import press
from tests.intake.test_filing_views import REQUIRED

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]

KILOBYTE = 1024
PLACES = ("empty", "refused", "side window", "known bugs", "is it one of these", "attaching", "not attached", "filed")
TEXTS = ("Steps to see it", "What happened", "What should have happened")
KNOWN = {"area": "Invoices › PDF export", "symptom": "Looks wrong"}
FULL = {**KNOWN, "customer": "hana@brightline.hr", "impact": "Annoying", "frequency": "always", "version": "4.12.0"}


def go(page: Page, desk: str, place: str) -> None:
    """Bring the browser to one of the places of filing."""
    if place == "side window":
        page.goto(f"{desk}/new?panel=1&ref=ZD-81&area=nowhere")
    elif place in ("attaching", "not attached"):
        page.goto(f"{desk}/bugs/BUG-1/attach{'?customer=hana@brightline.hr' if place == 'attaching' else ''}")
        if place == "not attached":
            page.get_by_role("button", name="Attach", exact=True).click()
            page.locator(".err").wait_for()
    elif place in ("filed", "is it one of these"):
        page.goto(f"{desk}/new?{urlencode(FULL)}")
        for label in TEXTS:
            page.get_by_label(label).fill(f"{label}: some words for it.")
        if place == "is it one of these":
            look(page, "unscript")
        page.keyboard.press("Control+Enter")
        page.get_by_role("heading", level=1, name=re.compile("^(Filed as|Is it)")).wait_for()
    else:
        page.goto(f"{desk}/new{'?' + urlencode(KNOWN) if place == 'known bugs' else ''}")
        if place == "known bugs":
            page.locator(".dup").first.wait_for()
        if place == "refused":
            page.get_by_label("What happened").fill("password: hunter2")
            page.keyboard.press("Control+Enter")
            page.locator(".err").wait_for()


def test_each_required_field_is_refused_in_turn_and_everything_else_is_kept_byte_for_byte(context, crowd, desk):
    page, wrong = context.new_page(), {}
    page.goto(f"{desk}/new?{urlencode(FULL)}")
    for label in TEXTS:
        page.get_by_label(label).fill(f'{label}:  Ünï\tcode <b>&amp;</b> "quotes" \n\n more  ')
    full = look(page, "sent")

    for field, sentence in REQUIRED.items():
        look(page, "put", {**full, field: "", **({"customer_id": ""} if field == "customer" else {})})
        sent = look(page, "sent")
        with page.expect_response(lambda answer: answer.request.method == "POST" and "/new" in answer.url) as answered:
            page.keyboard.press("Control+Enter")
        expect(page.locator(".err")).to_be_focused()
        summary = page.locator(".err li").all_inner_texts()
        found = (answered.value.status, page.title()[:7], summary, look(page, "sent"))
        if found != (422, "Error: ", [sentence], sent):
            wrong[field] = found

    assert wrong == {}


def test_the_form_stays_within_its_bytes_and_asks_nobody_else(page, crowd, desk):
    asked: dict[str, Any] = {}
    page.on("requestfinished", lambda request: asked.update({request.url: request.response()}))
    page.goto(f"{desk}/new")
    page.wait_for_load_state("networkidle")
    size = {"new": 0, "css": 0, "js": 0}
    for url, response in asked.items():
        kind = re.split(r"[./]", urlsplit(url).path)[-1]
        size[kind] = size.get(kind, 0) + len(gzip.compress(response.body(), 6))

    over = {name: size[name] for name, most in (("new", 8), ("css", 12), ("js", 14)) if size[name] > most * KILOBYTE}
    assert over == {}
    assert len(asked) <= 5
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(desk).netloc}


@pytest.mark.timeout(300)
def test_every_place_is_readable_and_reachable_in_both_themes_on_a_desk_and_a_phone(context, crowd, desk):
    page, wrong = context.new_page(), []
    for place in PLACES:
        go(page, desk, place)
        wrong += [f"{place}, {each}" for each in wrong_with(page, height=640)]

    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_chosen_highlighted_or_hovered_is_readable_too(context, crowd, desk, theme):
    page = context.new_page()
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    go(page, desk, "known bugs")
    page.get_by_label("Hard to work").check(force=True)
    page.locator(".dup").first.hover()
    page.get_by_label("How often").fill("al")
    page.locator("[role=option][aria-selected=true]").wait_for()

    assert barriers(page) == []


@pytest.mark.timeout(300)
def test_tab_leads_from_stop_to_stop_seen_and_covered_by_nothing(context, crowd, desk):
    page, wrong, stops = context.new_page(), [], {}
    page.set_viewport_size({"width": 1366, "height": 640})
    for place in PLACES:
        go(page, desk, place)
        page.locator(".skip").focus()
        while (found := look(page, "next")) is not None:
            stops[place] = stops.get(place, 0) + 1
            wrong += [f"{place}, {each}" for each in found]
            page.keyboard.press("Tab")

    assert [place for place in PLACES if stops.get(place, 0) < 10] == []
    assert "\n".join(wrong) == ""


def test_attaching_from_an_empty_form_loads_two_pages(page, crowd, desk):
    bug = make_bug(area="Invoices › PDF export", symptom="Shows or saves the wrong thing", actual="No VAT line.")
    page.goto(f"{desk}/new")
    loaded: list[str] = []
    page.on("load", lambda: loaded.append(page.url))

    press(page, "h a n Tab p d f Tab w r Tab")
    expect(page.locator(".dup")).to_be_focused()
    press(page, "Enter")
    page.get_by_role("heading", level=1, name=re.compile("^Attach")).wait_for()
    press(page, "Enter")
    page.get_by_role("heading", level=1, name=f"Attached to {bug.ref}").wait_for()
    page.wait_for_load_state()

    assert len(loaded) == 2
