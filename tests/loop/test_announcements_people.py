"""What a person of the team decides about one message, and what a customer says back."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.intake import reports, waiting
from bugintake.intake.models import Bug, Customer, Remark, Report, SettledBy, Status
from bugintake.loop import announcements, messages, replies
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Announcement, Delivery, DeliveryState, HeldBecause, Message, MessageState
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_version, make_workspace

TUESDAY_9 = datetime(2026, 3, 10, 9, tzinfo=UTC)
ALL = tuple(MessageState)


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea")


def one_message(bug=None):
    query = sa.select(Message).order_by(Message.id.desc())
    if bug is not None:
        query = query.join(Announcement).where(Announcement.bug_id == bug.id)
    return db.session.scalars(query).first()


def in_state(state, *, envelope=DeliveryState.PENDING, **values):
    """A message in a state, with an envelope of its own."""
    bug = make_bug(Status.LIVE, waiting=[make_customer("Hana", email="hana@example.com")])
    release()
    with transaction():
        message = one_message(bug)
        db.session.get_one(Delivery, message.delivery_id).state = envelope
        message.state = state
        for name, value in values.items():
            setattr(message, name, value)
    return message


def release():
    with transaction():
        return open_due()


def report_of(message):
    return db.session.get_one(Report, message.report_id)


def envelope_states():
    return list(db.session.scalars(sa.select(Delivery.state).order_by(Delivery.id)))


def last_event(*kinds):
    query = sa.select(Event.kind).order_by(Event.id.desc())
    return db.session.scalars(query.where(Event.kind.in_(kinds)) if kinds else query).first()


# --- Told by hand, not told ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", [MessageState.PENDING, MessageState.HELD, MessageState.FAILED, MessageState.UNCERTAIN]
)
def test_told_by_hand_settles_from_every_state_in_which_somebody_is_owed(lea, state):
    message = in_state(state)
    with transaction():
        messages.tell_by_hand(message, actor=lea)

    assert (message.state, message.told_by_id, message.state_at) == ("told_by_hand", lea.id, house_clock.now())
    assert report_of(message).settled_by == "told_by_hand"
    assert envelope_states() == ["cancelled"]
    assert last_event() == "message.told_by_hand"


@pytest.mark.parametrize("state", [MessageState.SENT, MessageState.SUPPRESSED, MessageState.TOLD_BY_HAND])
def test_somebody_who_was_dealt_with_is_not_told_by_hand(lea, state):
    message = in_state(state)
    with pytest.raises(Conflict, match="Hana was dealt with already"), transaction():
        messages.tell_by_hand(message, actor=lea)


def test_nobody_is_told_by_hand_while_the_mail_is_being_handed_over(lea):
    message = in_state(MessageState.PENDING, envelope=DeliveryState.SENDING)
    with pytest.raises(Conflict, match="being handed over right now"), transaction():
        messages.tell_by_hand(message, actor=lea)
    assert one_message().state == "pending"


def test_a_mail_that_was_only_claimed_can_still_be_taken_out(lea):
    message = in_state(MessageState.PENDING, envelope=DeliveryState.CLAIMED)
    with transaction():
        db.session.get_one(Delivery, message.delivery_id).lease_owner = "a worker"
    with transaction():
        messages.tell_by_hand(message, actor=lea)

    envelope = db.session.scalars(sa.select(Delivery)).one()
    assert (envelope.state, envelope.lease_owner) == ("cancelled", None)


def test_not_telling_needs_a_reason_that_stays_on_the_record(lea):
    message = in_state(MessageState.HELD, held_because=HeldBecause.NO_NOTE)
    for reason in ("", "x" * 201):
        with pytest.raises(Invalid) as refused, transaction():
            messages.do_not_tell(message, reason, actor=lea)
        assert refused.value.field == "reason"

    with transaction():
        messages.do_not_tell(message, "Left the company.", actor=lea)

    assert (message.state, message.reason, message.held_because) == ("suppressed", "Left the company.", None)
    assert report_of(message).settled_by == "suppressed"


# --- Letting go ----------------------------------------------------------------------------------------------------


def test_a_message_held_for_its_note_goes_in_another_language_only_when_somebody_says_so(lea):
    bug = make_bug(waiting=[make_customer("Urs", email="urs@example.com", language="de")])
    with transaction():
        transitions.fix(bug, {"en": "It is back."}, make_version(live_since=TUESDAY_9), actor=lea)
    release()
    message = one_message(bug)
    with pytest.raises(Conflict, match="no note in German yet"), transaction():
        messages.release_held(message, actor=lea)
    with pytest.raises(Conflict, match="no note in xx yet"), transaction():
        messages.release_held(message, actor=lea, language="xx")

    with transaction():
        messages.release_held(message, actor=lea, language="en")

    assert (message.state, message.language, message.held_because) == ("pending", "en", None)
    assert release() == 1


def test_a_message_without_an_address_stays_held_until_there_is_one(lea):
    otto = make_customer("Otto", email="")
    bug = make_bug(Status.LIVE, waiting=[otto])
    message = one_message(bug)
    with pytest.raises(Conflict, match="Otto has no address"), transaction():
        messages.release_held(message, actor=lea)
    with transaction():
        otto.email = "otto@example.com"
    with transaction():
        messages.release_held(message, actor=lea)

    assert message.state == "pending"


def test_what_a_reopened_bug_held_is_not_let_go(lea):
    bug = make_bug(Status.LIVE, waiting=[make_customer()])
    with transaction():
        transitions.come_back(bug, actor=None)
    with pytest.raises(Conflict, match="opened again"), transaction():
        messages.release_held(one_message(bug), actor=lea)


def test_only_a_held_message_is_let_go(lea):
    message = in_state(MessageState.SENT)
    with pytest.raises(Conflict, match="not held any more"), transaction():
        messages.release_held(message, actor=lea)


def test_what_a_restored_backup_held_goes_in_its_old_envelopes(lea):
    message = in_state(MessageState.HELD, envelope=DeliveryState.HELD, held_because=HeldBecause.RESTORED)
    identifier = db.session.get_one(Delivery, message.delivery_id).message_id
    with transaction():
        assert messages.release_restored(actor=lea) == 1

    envelope = db.session.scalars(sa.select(Delivery)).one()
    assert (message.state, envelope.state, envelope.message_id) == ("pending", "pending", identifier)
    assert release() == 0


def test_a_restored_message_of_a_hidden_bug_stays_held(lea):
    message = in_state(MessageState.HELD, envelope=DeliveryState.HELD, held_because=HeldBecause.RESTORED)
    with transaction():
        db.session.get_one(Bug, message.announcement.bug_id).is_restricted = True
    with transaction():
        assert messages.release_restored(actor=lea) == 0
    assert message.state == "held"


# --- Uncertain, failed ----------------------------------------------------------------------------------------------


def test_an_uncertain_mail_that_arrived_settles(lea):
    message = in_state(MessageState.UNCERTAIN, envelope=DeliveryState.UNCERTAIN)
    with transaction():
        messages.judge_uncertain(message, arrived=True, actor=lea)

    assert (message.state, report_of(message).settled_by, envelope_states()) == ("sent", "told", ["sent"])
    assert last_event() == "delivery.judged"


def test_an_uncertain_mail_is_sent_again_under_its_old_identifier(lea):
    message = in_state(MessageState.UNCERTAIN, envelope=DeliveryState.UNCERTAIN)
    identifier = db.session.get_one(Delivery, message.delivery_id).message_id
    with transaction():
        messages.judge_uncertain(message, arrived=False, actor=lea)

    envelope = db.session.scalars(sa.select(Delivery)).one()
    assert (message.state, envelope.state, envelope.message_id) == ("pending", "pending", identifier)


def test_a_mail_is_judged_once(lea):
    message = in_state(MessageState.UNCERTAIN, envelope=DeliveryState.UNCERTAIN)
    with transaction():
        messages.judge_uncertain(message, arrived=False, actor=lea)
    with pytest.raises(Conflict, match="dealt with it already"), transaction():
        messages.judge_uncertain(message, arrived=True, actor=lea)


def test_a_failed_mail_is_tried_again_unless_its_address_takes_none(lea):
    message = in_state(MessageState.FAILED, envelope=DeliveryState.FAILED)
    with transaction():
        message.customer.suppressed_at = TUESDAY_9
    with pytest.raises(Conflict, match="Mail does not reach Hana"), transaction():
        messages.send_again(message, actor=lea)
    with transaction():
        message.customer.suppressed_at = None
    with transaction():
        messages.send_again(message, actor=lea)

    assert (message.state, envelope_states()) == ("pending", ["pending"])
    assert last_event() == "message.released"


# --- What customers say --------------------------------------------------------------------------------------------


def one_report(bug):
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id)).first()


def test_works_now_settles_and_stops_the_mail():
    bug = make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    with transaction():
        replies.works_now(one_report(bug))

    assert one_report(bug).settled_by == "works_now"
    assert [m.state for m in db.session.scalars(sa.select(Message).order_by(Message.id))] == ["cancelled", "pending"]
    assert db.session.get_one(Bug, bug.id).waiting_count == 1


def test_works_now_said_twice_counts_once():
    bug = make_bug(Status.NEW)
    for _ in range(2):
        with transaction():
            replies.works_now(one_report(bug))

    kinds = list(db.session.scalars(sa.select(Event.kind).where(Event.kind == "report.works_now")))
    assert kinds == ["report.works_now"]


def test_still_happening_brings_a_live_bug_back_and_only_that_customer_waits():
    bug = make_bug(Status.LIVE, waiting=[make_customer(), make_customer()])
    with transaction():
        waiting.settle(bug, list(db.session.scalars(sa.select(Customer.id))), SettledBy.TOLD, actor=None)
    with transaction():
        replies.still_happening(one_report(bug), "The line is there, but it says 0 %.")

    again = db.session.get_one(Bug, bug.id)
    assert (again.status, again.generation, again.waiting_count) == ("accepted", 2, 1)
    assert again.came_back_at == house_clock.now()
    assert one_report(bug).settled_at is None
    assert db.session.scalars(sa.select(Remark.text)).all() == ["The line is there, but it says 0 %."]


def test_still_happening_on_an_open_bug_ends_its_snooze():
    bug = make_bug(Status.ACCEPTED)
    with transaction():
        db.session.get_one(Bug, bug.id).snoozed_until = house_clock.now() + timedelta(days=3)
        replies.works_now(one_report(bug))
    with transaction():
        replies.still_happening(one_report(bug))

    again = db.session.get_one(Bug, bug.id)
    assert (again.status, again.waiting_count, again.snoozed_until) == ("accepted", 1, None)
    assert replies.last_said(one_report(bug)) == "report.still_happening"


def test_still_happening_after_a_decline_was_told_waits_for_a_person():
    message = None
    bug = make_bug(Status.DECLINED, waiting=[make_customer()])
    with transaction():
        message = one_message(bug)
        message.state = MessageState.SENT
        waiting.settle(bug, [message.customer_id], SettledBy.TOLD, actor=None)
    with transaction():
        replies.still_happening(one_report(bug), "I cannot work like this.")

    assert (message.state, message.held_because) == ("held", "reopened")
    assert db.session.get_one(Bug, bug.id).waiting_count == 1


def test_a_remark_is_kept_with_its_report():
    bug = make_bug()
    with transaction():
        replies.add_remark(one_report(bug), "Also on the phone.")

    assert db.session.scalars(sa.select(Remark.text)).all() == ["Also on the phone."]
    assert last_event() == "report.remarked"


@pytest.mark.parametrize("text", ["", "x" * 4001])
def test_no_words_and_too_many_are_refused(text):
    bug = make_bug()
    with pytest.raises(Invalid) as refused, transaction():
        replies.add_remark(one_report(bug), text)
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
        replies.unsubscribe(one_report(first))

    assert (one_message(first).state, one_message(second).state) == ("suppressed", "pending")
    assert envelope_states() == ["pending"]


def test_unsubscribing_before_the_outcome_lets_the_customer_wait_until_then(lea):
    bug = make_bug()
    with transaction():
        replies.unsubscribe(one_report(bug))
    assert db.session.get_one(Bug, bug.id).waiting_count == 1

    bring_to(bug, Status.LIVE, actor=lea)

    assert (one_message(bug).state, one_report(bug).settled_by) == ("suppressed", "suppressed")


def test_unsubscribing_twice_counts_once_and_keeps_the_first_time(clock):
    bug = make_bug()
    for _ in range(2):
        with transaction():
            replies.unsubscribe(one_report(bug))
        clock.advance(timedelta(hours=1))

    assert one_report(bug).unsubscribed_at == TUESDAY_9
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


# --- Whatever happens, in whatever order ----------------------------------------------------------------------------


STEPS = st.lists(
    st.sampled_from(
        [
            "live",
            "decline",
            "reopen",
            "come back",
            "undo",
            "attach",
            "by hand",
            "withdraw",
            "works",
            "still",
            "leave",
            "return",
            "release",
            "hold",
        ]
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
@example(steps=["decline", "reopen", "attach", "undo"])
@example(steps=["decline", "come back"])
def test_whoever_waits_for_an_outcome_is_owed_exactly_one_message_in_a_named_state(app, steps):
    make_workspace(review_minutes=0)
    actor = make_user()
    bug = make_bug(waiting=[make_customer(), make_customer(language="de")], actor=actor)
    for step in steps:
        try:
            take(step, bug, actor)
        except Conflict:
            db.session.rollback()
        holds(bug)


def take(step, bug, actor):
    """Do one thing to a bug, if its state allows it."""
    report = one_report(bug)
    if step == "live":
        bring_to(bug, Status.LIVE, actor=actor)
    elif step == "decline":
        bring_to(bug, Status.DECLINED, actor=actor)
    elif step == "attach":
        make_report(make_customer(), bug=bug, actor=actor)
    else:
        with transaction():
            change = {
                "reopen": lambda: transitions.reconsider(bug, actor=actor),
                "come back": lambda: transitions.come_back(bug, actor=actor),
                "undo": lambda: transitions.undo(bug, actor=actor),
                "by hand": lambda: messages.tell_by_hand(one_message(bug), actor=actor) if one_message(bug) else None,
                "withdraw": lambda: reports.withdraw(report, actor=actor),
                "works": lambda: replies.works_now(report),
                "still": lambda: replies.still_happening(report, "Still."),
                "leave": lambda: replies.unsubscribe(report),
                "return": lambda: replies.resubscribe(report),
                "release": open_due,
                "hold": lambda: (
                    announcements.hold(announcements.current(bug), actor=actor) if announcements.current(bug) else None
                ),
            }[step]
            change()


def holds(bug):
    """Check what must always be so between two steps."""
    bug = db.session.get_one(Bug, bug.id, populate_existing=True)
    unsettled = set(db.session.scalars(waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id)))
    assert bug.waiting_count == len(unsettled)
    announcement = announcements.current(bug)
    if bug.status in (Status.LIVE, Status.DECLINED):
        found = sa.select(Message.customer_id, Message.state).where(Message.announcement_id == announcement.id)
        owed = [who for who, state in db.session.execute(found) if state in ("pending", "held", "failed", "uncertain")]
        assert sorted(owed) == sorted(unsettled)
    elif announcement is not None:
        raise AssertionError("An open bug announces nothing.")
    inside = sa.select(Message.id).join(Delivery, Delivery.id == Message.delivery_id)
    gone = (Delivery.state == DeliveryState.CANCELLED, Message.state == MessageState.PENDING)
    assert db.session.scalars(inside.where(*gone)).all() == []
    empty = sa.select(Delivery.id).where(
        Delivery.state == DeliveryState.PENDING, ~sa.exists().where(Message.delivery_id == Delivery.id)
    )
    assert db.session.scalars(empty).all() == []
