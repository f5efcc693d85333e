"""Filing by keyboard in a real browser: 200 areas, 500 customers, real key events."""

import re
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from bugintake.core.db import db, transaction
from bugintake.intake import catalogue, further_lists, proposals
from bugintake.intake.models import OptionList, Report, Status
from tests.eyes import barriers
from tests.factories import make_bug, make_customer, make_list, make_report
from tests.intake.keyboard import press

pytestmark = [pytest.mark.browser, pytest.mark.only_on("sqlite")]


A_KEY, THREE_TEXTS = 0.18, 45  # seconds: of somebody who looks for each key, and of 30 words at 40 a minute


def last_report():
    db.session.rollback()  # reads what the server wrote meanwhile
    return db.session.scalars(sa.select(Report).order_by(Report.id.desc())).first()


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
    report = last_report()
    labels = [o.label for o in (report.area, report.symptom, report.impact, report.frequency)]
    assert labels == ["Invoices › PDF export", "Shows or saves the wrong thing", "Hard to work", "Always"]
    assert [report.customer_id, report.platform.label, report.version.label] == [
        crowd.id,
        "Chrome on Windows",
        "4.12.1",
    ]
    assert report.bug.title == "The VAT line is not there"
    assert count <= 25
    assert count * A_KEY + THREE_TEXTS < 60


def test_attaching_a_customer_takes_at_most_fifteen_keystrokes_and_two_pages(page, crowd, desk):
    bug = make_bug(area="Invoices › PDF export", symptom="Shows or saves the wrong thing", actual="No VAT line.")
    loads = []
    page.on("request", lambda request: loads.append(request.url) if request.is_navigation_request() else None)
    page.goto(f"{desk}/new")

    count = press(page, "h a n Tab p d f Tab w r Tab")
    expect(page.locator(".dup")).to_be_focused()
    count += press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Attach Hana Kovač, Brightline to {bug.ref}?")
    count += press(page, "Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Attached to {bug.ref}")

    report = last_report()
    assert (report.bug_id, report.customer_id, report.platform.label) == (bug.id, crowd.id, "Chrome on Windows")
    assert count <= 15
    assert count * A_KEY < 10
    assert len(loads) == 4  # the form, the question, the answer and where it leads


def test_a_live_bug_asks_for_the_version_and_comes_back_with_a_newer_one(page, crowd, desk):
    bug = make_bug(Status.LIVE, area="Invoices › PDF export", symptom="Shows or saves the wrong thing")
    page.goto(f"{desk}/new")

    press(page, "h a n Tab p d f Tab w r Tab")
    expect(page.locator(".dup")).to_contain_text("Attach this customer: which version do they have?")
    press(page, "Enter")
    expect(page.get_by_label("Version", exact=True)).to_be_focused()
    press(page, "1 3 Tab Control+Enter")

    expect(page.get_by_text("It came back: it is open again")).to_be_visible()
    report = last_report()
    assert (report.version.label, report.bug.status, report.bug.generation) == ("4.13.0", Status.ACCEPTED, 2)
    page.keyboard.press("u")
    expect(page.get_by_text(f"{bug.ref} had come back with it, and is live as before.")).to_be_visible()
    assert last_report().bug.status == Status.LIVE


def test_a_choice_that_was_typed_over_is_never_sent(context, company, desk):
    make_customer("Hana Kovač")
    page = context.new_page()
    page.goto(f"{desk}/new")
    page.get_by_label("Customer", exact=True).fill("hana")
    page.get_by_role("option", name="Hana Kovač").wait_for()
    page.keyboard.press("Tab")
    page.get_by_label("Where").fill("search")
    page.keyboard.press("Enter")
    page.get_by_label("Where").fill("no such place")
    page.get_by_label("What happened").fill("Kept.")

    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.keyboard.press("Control+Enter")

    assert parse_qs(sent.value.post_data, keep_blank_values=True)["area"] == [""]
    expect(page).to_have_title(re.compile("^Error: File a bug"))
    expect(page.locator(".err")).to_be_focused()
    expect(page.locator("#f-area-e")).to_have_text("Error: Choose where it happens.")
    expect(page.get_by_label("What happened")).to_have_value("Kept.")
    expect(page.get_by_label("Customer", exact=True)).to_have_value("Hana Kovač")
    page.get_by_role("link", name="Choose where it happens.").click()
    expect(page.get_by_label("Where")).to_be_focused()


def test_an_address_that_nobody_has_opens_the_new_customer_in_place(page, company, desk):
    page.goto(f"{desk}/new")
    expect(page.get_by_label("Company")).to_be_hidden()

    page.get_by_label("Customer", exact=True).press_sequentially("ines@otok.es")

    expect(page.get_by_label("Name")).to_be_visible()
    expect(page.get_by_label("Writes in")).to_have_value("es")
    page.get_by_label("Name").fill("Inés Marín")
    for name, words in (("Where", "search"), ("What goes wrong", "looks"), ("How often", "alw"), ("Platform", "fire")):
        page.get_by_label(name).fill(words)
        page.keyboard.press("Enter")
    page.get_by_label("Version").fill("4.12.0")
    page.keyboard.press("Tab")
    page.get_by_label("Annoying").check()
    for name in ("Steps to see it", "What happened", "What should have happened"):
        page.get_by_label(name).fill("Words.")
    page.get_by_role("button", name="File bug").click()

    expect(page.get_by_text("Hola, Inés: gracias por avisarnos.")).to_be_visible()
    added = last_report().customer
    assert (added.email, added.language) == ("ines@otok.es", "es")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name=re.compile("Copied|Selected"))).to_be_visible()


