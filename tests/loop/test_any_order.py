"""Whatever happens to a bug, in whatever order: everybody who waits is owed one message."""

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import reports, waiting
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import announcements, messages, replies
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Delivery, DeliveryState, Message, MessageState
from bugintake.triage import transitions
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace
from tests.loop.reading import first_report
from tests.loop.rows import one_message


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


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
    report = first_report(bug)
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
