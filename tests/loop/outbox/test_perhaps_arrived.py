"""Mail that may have arrived, or was written already, when something changes: never twice, and never in old words."""

from __future__ import annotations

from typing import Any

import pytest

from bugintake.core.db import transaction
from bugintake.intake import reports
from bugintake.intake.models import Status
from bugintake.loop import announcements, attempts, envelopes, messages, outbox, replies, updates
from bugintake.team.models import User
from bugintake.triage import editing, merging, transitions
from tests.factories import make_bug, make_customer, merge
from tests.faults.rig import message_states, states, the_message, work
from tests.faults.server import FaultServer
from tests.loop.outbox.asking import body, bug_of
from tests.loop.reading import first_report
from tests.loop.rows import announcement_of, live, owed


def test_what_may_have_arrived_is_not_sent_again_to_who_says_that_it_works_and_then_that_it_does_not(
    sink: FaultServer, mira: User
) -> None:
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="dropdot@example.com")])
    work()
    assert (len(sink.accepted), message_states()) == (1, {"uncertain": 1})

    with transaction():
        replies.works_now(first_report(bug))
    with transaction():
        replies.still_happening(first_report(bug))
    work()

    assert (len(sink.accepted), message_states()) == (1, {"uncertain": 1})


def test_nor_after_their_report_was_taken_back(sink: FaultServer, mira: User) -> None:
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="dropdot@example.com")])
    work()

    with transaction():
        reports.withdraw(first_report(bug), actor=mira)

    assert message_states() == {"uncertain": 1}


@pytest.mark.parametrize("is_part", [False, True])
def test_what_somebody_sends_again_though_it_is_not_so_any_more_is_shown_and_does_not_hang(
    sink: FaultServer, mira: User, is_part: bool
) -> None:
    bug = live("dot554@example.com")
    work()
    assert message_states() == {"failed": 1}
    with transaction():
        transitions.come_back(bug, actor=mira)
    message = the_message()
    with transaction():
        messages.send_again(message, actor=mira)
    if is_part:
        merge(bug, make_bug(waiting=[]), actor=mira)

    work()

    assert message_states() == ({"cancelled": 1} if is_part else {"held": 1})
    assert sink.accepted == []


def reworded(bug: Any, mira: User) -> None:
    announcements.edit_notes(announcement_of(bug), {"en": "The new words."}, {}, actor=mira)


def other_way(bug: Any, mira: User) -> None:
    editing.set_workarounds(bug, {"en": "The new words."}, actor=mira)


@pytest.mark.parametrize(("status", "change"), [(Status.LIVE, reworded), (Status.ACCEPTED, other_way)])
def test_what_was_written_and_not_handed_over_says_the_new_words(
    sink: FaultServer, mira: User, status: Status, change: Any
) -> None:
    bug = make_bug(status, waiting=[make_customer(email="hana@example.com")])
    if status is Status.ACCEPTED:
        with transaction():
            editing.set_workarounds(bug, {"en": "The old words."}, actor=mira)
            updates.tell_way_round(bug, actor=mira)
    with transaction():
        envelopes.open_due()
    (claimed,) = outbox.claim()

    with transaction():
        change(bug, mira)

    assert attempts.begin_sending(claimed) is False
    work()
    assert "The new words." in body(sink)
    assert len(sink.accepted) == 1


def test_whom_a_way_round_has_not_reached_is_told_the_next_one_once(sink: FaultServer, clock: Any, mira: User) -> None:
    bug = bug_of("rcpt450@example.com")
    for _ in range(2):
        with transaction():
            editing.set_workarounds(bug, {"en": "Print it."}, actor=mira)
            updates.tell_way_round(bug, actor=mira)
        work()

    assert owed(bug) == [("rcpt450@example.com", "cancelled", None), ("rcpt450@example.com", "pending", None)]


def test_separating_leaves_no_empty_envelope(mira: User) -> None:
    hana = make_customer(email="hana@example.com")
    part, whole = make_bug(waiting=[hana]), make_bug(waiting=[hana])
    merge(part, whole, actor=mira)
    with transaction():
        editing.set_workarounds(whole, {"en": "Print it."}, actor=mira)
        updates.tell_way_round(whole, actor=mira)
        envelopes.open_due()
    assert states() == {"pending": 1}

    with transaction():
        merging.unmerge(part, actor=mira)

    assert (states(), message_states()) == ({"cancelled": 1}, {"pending": 1})
