"""Every page there is, with the longest names there can be: readable by everybody, silent in the console."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page

from tests.eyes import wrong_with
from tests.journeys.house import House, mail_to
from tests.journeys.steps import send_without_review, set_up

ROOT = Path(__file__).parents[2]
LONG = "Wolfeschlegelsteinhausenbergerdorff"
NAME = (LONG * 6)[:200]
CUSTOMER = f"{'h' * 60}@{'long.' * 30}example.com"
WORDS = {"ref": "BUG-1", "language": "de", "name": "areas", "list_name": "proxy", "kind": "live"}
OWN_LISTS = ("area", "symptom", "impact", "frequency", "platform", "version")
FOR_PROGRAMS = (
    "/api/v1/",
    "/static/",
    "/healthz",
    "/new/similar",
    "/new/platform",
    "/new/files",
    "/attachments/",
    "/customers/suggestions",
    "/accounts/suggestions",
    "/search/suggestions",
    "/palette",
    "/duty/queue",
    "/cal/",
    "/s/<language>/known.atom",
    "/bugs/news",
    "/bugs/<ref>/colleagues",
    "/customers.csv",
    "/loop/ledger.csv",
    "/customers/<int:customer_id>/data.json",
    "/customers/<int:customer_id>/history",  # a part of the form, which its script asks for
    "/admin/catalogue/form.yml",
)
# What only a sent form shows: looked at before it is done, refused, or overtaken.
SENT = (
    ("/bugs/BUG-1/attach/many", {"addresses": f"{CUSTOMER}\n{LONG}@example.com", "actual": LONG * 6}),
    ("/bugs/BUG-1/attach/many", {"addresses": f"{LONG} at example"}),
    ("/customers/import", {"text": f"email;name;company\n{CUSTOMER};{NAME};{NAME}\nnobody;{NAME};"}),
    ("/customers/1/merging", {"other": "2"}),
    ("/admin/catalogue/areas/import", {"text": f"{LONG * 3}\n{LONG * 2}"}),
    ("/admin/catalogue/areas/import", {"text": LONG * 30}),
    (
        "/admin/catalogue/form",
        {"text": f"body: [{{type: dropdown, id: more, attributes: {{label: {LONG}, options: [{LONG}]}}}}]"},
    ),
    ("/admin/catalogue/form", {"text": f"body: [{LONG}"}),
    ("/admin/catalogue/lists", {"label": ""}),
    ("/admin/catalogue/lists/proxy", {"label": ""}),
    ("/admin/catalogue/areas", {"label": ""}),
    ("/admin/catalogue/areas/1", {"label": LONG * 30}),
    ("/admin/webhooks", {"url": LONG * 6, "topics": "bug.filed"}),
    ("/admin/release-hooks", {"sender": "nobody"}),
    ("/admin/texts/live/de", {"subject": LONG * 6, "body": f"{{{{ {LONG} }}}}"}),
    (
        "/admin/texts/live/de/preview",
        {"subject": LONG * 4, "body": f"{LONG * 12} ticket {{{{ note }}}} {{{{ days }}}}"},
    ),
    ("/bugs/BUG-1/question", {"question": ""}),
    ("/bugs/BUG-1/decline", {}),
    ("/bugs/BUG-1/fix", {}),
    ("/bugs/BUG-1/snooze", {"until": "2001-01-01"}),
    ("/bugs/BUG-1/raise", {}),
    ("/bugs/BUG-1/acceptance", {"seen": "live"}),
    ("/bugs/BUG-1/choices", {"title": LONG * 5, "seen_title": "x"}),
    ("/duty/plan", {"preview": "y"}),
    ("/duty/plan", {"slot-1": "2", "seen_1": "1-2"}),
    ("/bugs/many/decline", {"bug": "BUG-1 new "}),
    ("/bugs/many/fix", {"bug": "BUG-1 new "}),
    ("/bugs/many/merge", {"bug": "BUG-1", "asked": "1", "into": "BUG-2"}),
)
SEND = """([address, fields]) => {
  const token = document.querySelector("[name=csrf_token]").value;
  const form = Object.assign(document.createElement("form"), { method: "post", action: address });
  for (const [name, value] of Object.entries({ csrf_token: token, ...fields }))
    form.append(Object.assign(document.createElement("textarea"), { name, value }));
  document.body.append(form);
  form.submit();
}"""
MENUS = (".who-menu summary", ".page-h .menu summary", ".card .more", "[data-open=keys]")
BY_LINK = (
    *("/setup", "/setup/you", "/passes/<secret>"),
    *("/s/<language>/r/<token>", "/s/<language>/report", "/s/<language>/unsubscribe/<token>"),
)


class Eyes:
    """Looks at pages in light and dark, on a desk and on a phone, and keeps what is wrong with them."""

    def __init__(self, page: Page, house: House) -> None:
        self.page, self.house = page, house
        page.add_init_script(AXE_SCRIPT)  # to hand it over for every look takes longer
        self.seen: list[str] = []
        self.wrong: list[str] = []

    def open(self, rule: str, address: str) -> None:
        """Open an address, which answers with a page, and look at it."""
        answer = self.page.goto(address)
        if answer is None or answer.status != 200:
            self.wrong.append(f"{rule}: {answer and answer.status}")
        self.page.evaluate("for (const each of document.querySelectorAll('details:not(.menu)')) each.open = true")
        self.look(rule)

    def send(self, address: str, fields: dict[str, str]) -> None:
        """Send a form that does nothing yet, and look at what it answers."""
        self.page.goto(f"{self.house.base_url}/settings")
        with self.page.expect_navigation() as answered:
            self.page.evaluate(SEND, [self.house.base_url + address, fields])
        if answered.value.status not in (200, 409, 422):
            self.wrong.append(f"{address} {fields}: {answered.value.status}")
        self.look(f"POST {address} {self.page.title()}")

    def follow(self, rule: str, control: Locator) -> None:
        """Press what leads to another page, and look at that page once it is there."""
        with self.page.expect_navigation():
            control.click()
        self.look(rule)

    def look(self, rule: str) -> None:
        """Look at what is open."""
        self.seen.append(rule)
        self.wrong += [f"{rule}, {each}" for each in wrong_with(self.page)]


@pytest.mark.only_on("sqlite")
@pytest.mark.timeout(420)
def test_every_page_of_the_team_is_open_to_everybody_with_the_longest_names(house, people):
    house.command("demo")
    stretch(house, "petra@fakturo.example")
    page = people.arrive()
    page.goto(f"{house.base_url}/login")
    page.get_by_role("button", name=re.compile("Sign in as Petra")).click()
    eyes = Eyes(page, house)
    rules = [rule for rule in routes(house) if not rule.startswith(FOR_PROGRAMS) and rule not in BY_LINK]
    page.goto(f"{house.base_url}/bugs/{WORDS['ref']}")
    page.get_by_label("Comment for the team").fill(LONG * 6)
    page.get_by_role("button", name="Comment", exact=True).click()
    page.goto(f"{house.base_url}/duty/me")
    page.get_by_text("Somebody is away…").click()
    page.get_by_label("First day away").fill(f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}")
    page.get_by_label("Last day away").fill(f"{datetime.now(UTC) + timedelta(days=8):%Y-%m-%d}")
    page.get_by_label("A word for the team").fill(LONG * 2)
    page.get_by_role("button", name="Note it", exact=True).click()
    page.goto(f"{house.base_url}/admin/webhooks")
    page.get_by_label("Address", exact=False).first.fill(f"https://{LONG}.example.com/{LONG * 6}")
    page.get_by_role("main").get_by_role("checkbox").last.check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.goto(f"{house.base_url}/admin/webhooks")
    page.get_by_label("Address").fill(f"https://{'long-name.' * 12}example.com/{LONG * 6}")
    page.get_by_label("duty was handed over, taken over or swapped").check()
    page.get_by_role("button", name="Add", exact=True).click()
    page.goto(f"{house.base_url}/admin/release-hooks")
    page.get_by_role("button", name="Make an address").click()
    page.goto(f"{house.base_url}/admin/texts/live/de")
    page.get_by_role("textbox", name="What it says").fill(
        f"{LONG * 9} ticket {{{{ note }}}} {{{{ version }}}} {{{{ days | soon }}}}"
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{house.base_url}/admin/catalogue/proposals")
    proposal = re.findall(r"/proposals/\d+", page.content())[0]

    for rule in rules:
        eyes.open(rule, house.base_url + fill(rule).replace("/proposals/1", proposal))

    for address, fields in SENT:
        eyes.send(address, fields)
    people.said[:] = [each for each in people.said if not re.search("status of (409|422)", each)]  # as it should
    for name in MENUS:
        page.goto(f"{house.base_url}/board")
        page.locator(name).last.dispatch_event("click")
        eyes.look(f"/board with {name} open")

    assert len(rules) > 30
    assert "\n".join(eyes.wrong) == ""


@pytest.mark.only_on("sqlite")
@pytest.mark.timeout(420)
def test_every_page_that_a_link_opens_is_open_to_everybody_with_the_longest_names(house, people, inbox):
    eyes = Eyes(people.arrive(), house)
    eyes.open("/setup", house.setup_link())
    eyes.follow("/setup/you", eyes.page.get_by_role("main").get_by_role("link", name="Set up for real"))
    admin = people.arrive()
    set_up(admin, house)
    send_without_review(admin, house)

    secret = stretch(house, "petra@fakturo.example.com")
    reset = json.loads(house.command("user", "reset", "long@fakturo.example", "--json"))
    eyes.open("/passes/<secret>", reset["link"])

    told = {"de": LONG[::-1] * 12}  # not the name of anybody who waits: that would leave only when somebody sends it
    declined = {"to": "declined", "reason": "Works as intended", "customer_note": told, "workaround": told}
    call(house, secret, "/bugs/BUG-1/transitions", declined)
    look_as_customer(eyes, mail_to(inbox, CUSTOMER))
    fixed = {"to": "fixed", "version": "4.13.0", "customer_note": told}
    call(house, secret, "/bugs/BUG-2/transitions", fixed)
    house.command("release", "live", "4.13.0")
    look_as_customer(eyes, mail_to(inbox, CUSTOMER, count=2))
    unsubscribing = eyes.page.locator("form[action$='/subscription'], form[action*='/unsubscribe/']")
    eyes.follow("/s/<language>/unsubscribe/<token>", unsubscribing.get_by_role("button"))

    assert set(eyes.seen) == set(BY_LINK) <= set(routes(house))
    assert "\n".join(eyes.wrong) == ""


def look_as_customer(eyes: Eyes, mail) -> None:
    """Open both links of a mail: the report, and no more mail about it."""
    text = mail.get_body(("plain",)).get_content()
    report = re.findall(r"https?://\S+?/s/\S+?/r/[\w-]+", text)[0]
    eyes.open("/s/<language>/r/<token>", report)
    assert eyes.page.url.endswith("/s/de/report")
    eyes.seen.append("/s/<language>/report")  # where the link leads
    eyes.open("/s/<language>/unsubscribe/<token>", re.findall(r"<(http[^>]+)>", mail["List-Unsubscribe"])[0])


def routes(house: House) -> list[str]:
    """List the rules of all addresses that answer a GET, as the app itself names them."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "routes"]
    done = subprocess.run(command, env=house.environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return re.findall(r"^\S+\s+GET\S*(?:, POST)?\s+(/\S*)", done.stdout, re.MULTILINE)


def fill(rule: str) -> str:
    """Put a row that exists into an address."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: WORDS.get(match[1], "1"), rule)


def stretch(house: House, admin: str) -> str:
    """Fill the house with the longest names and words that it takes, and return a token that may do more."""
    scopes = ("read", "reports:write", "bugs:write")
    words = [word for scope in scopes for word in ("--scope", scope)]
    secret = json.loads(house.command("token", "create", "--email", admin, *words, "--json"))["secret"]
    form = house.log_path.with_name("form.yml")
    form.write_text(f"body: [{{type: dropdown, id: proxy, attributes: {{label: {LONG * 3}, options: [{LONG * 3}]}}}}]")
    house.command("import", "form", str(form))
    catalogue = json.loads(call(house, secret, "/catalogue"))
    chosen = {name: catalogue[name][0]["id"] for name in OWN_LISTS}
    further = catalogue.keys() - {*OWN_LISTS, "decline_reason"}
    chosen["choices"] = {name: catalogue[name][0]["id"] for name in further}
    customer = {"email": CUSTOMER, "name": NAME, "account": NAME, "language": "de"}
    texts = {"actual": LONG * 12, "steps": LONG * 40, "expected": LONG * 12}
    for bug in (None, None, "BUG-1"):
        call(house, secret, "/reports", {"customer": customer, **chosen, **texts, "bug": bug})
    chosen["area"] = {"not_listed": LONG * 3}  # of which no list is asked that belongs to some areas
    chosen["choices"] = {"proxy": chosen["choices"]["proxy"]}
    call(house, secret, "/reports", {"customer": customer, **chosen, **texts, "bug": "BUG-1"})
    house.command("user", "add", "--email", "long@fakturo.example", "--name", NAME, "--role", "engineer")
    return secret


def call(house: House, secret: str, path: str, body: object = None) -> bytes:
    """Call the API."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{house.base_url}/api/v1{path}", content, headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refused:
        raise AssertionError(refused.read()) from refused
