"""Words outlive a refused sign-in, a stale token and a closed tab, and reach nobody but whoever typed them."""

import re
from html import unescape
from io import BytesIO

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.draft_models import Draft
from bugintake.intake.models import Report
from bugintake.team import passwords, people, sign_in
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_user
from tests.intake.test_filing_views import summary, values
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

PASSWORD = "correct horse battery"


def drafts():
    db.session.rollback()
    return db.session.scalars(sa.select(Draft).order_by(Draft.id)).all()


def key_on(page):
    return re.search(r'name="key" value="([^"]+)"', page.text)[1]


def shown(page, sent):
    """Read what a page shows of what was sent; a browser sends every line break as two characters."""
    found = values(page) | {"key": key_on(page)}
    return {name: re.sub(r"\r?\n", "\r\n", found.get(name, "")) for name in sent}


def said(page):
    """Read what the page says besides its form."""
    blocks = re.findall(r'<div class="(?:bar box calm notes|toast [^"]*)">(.*?)</div>', page.text, re.DOTALL)
    return [unescape(sentence) for block in blocks for sentence in re.findall(r"<p>(.*?)</p>", block)]


@pytest.fixture
def typed(agent, filled):
    """A form opened by Lea and half filled in."""

    def fill(**changes):
        return filled(key=key_on(agent.get("/new")), **{"symptom": "", "actual": "Two\r\n  lines, <b>", **changes})

    return fill


@pytest.fixture
def signed_out(app, agent, lea):
    """Lea's browser after her sign-in was ended elsewhere, with the cookie it had; `forgets` loses that too."""

    def end(forgets=False):
        with transaction():
            sign_in.end_sign_ins(lea)
        if forgets:
            agent.client.delete_cookie("session")

    return end


@pytest.fixture
def sign_in_as(app):
    """Sign somebody in by the form that a redirect led to."""

    def enter(visitor, user, address):
        with transaction():
            people.set_password(user, passwords.hash_password(PASSWORD), actor=user)
        page = visitor.get(address)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
        onward = unescape(re.search(r'name="next" value="([^"]*)"', page.text)[1])
        sent = {"csrf_token": token, "email": user.email, "password": PASSWORD, "next": onward}
        return visitor.client.post("/login", data=sent)

    return enter


def test_saving_for_later_keeps_the_form_and_its_files_and_offers_both_again(agent, typed):
    sent = typed()
    answer = agent.post("/drafts", {**sent, "files": (BytesIO(b"words"), "log.txt")})
    assert (answer.status_code, answer.location) == (303, "/new")
    page = agent.get("/new")
    assert re.search(r"You started this at \d\d:\d\d", page.text)
    assert "Two lines, &lt;b&gt;" in page.text

    again = agent.get(unescape(re.search(r'href="(/new\?draft=\d+)"', page.text)[1]))

    assert shown(again, sent) == sent
    assert "log.txt" in again.text
    assert "You started this" not in again.text


def test_a_draft_is_filed_with_its_files_and_gone(agent, typed, filled):
    sent = typed()
    agent.post("/drafts", {**sent, "files": (BytesIO(b"words"), "log.txt")})

    agent.post("/new", filled(key=sent["key"], found_by_us="y"))

    filed = db.session.scalars(sa.select(Report)).one()
    assert [each.report_id for each in db.session.scalars(sa.select(Attachment))] == [filed.id]
    assert drafts() == []


def test_a_script_hears_when_a_draft_was_saved(agent, typed):
    sent = typed()
    answers = [
        agent.post("/drafts", {**sent, "revision": revision}, headers={"Accept": "application/json"}).json
        for revision in ("", "1", "1")
    ]

    assert [re.sub(r"\d", "0", each["sentence"]) for each in answers] == ["Draft saved 00:00"] * 3
    assert [(each["key"] == sent["key"], each["revision"]) for each in answers] == [
        (True, "1"),
        (True, "2"),
        (False, "1"),
    ]
    assert len(drafts()) == 2


