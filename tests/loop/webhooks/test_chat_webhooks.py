"""Slack and Teams are told in sentences what programs read as JSON, under the same rules."""

import json
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.chats import Chat
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.outside import Receipt
from bugintake.duty import overrides, roster
from bugintake.intake.models import OptionList, Status
from bugintake.loop import attempts, messages, releases
from bugintake.loop.models import Delivery
from bugintake.loop.webhooks import outgoing
from bugintake.loop.webhooks.models import Webhook
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.factories import make_bug, make_customer, make_option, make_user, make_version, make_workspace
from tests.loop.rows import announcement_of, live, message_to, release
from tests.loop.webhooks.receiver import ADDRESS, deliveries, states, work
from tests.visitors import text_of, visit

pytestmark = pytest.mark.long_on("postgres")

PDF = "(Invoices › PDF export: Shows the wrong thing)"


@pytest.fixture
def make_chat(petra):
    def make(*topics, chat=Chat.SLACK):
        with transaction():
            return outgoing.make(ADDRESS, topics or outgoing.CHOICES, chat, actor=petra)

    return make


def said(receiver):
    """What Slack was told: each sentence, and where its link leads."""
    told = [(each["blocks"][0]["text"]["text"], each["blocks"][1]["elements"][0]["text"]) for each in receiver.told]
    return [(words, link[1:].partition("|")[0].removeprefix("http://127.0.0.1:8000")) for words, link in told]


def test_a_bug_is_told_of_from_filing_to_its_release_in_sentences(make_chat, petra, receiver):
    make_chat()
    bug = make_bug(waiting=[make_customer("Hana", email="hana@example.com")], actor=petra)
    version = make_version("4.13.0")
    with transaction():
        transitions.fix(bug, {"en": "The VAT line is back."}, version, actor=petra)
    with transaction():
        releases.release_live(version, actor=petra)
    work()

    about = f"{bug.ref} {PDF}"
    page, loop = f"/bugs/{bug.ref}", f"/loop/{announcement_of(bug).id}"
    assert said(receiver) == [
        (f"New: {about}. 1 person waits.", page),
        (f"{about} was “New” and is “Fixed, not live yet” now. 1 person waits.", page),
        (f"1 person is to be told about {about}, which is live: look at it before it leaves.", loop),
        (f"{about} was “Fixed, not live yet” and is “Live” now. 1 person waits.", page),
        (f"{about} is live in 4.13.0. 1 person waits to be told.", page),
    ]


def test_a_return_a_decline_a_failure_and_the_last_person_are_told_of(make_chat, petra, receiver):
    make_chat("bug.came_back", "bug.declined", "message.failed", "bug.everybody_told")
    back, declined, told = make_bug(Status.LIVE, waiting=[]), make_bug(Status.DECLINED, waiting=[]), live("h@x.test")
    with transaction():
        transitions.come_back(back, actor=petra)
    release()
    with transaction():
        message = message_to("h@x.test")
        attempts.fail(db.session.get_one(Delivery, message.delivery_id), "The server said no.")
        messages.tell_by_hand(message, actor=petra)
    work()

    assert [words for words, _ in said(receiver)] == [
        f"{declined.ref} {PDF} is declined. Nobody waits to be told.",
        f"{back.ref} {PDF} came back. Nobody waits.",
        f"A mail to a customer about {told.ref} {PDF} did not arrive.",
        f"Nobody waits any more to be told of {told.ref} {PDF}.",
    ]


def test_whose_duty_it_is_is_told_in_the_companys_time(make_chat, petra, receiver):
    make_workspace(zone="Europe/Berlin")
    make_chat("duty.handed_over")
    mira = make_user(Role.ENGINEER, "Mira <!channel> Kos")
    terms = {"zone": "UTC", "start_on": date(2026, 3, 9), "handoff": time(9), "days": [0, 1, 2, 3, 4]}
    with transaction():
        rotation = roster.create_rotation(name="Bug duty", **terms, people=[petra], actor=petra)
    with transaction():
        overrides.take_over(rotation, actor=mira)
    work()

    hours = "from Tue 10 Mar 10:00 to Tue 10 Mar 18:00 Europe/Berlin (Bug duty)"
    assert said(receiver) == [(f"Mira <!channel> Kos is on duty {hours}.", "/duty")]
    assert "<!channel>" not in receiver.told[0]["text"]


