"""`python -m bench.browser`: what people wait for in a fresh browser, the median of five, beside an empty page."""

import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, sync_playwright

from bench import seeding
from bench.client import Visitor
from bench.house import House, prepare, serving
from bugintake.app import create_app
from bugintake.core.db import db, transaction
from bugintake.intake.models import Report
from bugintake.loop import links
from bugintake.loop.models import LinkPurpose
from tests import browsers

TIMES = 5
WATCH = """
  window.seen = { lcp: 0, cls: 0, inp: 0, keys: [] };
  const watch = (type, keep, options) =>
    new PerformanceObserver((list) => list.getEntries().forEach(keep)).observe({ type, buffered: true, ...options });
  watch("largest-contentful-paint", (entry) => (seen.lcp = entry.startTime));
  watch("layout-shift", (entry) => (seen.cls += entry.hadRecentInput ? 0 : entry.value));
  const longer = (entry) => entry.interactionId && (seen.inp = Math.max(seen.inp, entry.duration));
  watch("event", longer, { durationThreshold: 16 });
  addEventListener("keydown", (event) => {
    const painted = new MessageChannel();
    painted.port1.onmessage = () => seen.keys.push(performance.now() - event.timeStamp);
    requestAnimationFrame(() => painted.port2.postMessage(null));
  }, true);
"""
FOUND = "({ ...seen, fcp: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Infinity })"
EMPTY = "<!doctype html><html lang=en><title>Empty</title><p>Empty</p></html>"


@dataclass(frozen=True)
class Goal:
    """A page, what is done on it, and within how many ms it is to be there; no layout ever shifts."""

    name: str
    path: str
    most: dict[str, float]
    use: Callable[[Page], None] = field(default=lambda page: None)


def step(page: Page) -> None:
    """Go from card to card."""
    for _ in range(20):
        page.keyboard.press("j")
        page.wait_for_timeout(60)


def fill_in(page: Page) -> None:
    """Type into a list and into a text."""
    page.get_by_label("Where").press_sequentially("area 1", delay=60)
    page.keyboard.press("Tab")
    page.get_by_label("What happened").press_sequentially("The total is one cent too high.", delay=40)


def goals(house: House) -> list[Goal]:
    """List what is measured in a house with so many open bugs."""
    whole = "/board?" + "&".join(f"more={status}:1000" for status in seeding.OPEN)
    if len(house.seeded.open_bugs) > 500:
        return [Goal("board, 2,000 cards", whole, {"fcp": 1000, "keys": 50}, step)]
    return [
        Goal("file a bug", "/new", {"fcp": 150, "lcp": 200, "inp": 100}, fill_in),
        Goal("board, 500 cards", whole, {"fcp": 300, "lcp": 350, "keys": 50}, step),
        Goal("bug page", f"/bugs/BUG-{house.seeded.big_bug}", {"fcp": 200, "lcp": 250}),
        Goal("duty", "/duty", {"fcp": 200, "lcp": 250}),
        Goal("loop", "/loop", {"fcp": 200, "lcp": 250}),
        Goal("customer's page", customers_page(house), {"fcp": 120, "lcp": 150}),
    ]


def customers_page(house: House) -> str:
    """Make a link to what the first customer told."""
    with create_app(house.settings).app_context():
        with transaction():
            report = db.session.scalars(sa.select(Report).order_by(Report.id)).first()
            assert report is not None
            address = links.make_link(report, LinkPurpose.REPORT, "en")[1]
        db.session.remove()
        db.engine.dispose()
    return address[address.index("/s/") :]


def visit(playwright: Playwright, address: str, cookies: list[Any], use: Callable[[Page], None]) -> dict[str, Any]:
    """Open an address in a fresh browser and use it; return what was measured, in ms."""
    browser = playwright.chromium.launch(executable_path=browsers.find(), args=list(browsers.ARGUMENTS))
    context = browser.new_context(viewport={"width": 1366, "height": 800})
    context.add_cookies(cookies)
    context.add_init_script(WATCH)
    page = context.new_page()
    page.route("**/empty", lambda route: route.fulfill(body=EMPTY, content_type="text/html"))
    page.goto(address)
    page.wait_for_timeout(300)
    use(page)
    page.wait_for_timeout(100)
    found: dict[str, Any] = page.evaluate(FOUND)
    browser.close()
    return {**found, "worst": max(found["keys"], default=0), "keys": statistics.median(found["keys"] or [0])}


def measure(playwright: Playwright, house: House, goal: Goal, cookies: list[Any]) -> list[str]:
    """Measure a page, print a line, and return which goals it missed."""
    address = f"http://127.0.0.1:{house.port}"
    runs = [visit(playwright, address + goal.path, cookies, goal.use) for _ in range(TIMES)]
    found = {name: statistics.median(run[name] for run in runs) for name in ("fcp", "lcp", "cls", *goal.most)}
    most = {**goal.most, "cls": 0.0}
    missed = [f"{goal.name}: {name} {found[name]:.4g}, not {most[name]:g}" for name in most if found[name] > most[name]]
    told = "  ".join(f"{name} {found[name]:.4g}" + (f" (≤ {most[name]:g})" if name in most else "") for name in found)
    worst = f"  worst {max(run['worst'] for run in runs):.4g}" if "keys" in most else ""
    print(f"{goal.name:<20}{told}{worst}  {'missed' if missed else 'reached'}", flush=True)
    return missed


def main() -> None:
    """Measure each page; the status says whether every goal was reached."""
    missed: list[str] = []
    for opened in (500, 2000):
        with tempfile.TemporaryDirectory(prefix="bugintake-bench-") as name:
            folder = Path(name)
            house = prepare(folder, f"sqlite:///{folder / 'bugintake.db'}", 5000, opened)
            with serving(house), sync_playwright() as playwright:
                visitor = Visitor(house.port)
                visitor.sign_in(seeding.EMAIL, seeding.PASSWORD)
                url = f"http://127.0.0.1:{house.port}"
                pairs = [pair.split("=", 1) for pair in visitor.cookie.split("; ")]
                cookies = [{"name": name, "value": value, "url": url} for name, value in pairs]
                measure(playwright, house, Goal("an empty page", "/empty", {}), cookies)
                for goal in goals(house):
                    visitor.fetch("GET", goal.path)  # the server has answered it before
                    missed += measure(playwright, house, goal, cookies)
    print("Every goal was reached." if not missed else "Missed:\n  " + "\n  ".join(missed))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
