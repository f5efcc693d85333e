"""What a customer does by private link, and what somebody without one sees."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Question, Remark, Report, Status
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import first_report, link_to, opened, send, words_of
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

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


def asked_customer(bug, text, **to):
    mira = make_user(Role.ENGINEER)
    with transaction():
        return transitions.ask(bug, first_report(bug), text, actor=mira, **to)


def test_a_question_to_the_customer_stands_on_their_page_and_is_answered_there(app, hana):
    bug = make_bug(Status.ACCEPTED, waiting=[hana])
    asked_customer(bug, "Which browser do you use?", is_for_customer=True)
    report = first_report(bug)
    browser = opened(app, report)
    before = words_of(browser.get("/s/en/report"))

    answer = send(browser, report, "answer", text="Firefox 130.\r\n")

    assert "We have a question Which browser do you use?" in before
    assert (answer.status_code, db.session.get_one(Bug, bug.id).status) == (303, Status.ACCEPTED)
    assert db.session.scalars(sa.select(Question.answer)).one() == "Firefox 130."
    after = words_of(browser.get("/s/en/report"))
    assert "Thank you for your answer." in after and "Which browser" not in after
    assert db.session.scalars(sa.select(Event.kind).order_by(Event.id.desc())).first() == EventKind.BUG_ANSWERED


def test_a_question_to_the_one_who_filed_it_is_not_shown_to_the_customer(app, hana):
    bug = make_bug(waiting=[hana])
    asked_customer(bug, "Did Hana say which browser?")

    assert "Hana say" not in words_of(opened(app, first_report(bug)).get("/s/en/report"))


def test_a_question_about_the_report_of_somebody_else_is_not_shown(app, hana):
    bug = make_bug(waiting=[make_customer(), hana])
    asked_customer(bug, "Which browser do you use?", is_for_customer=True)
    hers = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()

    assert "Which browser" not in words_of(opened(app, hers).get("/s/en/report"))


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_an_answer_without_words_or_with_too_many_is_refused_and_kept(app, hana, text):
    bug = make_bug(waiting=[hana])
    asked_customer(bug, "Which browser do you use?", is_for_customer=True)
    report = first_report(bug)

    page = send(opened(app, report), report, "answer", text=text)

    assert (page.status_code, db.session.get_one(Bug, bug.id).status) == (422, Status.NEEDS_INFO)
    assert text in page.text and "Which browser do you use?" in page.text


def test_an_answer_that_somebody_gave_before_is_kept_as_a_remark(app, hana):
    bug = make_bug(waiting=[hana])
    question = asked_customer(bug, "Which browser do you use?", is_for_customer=True)
    report = first_report(bug)
    browser = opened(app, report)
    lea = make_user(Role.AGENT)
    with transaction():
        transitions.answer(db.session.get_one(Question, question.id), "She says Opera.", actor=lea)

    send(browser, report, "answer", text="Firefox 130.")

    assert db.session.scalars(sa.select(Question.answer)).one() == "She says Opera."
    assert db.session.scalars(sa.select(Remark.text)).one() == "Firefox 130."


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


# --- Another problem, and mail -----------------------------------------------------------------------------------


@pytest.fixture
def two(hana):
    """A live bug of two reports; the second one is Hana's, and tells of something else."""
    bug = make_bug(Status.LIVE, waiting=[make_customer("Sam"), hana])
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id, Report.customer_id == hana.id)).one()


def test_it_is_another_problem(app, two):
    whole = two.bug
    browser = opened(app, two)
    assert "That is not my problem" in words_of(browser.get("/s/en/report"))

    answer = send(browser, two, "parting", text="With me the footer is missing, too.")

    assert answer.status_code == 303
    said = words_of(browser.get("/s/en/report"))
    assert "Thank you. We look at your problem by itself now" in said
    assert "That is not my problem" not in said and "Does it work for you now?" not in said
    own = db.session.get_one(Report, two.id).bug
    assert (own.id != whole.id, own.status, own.waiting_count, own.generation) == (True, "new", 1, 1)
    assert db.session.scalars(sa.select(Remark.text)).one() == "With me the footer is missing, too."
    told = sa.select(Event.kind).where(Event.bug_id == whole.id, Event.report_id == two.id).order_by(Event.id.desc())
    assert db.session.scalars(told.limit(2)).all() == ["report.not_theirs", "report.split"]


def test_said_twice_it_counts_once(app, two):
    browser = opened(app, two)
    for _ in range(2):
        assert send(browser, two, "parting").status_code == 303
    split = sa.select(sa.func.count()).select_from(Event).where(Event.kind == EventKind.REPORT_SPLIT)
    assert db.session.scalar(split) == 1


def test_whoever_said_that_it_works_and_then_that_it_is_another_problem_waits_again(app, two):
    browser = opened(app, two)
    send(browser, two, "confirmation")
    send(browser, two, "parting")
    assert first_report(db.session.get_one(Report, two.id).bug).settled_at is None


def test_what_is_all_of_a_bug_cannot_be_another_problem(app, hana):
    report = first_report(make_bug(Status.LIVE, waiting=[hana]))
    browser = opened(app, report)
    assert "That is not my problem" not in words_of(browser.get("/s/en/report"))
    assert send(browser, report, "parting").status_code == 409
    assert db.session.get_one(Report, report.id).bug_id == report.bug_id


def test_words_that_are_too_long_come_back(app, two):
    answer = send(opened(app, two), two, "parting", text="x" * 4001)
    assert answer.status_code == 422
    assert "That is longer than we can take" in words_of(answer) and "x" * 4001 in answer.text


def test_mail_about_it_is_stopped_and_taken_up_again_where_it_is_read(app, hana):
    report = first_report(make_bug(waiting=[hana]))
    browser = opened(app, report)
    assert "We write to you how it ends." in browser.get("/s/en/report").text
    assert send(browser, report, "mail", wanted="no").status_code == 303
    assert "You get no mail about this." in browser.get("/s/en/report").text
    assert db.session.get_one(Report, report.id).unsubscribed_at is not None
    send(browser, report, "mail", wanted="yes")
    assert db.session.get_one(Report, report.id).unsubscribed_at is None
