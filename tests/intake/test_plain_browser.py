"""Customers and lists without any script: every page of intake is a form that a plain browser sends."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.intake import catalogue, proposals
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Option, OptionList, Report, Status
from bugintake.team.models import Role
from tests.factories import make_bug, make_customer, make_report, make_user
from tests.visitors import visit

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]


@pytest.fixture
def page(app, browser, company, address):
    """A lead's browser, which runs no script."""
    cookie = visit(app, make_user(Role.LEAD, "Nada Lead")).client.get_cookie("session")
    context = browser.new_context(java_script_enabled=False, base_url=address)
    context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
    yield context.new_page()
    context.close()


def press(page: Page, name: str | re.Pattern[str]) -> None:
    page.get_by_role("main").get_by_role("button", name=name, exact=isinstance(name, str)).first.click()


def now(model, key):
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(model, key)


def test_a_customer_is_found_noted_kept_quiet_and_merged(page):
    hana = make_customer("Hana Kovač", email="hana@brightline.hr", company="Brightline")
    twin = make_customer("Hana Kovac", email="h.kovac@brightline.hr")
    make_report(twin, area="Search")
    day = (clock.now() + timedelta(days=9)).date().isoformat()

    page.goto("/customers")
    page.get_by_role("main").get_by_role("searchbox").fill("brightline")
    press(page, "Find")
    page.get_by_role("link", name="Hana Kovač").click()
    page.get_by_label("Write a note").fill("On leave, answer in March.")
    press(page, "Keep the note")
    expect(page.get_by_text("On leave, answer in March.")).to_be_visible()

    page.get_by_role("link", name="Change").click()
    page.get_by_label("Quiet until").fill(day)
    page.get_by_label("Numbers").fill("Zendesk: 4711")
    press(page, "Save")
    expect(page.get_by_text("Quiet until", exact=False).first).to_be_visible()
    assert now(Customer, hana.id).quiet_until_on.isoformat() == day

    page.get_by_role("link", name="Merge…").click()
    page.get_by_role("main").get_by_role("searchbox").fill("h.kovac@brightline.hr")
    press(page, "Find")
    press(page, re.compile("This one"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("into Hana Kovač")
    expect(page.get_by_text("1 report comes along")).to_be_visible()
    press(page, "Merge them")
    assert now(Customer, twin.id).merged_into_id == hana.id


def test_a_file_of_customers_is_looked_at_and_taken_in(page):
    page.goto("/customers/import")
    page.get_by_label("Lines of the file").fill(
        "name,address,company\nIvo Ban,ivo@otok.hr,Otok\nNobody,not-an-address,\n"
    )
    press(page, "Look what it does")
    expect(page.get_by_text("1 line cannot be taken in, so nothing was")).to_be_visible()
    assert db.session.scalar(sa.select(Customer).where(Customer.email == "ivo@otok.hr")) is None

    page.get_by_label("Lines of the file").fill("name,address,company\nIvo Ban,ivo@otok.hr,Otok\n")
    press(page, "Look what it does")
    press(page, "Take them in")
    db.session.rollback()
    assert db.session.scalar(sa.select(Customer.name).where(Customer.email == "ivo@otok.hr")) == "Ivo Ban"


def test_many_customers_are_attached_at_once_and_taken_back(page):
    bug = make_bug(area="Search", symptom="Looks wrong")
    make_customer("Hana Kovač", email="hana@brightline.hr")

    page.goto(f"/bugs/{bug.ref}/attach/many")
    page.get_by_label("Addresses").fill("hana@brightline.hr\nUrs Frei <urs@alpen.ch>\nnonsense\n")
    press(page, "Look who that is")
    expect(page.get_by_text("1 line is no address")).to_be_visible()
    before = db.session.scalar(sa.select(sa.func.count(Report.id)))
    press(page, "Attach who is ticked")
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count(Report.id))) == before + 2
    page.get_by_role("button", name=re.compile("^Undo")).first.click()
    db.session.rollback()
    waiting = sa.select(sa.func.count(Report.id)).where(Report.settled_at.is_(None), Report.bug_id == bug.id)
    assert db.session.scalar(waiting) == before


def test_a_live_bug_comes_back_with_whoever_has_the_fix_and_not_with_whoever_lacks_it(page):
    bug = make_bug(Status.LIVE, area="Search", symptom="Looks wrong")  # fixed in 4.13.0
    make_customer("Hana Kovač", email="hana@brightline.hr")
    make_customer("Urs Frei", email="urs@alpen.ch")

    page.goto(f"/bugs/{bug.ref}/attach")
    page.get_by_label("Customer", exact=True).fill("hana@brightline.hr")
    press(page, "Attach")
    expect(page.get_by_role("alert")).to_contain_text("Choose the version the customer has")
    expect(page.get_by_label("Customer", exact=True)).to_have_value("hana@brightline.hr")
    page.get_by_label("Version", exact=True).select_option("4.12.1")
    press(page, "Attach")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Attached to {bug.ref}")
    expect(page.get_by_text("They have 4.12.1, and it is fixed since 4.13.0: tell them to update.")).to_be_visible()
    assert (now(Bug, bug.id).status, bug.waiting_count) == (Status.LIVE, 2)

    page.get_by_role("link", name="Attach one more customer").click()
    page.get_by_label("Customer", exact=True).fill("urs@alpen.ch")
    page.get_by_label("Version", exact=True).select_option("4.13.0")
    page.get_by_label("What happened").fill("It is grey again.")
    press(page, "Attach")
    expect(page.get_by_text("It came back: it is open again")).to_be_visible()
    assert (now(Bug, bug.id).status, bug.generation) == (Status.ACCEPTED, 2)
    page.goto("/board?came_back=1")
    expect(page.locator(f"[data-ref='{bug.ref}']")).to_contain_text("Came back")


