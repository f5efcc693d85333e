"""No more mail about a report: one click in a mail program, or one button."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.events import Event
from bugintake.intake.models import Status
from bugintake.loop.models import LinkPurpose, Message
from tests.factories import make_bug, make_customer, make_workspace
from tests.loop.reading import first_report, link_to, page_of, words_of
from tests.visitors import visit

TOLD = "The VAT line is missing on the PDF. Only the total is there."


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def hana(app):
    return make_customer("Hana Kovač", email="hana@example.com", company="Brightline")


@pytest.mark.parametrize(
    "body",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": {"List-Unsubscribe": "One-Click"}, "content_type": "multipart/form-data"},
        {"data": b"nonsense", "content_type": "text/plain"},
        {},
    ],
)
def test_a_28_one_click_needs_no_cookie_no_token_and_no_page_of_ours(app, hana, body):
    bug = make_bug(Status.LIVE, waiting=[hana])
    path = link_to(first_report(bug), LinkPurpose.UNSUBSCRIBE)
    foreign = {"Origin": "https://mail.example", "Sec-Fetch-Site": "cross-site"}

    answers = [app.test_client().post(path, headers=foreign, **body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert first_report(bug).settled_by == "suppressed"
    assert db.session.scalars(sa.select(Message.state)).all() == ["suppressed"]
    assert db.session.scalars(sa.select(Event.kind).where(Event.kind == "customer.unsubscribed")).all() == [
        "customer.unsubscribed"
    ]


def test_the_page_asks_and_says_how_to_undo_it(app, hana):
    bug = make_bug(waiting=[hana], actual=TOLD)
    path = link_to(first_report(bug), LinkPurpose.UNSUBSCRIBE, "de")
    browser = visit(app)
    assert words_of(browser.get(path)).startswith("Fakturo support Keine weiteren Nachrichten dazu? The VAT line is")

    done = words_of(browser.post(path))

    assert "Sie erhalten dazu keine Nachrichten mehr" in done
    assert "Schreiben Sie mir doch dazu" in done
    assert "Sie wollten dazu keine Nachrichten" in page_of(app, bug, "de")
    again = browser.post(path.replace("/unsubscribe/", "/subscription/"))
    assert "Keine weiteren Nachrichten dazu?" in words_of(again)
    assert first_report(bug).unsubscribed_at is None


def test_a_28_it_concerns_this_report_alone(app, hana):
    first, second = make_bug(waiting=[hana]), make_bug(waiting=[hana])

    visit(app).post(link_to(first_report(first), LinkPurpose.UNSUBSCRIBE))

    assert first_report(second).unsubscribed_at is None


def test_out_of_mail_a_link_leads_for_ever(app, clock, hana):
    path = link_to(first_report(make_bug(waiting=[hana])), LinkPurpose.UNSUBSCRIBE)
    clock.advance(timedelta(days=4000))

    assert visit(app).post(path).status_code == 200