def test_a_chat_hears_no_name_address_word_or_title_of_anybody_and_labels_call_nobody(make_chat, petra, receiver):
    make_chat(chat=Chat.TEAMS)
    make_chat()
    area = make_option(OptionList.AREA, "@channel [x](https://evil.example) <!here>")
    words = {name: f"zephyr {name}" for name in ("steps", "actual", "expected")}
    bug = make_bug(waiting=[make_customer("zephyr name", email="zephyr@example.com")], area=area, **words)
    work()

    assert bug.title == "zephyr actual"
    assert len(receiver.got) == 2
    assert "zephyr" not in json.dumps(receiver.told)
    assert "<!here>" not in receiver.told[1]["text"]
    assert "@channel" not in receiver.told[1]["text"]


@pytest.mark.parametrize("chat", Chat)
def test_a_45_of_a_restricted_bug_a_chat_hears_nothing_either(make_chat, petra, receiver, chat):
    make_chat(chat=chat)
    bug = make_bug()
    with transaction():
        editing.restrict(bug, True, actor=petra)
    work()

    assert (receiver.got, states()) == ([], [("dropped", None, "The bug is restricted.")])


def test_a_chat_gets_no_signature_and_has_no_secret_to_renew(make_chat, petra, receiver):
    webhook = make_chat("bug.filed")
    make_bug()
    work()

    [(_, headers, _)] = receiver.got
    assert headers == {"Content-Type": "application/json"}
    with pytest.raises(Conflict, match="checks no signature"), transaction():
        outgoing.renew_secret(webhook, actor=petra)


def test_what_a_chat_hears_late_says_when_it_was(make_chat, receiver, clock):
    make_chat("bug.filed")
    bug = make_bug(waiting=[])
    receiver.answers = [Receipt(429, "1800")]
    work()
    clock.advance(timedelta(minutes=29))
    work()
    early = len(receiver.got)
    clock.advance(timedelta(minutes=1))
    work()

    assert (early, len(receiver.got)) == (1, 2)
    assert said(receiver)[1][0] == f"New: {bug.ref} {PDF}. Nobody waits. (This was on Tue 10 Mar 09:00 UTC.)"


def test_a_lead_adds_a_channel_of_teams_and_sends_it_a_sample(app, petra, receiver):
    browser = visit(app, make_user(Role.LEAD, "Luka"))
    made = browser.post("/admin/webhooks", {"url": ADDRESS, "chat": "teams", "topics": ["bug.live"]})
    page = made.location
    browser.post(f"{page}/test")
    work()
    shown = text_of(browser.get(page))

    webhook = db.session.scalars(sa.select(Webhook)).one()
    assert (webhook.chat, webhook.owner.name) == (Chat.TEAMS, "Luka")
    assert "It reads sentences on a card, as Teams takes them. It has the rights of Luka." in shown
    assert ("Make a new secret" in shown, "test taken 204" in shown) == (False, True)
    assert "hooks.example.com Microsoft Teams" in text_of(browser.get("/admin/webhooks"))
    [card] = receiver.told[0]["attachments"]
    assert card["content"]["body"][0]["inlines"][0]["text"] == (
        "A sample from Fakturo: this is where it says what happens to bugs."
    )
    assert card["content"]["actions"][0]["url"] == f"http://127.0.0.1:8000{page}"


def test_what_a_chat_was_told_is_sent_again_from_its_log(make_chat, receiver):
    webhook = make_chat("bug.filed")
    make_bug()
    work()
    [sent] = deliveries()
    with transaction():
        outgoing.send_again(sent)
    work()

    assert (len(receiver.got), receiver.told[0] == receiver.told[1]) == (2, True)
    assert webhook.off_at is None


def test_who_reads_it_must_be_one_of_the_list(app, petra):
    answer = visit(app, petra).post("/admin/webhooks", {"url": ADDRESS, "chat": "irc", "topics": ["bug.live"]})

    assert (answer.status_code, db.session.scalars(sa.select(Webhook)).all()) == (422, [])


def test_in_the_sample_company_nobody_is_promised_that_a_sample_is_sent(app, petra, make_chat):
    make_workspace(is_sample=True)
    browser, webhook = visit(app, petra), make_chat("bug.live")
    browser.post(f"/admin/webhooks/{webhook.id}/test")

    assert "Nothing leaves the sample company: it waits below." in text_of(browser.get(f"/admin/webhooks/{webhook.id}"))
