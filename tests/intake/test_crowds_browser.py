"""Many customers at once in a real browser: a company picked while typing, and one of its people left out."""

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db
from bugintake.intake.models import Report
from tests.eyes import barriers
from tests.factories import make_bug, make_customer

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]


def test_a_company_is_picked_from_the_list_and_one_of_its_people_left_out(page, company, desk):
    bug = make_bug(waiting=[])
    make_customer("Hana Kovač", company="Brightline Media"), make_customer("Sam Orr", company="Brightline Print")
    ole = make_customer("Ole Petersen", company="Brightline Media")

    page.goto(f"{desk}/bugs/{bug.ref}/attach/many")
    page.get_by_label("Or everybody of a company").press_sequentially("bright med")
    expect(page.get_by_role("option")).to_have_text(["Brightline Media"])
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Look who that is").click()
    assert barriers(page) == []
    page.get_by_role("checkbox", name="Attach Hana Kovač").uncheck()
    page.get_by_role("button", name="Attach who is ticked").click()

    expect(page.get_by_text("1 person is attached.")).to_be_visible()
    db.session.rollback()
    assert list(db.session.scalars(sa.select(Report.customer_id).where(Report.customer_id.is_not(None)))) == [ole.id]
