"""Filing by keyboard in a real browser: 200 areas, 500 customers, real key events."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue, customers
from bugintake.intake.models import OptionList, Report
from tests.factories import make_customer, make_report

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]

FIRST = ("Ana", "Bruno", "Clara", "Dario", "Elena", "Franz", "Greta", "Hugo", "Ines", "Jonas")
LAST = ("Novak", "Müller", "García", "Rossi", "Kowalski", "Jansen", "Silva", "Horvat", "Bauer", "López")
PAGES = ("Overview", "Details", "History", "Sharing", "Comments", "Files", "Rights", "Printing", "Totals", "Filters")
MODULES = ("Orders", "Stock", "Returns", "Invoices", "Calendar", "Mailing", "Payroll", "Contracts", "Projects", "Tasks")


@pytest.fixture
def crowd(company, lea):
    """500 customers, 200 areas, and one of each that the test is about."""
    with transaction():
        for number in range(499):
            name = f"{FIRST[number % 10]} {LAST[number // 10 % 10]} {number}"
            customers.add_customer(email=f"person{number}@example.com", name=name, language="en", actor=None)
        for number in range(195):
            label = f"{MODULES[number % 10]} › {PAGES[number // 10 % 10]} {number}"
            catalogue.add_option(OptionList.AREA, label, actor=None)
        catalogue.add_option(OptionList.AREA, "Invoices › PDF export", actor=None, aliases=["print", "bill"])
    hana = make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline")
    make_report(hana, area="Invoices › PDF export", symptom="Looks wrong", platform="Chrome on Windows")
    return hana


def press(page: Page, keys: str) -> int:
    for key in keys.split():
        page.keyboard.press(key)
    return len(keys.split())


def test_a_report_takes_at_most_twenty_five_keystrokes_besides_its_texts(page, crowd, desk):
    page.goto(f"{desk}/new")
    expect(page.get_by_label("Customer", exact=True)).to_be_focused()

    count = press(page, "h a n Tab p d f Tab w r Tab Tab 2 Tab a l Tab Tab Tab")
    expect(page.get_by_label("Steps to see it")).to_be_focused()
    page.keyboard.type("1. Open an invoice")
    count += press(page, "Tab")
    page.keyboard.type("The VAT line is not there. Only the total.")
    count += press(page, "Tab")
    page.keyboard.type("A VAT line above the total")
    count += press(page, "Control+Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-")
    report = db.session.scalars(sa.select(Report).order_by(Report.id.desc())).first()
    labels = [o.label for o in (report.area, report.symptom, report.impact, report.frequency)]
    assert labels == ["Invoices › PDF export", "Shows or saves the wrong thing", "Hard to work", "Always"]
    assert [report.customer_id, report.platform.label, report.version.label] == [
        crowd.id,
        "Chrome on Windows",
        "4.12.1",
    ]
    assert report.bug.title == "The VAT line is not there"
    assert count <= 25
