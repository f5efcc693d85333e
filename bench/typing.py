"""`python -m bench.typing`: what a keystroke costs in a list of 5,000 choices, in a browser, beside a bare field's."""

import statistics
import sys

from playwright.sync_api import sync_playwright

from bugintake.core.templating import joined
from tests import browsers

CHOICES = 5000
GOAL_MS = 16.0
TYPED = ("invo", "pdf exp", "4711", "zzz", "e", "orders det", "ipe")
MODULES = ("Orders", "Stock", "Returns", "Invoices", "Calendar", "Mailing", "Payroll", "Contracts", "Projects", "Tasks")
PAGES = (
    "Overview",
    "Details",
    "History",
    "Sharing",
    "Comments",
    "PDF export",
    "Rights",
    "Printing",
    "Totals",
    "Filters",
)
PAGE = """<!doctype html><html lang="en"><title>typing</title><form><label for="f">Where</label>
<select id="f" name="area" data-combo><option value="">Choose</option>%s</select>
<label for="bare">Bare</label><input id="bare"></form></html>"""
MEASURE = """([id, words]) => {
  const input = document.getElementById(id), taken = [];
  for (const word of words)
    for (let length = 1; length <= word.length; length++) {
      const before = performance.now();
      input.value = word.slice(0, length);
      input.dispatchEvent(new InputEvent("input", { bubbles: true }));
      document.body.getBoundingClientRect();
      taken.push(performance.now() - before);
    }
  return taken;
}"""


def main() -> None:
    """Type, and print the median and the worst of all keystrokes; the status says whether the goal was reached."""
    labels = [f"{MODULES[n % 10]} › {PAGES[n // 10 % 10]} {n}" for n in range(CHOICES)]
    options = "".join(f'<option value="{n}" data-a="print,bill">{label}</option>' for n, label in enumerate(labels, 1))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browsers.find(), args=list(browsers.ARGUMENTS))
        page = browser.new_page()
        page.set_content(PAGE % options)
        page.add_script_tag(content=joined(("listbox.js", "combobox.js")).decode(), type="module")
        page.locator("[role=combobox]").focus()
        page.wait_for_timeout(500)  # somebody looks at the field before they type
        bare, taken = (page.evaluate(MEASURE, [field, TYPED]) for field in ("bare", "f"))
        browser.close()
    median, worst = statistics.median(taken), max(taken)
    print(f"{len(taken)} keystrokes in {CHOICES:,} choices: median {median:.1f} ms, worst {worst:.1f} ms")
    print(f"A bare field: median {statistics.median(bare):.2f} ms. Goal: median within {GOAL_MS:g} ms")
    sys.exit(median > GOAL_MS)


if __name__ == "__main__":
    main()
