"""What a person of the team decides about one message."""

import pytest
import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.intake.models import Status
from bugintake.loop import messages, replies
from bugintake.loop.models import LEAVING, Delivery, DeliveryState, HeldBecause, MessageState
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_user, make_version, make_workspace
from tests.loop.rows import TUESDAY_9, envelope_states, in_state, last_event, one_message, release, report_of

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea")


ALL = tuple(MessageState)


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


@pytest.mark.parametrize("envelope", LEAVING)
def test_nobody_is_told_by_hand_while_the_mail_is_being_handed_over(lea, envelope):
    message = in_state(MessageState.PENDING, envelope=envelope)
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


def test_what_did_not_arrive_is_not_sent_again_to_whoever_no_longer_waits(lea):
    message = in_state(MessageState.UNCERTAIN, envelope=DeliveryState.UNCERTAIN)
    with transaction():
        replies.works_now(message.report)
    with transaction():
        messages.judge_uncertain(message, arrived=False, actor=lea)

    assert (message.state, message.reason) == ("cancelled", "They no longer wait for it.")
    assert db.session.scalars(sa.select(Delivery)).one().state == "cancelled"


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
