"""What every page keeps to: small, readable, reachable, and nothing inline."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from bugintake.core.templating import folder, joined
from tests.eyes import wrong_with

STATIC = folder("static")
TEMPLATES = sorted(path for path in folder("templates").rglob("*.html") if path.parent.name != "mail")
KILOBYTE = 1024
SAMPLES = ["form.html?area=1&symptom=1", "form.html?refused", "board.html", "toast.html"]
TEXT = ("ink", "ink-2", "ink-3", "accent", "s1", "s2", "s3", "s4", "info", "ok")
GROUNDS = ("canvas", "surface", "sunken", "hover")
PAIRS = [
    *((text, ground) for text in TEXT for ground in GROUNDS),
    *((text, f"{text}-soft") for text in ("accent", "s1", "s2", "s3", "s4", "info", "ok")),
    *((ink, "accent-soft") for ink in ("ink", "ink-2", "ink-3")),
    ("on-primary", "primary"),
]


def packed(*names: str) -> int:
    return sum(len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names)


def tokens(sheet: str) -> dict[str, tuple[str, str]]:
    found = re.findall(r"--([\w-]+):light-dark\(#([0-9A-F]+),#([0-9A-F]+)\)", (STATIC / sheet).read_text())
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour: str) -> float:
    wide = colour if len(colour) == 6 else "".join(c * 2 for c in colour)
    parts = [int(wide[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_sheets_and_scripts_stay_within_their_budget():
    assert packed("app.css") <= 12 * KILOBYTE
    assert packed("public.css") <= 6 * KILOBYTE
    form = ("listbox.js", "combobox.js", "intake.js", "drafts.js", "hints.js", "files.js", "sign_in.js")
    assert packed("keys.js") + len(gzip.compress(joined(form), 9)) <= 14 * KILOBYTE
    assert packed("keys.js", "board.js") <= 18 * KILOBYTE


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_is_readable_on_every_ground_it_is_used_on(theme):
    colours = {name: both[theme] for name, both in tokens("app.css").items()}

    weak = [(text, ground) for text, ground in PAIRS if contrast(colours[text], colours[ground]) < 4.5]
    borders = [ground for ground in GROUNDS if contrast(colours["control"], colours[ground]) < 3]

    assert (weak, borders) == ([], [])


def test_customers_see_the_colours_of_the_team():
    ours, theirs = tokens("app.css"), tokens("public.css")

    assert {name: ours[name] for name in theirs.keys() & ours.keys()} == {
        name: theirs[name] for name in theirs.keys() & ours.keys()
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_holds_a_style_or_a_script_of_its_own(path: Path):
    words = path.read_text(encoding="utf-8")

    assert re.findall(r"\sstyle=|<style|\son[a-z]+=\"|<script(?![^>]*\ssrc=)|javascript:", words) == []


@pytest.mark.browser
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_part_is_readable_and_reachable_by_everybody(visit, sample):
    assert wrong_with(visit(sample), height=640) == []


@pytest.mark.browser
def test_a_chosen_theme_is_there_in_the_first_byte(page: Page, site):
    page.context.add_cookies([{"name": "theme", "value": "dark", "url": site.url}])
    page.emulate_media(color_scheme="light")
    answer = page.goto(f"{site.url}/page/toast.html")

    assert '<html lang="en" data-theme="dark">' in answer.text()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 18, 17)"


@pytest.mark.browser
@pytest.mark.parametrize(("sample", "most"), [("form.html", 5), ("board.html", 5)])
def test_a_page_takes_at_most_five_requests_and_none_elsewhere(page: Page, site, sample, most):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/page/{sample}")

    assert len(asked) <= most
    assert {url.split("/")[2] for url in asked} == {site.url.split("/")[2]}
