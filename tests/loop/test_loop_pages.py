"""The Loop page, and what a bug's page says of who was told."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Report, Status
from bugintake.loop import notices, queries, replies
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Circuit, Delivery, DeliveryKind, DeliveryState, HeldBecause, MessageState
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_user, make_version, make_workspace
from tests.loop.reading import words_of
from tests.loop.rows import announcement_of, one_message, put
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

HANA = {"name": "Hana Kovač", "email": "hana@example.com", "company": "Brightline"}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def lea(app):
    return visit(app, make_user(Role.AGENT, "Lea"))


# --- The list ------------------------------------------------------------------------------------------------------


def test_an_empty_loop_says_that_everybody_was_told(lea):
    page = lea.get("/loop")

    assert page.status_code == 200
    assert "Everyone who waits for an outcome has been told." in words_of(page)


def test_what_is_to_be_sent_shows_its_people_languages_and_time(lea):
    make_bug(Status.LIVE, waiting=[make_customer(**HANA), make_customer(language="de"), make_customer(email="")])

    said = words_of(lea.get("/loop"))

    assert "The VAT line is missing" in said
    assert "Leaves by itself Tue 10 Mar 09:30 3 people To be sent 2 Held 1 English 2 German 1" in said
    assert "Send 2 BUG-1 Hold BUG-1" in said


def test_a_language_without_a_note_is_named(lea):
    bug = make_bug(waiting=[make_customer(language="de")])
    with transaction():
        transitions.fix(bug, {"en": "Back."}, make_version(live_since=bug.filed_at), actor=make_user())

    assert "German needs text" in words_of(lea.get("/loop"))


@pytest.mark.parametrize(
    ("state", "tab"),
    [
        (MessageState.HELD, "send"),
        (MessageState.PENDING, "waiting"),
        (MessageState.SENT, "sent"),
        (MessageState.TOLD_BY_HAND, "sent"),
        (MessageState.SUPPRESSED, "sent"),
        (MessageState.FAILED, "failed"),
        (MessageState.UNCERTAIN, "failed"),
    ],
)
def test_every_state_of_a_released_message_is_in_a_tab(lea, clock, state, tab):
    make_bug(Status.LIVE)
    clock.advance(timedelta(minutes=30))
    with transaction():
        open_due()
    put(one_message(), state)

    tabs = ("send", "waiting", "sent", "failed")
    assert [name for name in tabs if "BUG-1" in words_of(lea.get(f"/loop?tab={name}"))] == [tab]


def test_what_was_taken_back_is_in_no_tab(lea):
    bug = make_bug(Status.DECLINED, actor=make_user(name="Mira"))
    with transaction():
        transitions.undo(bug, actor=make_user())

    assert ["BUG-1" in lea.get(f"/loop?tab={name}").text for name in ("send", "waiting", "sent", "failed")] == [
        False
    ] * 4


def test_without_a_mail_server_the_page_says_so(lea, app):
    assert "No mail server is set up, so mail stays here" in words_of(lea.get("/loop"))
    settings = app.extensions["bugintake"]
    app.extensions["bugintake"] = replace(settings, smtp_url="smtp://127.0.0.1:25")
    assert "No mail server" not in words_of(lea.get("/loop"))


def test_a_mail_server_that_refuses_is_shown_with_its_reason(lea, app, clock):
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url="smtp://127.0.0.1:25")
    with transaction():
        db.session.add(Circuit(channel="mail", reason="auth: 535 the password is wrong", since_at=clock.now()))

    said = words_of(lea.get("/loop"))
    assert "The mail server takes no mail since Tue 10 Mar 09:00" in said
    assert "auth: 535 the password is wrong" in said


def test_domains_that_are_slow_are_shown_with_the_next_try(lea, app, clock):
    app.extensions["bugintake"] = replace(app.extensions["bugintake"], smtp_url="smtp://127.0.0.1:25")
    until = [clock.now() + timedelta(minutes=minutes) for minutes in (4, 9, -1)]
    with transaction():
        db.session.add_all([Circuit(channel=f"mail:{n}.example", open_until=at) for n, at in enumerate(until)])

    said = words_of(lea.get("/loop"))
    assert "0.example takes mail slowly at present: the next try is at 09:04. So does 1 other domain." in said
    assert "2.example" not in said


def test_the_sample_company_says_that_nothing_leaves(lea):
    make_workspace(is_sample=True)

    assert "mail is written and stays here, none leaves" in words_of(lea.get("/loop"))


def test_after_a_restore_everything_held_is_let_go_at_once(lea):
    make_bug(Status.LIVE)
    put(one_message(), MessageState.HELD, held_because=HeldBecause.RESTORED)
    assert "A backup was restored. 1 message is held" in words_of(lea.get("/loop"))

    lea.post("/loop/restored/release")

    assert one_message().state == "pending"
    assert "A backup was restored" not in words_of(lea.get("/loop"))


@pytest.mark.parametrize(("verb", "after"), [("release", "pending"), ("cancellation", "cancelled")])
def test_a_lead_sends_or_drops_the_mail_to_the_team_that_did_not_leave(lea, app, verb, after):
    with transaction():
        notices.queue_notice(DeliveryKind.DUTY_REMINDER, make_user(name="Mira Kos"), "reminder")
    notice = db.session.scalars(sa.select(Delivery)).one()
    put(notice, DeliveryState.HELD)
    lead = make_user(Role.LEAD)
    page = visit(app, lead)
    assert "Mira Kos Reminder of bug duty Held" in words_of(page.get("/loop"))
    assert "Mira Kos" not in words_of(lea.get("/loop"))
    assert [queries.to_do_count(each) for each in (lead, make_user(Role.ENGINEER))] == [1, 0]

    assert page.post(f"/loop/notices/{notice.id}/{verb}").status_code == 302

    assert db.session.get_one(Delivery, notice.id, populate_existing=True).state == after
    assert (queries.to_do_count(lead), "Mira Kos" in words_of(page.get("/loop"))) == (0, False)
    assert page.post(f"/loop/notices/{notice.id}/{verb}").status_code == 409


def test_a_48_who_lost_the_role_since_the_page_was_opened_sends_nothing(app):
    with transaction():
        notices.queue_notice(DeliveryKind.DUTY_REMINDER, make_user(name="Mira Kos"), "reminder")
    notice, petra = db.session.scalars(sa.select(Delivery)).one(), make_user(Role.LEAD, "Petra")
    put(notice, DeliveryState.HELD)
    page = visit(app, petra)
    assert "Mira Kos" in words_of(page.get("/loop"))
    with transaction():
        petra.role = Role.ENGINEER

    assert page.post(f"/loop/notices/{notice.id}/release").status_code == 403
    assert db.session.get_one(Delivery, notice.id, populate_existing=True).state == "held"


def test_a_restricted_bug_is_in_the_loop_of_nobody_who_may_not_see_it(lea, app):
    bug = make_bug(Status.LIVE)
    with transaction():
        bug.is_restricted = True

    assert "BUG-1" not in lea.get("/loop").text
    assert lea.get(f"/loop/{announcement_of(bug).id}").status_code == 404
    assert lea.post(f"/loop/{announcement_of(bug).id}/sending").status_code == 404
    assert lea.post(f"/loop/messages/{one_message().id}/telling").status_code == 404
    assert lea.get("/loop/999999999999999999").status_code == 404
    assert "BUG-1" in visit(app, make_user(Role.LEAD)).get("/loop").text


def test_the_top_bar_counts_what_waits_for_somebody(lea):
    assert 'Loop<span class="n">' not in lea.get("/loop").text
    make_bug(Status.LIVE, waiting=[make_customer(), make_customer(email=""), make_customer()])
    put(one_message(), MessageState.FAILED)

    # One announcement to send, one person held, one failed.
    assert 'Loop<span class="n"><span class="vh">, </span>3' in lea.get("/loop").text


def test_a_long_list_takes_as_many_questions_as_a_short_one_and_has_pages(lea):
    make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    with asked() as one:
        lea.get("/loop")
    for _ in range(26):
        make_bug(Status.LIVE)
    with asked() as many:
        page = lea.get("/loop")

    assert len(one) == len(many)
    assert page.text.count('<li class="panel">') == 25
    assert lea.get("/loop?page=2").text.count('<li class="panel">') == 2
    assert lea.get("/loop?page=99999999999999999999").status_code == 200
    assert lea.get("/loop?page=-1&tab=nonsense").status_code == 200


# --- On the bug's page ----------------------------------------------------------------------------------------------


def test_a_bug_says_who_was_told_and_what_customers_said_since(lea):
    bug = make_bug(Status.LIVE, waiting=[make_customer(**HANA), make_customer("Otto", email="")])
    with transaction():
        replies.add_remark(db.session.scalars(sa.select(Report)).first(), "Also on the phone.")

    said = words_of(lea.get(f"/bugs/{bug.ref}"))

    assert "What customers said since Hana Kovač, Brightline Tue 10 Mar 09:00 Also on the phone." in said
    assert "Otto Held Fixed, Tue 10 Mar 09:00. There is no address: tell them by phone or in the help desk." in said


def test_a_bug_about_which_nothing_was_said_has_no_such_part(lea):
    make_bug()

    assert "Who was told" not in lea.get("/bugs/BUG-1").text
