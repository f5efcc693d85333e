"""What a customer says back, and no more mail."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.events import Event
from bugintake.intake import waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Remark, SettledBy, Status
from bugintake.loop import replies
from bugintake.loop.models import Message, MessageState
from bugintake.team.models import Role
from tests.factories import bring_to, make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import first_report
from tests.loop.rows import TUESDAY_9, envelope_states, in_state, last_event, one_message, release, report_of

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea")


def test_works_now_settles_and_stops_the_mail():
    bug = make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    with transaction():
        replies.works_now(first_report(bug))

    assert first_report(bug).settled_by == "works_now"
    assert [m.state for m in db.session.scalars(sa.select(Message).order_by(Message.id))] == ["cancelled", "pending"]
    assert db.session.get_one(Bug, bug.id).waiting_count == 1


def test_works_now_said_twice_counts_once():
    bug = make_bug(Status.NEW)
    for _ in range(2):
        with transaction():
            replies.works_now(first_report(bug))

    kinds = list(db.session.scalars(sa.select(Event.kind).where(Event.kind == "report.works_now")))
    assert kinds == ["report.works_now"]


def test_still_happening_brings_a_live_bug_back_and_only_that_customer_waits():
    bug = make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    with transaction():
        waiting.settle(bug, list(db.session.scalars(sa.select(Customer.id))), SettledBy.TOLD, actor=None)
    with transaction():
        replies.still_happening(first_report(bug), "The line is there, but it says 0 %.")

    again = db.session.get_one(Bug, bug.id)
    assert (again.status, again.generation, again.waiting_count) == ("accepted", 2, 1)
    assert again.came_back_at == house_clock.now()
    assert first_report(bug).settled_at is None
    assert db.session.scalars(sa.select(Remark.text)).all() == ["The line is there, but it says 0 %."]


def test_still_happening_on_an_open_bug_leaves_it_where_it_stands():
    bug = make_bug(Status.ACCEPTED)
    with transaction():
        replies.works_now(first_report(bug))
    with transaction():
        replies.still_happening(first_report(bug))

    again = db.session.get_one(Bug, bug.id)
    assert (again.status, again.waiting_count) == ("accepted", 1)
    assert replies.last_said(first_report(bug)) == "report.still_happening"


def test_still_happening_after_a_decline_was_told_waits_for_a_person():
    message = None
    bug = make_bug(Status.DECLINED, waiting=[make_customer()])
    with transaction():
        message = one_message(bug)
        message.state = MessageState.SENT
        waiting.settle(bug, [message.customer_id], SettledBy.TOLD, actor=None)
    with transaction():
        replies.still_happening(first_report(bug), "I cannot work like this.")

    assert (message.state, message.held_because) == ("held", "reopened")
    assert db.session.get_one(Bug, bug.id).waiting_count == 1


def test_a_remark_is_kept_with_its_report():
    bug = make_bug()
    with transaction():
        replies.add_remark(first_report(bug), "Also on the phone.")

    assert db.session.scalars(sa.select(Remark.text)).all() == ["Also on the phone."]
    assert last_event() == "report.remarked"


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_no_words_and_too_many_are_refused(text):
    bug = make_bug()
    with pytest.raises(Invalid) as refused, transaction():
        replies.add_remark(first_report(bug), text)
    assert refused.value.field == "text"


# --- No more mail --------------------------------------------------------------------------------------------------


def test_unsubscribing_takes_out_what_is_on_its_way_and_settles():
    message = in_state(MessageState.PENDING)
    with transaction():
        replies.unsubscribe(report_of(message))

    assert (message.state, message.reason) == ("suppressed", "They asked for no more mail about it.")
    assert report_of(message).settled_by == "suppressed"
    assert envelope_states() == ["cancelled"]


def test_unsubscribing_leaves_mail_about_other_reports():
    hana = make_customer()
    first, second = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.LIVE, waiting=[hana])
    release()
    with transaction():
        replies.unsubscribe(first_report(first))

    assert (one_message(first).state, one_message(second).state) == ("suppressed", "pending")
    assert envelope_states() == ["pending"]


def test_unsubscribing_before_the_outcome_lets_the_customer_wait_until_then(lea):
    bug = make_bug()
    with transaction():
        replies.unsubscribe(first_report(bug))
    assert db.session.get_one(Bug, bug.id).waiting_count == 1

    bring_to(bug, Status.LIVE, actor=lea)

    assert (one_message(bug).state, first_report(bug).settled_by) == ("suppressed", "suppressed")


def test_unsubscribing_twice_counts_once_and_keeps_the_first_time(clock):
    bug = make_bug()
    for _ in range(2):
        with transaction():
            replies.unsubscribe(first_report(bug))
        clock.advance(timedelta(hours=1))

    assert first_report(bug).unsubscribed_at == TUESDAY_9
    assert len(db.session.scalars(sa.select(Event).where(Event.kind == "customer.unsubscribed")).all()) == 1


def test_taking_it_back_owes_the_mail_again():
    message = in_state(MessageState.PENDING)
    with transaction():
        replies.unsubscribe(report_of(message))
    with transaction():
        replies.resubscribe(report_of(message))

    assert (message.state, message.reason, report_of(message).settled_at) == ("pending", "", None)
    assert release() == 1
    with transaction():
        replies.resubscribe(report_of(message))
    assert message.state == "pending"
