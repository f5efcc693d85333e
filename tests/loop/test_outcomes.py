"""What a change of a bug or report does to what is owed: who comes later, who goes, undoing, reopening."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import reports
from bugintake.intake.models import Bug, Report, SettledBy, Status
from bugintake.loop import announcements, messages, replies
from bugintake.loop.models import Announcement, Delivery, DeliveryState, Message, MessageState
from bugintake.triage import transitions
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace
from tests.loop.rows import (
    TUESDAY_9,
    announcement_of,
    envelope_states,
    kinds,
    message_to,
    one_message,
    owed,
    release,
    waiting_for,
)


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


def test_undoing_is_refused_while_a_mail_is_being_handed_over(mira):
    make_workspace(review_minutes=0)
    bug = make_bug(Status.DECLINED, actor=mira)
    release()
    with transaction():
        db.session.scalars(sa.select(Delivery)).one().state = DeliveryState.SENDING

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