def test_a_proposed_word_is_added_and_two_choices_become_one_and_two_again(page):
    with transaction():
        word = proposals.propose(OptionList.PLATFORM, "Steam deck")
    firefox = catalogue.option_labelled(OptionList.PLATFORM, "Firefox")

    page.goto("/admin/catalogue/proposals")
    press(page, re.compile("Add to the list"))
    assert now(Option, word.id).proposed_at is None

    page.goto("/admin/catalogue/platforms")
    page.get_by_role("link", name="Steam deck").click()
    page.get_by_role("link", name="Merge into another").click()
    page.get_by_role("main").get_by_role("combobox").select_option("Firefox")
    press(page, "Show what would move")
    press(page, "Merge")
    assert now(Option, word.id).merged_into_id == firefox.id
    page.goto("/admin/catalogue/platforms")
    press(page, re.compile("Undo|Take apart|Take back"))
    assert now(Option, word.id).merged_into_id is None


def test_a_form_with_a_file_and_a_secret_is_saved_continued_masked_and_filed(page):
    make_customer("Hana Kovač", email="hana@brightline.hr")
    log = {"name": "error.txt", "mimeType": "text/plain", "buffer": b"Error 500"}
    page.goto("/new")
    page.get_by_label("Customer", exact=True).fill("hana@brightline.hr")
    for name, label in (("Where", "Search"), ("What goes wrong", "Looks wrong"), ("How often", "Always")):
        page.get_by_label(name, exact=True).select_option(label)
    page.get_by_label("What happened").fill("It says: password=hunter2-very-long")
    page.get_by_label("Files").set_input_files([log, {**log, "name": "other.txt", "buffer": b"Error 501"}])
    press(page, "Save for later")

    page.goto("/new")
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_label("Where", exact=True)).to_have_value(re.compile(r"\d+"))
    press(page, re.compile("Take out other.txt"))
    expect(page.get_by_role("list", name="Chosen so far").get_by_role("listitem")).to_have_count(1)
    page.get_by_label("Platform", exact=True).select_option("Firefox")
    page.get_by_label("Version", exact=True).select_option("4.12.0")
    page.get_by_label("Annoying").check()
    page.get_by_label("Steps to see it").fill("1. Open it")
    press(page, re.compile("^File bug"))
    expect(page.get_by_role("alert").or_(page.locator(".err")).first).to_be_visible()
    page.get_by_label("What should have happened").fill("It lets her in.")
    press(page, re.compile("^Mask"))
    expect(page.get_by_label("What happened")).not_to_have_value(re.compile("hunter2"))
    press(page, re.compile("^File bug"))

    expect(page.get_by_role("heading", level=1)).to_contain_text("Filed as BUG-")
    db.session.rollback()
    report = db.session.scalars(sa.select(Report)).one()
    files = db.session.scalars(sa.select(Attachment.name).where(Attachment.report_id == report.id)).all()
    assert (files, "hunter2" in report.actual) == (["error.txt"], False)


FORM = """
name: Bug report
description: What happened?
body:
  - type: dropdown
    id: browser
    attributes: {label: Which browser, options: [Opera, Vivaldi]}
    validations: {required: true}
"""


def test_a_github_form_is_looked_at_and_taken_over(page):
    page.goto("/admin/catalogue/form")
    page.get_by_label("Or its text").fill(FORM)
    press(page, "Show what would change")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bug report")
    press(page, "Take it over")

    db.session.rollback()
    assert "Opera" in {choice.label for choice in catalogue.names().choices.values()}


def test_choices_are_brought_in_from_lines_and_a_mistake_changes_nothing(page):
    page.goto("/admin/catalogue/versions")
    page.get_by_role("link", name="Bring many in").click()
    page.get_by_label("Lines").fill("label;aliases\n4.13.0;new\n;nothing\n")
    press(page, re.compile("^Show"))
    expect(page.get_by_text("wrong", exact=True).first).to_be_visible()
    assert catalogue.option_labelled(OptionList.VERSION, "4.13.0") is None

    page.get_by_label("Lines").fill("4.13.0\n4.14.0\n")
    press(page, re.compile("^Show"))
    press(page, "Bring them in")
    db.session.rollback()
    assert catalogue.option_labelled(OptionList.VERSION, "4.14.0") is not None
