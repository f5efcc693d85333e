"""The ledger: who was told what, when, how and in which words, for whoever may see the bug."""

import csv
import io

import pytest

from bugintake.core.db import db, transaction
from bugintake.intake.models import Status
from bugintake.loop import ledger, messages
from bugintake.loop.ledger import COLUMNS, Asked
from bugintake.loop.models import Message, MessageState
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_user, make_workspace, merge
from tests.loop.reading import words_of
from tests.loop.rows import message_to, one_message, put
from tests.visitors import visit


@pytest.fixture
def lea(app, clock):
    make_workspace()
    return make_user(Role.AGENT, "Lea")


def live_for(*addresses, **values):
    people = [make_customer(address.partition("@")[0].title(), email=address) for address in addresses]
    return make_bug(Status.LIVE, waiting=people, **values)


def table(browser, query=""):
    answer = browser.get(f"/loop/ledger.csv{query}")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_everything_that_was_told_stands_there_the_latest_first(app, lea):
    bug = live_for("ana@example.com", "sam@example.com")
    put(message_to("ana@example.com"), MessageState.SENT, text="It has been fixed.")
    with transaction():
        messages.tell_by_hand(message_to("sam@example.com"), actor=lea)
    page = words_of(visit(app, lea).get("/loop/ledger"))
    assert page.index("Sam") < page.index("Ana")
    assert f"Fixed, {bug.ref} Told by hand" in page.replace("What they read ", "")
    assert "It has been fixed." in page

    [sam, ana] = table(visit(app, lea))
    assert tuple(sam) == COLUMNS
    assert (sam["customer"], sam["address"], sam["told"], sam["state"], sam["how"], sam["by"]) == (
        "Sam",
        "sam@example.com",
        "Fixed",
        "Told by hand",
        "by hand",
        "Lea",
    )
    assert (ana["bug"], ana["words"], ana["at"]) == (bug.ref, "It has been fixed.", "2026-03-10T09:00:00Z")


def test_one_state_or_one_bug_with_its_parts_is_asked_for(app, lea):
    bug, other = live_for("ana@example.com"), live_for("sam@example.com")
    put(one_message(other), MessageState.FAILED)
    browser = visit(app, lea)
    assert [row["customer"] for row in table(browser, "?state=failed")] == ["Sam"]
    assert [row["customer"] for row in table(browser, f"?bug={bug.ref.lower()}")] == ["Ana"]
    merge(bug, other)
    assert {row["customer"] for row in table(browser, f"?bug={other.ref}")} >= {"Sam"}
    assert browser.get("/loop/ledger?bug=BUG-99999999999").status_code == 404
    assert browser.get("/loop/ledger?state=nonsense&page=-5").status_code == 200
    assert "Nothing of the kind has been told yet." in words_of(browser.get("/loop/ledger?state=uncertain"))


def test_what_is_restricted_is_nobody_elses(app, lea):
    bug = live_for("ana@example.com")
    with transaction():
        editing.restrict(bug, True, actor=make_user(Role.LEAD))
    other = visit(app, make_user(Role.ENGINEER))
    assert table(other) == [] and "Ana" not in other.get("/loop/ledger").text
    assert other.get(f"/loop/ledger.csv?bug={bug.ref}").status_code == 404


def test_engineers_read_addresses_masked_and_no_cell_is_a_formula(app, lea):
    live_for("ana@example.com", actor=lea)
    person = make_customer("=cmd|'/c calc'!A1", email="eve@example.com")
    make_bug(Status.LIVE, waiting=[person])
    [eve, ana] = table(visit(app, make_user(Role.ENGINEER)))
    assert "ana@" not in ana["address"] and ana["address"].endswith("@example.com")
    assert eve["customer"].startswith("'=")
    assert "ana@example.com" not in visit(app, make_user(Role.ENGINEER)).get("/loop/ledger").text


def test_a_long_ledger_is_written_in_pieces_and_a_page_costs_the_same(app, lea, monkeypatch):
    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    live_for("a@example.com")
    browser = visit(app, lea)
    browser.get("/loop/ledger")
    with asked() as one:
        browser.get("/loop/ledger")
    live_for(*(f"p{n}@example.com" for n in range(4)))
    browser.get("/loop/ledger")
    with asked() as many:
        browser.get("/loop/ledger")
    assert many == one
    assert [int(row["number"]) for row in table(browser)] == [5, 4, 3, 2, 1]
    assert len(list(ledger.as_csv(Asked(), db.session.merge(lea)))) == 4
    assert db.session.get(Message, 5) is not None