@pytest.mark.parametrize("forgets", [False, True], ids=["ended elsewhere", "expired with its cookie"])
def test_a_form_of_somebody_signed_out_comes_back_filled_after_signing_in_again(
    agent, lea, typed, signed_out, sign_in_as, forgets
):
    sent = typed()
    signed_out(forgets)

    answer = agent.post("/new", sent)
    assert answer.location == f"/login?next=/new?draft%3D{drafts()[0].id}"
    assert "Two" not in agent.get(answer.location).text
    back = sign_in_as(agent, lea, answer.location)

    assert shown(agent.get(back.location), sent) == sent
    assert db.session.scalars(sa.select(Report)).all() == []


def test_files_of_somebody_signed_out_wait_for_them_too(agent, lea, typed, signed_out, sign_in_as):
    sent = typed()
    signed_out()

    answer = agent.post(
        "/new", {**sent, "files": [(BytesIO(b"words"), "log.txt"), (BytesIO(b"MZ\x00\xff" * 9), "tool.exe")]}
    )
    signing_in = agent.get(answer.location)
    assert "log.txt" not in signing_in.text
    assert "tool.exe" in signing_in.text
    back = sign_in_as(agent, lea, answer.location)

    assert "log.txt" in agent.get(back.location).text
    assert db.session.scalars(sa.select(Attachment)).one().added_by_id == lea.id


def test_files_sent_with_a_token_that_is_too_old_wait_with_the_words(agent, lea, typed):
    sent = typed()

    answer = agent.client.post("/new", data={**sent, "csrf_token": "old", "files": (BytesIO(b"words"), "log.txt")})

    page = agent.get(answer.location)
    assert shown(page, sent) == sent
    assert "log.txt" in page.text


def test_whoever_signs_in_instead_gets_none_of_the_words(agent, typed, signed_out, sign_in_as):
    other = make_user(name="Another Agent")
    sent = typed(actual="For Lea's eyes.")
    signed_out()

    answer = agent.post("/new", sent)
    back = sign_in_as(agent, other, answer.location)
    page = agent.get(back.location)

    assert page.status_code == 200
    assert "eyes" not in page.text
    assert said(page) == ["What was begun is not here any more: it was filed or discarded, or two weeks have passed."]


def test_a_form_that_somebody_else_left_open_is_kept_for_them_and_not_filed(app, agent, lea, typed):
    sent = typed(actual="For Lea's eyes.")
    other = visit(app, make_user(name="Another Agent"))

    answer = other.post("/new", sent)
    saving = other.post("/drafts", {**sent, "revision": "1"}, headers={"Accept": "application/json"})

    assert (answer.status_code, answer.location, saving.status_code) == (303, "/new", 401)
    assert said(other.get("/new")) == ["That form was begun by Lea Agent. What was typed is kept for them."]
    assert [(each.user_id, each.fields["actual"]) for each in drafts()] == [(lea.id, "For Lea's eyes.")]
    assert db.session.scalars(sa.select(Report)).all() == []


def test_a_stale_token_leads_back_to_the_filled_form(agent, typed):
    sent = typed()

    answer = agent.client.post("/new", data={**sent, "csrf_token": "stale"})

    assert answer.location == f"/new?draft={drafts()[0].id}"
    page = agent.get(answer.location)
    assert shown(page, sent) == sent
    assert said(page) == [
        "This page was open too long, so nothing was filed yet. Everything you typed is here: send it again."
    ]


def test_a_script_with_a_stale_token_gets_a_new_one_and_one_without_a_sign_in_the_way_back(agent, typed, signed_out):
    script = {"Accept": "application/json"}
    sent = typed()
    stale = agent.client.post("/drafts", data={**sent, "csrf_token": "stale"}, headers=script)
    assert (stale.status_code, stale.json["revision"]) == (400, "1")
    saved = agent.client.post(
        "/drafts", data={**sent, "revision": "1", "csrf_token": stale.json["csrf_token"]}, headers=script
    )
    assert (saved.status_code, saved.json["revision"]) == (200, "2")

    signed_out()
    refused = agent.post("/drafts", {**sent, "revision": "2"}, headers=script)

    assert (refused.status_code, refused.json["revision"]) == (401, "3")
    assert refused.json["csrf_token"]


