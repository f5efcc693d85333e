"""One bug walks through all of it: filed from lists, on the board, on duty, fixed, live, and the customer told."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.faults.server import FaultServer
from tests.journeys.conftest import People
from tests.journeys.house import House, mail_to
from tests.journeys.steps import choose, is_scripted, join, send_without_review, set_up

# Each scheme, theme and way of working meets each of the others once, one of them in the long tier.
ON_SQLITE = [
    pytest.param("http", ("light", True), id="http-light-script"),
    pytest.param("https", ("light", False), id="https-light-plain"),
]
ON_POSTGRES = [
    pytest.param("https", ("dark", True), id="https-dark-script"),
    pytest.param("http", ("dark", False), id="http-dark-plain", marks=pytest.mark.long),
]


@pytest.mark.only_on("sqlite")
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("scheme", "people"), ON_SQLITE, indirect=True)
def test_a_bug_walks_from_the_form_to_the_customer(house, people, inbox):
    walk(house, people, inbox)


@pytest.mark.only_on("postgres")
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("scheme", "people"), ON_POSTGRES, indirect=True)
def test_the_same_walk_on_postgresql(house, people, inbox):
    walk(house, people, inbox)


def walk(house: House, people: People, inbox: FaultServer) -> None:
    """Tell the story once, through pages, commands and mail alone; in the middle of it the house is started again."""
    admin = people.arrive()
    set_up(admin, house)
    lea = join(admin, people, house, "Lea Marin", "Agent")
    mira = join(admin, people, house, "Mira Kos", "Engineer")
    send_without_review(admin, house)
    house.command(
        *("rotation", "add", "--name", "Bug duty", "--zone", zone_before_three(), "--start", "2026-01-01"),
        *(
            "--handoff",
            "00:00",
            "--days",
            "mon,tue,wed,thu,fri,sat,sun",
            "--turn",
            "1",
            "--people",
            "mira@fakturo.example.com",
        ),
    )

    ref = file_bug(
        lea, house, "Hana Kovač", "hana@brightline.example.com", "de", "The VAT line is missing. Only the total."
    )
    other = file_bug(lea, house, "Urs Frei", "urs@alpen.example.com", "en", "The franc sign is in the wrong place.")
    expect(lea.get_by_text("On duty: Mira").or_(lea.get_by_text("Mira on duty")).first).to_be_visible()

    mira.goto(f"{house.base_url}/duty")
    expect(mira.get_by_role("link", name=re.compile("VAT line is missing"))).to_be_visible()
    accept_and_fix(mira, house, ref)
    decline(mira, house, other)
    assert house.stop() == 0
    house.start()
    until_told = mail_to(inbox, "urs@alpen.example.com")
    assert "rather tell you" in plain(until_told)

    assert ref in house.command("release", "live", "4.13.0")
    mail = mail_to(inbox, "hana@brightline.example.com")
    read_mail(mail, house)
    customers_page(people, mail, house)
    told_on_the_loop(mira, house, ref)
    stop_mail_by_one_click(until_told, people, house)
    assert "on bug duty" in mail_to(inbox, "mira@fakturo.example.com")["Subject"]
    told = [recipient for recipient, _ in inbox.accepted if not recipient.endswith("@fakturo.example.com")]
    assert told == ["urs@alpen.example.com", "hana@brightline.example.com"]


def zone_before_three() -> str:
    """Return a zone in which today's duty, which ends when the company closes, goes on for two hours at least."""
    return next(zone for zone in ("Europe/Berlin", "America/Los_Angeles") if datetime.now(ZoneInfo(zone)).hour < 15)


def file_bug(page: Page, house: House, name: str, address: str, language: str, actual: str) -> str:
    """File a bug for a customer nobody knew, and return its reference."""
    page.goto(f"{house.base_url}/new")
    page.get_by_label("Customer", exact=True).fill(address)
    page.keyboard.press("Tab")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Writes in").select_option(language)
    choose(page, "Where", "Invoices › PDF export")
    choose(page, "What goes wrong", "Shows or saves the wrong thing")
    page.get_by_role("radio", name="Hard to work").check()
    choose(page, "How often", "Always")
    choose(page, "Platform", "Chrome on Windows")
    choose(page, "Version", "Not sure")
    page.get_by_label("Steps to see it").fill("1. Open an invoice\n2. Choose Export, then PDF")
    page.get_by_label("What happened").fill(actual)
    page.get_by_label("What should have happened").fill("It is right.")
    page.get_by_role("button", name=re.compile("^File bug")).click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text(re.compile("Filed as BUG-|Is it one of these"))  # the page after the form is there
    if "Is it one of these" in heading.inner_text():
        page.get_by_label(re.compile("None of these")).check()
        page.get_by_role("main").get_by_role("button").first.click()
    expect(heading).to_contain_text("Filed as BUG-")
    return re.findall(r"BUG-\d+", heading.inner_text())[0]


