"""Take the pictures of the sample company and of mails: `.venv/bin/python -m docs.screenshots`."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from bugintake.app import create_app
from bugintake.core import config
from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop.links import make_link
from bugintake.loop.models import LinkPurpose
from docs import mails
from tests import browsers

HERE = Path(__file__).parent / "screenshots"
PROGRAM = Path(sys.executable).with_name("bugintake")
SIZE = {"width": 1366, "height": 800}
LARGEST = 150 * 1024


def free_port() -> int:
    """Ask the system for a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(environ: dict[str, str], address: str) -> Iterator[None]:
    """Serve the sample company until the pictures are taken."""
    subprocess.run([PROGRAM, "demo"], env=environ, check=True)  # noqa: S603  # our own program
    quiet = subprocess.DEVNULL
    server = subprocess.Popen([PROGRAM, "serve"], env=environ, stdout=quiet, stderr=quiet)  # noqa: S603  # likewise
    try:
        wait_for(f"{address}/login", server)
        yield
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait until a page answers. Raises SystemExit where the server ends before."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url):  # noqa: S310  # our own address
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The server did not start: run `bugintake demo` and `bugintake serve` to see why.")


def example(environ: dict[str, str], status: Status) -> tuple[str, str, str]:
    """Choose a bug that many wait for; return its area, its symptom, and a private link to its first report."""
    app = create_app(config.from_environment(environ))
    with app.app_context(), transaction():
        query = (
            sa.select(Report)
            .join(Bug, Bug.id == Report.bug_id)
            .join(Customer, Customer.id == Report.customer_id)
            .where(Bug.status == status, Customer.language == "en")
            .order_by(Bug.waiting_count.desc(), Report.id)
        )
        report = db.session.scalars(query).first()
        if report is None:
            raise SystemExit(f"The sample company has no bug that is {status.label.lower()} with an English reader.")
        url = make_link(report, LinkPurpose.REPORT, "en")[1]
        return report.bug.area.label, report.bug.symptom.label, url


def sign_in(page: Page, address: str, role: str, which: int = 0) -> None:
    """Look around as one of the people of a role."""
    page.context.clear_cookies()
    page.goto(f"{address}/login")
    page.get_by_role("listitem").filter(has_text=role).get_by_role("button").nth(which).click()
    page.wait_for_load_state()


def choose(page: Page, label: str, words: str) -> None:
    """Pick a row of a list."""
    page.get_by_label(label, exact=True).fill(words)
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")


def shoot(page: Page, name: str, theme: str) -> None:
    """Take one picture, as large as it may be. Raises SystemExit where it is larger."""
    path = HERE / f"{name}-{theme}.png"
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, animations="disabled")
    taken = Image.open(path).convert("RGB")
    taken.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path} is larger than {LARGEST // 1024} KB.")


def walk(browser: Browser, address: str, theme: str, agent: int, area: str, symptom: str, link: str) -> None:
    """Take every picture in one theme; each has an agent of its own, whom no draft of the other waits for."""
    page = browser.new_page(viewport=SIZE, color_scheme=theme)  # type: ignore[arg-type]
    sign_in(page, address, "agent", agent)
    page.goto(f"{address}/new")
    choose(page, "Customer", "a")
    choose(page, "Where", area)
    choose(page, "What goes wrong", symptom)
    page.get_by_role("radio").nth(1).check(force=True)
    choose(page, "How often", "al")
    page.get_by_label("Steps to see it").fill("1. Open any invoice with VAT\n2. Choose Export, then PDF")
    with page.expect_response(lambda answer: "/new/similar" in answer.url and "total" in answer.url):
        page.get_by_label("What happened").fill("The VAT line is not there, only the total.")
    page.locator(".dup").first.wait_for()
    page.evaluate("scrollTo(0, 0)")  # the form may have followed the field that was typed in
    shoot(page, "new", theme)
    sign_in(page, address, "engineer")
    page.goto(f"{address}/board")
    page.keyboard.press("j")
    shoot(page, "board", theme)
    page.goto(link)
    shoot(page, "customer", theme)
    page.close()


def main() -> None:
    """Fill docs/screenshots and docs/mails."""
    HERE.mkdir(exist_ok=True)
    executable = browsers.find()
    if executable is None:
        raise SystemExit(browsers.MISSING)
    address = f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as data:
        ours = {"BUGINTAKE_DATA": data, "BUGINTAKE_PORT": address.rpartition(":")[2], "BUGINTAKE_BASE_URL": address}
        environ = {**os.environ, **ours}
        with served(environ, address), sync_playwright() as playwright:
            area, symptom, link = example(environ, Status.IN_PROGRESS)
            browser = playwright.chromium.launch(executable_path=executable, args=browsers.ARGUMENTS)
            for agent, theme in enumerate(("light", "dark")):
                walk(browser, address, theme, agent, area, symptom, link)
            mails.take(browser)
            browser.close()


if __name__ == "__main__":
    main()
