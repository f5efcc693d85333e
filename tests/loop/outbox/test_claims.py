"""Who may send an envelope, and what becomes of those that cannot be sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import OptionList, Report, SettledBy
from bugintake.loop import attempts, envelopes, outbox, post
from bugintake.loop.models import Announcement, CustomerLink, Delivery, DeliveryState
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_option, make_user
from tests.faults.rig import message_states, states, work
from tests.faults.server import FaultServer
from tests.loop.rows import live


def test_a_person_with_two_reports_is_told_once_and_both_settle(sink: FaultServer) -> None:
    hana = make_customer(email="hana@example.com")
    bug, other = make_bug(waiting=[hana]), make_bug(waiting=[hana])
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id
        version = make_option(OptionList.VERSION, "4.13.0")
        version.live_since_at = datetime(2026, 3, 1, tzinfo=UTC)
        transitions.fix(bug, {"en": "Back."}, version, actor=make_user())

    work()

    assert len(sink.accepted) == 1
    assert {report.settled_by for report in db.session.scalars(sa.select(Report))} == {SettledBy.TOLD}


def test_two_workers_never_claim_the_same_envelope(sink: FaultServer) -> None:
    live(*(f"hana{n}@example.com" for n in range(6)))
    with transaction():
        envelopes.open_due()

    first, second = outbox.claim(4), outbox.claim(4)

    assert len({claimed.id for claimed in [*first, *second]}) == 6
    assert len({claimed.fence for claimed in [*first, *second]}) == 2
    for claimed in [*first, *second]:
        attempts.give_back(claimed)


def test_a_claim_that_ran_out_goes_back_and_the_slow_worker_cannot_send_it(sink: FaultServer, clock: Any) -> None:
    live("hana@example.com")
    with transaction():
        envelopes.open_due()
    slow = outbox.claim()[0]
    clock.advance(timedelta(minutes=16))

    work()

    assert attempts.begin_sending(slow) is False
    assert len(sink.accepted) == 1


@pytest.mark.fault("F-W9")
def test_a_poisoned_envelope_fails_and_the_others_leave(sink: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    live("poison@example.com", "hana@example.com", "sam@example.com")
    written = outbox.letters.written

    def poisoned(outcomes: Any, workspace: Any) -> Any:
        if outcomes[0].message.customer.email == "poison@example.com":
            raise UnicodeEncodeError("ascii", "ü", 0, 1, "made up")
        return written(outcomes, workspace)

    monkeypatch.setattr(outbox.letters, "written", poisoned)

    work()

    assert states() == {"failed": 1, "sent": 2}
    assert message_states() == {"failed": 1, "sent": 2}
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CustomerLink)) == 4


@pytest.mark.fault("F-W9")
def test_an_envelope_too_large_fails_and_the_others_leave(sink: FaultServer) -> None:
    bug = live("hana@example.com")
    with transaction():
        announcement = db.session.scalars(sa.select(Announcement).where(Announcement.bug_id == bug.id)).one()
        announcement.notes = {"en": "x" * 10_000_000}
    live("sam@example.com")

    work()

    assert states() == {"failed": 1, "sent": 1}
    failed = db.session.scalars(sa.select(Delivery).where(Delivery.state == DeliveryState.FAILED)).one()
    assert failed.last_error == "The mail is larger than 1 MB."


def test_an_address_that_could_mean_two_people_fails_and_reaches_nobody(sink: FaultServer) -> None:
    live("hana@example.com")
    with transaction():
        db.session.scalars(sa.select(Customer)).one().email = "a@b.test, c@d.test"

    work()

    assert (states(), sink.recipients) == ({"failed": 1}, [])


def test_an_envelope_that_keeps_killing_workers_fails_at_last(sink: FaultServer, clock: Any) -> None:
    live("hana@example.com")
    with transaction():
        envelopes.open_due()

    for _ in range(attempts.MOST_LOSSES):
        assert len(outbox.claim()) == 1
        clock.advance(timedelta(minutes=16))
        attempts.recover()

    assert (states(), message_states()) == ({"failed": 1}, {"failed": 1})


def test_a_worker_told_to_stop_finishes_the_mail_at_hand_and_gives_the_rest_back(sink: FaultServer) -> None:
    live(*(f"hana{n}@example.com" for n in range(5)))
    with transaction():
        envelopes.open_due()

    post.send_due(lambda: len(sink.accepted) >= 2)

    assert states() == {"pending": 3, "sent": 2}
    assert set(db.session.scalars(sa.select(Delivery.lease_owner))) == {None}
