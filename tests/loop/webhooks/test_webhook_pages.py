"""The pages of webhooks: a secret is shown once, an address never again, and each delivery with how it went."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.core.outside import Receipt
from bugintake.loop.webhooks import outgoing
from bugintake.loop.webhooks.models import Webhook, WebhookDelivery
from bugintake.team.models import Role
from tests.counting import fewest
from tests.factories import make_bug, make_user
from tests.loop.webhooks.receiver import ADDRESS, states, work
from tests.visitors import text_of, visit

pytestmark = pytest.mark.long_on("postgres")

LIST = "/admin/webhooks"


@pytest.fixture
def browser(app, petra):
    return visit(app, petra)


@pytest.fixture
def webhook(make_webhook):
    return make_webhook("bug.filed")


def of(webhook, *more):
    return "/".join((LIST, str(webhook.id), *more))


def the_webhook():
    return db.session.scalars(sa.select(Webhook).execution_options(populate_existing=True)).one()


def test_an_admin_adds_one_and_sees_its_secret_once_and_its_address_never_again(browser, petra):
    made = browser.post(LIST, {"url": ADDRESS, "topics": ["bug.live", "bug.filed"]})
    webhook = the_webhook()
    pages = [browser.get(LIST), browser.get(of(webhook))]

    assert (made.status_code, webhook.topics, webhook.owner_id) == (200, ["bug.filed", "bug.live"], petra.id)
    assert (webhook.secret in made.text, [webhook.secret in page.text for page in pages]) == (True, [False, False])
    assert ["secret-part" in page.text for page in (made, *pages)] == [False, False, False]
    assert "hooks.example.com" in text_of(pages[0])
    recorded = str(
        [(each.kind, each.before, each.after, each.details) for each in db.session.scalars(sa.select(Event))]
    )
    assert ("webhook.made" in recorded, webhook.secret in recorded, "secret-part" in recorded) == (True, False, False)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "Enter an address that begins with https://."),
        ("http://hooks.example.com/", "Enter an address that begins with https://."),
        ("https://user@hooks.example.com/", "Enter an address that begins with https://."),
        ("https://hooks.example.com/" + "x" * 1000, "Enter an address that begins with https://."),
        ("https://10.0.0.1/", "10.0.0.1 leads into this network, so it is not asked."),
        ("https://2130706433/", "2130706433 leads into this network, so it is not asked."),
        ("https://[::ffff:169.254.169.254]/", "leads into this network, so it is not asked."),
        ("https://localhost./", "leads into this network, so it is not asked."),
    ],
)
def test_a_44_what_is_no_address_outside_is_refused_at_its_field_and_kept_there(browser, url, words):
    answer = browser.post(LIST, {"url": url, "topics": ["bug.filed"]})

    assert (answer.status_code, db.session.scalars(sa.select(Webhook)).all()) == (422, [])
    assert words in text_of(answer)
    assert f'value="{url}"' in answer.text
    assert "<title>Error: " in answer.text


@pytest.mark.parametrize("topics", [[], ["test"], ["bug.exploded"]])
def test_what_it_is_told_must_be_chosen_from_the_list(browser, webhook, topics):
    made = browser.post(LIST, {"url": ADDRESS, "topics": topics})
    changed = browser.post(of(webhook), {"topics": topics})

    assert (made.status_code, changed.status_code) == (422, 422)
    assert the_webhook().topics == ["bug.filed"]


def test_who_saves_it_last_owns_it(app, browser, webhook):
    other = make_user(Role.ADMIN, "Other Admin")
    visit(app, other).post(of(webhook), {"topics": ["bug.live"]})

    assert (the_webhook().topics, the_webhook().owner_id) == (["bug.live"], other.id)
    assert "It has the rights of Other Admin." in text_of(browser.get(of(webhook)))


def test_a_new_secret_is_shown_once(browser, webhook):
    old = webhook.secret
    renewed = browser.post(of(webhook, "secret"))

    assert (the_webhook().secret == old, the_webhook().secret in renewed.text, old in renewed.text) == (
        False,
        True,
        False,
    )
    assert the_webhook().secret not in browser.get(of(webhook)).text


def test_a_test_is_sent_and_stands_in_the_log(browser, webhook, receiver):
    browser.post(of(webhook, "test"))
    work()

    assert receiver.told == [{"type": "test", "timestamp": "2026-03-10T09:00:00Z", "data": {}}]
    assert "test taken 204" in text_of(browser.get(of(webhook)))


def test_the_log_says_in_words_what_became_of_each_and_one_is_sent_again(browser, webhook, receiver, clock):
    receiver.answers = [Receipt(500, "")]
    bug = make_bug()
    work()
    page = text_of(browser.get(of(webhook)))
    early = browser.post(of(webhook, "deliveries", str(_sending().id), "sending"))
    clock.advance(timedelta(minutes=2))
    work()
    browser.post(of(webhook, "deliveries", str(_sending().id), "sending"))
    work()

    assert f"bug.filed {bug.ref} on its way 500 again Tue 10 Mar 09:0" in page
    assert "It fails since Tue 10 Mar 09:00." in page
    assert early.status_code == 409
    assert (len(receiver.got), len(set(receiver.numbers)), states()) == (3, 1, [("sent", 204, "")])


def _sending():
    return db.session.scalars(sa.select(WebhookDelivery)).one()


def test_a_delivery_of_another_webhook_is_not_found(browser, webhook, make_webhook):
    other = make_webhook("duty.handed_over")
    make_bug()

    assert browser.post(of(other, "deliveries", str(_sending().id), "sending")).status_code == 404


def test_it_is_switched_off_and_on_and_taken_away(browser, webhook, receiver):
    browser.post(of(webhook, "disabling"))
    off = text_of(browser.get(of(webhook)))
    refused = [browser.post(of(webhook, "test")).status_code]
    make_bug()
    browser.post(of(webhook, "enabling"))
    refused.append(browser.post(of(webhook, "enabling")).status_code)
    make_bug()
    work()
    page = of(webhook)
    browser.post(f"{page}/removal")

    assert "Off since Tue 10 Mar 09:00. Somebody switched it off." in off
    assert (refused, len(receiver.got)) == ([409, 409], 1)
    assert (browser.get(page).status_code, db.session.scalars(sa.select(WebhookDelivery)).all()) == (404, [])


def test_the_pages_cost_as_many_questions_for_one_row_as_for_many(browser, petra, webhook, receiver):
    make_bug(waiting=[])
    few = [cost(browser, page) for page in (LIST, of(webhook))]
    for number in range(12):
        owner = make_user(Role.ADMIN)
        with transaction():
            outgoing.make(f"https://hooks{number}.example.com/", ["bug.live"], actor=owner)
        make_bug(waiting=[])
    work()

    assert [cost(browser, page) for page in (LIST, of(webhook))] == few


def cost(browser, page):
    return fewest(lambda: browser.get(page))