@pytest.mark.parametrize("forgets", [False, True], ids=["ended elsewhere", "expired with its cookie"])
def test_the_token_that_comes_with_a_refusal_signs_in_again_and_then_saves(agent, lea, typed, signed_out, forgets):
    script = {"Accept": "application/json"}
    sent = typed()
    with transaction():
        people.set_password(lea, passwords.hash_password(PASSWORD), actor=lea)
    signed_out(forgets)
    token = agent.client.post("/drafts", data={**sent, "csrf_token": agent.token}, headers=script).json["csrf_token"]

    answer = agent.client.post("/login", data={"csrf_token": token, "email": lea.email, "password": PASSWORD})
    saved = agent.client.post("/drafts", data={**sent, "csrf_token": token, "revision": "1"}, headers=script)

    assert (answer.status_code, saved.status_code, saved.json["revision"]) == (302, 200, "2")


def test_a_browser_that_was_signed_in_may_still_send_many_files_and_one_that_signed_out_may_not(
    agent, typed, signed_out
):
    sent = typed()
    size = {"CONTENT_LENGTH": str(13 * 1024 * 1024)}
    signed_out()
    many = [(BytesIO(bytes(7_000_000)), f"{number}.log") for number in range(2)]
    assert agent.post("/new", {**sent, "files": many}).status_code == 303

    signed_out(forgets=True)

    assert agent.post("/new", sent, environ_overrides=size).status_code == 413


@pytest.mark.parametrize("key", ["a key", "1.made.up", ""])
def test_words_that_nobody_proves_to_own_are_not_kept_here(agent, filled, signed_out, key):
    signed_out()

    answer = agent.post("/new", filled(key=key))

    assert answer.status_code == 401
    assert drafts() == []


def test_attaching_has_drafts_of_its_own_which_lead_back_to_the_bug(agent, typed, signed_out):
    bug = make_bug()
    agent.post(f"/drafts?bug={bug.ref}", typed(actual="She sees it too."))
    draft = drafts()[0]

    page = agent.get("/new")
    assert f"You started this for {bug.ref} at" in page.text
    assert f'href="/bugs/{bug.ref}/attach?draft={draft.id}"' in page.text
    again = agent.get(f"/bugs/{bug.ref}/attach?draft={draft.id}")
    assert values(again)["actual"] == "She sees it too."

    signed_out()
    answer = agent.post(f"/bugs/{bug.ref}/attach", {**values(again), "confirmed": "1", "key": key_on(again)})
    assert answer.location.startswith(f"/login?next=/bugs/{bug.ref}/attach?draft%3D")


def test_attaching_ends_the_draft(agent, typed):
    hana, bug = make_customer("Hana Kovač"), make_bug()
    sent = typed(customer=hana.full_name, customer_id=str(hana.id))
    agent.post(f"/drafts?bug={bug.ref}", sent)

    agent.post(f"/bugs/{bug.ref}/attach", {**sent, "confirmed": "1"})

    assert drafts() == []


def test_discarding_can_be_undone(agent, typed):
    agent.post("/drafts", typed())
    number = drafts()[0].id

    agent.post(f"/drafts/{number}/removal")
    page = agent.get("/new")
    assert (f"/drafts/{number}/return" in page.text, "You started this" in page.text) == (True, False)
    agent.post(f"/drafts/{number}/return")

    assert "You started this" in agent.get("/new").text


def test_a_form_that_was_filed_before_takes_its_draft_to_its_new_key(agent, filled):
    make_customer("Hana Kovač")
    sent = filled(customer="Hana Kovač")
    agent.post("/new", sent)

    page = agent.post("/new", {**sent, "actual": "Something else."})

    assert summary(page) == ["This form was sent before, and made BUG-1. Send it again if this is another bug."]
    assert key_on(page) != sent["key"]


def test_any_number_of_drafts_costs_the_form_one_question(agent, typed):
    agent.post("/drafts", typed())
    one = fewest(lambda: agent.get("/new"))
    for _ in range(4):
        agent.post(f"/drafts?bug={make_bug().ref}", typed())

    assert fewest(lambda: agent.get("/new")) == one
