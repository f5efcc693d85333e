"""What a change of a bug or report does to what is owed: who comes later, who goes, undoing, reopening."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import attaching, reports
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.loop import announcements, attempts, messages, outbox, replies
from bugintake.loop.models import LEAVING, Announcement, Delivery, DeliveryState, HeldBecause, Message, MessageState
from bugintake.triage import transitions
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace
from tests.loop.rows import (
    TUESDAY_9,
    announcement_of,
    arrive,
    envelope_states,
    kinds,
    message_to,
    one_message,
    owed,
    release,
    waiting_for,
)

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture
def settings(settings):
    return replace(settings, smtp_url="smtp://127.0.0.1:9")


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira")


# --- Who comes later, who goes ------------------------------------------------------------------------------------


def test_somebody_attached_after_the_fix_is_told_at_once(clock):
    bug = make_bug(Status.LIVE)
    clock.advance(timedelta(minutes=30))
    release()

    make_report(make_customer(email="late@example.com"), bug=bug)

    assert message_to("late@example.com").state == "pending"
    assert release() == 1


def test_somebody_attached_during_the_review_leaves_with_the_others(clock):
    bug = make_bug(Status.LIVE)
    make_report(make_customer(email="late@example.com"), bug=bug)

    assert release() == 0
    clock.advance(timedelta(minutes=30))
    assert release() == 2


def test_somebody_attached_to_an_open_bug_is_owed_nothing_yet():
    bug = make_bug()
    make_report(make_customer(), bug=bug)

    assert owed(bug) == []


def test_somebody_who_tells_again_after_being_told_is_held(clock):
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        message_to("hana@example.com").state = MessageState.SENT

    make_report(hana, bug=bug)

    assert owed(bug) == [("hana@example.com", "held", "reopened")]
    assert waiting_for(bug) == 1


def test_a_report_taken_back_is_owed_nothing(mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report)).one(), actor=mira)

    assert owed(bug) == [("hana@example.com", "cancelled", None)]


def test_a_report_taken_back_leaves_the_others_in_the_envelope(clock, mira):
    hana = make_customer(email="hana@example.com")
    first, second = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.LIVE, waiting=[hana])
    clock.advance(timedelta(minutes=30))
    release()
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report).where(Report.bug_id == first.id)).one(), actor=mira)

    assert (owed(first)[0][1], owed(second)[0][1]) == ("cancelled", "pending")
    assert envelope_states() == ["pending"]


# --- Undoing and reopening ----------------------------------------------------------------------------------------


def test_undoing_takes_the_announcement_back(clock, mira):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")], actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert owed(bug) == [("hana@example.com", "cancelled", None)]
    assert announcement_of(bug).cancelled_at == clock.now()
    assert kinds(bug)[-1] == "announcement.cancelled"


def address_comes_back(report):
    report.customer.suppressed_at = TUESDAY_9


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (address_comes_back, None),
        (replies.unsubscribe, None),
        (None, replies.unsubscribe),
        (None, lambda report: messages.do_not_tell(one_message(), "Left the company.", actor=report.filed_by)),
    ],
    ids=["came back", "unsubscribed", "unsubscribes", "not to be told"],
)
@pytest.mark.parametrize("outcome", [Status.DECLINED, Status.LIVE])
def test_undoing_lets_the_suppressed_wait_again_and_the_satisfied_not(mira, outcome, before, after):
    hana, sam = make_customer(email="hana@example.com"), make_customer(email="sam@example.com")
    bug = make_bug(waiting=[hana, sam])
    hers, his = db.session.scalars(sa.select(Report).order_by(Report.id))
    with transaction():
        replies.works_now(his)
    if before is not None:
        with transaction():
            before(hers)
    bring_to(bug, outcome, actor=mira)
    if after is not None:
        with transaction():
            after(hers)
    assert (hers.settled_by, waiting_for(bug)) == (SettledBy.SUPPRESSED, 0)

    with transaction():
        transitions.undo(bug, actor=mira)

    assert (hers.settled_by, hers.settled_at, his.settled_by) == (None, None, SettledBy.WORKS_NOW)
    assert (db.session.get_one(Bug, bug.id).status, waiting_for(bug)) == (Status.NEW, 1)


@pytest.mark.parametrize("state", [MessageState.SENT, MessageState.TOLD_BY_HAND, MessageState.UNCERTAIN])
def test_undoing_is_refused_once_somebody_was_told(mira, state):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(), make_customer()], actor=mira)
    with transaction():
        db.session.scalars(sa.select(Message)).first().state = state

    with pytest.raises(Conflict, match="1 person has been told already"), transaction():
        transitions.undo(bug, actor=mira)
    assert db.session.get_one(Bug, bug.id).status == "declined"
    assert sorted(row[1] for row in owed(bug)) == sorted([state, "pending"])


@pytest.mark.parametrize("envelope", LEAVING)
def test_undoing_is_refused_while_a_mail_is_being_handed_over(mira, envelope):
    make_workspace(review_minutes=0)
    bug = make_bug(Status.DECLINED, actor=mira)
    release()
    with transaction():
        db.session.scalars(sa.select(Delivery)).one().state = envelope

    with pytest.raises(Conflict, match="been told already"), transaction():
        transitions.undo(bug, actor=mira)


def test_declining_again_after_an_undo_opens_a_new_announcement(mira):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")], actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)
    bring_to(bug, Status.DECLINED, actor=mira)

    assert [row[1] for row in owed(bug)] == ["cancelled", "pending"]


def test_what_a_reopened_bug_still_owed_is_held(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com"), make_customer("Urs", email="")])
    clock.advance(timedelta(minutes=30))
    release()
    with transaction():
        transitions.come_back(bug, actor=None)

    assert owed(bug) == [("hana@example.com", "held", "reopened"), (None, "held", "reopened")]
    assert envelope_states() == ["cancelled"]
    with pytest.raises(Conflict, match="opened again"), transaction():
        announcements.send(announcement_of(bug), actor=mira)
    with pytest.raises(Conflict, match="opened again"), transaction():
        announcements.resume(announcement_of(bug), actor=mira)


def test_the_next_generation_takes_over_what_the_last_still_owed(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    with transaction():
        transitions.come_back(bug, actor=None)
    bring_to(bug, Status.LIVE, actor=mira)

    assert [row[1:] for row in owed(bug)] == [("cancelled", None), ("pending", None)]
    assert [a.generation for a in db.session.scalars(sa.select(Announcement).order_by(Announcement.id))] == [1, 2]


@pytest.mark.parametrize("how", ["sent", "told_by_hand", "suppressed", "cancelled"])
def test_taking_an_attaching_back_leaves_what_was_told_as_it_was(clock, mira, how):
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.DECLINED, waiting=[hana, make_customer()], actor=mira)
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=2))
    message, report = message_to("hana@example.com"), report_of(hana)
    if how == "sent":
        send_everything(clock)
    with transaction():
        if how == "told_by_hand":
            messages.tell_by_hand(message, actor=mira)
        elif how == "suppressed":
            messages.do_not_tell(message, "She left the company.", actor=mira)
        elif how == "cancelled":
            replies.works_now(report)
    before, waited = row_of(message), waiting_for(bug)
    clock.advance(timedelta(minutes=2))
    make_report(hana, bug=bug)
    assert (row_of(message).state in ("held", "pending"), waiting_for(bug)) == (True, waited + 1)

    take_back(report, mira)

    assert (row_of(message), waiting_for(bug)) == (before, waited)


def test_an_attaching_is_not_taken_back_while_the_mail_because_of_it_is_handed_over(clock, mira):
    hana = make_customer(email="hana@example.com")
    bug, report = make_bug(Status.DECLINED, waiting=[hana], actor=mira), report_of(hana)
    with transaction():
        replies.works_now(report)
    make_report(hana, bug=bug)
    clock.advance(timedelta(minutes=30))
    release()
    with transaction():
        db.session.execute(sa.update(Delivery).values(state=DeliveryState.SENDING))

    with pytest.raises(Conflict, match="being handed over"):
        take_back(report, mira)


@pytest.mark.parametrize("reason", ["", "A mail about BUG-9 may be with them already."])
def test_what_waited_for_somebody_to_look_waits_on_after_a_change_of_mind_is_undone(mira, reason):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")], actor=mira)
    with transaction():
        message = one_message(bug)
        message.state, message.reason = MessageState.HELD, reason
        message.held_because = HeldBecause.REOPENED if reason else HeldBecause.RESTORED
    before = row_of(message)
    with transaction():
        transitions.reconsider(bug, actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert row_of(message) == before


def report_of(customer):
    return db.session.scalars(sa.select(Report).where(Report.customer_id == customer.id)).one()


def row_of(message):
    db.session.rollback()
    return db.session.execute(sa.select(*Message.__table__.columns).where(Message.id == message.id)).one()


def take_back(report, actor):
    with transaction():
        attaching.take_back(attaching.last_telling(report), actor=actor)


def send_everything(clock):
    release()
    for claimed in outbox.claim():
        attempts.begin_sending(claimed)
        arrive(claimed)


def test_undoing_a_change_of_mind_takes_the_decline_up_again(clock, mira):
    people = [make_customer(email="hana@example.com"), make_customer("Urs", email="")]
    bug = make_bug(Status.DECLINED, waiting=people, actor=mira)
    with transaction():
        transitions.reconsider(bug, actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), (None, "held", "no_address")]
    clock.advance(timedelta(minutes=30))
    assert release() == 1