def test_without_scripts_a_bug_is_filed_and_a_customer_attached(browser, agent, company, address):
    make_customer("Hana Kovač", email="hana@brightline.hr")
    known = make_bug(area="Search", symptom="Looks wrong")
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": "session", "value": agent.client.get_cookie("session").value, "url": address}])
    page = context.new_page()

    for decision, heading in (("None of these, file it", "Filed as BUG-2"), (known.title, f"Attached to {known.ref}")):
        page.goto(f"{address}/new")
        page.get_by_label("Customer", exact=True).fill("hana@brightline.hr")
        for name, label in (("Where", "Search"), ("What goes wrong", "Looks wrong"), ("How often", "Always")):
            page.get_by_label(name, exact=True).select_option(label)
        page.get_by_label("Platform", exact=True).select_option("Firefox")
        page.get_by_label("Version", exact=True).select_option("4.12.0")
        page.get_by_label("Annoying").check()
        page.get_by_label("Steps to see it").fill("1. Open the search and type")
        page.get_by_label("What happened").fill("The list is grey.")
        page.get_by_label("What should have happened").fill("The list is blue.")
        page.get_by_role("button", name="File bug").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Is it one of these?")
        page.get_by_label(decision).first.check()
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)

    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    context.close()


def test_what_only_a_sent_form_shows_is_readable_by_everybody(context, company, desk):
    make_bug(area="Search", symptom="Looks wrong", actual="x" * 119)
    page = context.new_page()
    found = {}
    for theme, width in (("light", 1366), ("dark", 320)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 640})
        page.goto(f"{desk}/new?customer=new@example.com&symptom=looks+wrong")
        page.keyboard.press("Control+Enter")
        page.locator(".err").wait_for()
        found["refused", theme] = barriers(page)
        page.goto(f"{desk}/new?area=search&symptom=looks+wrong")
        page.locator(".dup").click()
        page.get_by_role("heading", name="Attach a customer to BUG-1").wait_for()
        page.get_by_role("button", name="Attach").click()
        page.locator(".err").wait_for()
        found["not attached", theme] = barriers(page)

    assert not any(found.values()), found


def test_a_list_of_some_areas_appears_with_them_and_is_emptied_with_them(page, company, desk):
    make_list("Theme", "Dark", "Light", areas=[catalogue.option_labelled(OptionList.AREA, "Settings")])
    make_list("Plan", "Free", "Paid")
    page.goto(f"{desk}/new")
    theme, plan, where = (page.get_by_label(label) for label in ("Theme", "Plan", "Where"))
    expect(theme).to_be_hidden()

    where.fill("settings")
    where.press("Tab")
    theme.fill("dark")
    theme.press("Tab")
    plan.fill("paid")
    plan.press("Tab")
    where.fill("sear")
    expect(theme).to_have_value("Dark")
    where.press("Tab")

    expect(theme).to_be_hidden()
    expect(plan).to_have_value("Paid")
    where.fill("settings")
    where.press("Tab")
    expect(theme).to_have_value("")


def test_words_that_a_growing_list_lacks_are_filed_by_keyboard(page, company, desk):
    make_list("Proxy", "None", grows=True)
    page.goto(f"{desk}/new")
    for label, words in (("Where", "search"), ("What goes wrong", "nothing"), ("How often", "always")):
        page.get_by_label(label, exact=True).fill(words)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_role("radio", name="Annoying").check()
    for label in ("Platform", "Version"):
        page.get_by_label(label, exact=True).fill("not sure")
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_label("Proxy").fill("Squid 6")
    press(page, "ArrowDown Enter")
    for label in ("Steps to see it", "What happened", "What should have happened"):
        page.get_by_label(label).fill(f"{label}: this.")
    page.get_by_label("We found it ourselves").check()
    press(page, "Control+Enter")

    page.wait_for_url(re.compile("/filed"))
    report = last_report()
    assert [choice.choice for choice in further_lists.chosen_in([report.id])[report.id]] == ["Squid 6"]


def test_a_typo_and_tab_propose_nothing_and_a_word_does_only_when_it_is_picked(context, company, desk):
    page = context.new_page()  # a refused form is an error on the console
    page.goto(f"{desk}/new")
    where = page.get_by_label("Where", exact=True)
    where.fill("kiosk mode")
    expect(page.get_by_role("option", name="Not listed: use “kiosk mode”")).to_be_visible()
    where.press("Tab")
    press(page, "Control+Enter")
    expect(page.locator("#f-area-e")).to_contain_text("Choose where it happens.")

    where.fill("kiosk mode")
    press(page, "ArrowDown Enter")
    press(page, "Control+Enter")
    expect(page.locator("#f-area-e")).to_have_count(0)
    expect(page.get_by_label("Where", exact=True)).to_have_value("kiosk mode")
    assert page.locator("input[name=area_other]").input_value() == "kiosk mode"
    assert proposals.waiting(start=0, size=9) == []


