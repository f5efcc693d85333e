"""A rule is changed in a browser, with and without any script: what it means for whom is read before it holds."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db
from bugintake.duty import queries
from bugintake.duty.models import RotationRule
from tests.visitors import served, visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]


@pytest.fixture(params=[True, False], ids=["script", "plain"])
def page(app, browser, rotation, petra, request):
    """A lead's browser."""
    cookie = visit(app, petra).client.get_cookie("session")
    with served(app) as address:
        context = browser.new_context(java_script_enabled=request.param, base_url=address)
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        yield context.new_page()
        context.close()


def is_duty(day):
    db.session.rollback()
    return queries.on_duty(datetime(2026, 4, day, 10, tzinfo=UTC)) is not None


def rules():
    return db.session.scalar(sa.select(sa.func.count(RotationRule.id)))


def test_whose_days_change_is_read_before_it_holds(page, rotation):
    page.goto("/duty/schedule")
    page.get_by_role("link", name="Change the rotation").click()
    page.get_by_label("First day").fill("2026-04-13")
    for name in ("Thursday", "Friday"):
        page.get_by_role("checkbox", name=name).uncheck()
    page.get_by_role("button", name="Show what it means").click()

    preview = page.get_by_role("region", name="What it would mean")
    expect(preview).to_contain_text("Nothing is saved yet.")
    expect(preview).to_contain_text("Whose days change in the first twelve weeks")
    for name in ("Mira Kovač", "Tin Horvat", "Ana Lončar"):
        expect(preview.get_by_text(name, exact=True)).to_be_visible()
    assert (is_duty(16), rules()) == (True, 1)

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Schedule")).to_be_visible()
    assert (is_duty(16), is_duty(9), rules()) == (False, True, 2)
