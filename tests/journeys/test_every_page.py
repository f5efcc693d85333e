"""Every page there is, with the longest names there can be: readable by everybody, silent in the console."""

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.house import House

ROOT = Path(__file__).parents[2]
LONG = "Wolfeschlegelsteinhausenbergerdorff"
NAME = (LONG * 6)[:200]
WORDS = {"ref": "BUG-1", "language": "de", "name": "areas"}
NOT_PAGES = ("/api/v1/", "/static/", "/healthz", "/new/similar", "/customers/suggestions")
NEEDS_A_LINK = ("<token>", "<secret>", "/s/<language>/report")  # the walk opens these with a real link
ELSEWHERE = ("/setup",)  # closed once somebody is there; the walk goes through it


def pages(house: House) -> list[str]:
    """List the addresses of all pages, as the app itself names its routes."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "routes"]
    done = subprocess.run(command, env=house.environment, cwd=ROOT, capture_output=True, text=True, check=True)
    rules = re.findall(r"^\S+\s+GET\S*(?:, POST)?\s+(/\S*)", done.stdout, re.MULTILINE)
    assert len(rules) > 40, done.stdout
    shown = [rule for rule in rules if not rule.startswith((*NOT_PAGES, *ELSEWHERE))]
    return [fill(rule) for rule in shown if not any(part in rule for part in NEEDS_A_LINK)]


def fill(rule: str) -> str:
    """Put a row that exists into an address."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: WORDS.get(match[1], "1"), rule)


def stretch(house: House) -> None:
    """Fill the house with the longest names and words that it takes."""
    token = json.loads(house.command("token", "create", "--email", "petra@fakturo.example", *SCOPES, "--json"))
    catalogue = json.loads(call(house, token["secret"], "/catalogue"))
    chosen = {name: options[0]["id"] for name, options in catalogue.items() if name != "decline_reason"}
    customer = {"email": f"{'h' * 60}@{'long.' * 30}example.com", "name": NAME, "account": NAME, "language": "de"}
    texts = {"actual": LONG * 12, "steps": LONG * 40, "expected": LONG * 12}
    call(house, token["secret"], "/reports", {"customer": customer, **chosen, **texts})
    call(house, token["secret"], "/reports", {"customer": customer, **chosen, **texts, "bug": "BUG-1"})
    house.command("user", "add", "--email", "long@fakturo.example", "--name", NAME, "--role", "engineer")


SCOPES = ("--scope", "read", "--scope", "reports:write")


def call(house: House, secret: str, path: str, body: object = None) -> bytes:
    """Call the API."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{house.base_url}/api/v1{path}", content, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


@pytest.mark.only_on("sqlite")
@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("people", "width"),
    [pytest.param(("light", True), 1366, id="light-1366"), pytest.param(("dark", True), 320, id="dark-320")],
    indirect=["people"],
)
def test_every_page_is_open_to_everybody_with_the_longest_names(house, people, width):
    house.command("demo")
    stretch(house)
    page = people.arrive(width=width)
    page.goto(f"{house.base_url}/login")
    page.get_by_role("button", name=re.compile("Sign in as Petra")).click()
    axe, wrong = Axe(), []

    for path in pages(house):
        answer = page.goto(house.base_url + path)
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{path}: {answer.status}")
        found = axe.run(page).response["violations"]
        wrong += [f"{path}: {each['id']} {each['nodes'][0]['html'][:160]}" for each in found]
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wrong.append(f"{path}: scrolls sideways")

    assert wrong == []
