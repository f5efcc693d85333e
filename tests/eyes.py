"""Looking at a page as people do who see other than we: by axe-core, in both themes, on a desk and on a phone."""

import itertools
from collections.abc import Iterator

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

VIOLATIONS = 'axe.run({resultTypes: ["violations"]}).then((found) => found.violations)'


def barriers(page: Page) -> list[str]:
    """List what axe finds with no rule off, and whether the page scrolls sideways."""
    if not page.evaluate('"axe" in window'):
        page.evaluate(AXE_SCRIPT)
    violations = page.evaluate(VIOLATIONS)
    found = [f"{rule['id']} {node['html'][:160]}" for rule in violations for node in rule["nodes"]]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("scrolls sideways")
    return found


THEMES, WIDTHS = ("light", "dark"), (1366, 320)


def everywhere(page: Page, *, height: int, crossed: bool = True) -> Iterator[str]:
    """Show a page in light and dark, on a desk and on a phone, and name each of them.

    Colours come with the theme and places with the width, so without `crossed` each is looked at once.
    """
    for theme, width in itertools.product(THEMES, WIDTHS) if crossed else zip(THEMES, WIDTHS, strict=True):
        # With motion a colour may still be on its way from the other theme.
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": height})
        yield f"{theme}, {width}"