def fill_in(page):
    """Choose in every list, and write the texts."""
    for label, words in (("Where", "search"), ("What goes wrong", "looks"), ("How often", "alw"), ("Platform", "fire")):
        page.get_by_label(label, exact=True).fill(words)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_label("Version", exact=True).fill("4.12.0")
    page.get_by_label("Version", exact=True).press("Tab")
    page.get_by_label("Annoying").check()
    for name in ("Steps to see it", "What happened", "What should have happened"):
        page.get_by_label(name).fill("Words.")


def test_a_customer_without_an_address_is_added_in_place(page, company, desk):
    page.goto(f"{desk}/new")
    customer = page.get_by_label("Customer", exact=True)
    customer.press_sequentially("Frau Beispiel")
    expect(page.get_by_role("option", name="New customer: “Frau Beispiel”")).to_be_visible()
    press(page, "Tab")
    expect(page.get_by_label("Name", exact=True)).to_be_hidden()  # a typo and Tab add nobody

    customer.fill("Frau Beispiel")
    page.get_by_role("option", name="New customer: “Frau Beispiel”").wait_for()
    press(page, "ArrowDown Enter")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Frau Beispiel")
    page.get_by_label("Name", exact=True).fill("Anna Beispiel")
    expect(customer).to_have_value("Anna Beispiel")
    page.get_by_label("Writes in").select_option("de")
    fill_in(page)
    press(page, "Control+Enter")

    page.wait_for_url(re.compile("/filed"))
    added = last_report().customer
    assert (added.name, added.email, added.language) == ("Anna Beispiel", None, "de")


def test_a_refused_customer_opens_the_fields_for_a_new_one(context, company, desk):
    page = context.new_page()
    bug = make_bug(area="Search")
    for address in ("/new", f"/bugs/{bug.ref}/attach"):
        page.goto(f"{desk}{address}")
        page.get_by_label("Customer", exact=True).press_sequentially("Frau Beispiel")
        press(page, "Tab Control+Enter")

        expect(page.locator("#f-customer-e")).to_be_visible()
        expect(page.get_by_label("Name", exact=True)).to_be_visible()
        expect(page.get_by_label("Company")).to_be_visible()


def test_an_unknown_address_is_added_where_a_customer_is_attached(page, company, desk):
    bug = make_bug(area="Search")
    page.goto(f"{desk}/bugs/{bug.ref}/attach")
    expect(page.get_by_label("Name", exact=True)).to_be_hidden()

    page.get_by_label("Customer", exact=True).press_sequentially("ines@otok.es")
    page.get_by_label("Name", exact=True).fill("Inés Marín")
    press(page, "Control+Enter")

    page.wait_for_url(re.compile("/filed"))
    assert (last_report().customer.email, last_report().bug_id) == ("ines@otok.es", bug.id)


def test_what_a_customers_last_report_filled_in_goes_with_them_and_what_a_person_chose_stays(page, company, desk):
    make_report(make_customer("Hana Kovač"), platform="Firefox", version="4.12.0")
    make_report(make_customer("Sam Okafor"), platform="Safari on Mac", version="4.12.1")
    make_customer("Ines Marin")
    page.goto(f"{desk}/new")
    customer, platform, version = (page.get_by_label(name, exact=True) for name in ("Customer", "Platform", "Version"))
    note = page.locator("#customer-note")

    def pick(name):
        customer.fill(name)
        page.get_by_role("option", name=name).first.wait_for()
        customer.press("Tab")

    pick("Hana")
    expect(platform).to_have_value("Firefox")
    expect(note).to_contain_text("Last report from Firefox 4.12.0. Platform and version are filled in from it.")
    pick("Sam")
    expect(platform).to_have_value("Safari on Mac")
    expect(version).to_have_value("4.12.1")
    pick("Ines")
    expect(platform).to_have_value("")
    expect(note).not_to_contain_text("filled in")

    platform.fill("chrome")
    platform.press("Tab")
    pick("Hana")
    expect(platform).to_have_value("Chrome on Windows")
    expect(version).to_have_value("4.12.0")
    expect(note).to_contain_text("The version is filled in from it.")
    customer.fill("x")
    customer.press("Escape")
    expect(version).to_have_value("4.12.0")


def test_the_whole_form_is_seen_at_once_on_a_laptop(page, company, desk):
    with transaction():
        for impact in catalogue.options_of(OptionList.IMPACT):
            impact.hint = "Main job blocked, no way round"
    page.set_viewport_size({"width": 1366, "height": 800})

    page.goto(f"{desk}/new")

    assert page.evaluate("document.documentElement.scrollHeight") == 800
