"""What a restored backup held, and who lets it go."""

from dataclasses import replace

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from bugintake.core.backup import Backup
from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Status
from bugintake.loop import attempts, messages, outbox, restoring
from bugintake.loop.models import Announcement, Delivery, DeliveryState, HeldBecause, Message, MessageState
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.team.models import Role
from tests.factories import MONDAY_NOON, make_bug, make_customer, make_user, make_workspace
from tests.loop.rows import arrive, envelope_states, in_state, one_message, release


@pytest.fixture
def settings(settings):
    return replace(settings, smtp_url="smtp://127.0.0.1:9")


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


@pytest.fixture
def lea(app):
    return make_user(Role.AGENT, "Lea")


@pytest.fixture
def petra(app):
    return make_user(Role.LEAD, "Petra")


def restore():
    """Distrust the database as the restore of a backup does."""
    db.session.rollback()
    with transaction():
        restoring.distrust(Backup("1.0", "0001", MONDAY_NOON, {}, {}, {}), db.session.connection())
    db.session.expire_all()


@pytest.mark.parametrize("because", [HeldBecause.QUIET, HeldBecause.UNFILLED])
def test_what_waited_to_leave_by_itself_waits_for_a_person_after_a_restore(because):
    message = in_state(MessageState.HELD, held_because=because, delivery_id=None)

    restore()

    db.session.refresh(message)
    assert (message.state, message.held_because) == (MessageState.HELD, HeldBecause.RESTORED)


def hide(bug, is_restricted=True):
    with transaction():
        db.session.get_one(Bug, bug.id).is_restricted = is_restricted


def send_claimed():
    """Send what a worker claims, to a server that takes everything, and name the envelopes."""
    sent = []
    for claimed in outbox.claim():
        if attempts.begin_sending(claimed):
            arrive(claimed)
            sent.append(claimed.message_id)
        else:
            attempts.finish(claimed, Outcome(Verdict.WITHDRAWN, Phase.RCPT))
    db.session.expire_all()
    return sent


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


def test_what_shares_an_envelope_with_something_hidden_leaves_in_one_of_its_own(app, lea, petra):
    hana = make_customer("Hana")
    seen, hidden = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.LIVE, waiting=[hana])
    release()
    identifier = db.session.scalars(sa.select(Delivery)).one().message_id
    restore()
    hide(hidden)
    with transaction():
        assert messages.release_restored(actor=lea) == 1
    assert release() == 1

    assert envelope_states() == ["held", "pending"]
    assert (one_message(seen).state, one_message(hidden).state) == ("pending", "held")
    with transaction():
        assert messages.release_restored(actor=petra) == 1
    assert one_message(hidden).delivery_id == db.session.scalar(sa.select(sa.func.min(Delivery.id)))
    assert identifier in db.session.scalars(
        sa.select(Delivery.message_id).where(Delivery.state == DeliveryState.PENDING)
    )


BUGS = st.lists(st.tuples(st.sets(st.integers(0, 2), min_size=1), st.booleans()), min_size=1, max_size=4)


@hypothesis.settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(bugs=BUGS, order=st.permutations(["agent", "lead", "agent"]))
def test_whoever_lets_restored_mail_go_in_whatever_order_each_message_leaves_once(app, bugs, order):
    make_workspace(review_minutes=0)
    people, actors = [make_customer() for _ in range(3)], {role.value: make_user(role) for role in Role}
    made = [make_bug(Status.LIVE, waiting=[people[n] for n in sorted(chosen)]) for chosen, _ in bugs]
    release()
    restore()
    for bug, (_, is_hidden) in zip(made, bugs, strict=True):
        hide(bug, is_hidden)
    for role in order:
        with transaction():
            messages.release_restored(actor=actors[role])
        release()
        assert mixed() == []
        send_claimed()
        assert db.session.scalars(sa.select(Delivery.state).where(Delivery.state == DeliveryState.PENDING)).all() == []

    about = [bug.id for bug in made]
    found = sa.select(Message.state).join(Announcement).where(Announcement.bug_id.in_(about))
    assert db.session.scalars(found).all() == [MessageState.SENT] * sum(len(chosen) for chosen, _ in bugs)


def mixed():
    """Name the envelopes on their way in which something may not leave."""
    inside = sa.select(Delivery.id).join(Message, Message.delivery_id == Delivery.id)
    stays = (Delivery.state == DeliveryState.PENDING, Message.state != MessageState.PENDING)
    return db.session.scalars(inside.where(*stays)).all()
