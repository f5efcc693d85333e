"""Looking at a page as people do who see other than we: by axe-core, in both themes, on a desk and on a phone."""

import itertools
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8").strip()
AXE = {
    "rules": {"target-size": {"enabled": True}},  # off by default
    "resultTypes": ["violations"],
    "preload": False,  # style sheets and media, which only rules that are off read
}
# Half of axe's time is contrast and a quarter targets, which our own looks judge in each theme and at each width.
AXE_AGAIN = AXE | {"rules": {"color-contrast": {"enabled": False}}}
VIOLATIONS = "(options) => axe.run(options).then((found) => found.violations)"


def look(page: Page, what: str, given: Any = None) -> Any:
    """Ask a page about itself."""
    return page.evaluate(f"(given) => {LOOKS}.{what}(given)", given)


def barriers(page: Page, options: dict[str, Any] = AXE) -> list[str]:
    """List what axe finds, every rule on unless told otherwise, and whether the page scrolls sideways."""
    if not page.evaluate('"axe" in window'):
        page.evaluate(AXE_SCRIPT)
    found = [
        f"{rule['id']} {node['html'][:160]}" for rule in page.evaluate(VIOLATIONS, options) for node in rule["nodes"]
    ]
    return found + look(page, "sideways")


def wrong_with(page: Page, *, height: int = 800) -> list[str]:
    """List what keeps anybody from reading or reaching a page: in light and dark, on a desk and a phone, and at 200 %.

    Axe looks at each theme and each width once: all that depends on both is contrast, which it judges in light.
    """
    found: list[str] = []
    for theme, width in itertools.product(("light", "dark"), (1366, 320)):
        # With motion a colour may still be on its way from the other theme.
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        seen = look(page, "theme", theme) + look(page, "contrast")
        if (theme, width) in (("light", 1366), ("dark", 320)):
            page.evaluate("scrollTo(0, 0)")  # what the bar covers half is no target
            seen += barriers(page, AXE if theme == "light" else AXE_AGAIN) + look(page, "small", width == 320)
            page.keyboard.press("Tab")  # from here on the focus is moved by keys, and has to be seen
            seen += look(page, "stops")
        found += [f"{theme}, {width}: {each}" for each in seen]
    page.set_viewport_size({"width": 640, "height": 400})  # 1280 points at 200 %
    return found + [f"at 200 %: {each}" for each in look(page, "sideways") + look(page, "motion")]
