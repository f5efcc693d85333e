"""Workers that are killed, stopped, or many: F-W1 to F-W6 and F-W8."""

from __future__ import annotations

import os
import signal

from bugintake.core.db import transaction
from bugintake.intake.models import Bug, Status
from bugintake.loop import attempts, envelopes, notices, outbox
from tests.factories import make_bug, make_customer, make_user
from tests.faults.launching import LEASE_IS_OVER, Rig
from tests.faults.rig import broken_invariants, message_states, states
from tests.loop.every_mail import Company

PEOPLE = 3


def people_wait(count: int = 1) -> Bug:
    """Let a bug that some people wait for become live."""
    return make_bug(Status.LIVE, waiting=[make_customer() for _ in range(count)])


def killed_after_claim(rig: Rig) -> None:
    """F-W1."""
    people_wait(PEOPLE)
    rig.kill_worker("after_claim")
    assert (states(), rig.sink.recipients) == ({"claimed": PEOPLE}, [])
    rig.outlast_leases()
    rig.holds()
    assert states() == {"sent": PEOPLE}


def killed_after_rcpt(rig: Rig) -> None:
    """F-W2: nothing was handed over, so nothing is uncertain."""
    people_wait()
    rig.kill_worker("after_rcpt")
    assert (len(rig.sink.recipients), rig.sink.accepted) == (1, [])
    assert "sending" not in states()
    rig.outlast_leases()
    rig.holds()


def killed_before_data(rig: Rig) -> None:
    """F-W3: nobody can know, so nobody claims to."""
    people_wait()
    rig.kill_worker("before_data")
    assert rig.sink.accepted == []
    rig.outlast_leases()
    rig.holds()


def killed_after_250(rig: Rig) -> None:
    """F-W4: the server has it, and nobody wrote that down."""
    people_wait()
    rig.kill_worker("after_250")
    assert len(rig.sink.accepted) == 1
    rig.outlast_leases()
    rig.holds()


def killed_among_every_kind(rig: Rig) -> None:
    """F-W4: as many kinds as wait at once, in texts of the company, with a personal line, for who stands in."""
    company = Company(rig.clock)
    company.write_texts()
    next(company.days())
    rig.kill_worker("after_250")
    rig.outlast_leases()
    assert broken_invariants(rig.sink) == []
    assert set(states()) <= {"sent", "uncertain", "cancelled"}
    assert states().get("uncertain", 0) <= 1


def killed_before_noting(rig: Rig) -> None:
    """F-W5: that the server took them is written down, and nobody has noted who was told."""
    people_wait(PEOPLE)
    with transaction():
        notices.queue_test(make_user())
    rig.kill_worker("before_noting")
    assert (states(), message_states()) == ({"accepted": PEOPLE + 1}, {"pending": PEOPLE})
    rig.outlast_leases()
    assert broken_invariants(rig.sink) == []
    assert (states(), message_states()) == ({"sent": PEOPLE + 1}, {"sent": PEOPLE})


def killed_after_commit(rig: Rig) -> None:
    """F-W5."""
    people_wait()
    rig.kill_worker("after_commit")
    assert len(rig.sink.accepted) == 1
    rig.outlast_leases()
    rig.holds()


def killed_in_recovery(rig: Rig) -> None:
    """F-W6: one was being sent when its worker died, and whoever takes it back dies too."""
    people_wait()
    with transaction():
        envelopes.open_due()
    first, *_ = outbox.claim()
    assert attempts.begin_sending(first)
    rig.clock.advance(LEASE_IS_OVER)
    rig.kill_worker("in_recovery")
    rig.outlast_leases()
    assert broken_invariants() == []
    assert max(rig.sink.count.values(), default=0) <= 1
    assert states() == message_states()


def stands_still_beyond_its_lease(rig: Rig) -> None:
    """F-W8: a worker that was only slow wakes up when others have sent what it held."""
    people_wait(PEOPLE)
    with transaction():
        notices.queue_test(make_user())
    slow = rig.start_worker("slow_at_rcpt")
    assert os.WIFSTOPPED(rig.launcher.wait(slow))
    rig.outlast_leases()
    assert rig.sink.accepted != []
    os.kill(slow, signal.SIGCONT)
    while os.WIFSTOPPED(rig.launcher.wait(slow)):  # at the next recipient of its old claim
        os.kill(slow, signal.SIGCONT)
    assert broken_invariants(rig.sink) == []
    assert states() == {"sent": PEOPLE + 1}


def four_workers_at_once(rig: Rig) -> None:
    """F-W8: as many workers as you like tell everybody once."""
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(20)])
    with transaction():
        envelopes.open_due()
    workers = [rig.start_worker("never") for _ in range(4)]
    assert [rig.launcher.wait(worker) for worker in workers] == [0, 0, 0, 0]
    assert states() == {"sent": 20}
    rig.holds()