def accept_and_fix(page: Page, house: House, ref: str) -> None:
    page.goto(f"{house.base_url}/board")
    card = page.locator(f"[data-ref='{ref}']")
    if is_scripted(page):
        card.get_by_role("link").first.focus()
        page.keyboard.press("1")
        expect(page.locator(f"[data-status='accepted'] [data-ref='{ref}']")).to_be_visible()
        page.locator(f"[data-ref='{ref}']").get_by_role("link").first.focus()
        page.keyboard.press("s")
        expect(page.locator(f"[data-status='in_progress'] [data-ref='{ref}']")).to_be_visible()
        page.locator(f"[data-ref='{ref}']").get_by_role("link").first.focus()
        page.keyboard.press("5")
    else:
        card.get_by_role("link").first.click()
        page.get_by_role("button", name=re.compile("^Accept")).click()
        page.get_by_role("button", name=re.compile("^Start work")).click()
        page.get_by_role("link", name=re.compile("^Fixed")).click()
    expect(page.get_by_role("heading", name="Fixed")).to_be_visible()
    if is_scripted(page):
        page.wait_for_load_state()  # by then the script has put its field in the place of the list
        page.get_by_label("Fixed in version").fill("4.13.0")
        page.get_by_role("option", name=re.compile("Not listed")).click()
    else:
        page.get_by_label("Fixed in version").select_option(label="A new version")
        page.get_by_label("New version").fill("4.13.0")
    page.get_by_label("What is different for the customer, in German").fill("Die Steuerzeile steht wieder auf dem PDF.")
    page.get_by_role("button", name="It is fixed").click()
    expect(page.get_by_text("is fixed, not live yet").first).to_be_visible()


def decline(page: Page, house: House, ref: str) -> None:
    page.goto(f"{house.base_url}/bugs/{ref}")
    page.get_by_role("link", name=re.compile("Won't fix")).click()
    choose(page, "Reason", "Works as intended")
    page.get_by_label("Why, in words the customer can read, in English").fill("Swiss invoices must show CHF by rule.")
    page.get_by_label("There is no good way round it").check()
    page.get_by_role("button", name="Decline it").click()
    expect(page.get_by_text("is declined").first).to_be_visible()


def plain(mail) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


def read_mail(mail, house: House) -> None:
    """The mail is in her language, in her words, with one link, and nothing in its headers that should not be there."""
    text = plain(mail)
    assert "Hana" in text and "Die Steuerzeile steht wieder auf dem PDF." in text
    assert mail["From"].addresses[0].addr_spec == "support@fakturo.example.com"
    assert mail["To"].addresses[0].addr_spec == "hana@brightline.example.com"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "BUG-" not in mail["Subject"]


def link_in(mail, house: House) -> str:
    return re.findall(re.escape(house.base_url) + r"/s/\S+?/r/[\w-]+", mail.get_body(("plain",)).get_content())[0]


def customers_page(people: People, mail, house: House) -> None:
    """She opens her link: a clean address, her language, four steps, and a button that a scanner cannot press."""
    link = link_in(mail, house)
    page = people.arrive(width=320, has_script=False)
    page.goto(link)
    assert link.rsplit("/", 1)[1] not in page.url
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator(".steps li")).to_have_count(4)
    expect(page.get_by_text("Die Steuerzeile steht wieder auf dem PDF.")).to_be_visible()
    assert not page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("button", name="Ja, es funktioniert").click()
    expect(page.locator("main")).to_contain_text("funktioniert")
    assert people.arrive().request.get(page.url).status == 404


def told_on_the_loop(page: Page, house: House, ref: str) -> None:
    page.goto(f"{house.base_url}/loop?tab=sent")
    expect(page.get_by_text(ref).first).to_be_visible()


def stop_mail_by_one_click(mail, people: People, house: House) -> None:
    """A mail program stops the mail as RFC 8058 says; merely looking changes nothing."""
    address = re.findall(r"<(http[^>]+)>", mail["List-Unsubscribe"])[0]
    page = people.arrive(has_script=False)
    page.goto(address)
    expect(page.get_by_role("heading", name="No more mail about this?")).to_be_visible()
    answer = page.request.post(address, form={"List-Unsubscribe": "One-Click"}, max_redirects=0)
    assert answer.status == 200
    page.goto(address)
    expect(page.get_by_role("heading", name="You will get no more mail about this")).to_be_visible()
