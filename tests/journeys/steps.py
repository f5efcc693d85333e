"""What several stories do on their way: found a company, let people in, choose from lists."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.conftest import People
from tests.journeys.house import House

PASSWORD = "four quiet words apart"
AREAS = "Invoices › PDF export\nImports › Bank files\nSearch"


def set_up(page: Page, house: House) -> None:
    page.goto(house.setup_link())
    page.get_by_role("main").get_by_role("link", name="Set up for real").or_(
        page.get_by_role("main").get_by_role("button", name="Set up for real")
    ).click()
    page.get_by_label("Your name").fill("Petra Lang")
    page.get_by_label("E-mail").fill("petra@fakturo.example.com")
    page.get_by_label("Password").fill(PASSWORD)
    choose(page, "Time zone", "Europe/Berlin")
    choose(page, "Language", "English")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name", exact=True).fill("Fakturo")
    page.get_by_label("A web app").check()
    page.get_by_label("Areas, one per line").fill(AREAS)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Skip for now").click()
    page.get_by_role("link", name="Finish").click()
    expect(page.get_by_role("heading", name="File a bug")).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """Choose from a list as this browser shows it: by typing into the combobox, or natively without script."""
    field = page.get_by_label(label, exact=True)
    field.wait_for()
    page.wait_for_load_state()  # by then the script has put its field in the place of the list
    if field.evaluate("element => element.tagName") == "SELECT":
        field.select_option(label=option)
    else:
        field.fill(option)
        field.press("Tab")


def join(admin: Page, people: People, house: House, name: str, role: str) -> Page:
    """Invite somebody, and let them choose a password in a browser of their own."""
    admin.goto(f"{house.base_url}/admin/people")
    invite = admin.locator("form[action$='/admin/people']").last
    invite.get_by_label("Name").fill(name)
    invite.get_by_label("E-mail").fill(f"{name.split()[0].lower()}@fakturo.example.com")
    invite.get_by_label(role).first.check()
    with admin.expect_navigation():
        invite.get_by_role("button", name="Make an invitation link").click()
    link = re.findall(re.escape(house.base_url) + r"/[^\s\"<]+", admin.content())[0]
    page = people.arrive()
    page.goto(link)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page.get_by_role("link", name=re.compile("File a bug")).first).to_be_visible()
    return page


def send_without_review(admin: Page, house: House) -> None:
    admin.goto(f"{house.base_url}/admin/workspace")
    group = admin.locator("form", has=admin.locator("[name=review_minutes]"))
    group.locator("[name=review_minutes]").fill("0")
    group.get_by_role("button", name=re.compile("^Save")).click()
    expect(admin.locator("[name=review_minutes]")).to_have_value("0")


def is_scripted(page: Page) -> bool:
    """Whether this browser runs the pages' scripts: only they make comboboxes of the lists."""
    return bool(page.evaluate("() => matchMedia('(scripting: enabled)').matches"))
