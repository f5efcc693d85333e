"""Triage without any script: filtered, asked, snoozed, merged, commented, its words sent, and duty taken over."""

import re

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db
from bugintake.duty.models import Override
from bugintake.intake.models import Bug, OptionList, Question, Status
from bugintake.loop.models import Announcement
from bugintake.triage.comment_models import Comment
from tests.duty.conftest import make_rotation
from tests.factories import make_bug, make_customer, make_option, make_report, make_user
from tests.visitors import served, visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite"), pytest.mark.usefixtures("company")]


@pytest.fixture
def page(app, mira, browser):
    """Mira's browser, which runs no script."""
    with served(app) as address:
        cookie = visit(app, mira).client.get_cookie("session")
        context = browser.new_context(java_script_enabled=False, base_url=address)
        context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        page = context.new_page()
        page.set_default_timeout(4000)
        yield page
        context.close()


def press(page, name):
    page.get_by_role("main").get_by_role("button", name=name).first.click()


def follow(page, name):
    page.get_by_role("main").get_by_role("link", name=name).first.click()


def now(bug):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Bug, bug.id)


def test_a_bug_is_found_by_a_filter_and_asked_about(page):
    bug = make_bug(area="Invoices")
    other = make_bug(area="Calendar")
    make_report(make_customer(), bug=bug)

    page.goto("/board")
    page.get_by_text("Filter", exact=False).first.click()
    page.get_by_label("Area", exact=True).select_option("Invoices")
    press(page, re.compile("^Show"))
    expect(page.get_by_role("link", name=re.compile(bug.title))).to_be_visible()
    expect(page.locator(f"[data-ref='{other.ref}']")).to_have_count(0)

    page.goto(f"/bugs/{bug.ref}")
    follow(page, re.compile("^Ask"))
    page.get_by_label("Question", exact=False).first.fill("On which day?")
    press(page, "Ask")
    assert now(bug).status is Status.NEEDS_INFO
    assert db.session.scalars(sa.select(Question.text)).all() == ["On which day?"]


def test_a_bug_is_snoozed_raised_commented_and_becomes_a_part_of_another(page):
    bug, whole = make_bug(), make_bug()

    page.goto(f"/bugs/{bug.ref}")
    follow(page, re.compile("^Snooze"))
    press(page, "Tomorrow")
    assert now(bug).snoozed_until is not None
    page.goto(f"/bugs/{bug.ref}")
    follow(page, re.compile("^Raise|^Put on top"))
    page.get_by_role("main").locator("button[name=reason]").first.click()
    assert now(bug).raised_at is not None
    page.goto(f"/bugs/{bug.ref}")
    page.locator("#comment textarea").fill("I see it too.")
    page.locator("#comment button").click()
    db.session.rollback()
    assert db.session.scalars(sa.select(Comment.text)).all() == ["I see it too."]

    page.goto(f"/bugs/{bug.ref}")
    follow(page, re.compile("^Duplicate"))
    page.locator("main [name=into]").fill(whole.ref)
    press(page, "Look")
    press(page, f"Merge into {whole.ref}")
    assert now(bug).canonical_id == whole.id


def test_what_was_declined_is_sent_from_the_loop(page, mira):
    make_option(OptionList.DECLINE_REASON)
    bug = make_bug(waiting=[make_customer(email="hana@brightline.hr")])

    page.goto(f"/bugs/{bug.ref}")
    follow(page, re.compile("^Won't fix"))
    page.get_by_role("main").get_by_role("combobox").select_option(index=1)
    page.locator("[name=note_en]").fill("It is meant to be so, sorry.")
    page.locator("[name=has_none]").check()
    press(page, "Decline it")
    assert now(bug).status is Status.DECLINED
    number = db.session.scalars(sa.select(Announcement.id)).one()
    page.goto(f"/loop/{number}")
    press(page, re.compile("^Send"))

    expect(page.get_by_role("button", name=re.compile("^Undo sending"))).to_be_visible()
    db.session.rollback()
    db.session.expire_all()
    assert db.session.get_one(Announcement, number).sent_by == mira


def test_duty_is_taken_over_and_given_back(page, mira):
    make_rotation([mira, make_user(name="Jonas Weber")])

    page.goto("/duty")
    press(page, re.compile("^Take over today"))
    db.session.rollback()
    assert db.session.scalars(sa.select(Override.user_id)).one() == mira.id
    press(page, re.compile("^Give it back"))
    db.session.rollback()
    assert db.session.scalars(sa.select(Override.id).where(Override.taken_back_at.is_(None))).all() == []
