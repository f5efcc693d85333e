"""What the server took: nobody can call it back, and who was told is noted for many at once, soon, and only once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bugintake.core.backup import Backup
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Report, SettledBy
from bugintake.loop import attempts, envelopes, post, restoring, telling
from bugintake.loop.attempts import Claimed
from bugintake.loop.models import Delivery, DeliveryState, Message
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import MONDAY_NOON
from tests.faults.rig import message_states, states, the_delivery, work
from tests.faults.server import FaultServer
from tests.loop.rows import live


def people(count: int) -> list[str]:
    return [f"hana{number}-of-{count}@example.com" for number in range(count)]


def accepted(count: int = 1) -> list[int]:
    """Let the server take mails to so many people about one bug, and note nobody. Returns the envelopes."""
    live(*people(count))
    with mock.patch.object(telling, "note_told"):
        work()
    return list(db.session.scalars(sa.select(Delivery.id).where(Delivery.state == DeliveryState.ACCEPTED)))


def events(kind: EventKind) -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(Event.kind == kind)) or 0


def test_all_of_them_are_noted_together_and_wait_no_longer() -> None:
    taken = accepted(3)
    assert (states(), message_states()) == ({"accepted": 3}, {"pending": 3})

    telling.note_told(taken)

    assert (states(), message_states()) == ({"sent": 3}, {"sent": 3})
    bug = db.session.scalars(sa.select(Bug)).one()
    assert bug.waiting_count == 0
    assert set(db.session.scalars(sa.select(Report.settled_by))) == {SettledBy.TOLD}
    assert set(db.session.scalars(sa.select(Delivery.lease_owner))) == {None}


def test_it_was_when_the_server_took_it_whenever_that_is_noted(clock: Any) -> None:
    taken, at = accepted(), clock.now()
    clock.advance(timedelta(hours=9))

    telling.note_told(taken)

    message, report = db.session.scalars(sa.select(Message)).one(), db.session.scalars(sa.select(Report)).one()
    sent = db.session.scalars(sa.select(Event).where(Event.kind == EventKind.MESSAGE_SENT)).one()
    assert {message.state_at, report.settled_at, sent.at, the_delivery().sent_at} == {at}


def test_twice_noted_is_noted_once() -> None:
    taken = accepted(2)

    telling.note_told(taken[:1])
    telling.note_told(taken)
    telling.note_told(taken)

    assert events(EventKind.MESSAGE_SENT) == events(EventKind.REPORT_SETTLED) == 2
    assert db.session.scalars(sa.select(Bug.waiting_count)).one() == 0


def test_noting_costs_the_same_for_one_and_for_many_of_one_bug() -> None:
    counts = []
    for count in (1, 20):
        taken = accepted(count)
        with asked() as statements:
            telling.note_told(taken)
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_who_died_before_noting_leaves_it_to_others_a_minute_later(clock: Any) -> None:
    accepted()

    clock.advance(attempts.TOLD_WITHIN - timedelta(seconds=1))
    attempts.recover()
    assert states() == {"accepted": 1}

    clock.advance(timedelta(seconds=2))
    attempts.recover()
    assert (states(), message_states()) == ({"sent": 1}, {"sent": 1})


def test_one_that_cannot_be_noted_keeps_no_other_from_it(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = accepted(2)
    note_told = telling.note_told

    def poisoned(ids: list[int]) -> None:
        if ids == [first]:
            raise ValueError("poison")
        note_told(ids)

    monkeypatch.setattr(attempts, "note_told", poisoned)
    clock.advance(attempts.TOLD_WITHIN * 2)
    attempts.recover()

    found = [db.session.get_one(Delivery, each, populate_existing=True) for each in (first, second)]
    assert [each.state for each in found] == [DeliveryState.UNCERTAIN, DeliveryState.SENT]
    assert message_states() == {"uncertain": 1, "sent": 1}  # a person sees it
    assert found[0].last_error == attempts.UNNOTED


def test_the_promise_is_kept_although_noting_failed(
    sink: FaultServer, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(*people(3))
    note_told = telling.note_told

    def busy(_ids: list[int]) -> None:
        raise OperationalError("BEGIN", {}, Exception("database is locked"))

    monkeypatch.setattr(telling, "note_told", busy)
    monkeypatch.setattr(post, "NOTED_AFTER", 0)
    with pytest.raises(OperationalError):
        work()
    assert states() == {"accepted": 1, "pending": 2}  # what was not handed over is given back

    monkeypatch.setattr(telling, "note_told", note_told)
    clock.advance(attempts.TOLD_WITHIN * 2)
    work()

    assert (states(), len(sink.accepted)) == ({"sent": 3}, 3)


@pytest.mark.parametrize(("after", "noted"), [(0, 1), (3600, 0)])
def test_what_was_accepted_long_enough_ago_is_noted_before_the_next_leaves(
    monkeypatch: pytest.MonkeyPatch, after: int, noted: int
) -> None:
    live(*people(2))
    monkeypatch.setattr(post, "NOTED_AFTER", after)
    begin_sending, seen = attempts.begin_sending, []

    def look(claimed: Claimed) -> bool:
        seen.append(states().get("sent", 0))
        return begin_sending(claimed)

    monkeypatch.setattr(attempts, "begin_sending", look)
    work()

    assert (seen, states()) == ([0, noted], {"sent": 2})


def test_a_bug_that_comes_back_meanwhile_holds_nothing_of_what_has_left() -> None:
    taken = accepted()
    with transaction():
        transitions.come_back(db.session.scalars(sa.select(Bug)).one(), actor=None)

    telling.note_told(taken)

    assert message_states() == {"sent": 1}
    assert db.session.scalars(sa.select(Report.settled_at)).one() is None  # it is not so any more: they wait


def test_a_restored_backup_notes_what_had_left_and_holds_the_rest(sink: FaultServer, clock: Any) -> None:
    accepted()
    live("sam@example.com")
    with transaction():
        envelopes.open_due()
        restoring.distrust(Backup("1.0", "0001", MONDAY_NOON, {}, {}, {}), db.session.connection())
    clock.advance(timedelta(days=1))

    work()

    assert (states(), message_states()) == ({"sent": 1, "held": 1}, {"sent": 1, "held": 1})
    assert len(sink.accepted) == 1
