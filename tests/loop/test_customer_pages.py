"""What a customer does by private link, and what somebody without one sees."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.models import Bug, Remark, Status
from tests.factories import make_bug, make_customer, make_workspace
from tests.loop.reading import first_report, link_to, opened, send, words_of
from tests.visitors import visit

TOLD = "The VAT line is missing on the PDF. Only the total is there."


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def hana(app):
    return make_customer("Hana Kovač", email="hana@example.com", company="Brightline")


# --- What the customer says ----------------------------------------------------------------------------------


def test_it_works_now(app, hana):
    report = first_report(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)

    answer = send(browser, report, "confirmation")

    assert (answer.status_code, answer.location) == (303, "/s/en/report")
    said = words_of(browser.get("/s/en/report"))
    assert "Thank you for telling us. You will not get any more mail about it." in said
    assert "You told us that it works for you now." in said
    assert "It still happens" in said
    assert first_report(report.bug).settled_by == "works_now"


def test_it_still_happens(app, hana):
    report = first_report(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)

    answer = send(browser, report, "objection", text="Now it says 0 %.\r\n")

    assert answer.status_code == 303
    assert "We have noted that it still happens." in words_of(browser.get("/s/en/report"))
    bug = db.session.get_one(Bug, report.bug_id)
    assert (bug.status, bug.generation, bug.waiting_count) == ("accepted", 2, 1)
    assert db.session.scalars(sa.select(Remark.text)).one() == "Now it says 0 %."


def test_it_still_happens_needs_no_words(app, hana):
    report = first_report(make_bug(Status.LIVE, waiting=[hana]))

    assert send(opened(app, report), report, "objection").status_code == 303
    assert db.session.scalars(sa.select(Remark)).all() == []


def test_something_is_added(app, hana):
    report = first_report(make_bug(waiting=[hana]))
    browser = opened(app, report, "de")

    answer = send(browser, report, "remarks", "de", text="Auch auf dem Telefon.")

    assert answer.location == "/s/de/report"
    assert "Vielen Dank. Wir haben es Ihrer Meldung hinzugefügt." in words_of(browser.get("/s/de/report"))
    assert db.session.scalars(sa.select(Remark.text)).one() == "Auch auf dem Telefon."


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001, "\x00"])
def test_no_words_or_too_many_are_refused_and_kept(app, hana, text):
    report = first_report(make_bug(waiting=[hana]))

    page = send(opened(app, report), report, "remarks", text=text)

    assert page.status_code == 422
    assert "<details open>" in page.text
    assert 'aria-describedby="f-remark-e"' in page.text
    assert text.strip("\x00 \n") in page.text
    assert db.session.scalars(sa.select(Remark)).all() == []


def test_a_form_about_another_report_than_the_one_opened_last_is_refused(app, hana):
    first, second = (
        first_report(make_bug(Status.LIVE, waiting=[hana])),
        first_report(make_bug(Status.LIVE, waiting=[hana])),
    )
    browser = opened(app, first)
    browser.get(link_to(second))

    answer = send(browser, first, "objection", text="Still.")

    assert answer.status_code == 409
    assert "Nothing was changed." in answer.text
    assert db.session.scalars(sa.select(Bug.status)).all() == ["live", "live"]


def test_another_site_cannot_speak_for_a_customer(app, hana):
    report = first_report(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)

    assert browser.client.post("/s/en/report/confirmation", data={"report": report.id}).status_code == 400
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = browser.post("/s/en/report/confirmation", {"report": report.id}, headers=foreign)
    assert answer.status_code == 403
    assert first_report(report.bug).settled_at is None


def test_opening_what_takes_forms_changes_nothing(app, hana):
    report = first_report(make_bug(waiting=[hana]))
    browser = opened(app, report)

    actions = ("confirmation", "objection", "remarks")
    assert [browser.get(f"/s/en/report/{action}").status_code for action in actions] == [405] * 3


# --- Without a link -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "language"), [("de-CH,en;q=0.5", "de"), ("fr", "en"), ("", "en"), ("es", "es"), ("%%%", "en")]
)
def test_the_door_leads_to_the_language_the_browser_prefers(app, wanted, language):
    answer = visit(app).get("/s", headers={"Accept-Language": wanted})

    assert answer.location == f"/s/{language}"
    assert answer.vary.as_set() >= {"accept-language"}
    assert "Fakturo support" in words_of(visit(app).get(answer.location))
