"""The page of an announcement reads as much of the messages as it shows, however many people it concerns."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Status
from bugintake.loop import queries
from bugintake.loop.models import Message, MessageState
from bugintake.team.models import Role
from tests.counting import plans
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.rows import announcement_of
from tests.visitors import visit


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def lea(app):
    return visit(app, make_user(Role.AGENT, "Lea"))


def people(count, **values):
    return [make_customer(f"{name} Novak", email=f"{name}@x.test", **values) for name in "abcdefgh"[:count]]


@pytest.mark.only_on("sqlite")
def test_whom_it_fits_worst_and_whom_the_page_shows_are_found_by_an_index(lea):
    url = f"/loop/{announcement_of(make_bug(Status.LIVE, waiting=people(3))).id}"
    with plans("messages") as found:
        lea.get(url)

    steps = [step for plan in found for step in plan]
    assert any("ix_messages_announcement_longest" in step for step in steps)
    assert any("ix_messages_announcement_state" in step for step in steps)
    assert any("ix_messages_announcement_lines" in step for step in steps)
    assert [step for step in steps if step.startswith("SCAN messages")] == []


def test_each_message_knows_how_long_the_words_are_that_it_was_told(app):
    bug = make_bug(Status.LIVE, waiting=people(1), actual="The VAT line is missing on page 2.")

    assert announcement_of(bug).id
    assert db.session.scalars(sa.select(Message.words_length)).all() == [len("The VAT line is missing on page 2.")]


def test_those_who_need_somebody_come_first_then_all_others_in_the_order_in_which_they_waited(app):
    announcement = announcement_of(make_bug(Status.LIVE, waiting=people(6)))
    order = db.session.scalars(sa.select(Message.id).order_by(Message.id)).all()
    states = [MessageState.SENT, MessageState.FAILED, MessageState.PENDING, MessageState.HELD, MessageState.FAILED]
    with transaction():
        for number, state in zip(order, states, strict=False):
            db.session.execute(sa.update(Message).where(Message.id == number).values(state=state))

    def shown(**which):
        found = queries.page_of_messages(announcement, start=0, **which)
        return "".join(each.message.customer.name[0] for each in found)

    assert (shown(), shown(states=[MessageState.FAILED])) == ("dbeacf", "be")
