"""Mail that comes back when the bug it told of is another one by now, or its customer has said more."""

from __future__ import annotations

import pytest

from bugintake.core.db import transaction
from bugintake.intake.models import Status
from bugintake.loop.inbound_models import Did
from bugintake.triage import merging, transitions
from tests.factories import bring_to, make_bug, make_customer, merge
from tests.faults.rig import message_states, work
from tests.loop.inbound.mails import returned
from tests.loop.inbound.sending import comes_back, told
from tests.loop.rows import owed, waiting_for

pytestmark = [pytest.mark.usefixtures("holds"), pytest.mark.long_on("postgres")]
HARD, SOFT = {}, {"status": "5.7.1", "said": "550 5.7.1 looks like spam"}


def reopened(bug, actor):
    with transaction():
        transitions.come_back(bug, actor=actor)


@pytest.mark.parametrize(("how", "did"), [(HARD, Did.SUPPRESSED), (SOFT, Did.FAILED)])
def test_whoever_never_heard_of_a_bug_that_was_opened_again_waits_for_it(sink, mira, how, did):
    sent = told(sink)
    reopened(sent.bug, mira)
    assert waiting_for(sent.bug) == 0

    assert comes_back(returned(sent.bounces, **how)) is did

    assert waiting_for(sent.bug) == 1


def test_they_are_told_of_the_next_outcome(sink, mira):
    sent = told(sink)
    reopened(sent.bug, mira)
    comes_back(returned(sent.bounces, **SOFT))
    sink.accepted.clear()

    bring_to(sent.bug, Status.DECLINED, actor=mira)
    work()

    assert [recipient for recipient, _ in sink.accepted] == ["grace@example.org"]


def test_where_the_next_outcome_is_known_already_they_are_owed_it(sink, mira):
    sent = told(sink)
    reopened(sent.bug, mira)
    bring_to(sent.bug, Status.DECLINED, actor=mira)

    comes_back(returned(sent.bounces, **SOFT))

    assert [state for _, state, _ in owed(sent.bug)] == ["cancelled", "pending"]
    assert waiting_for(sent.bug) == 1


def test_of_a_part_they_wait_for_what_stands_for_it(sink, mira):
    sent, whole = told(sink), make_bug(waiting=[])
    merge(sent.bug, whole, actor=mira)

    comes_back(returned(sent.bounces, **SOFT))

    assert (waiting_for(whole), message_states()) == (1, {"cancelled": 1})


def test_who_is_separated_since_is_owed_nothing_of_the_other_one(sink, mira):
    part, whole = make_bug(waiting=[make_customer(email="grace@example.org")]), make_bug(waiting=[])
    merge(part, whole, actor=mira)
    bring_to(whole, Status.DECLINED, actor=mira)
    work()
    with transaction():
        merging.unmerge(part, actor=mira)

    assert comes_back(returned(sink.senders[-1], **SOFT)) is Did.FAILED

    assert owed(whole) == [("grace@example.org", "cancelled", None)]
    assert (waiting_for(part), waiting_for(whole)) == (1, 0)
