"""A receiving domain that asks for patience: its mail waits, and all other mail leaves as ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.loop import attempts, envelopes, outbox, pace
from bugintake.loop.models import Circuit, Delivery, DeliveryState
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from tests.counting import asked
from tests.faults.rig import BESIDE, message_states, states, the_delivery, work
from tests.faults.server import FaultServer
from tests.loop.rows import live

TOO_FAST = b"450 4.7.1 you send too fast"
SLOW = Outcome(Verdict.SLOW, Phase.RCPT, 450, "4.7.1", "4.7.1 you send too fast")


def people(count: int, domain: str) -> list[str]:
    return [f"{domain.split('.')[0].lower()}{n}@{domain}" for n in range(count)]


def tried(sink: FaultServer, domain: str) -> int:
    return sum(address.endswith(f"@{domain}") for address in sink.recipients)


def paused() -> list[str]:
    db.session.rollback()
    return [domain for domain, _ in pace.paused()]


def circuit_of(domain: str) -> Circuit:
    db.session.rollback()
    return db.session.get_one(Circuit, f"mail:{domain}", populate_existing=True)


def attempts_made() -> list[int]:
    db.session.rollback()
    return sorted(db.session.scalars(sa.select(Delivery.attempts).where(~BESIDE)))


def waiting(*addresses: str) -> None:
    """Envelopes for these people that are due."""
    live(*addresses)
    with transaction():
        envelopes.open_due()


def slowed(domain: str) -> None:
    """A domain that said that it is slow."""
    with transaction():
        pace.slow_down(domain, SLOW, was_trying=False)


@pytest.mark.parametrize("said", [TOO_FAST, b"421 4.7.0 try again later", b"451 too many messages, slow down"])
def test_one_refusal_slows_its_domain_alone_and_others_flow_on(sink: FaultServer, clock: Any, said: bytes) -> None:
    sink.slow["slow.example"] = said
    live(*people(30, "slow.example"), *people(30, "fast.example"))

    work()

    assert (tried(sink, "slow.example"), tried(sink, "fast.example")) == (1, 30)
    assert states() == {"pending": 30, "sent": 30}
    assert paused() == ["slow.example"]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"450 4.7.1 Greylisted, come back in 300 seconds", Verdict.RETRY),
        (b"450 4.2.1 this mailbox receives too much, try again later", Verdict.RETRY),
        (b"451 local error", Verdict.RETRY),
        (b"452 4.7.1 you send too fast", Verdict.RETRY),
        (b"550 5.7.1 too many messages", Verdict.FAILED),
    ],
)
def test_what_is_not_about_the_pace_is_about_the_mail_alone(
    sink: FaultServer, clock: Any, said: bytes, verdict: Verdict
) -> None:
    sink.slow["slow.example"] = said
    live(*people(3, "slow.example"))

    work()

    assert (tried(sink, "slow.example"), paused()) == (3, [])
    assert set(states()) == {"pending" if verdict is Verdict.RETRY else "failed"}


def test_an_answer_to_the_text_slows_the_domain_too(sink: FaultServer, clock: Any) -> None:
    live("dotslow@slow.example", *people(3, "slow.example"))

    work()

    assert (paused(), sink.accepted) == (["slow.example"], [])


def test_pauses_grow_and_one_mail_tries_at_the_end_of_each_without_using_up_a_try(
    sink: FaultServer, clock: Any
) -> None:
    sink.slow["slow.example"] = TOO_FAST
    live(*people(30, "slow.example"))
    pauses = []
    for round_ in range(1, 8):
        work()
        until = circuit_of("slow.example").open_until
        assert until is not None
        assert tried(sink, "slow.example") == round_
        pauses.append((until - clock.now()) / timedelta(minutes=1))
        clock.set(until - timedelta(seconds=1))
        work()
        assert tried(sink, "slow.example") == round_
        clock.set(until)

    wanted = [1, 2, 4, 8, 15, 15, 15]
    assert all(0.8 * minutes <= found <= 1.2 * minutes for minutes, found in zip(wanted, pauses, strict=True))
    assert len({round(pause, 4) for pause in pauses[4:]}) == 3
    assert attempts_made() == [0] * 29 + [1]
    assert states() == {"pending": 30}


def test_the_first_mail_that_is_taken_lets_all_of_the_domain_leave(sink: FaultServer, clock: Any) -> None:
    sink.slow["slow.example"] = TOO_FAST
    live(*people(45, "slow.example"))
    work()
    sink.slow.clear()

    clock.advance(timedelta(minutes=2))
    work()
    assert paused() == []
    clock.advance(pace.TRYING)
    work()

    assert (states(), message_states()) == ({"sent": 45}, {"sent": 45})


def test_a_domain_is_one_however_it_is_written(sink: FaultServer, clock: Any) -> None:
    slowed("xn--bro-hoa.example")
    slowed("slow.example")
    waiting("a@BÜRO.example", "b@büro.example", "c@XN--BRO-HOA.example", "d@Slow.Example", "e@slow.example.test")

    assert [each.letter.recipient for each in outbox.claim()] == ["e@slow.example.test"]


def test_two_workers_try_a_slow_domain_with_one_mail(sink: FaultServer, clock: Any) -> None:
    slowed("slow.example")
    waiting(*people(4, "slow.example"))
    clock.advance(timedelta(minutes=2))

    first, second = outbox.claim(), outbox.claim()

    assert [each.tries_domain for each in first] == [True]
    assert second == []
    clock.advance(pace.TRYING)
    assert [each.tries_domain for each in outbox.claim()] == [True], "the first one may have died"


def test_workers_that_hear_it_at_once_lengthen_the_pause_once(sink: FaultServer, clock: Any) -> None:
    waiting(*people(6, "slow.example"))
    sink.slow["slow.example"] = TOO_FAST
    first, second = outbox.claim(3), outbox.claim(3)

    for claimed in (first[0], second[0], second[1]):
        attempts.finish(claimed, SLOW)

    assert circuit_of("slow.example").failures == 1
    assert attempts_made() == [0, 0, 0, 0, 0, 1]


def test_a_mail_that_is_at_fault_itself_neither_stops_the_others_nor_waits_for_ever(
    sink: FaultServer, clock: Any
) -> None:
    live("dotslow@slow.example", *people(5, "slow.example"))

    for _ in range(20):
        work()
        clock.advance(timedelta(minutes=20))
    assert states() == {"pending": 1, "sent": 5}

    for _ in range(80):
        work()
        clock.advance(timedelta(hours=1))
    assert states() == {"failed": 1, "sent": 5}
    assert message_states() == {"failed": 1, "sent": 5}


def test_a_domain_that_takes_nothing_for_three_days_fails_its_mail_visibly(sink: FaultServer, clock: Any) -> None:
    sink.slow["slow.example"] = TOO_FAST
    live(*people(3, "slow.example"))
    for _ in range(12):
        work()
        clock.advance(timedelta(hours=5, minutes=30))
    assert states() == {"pending": 3}

    for _ in range(12):
        work()
        clock.advance(timedelta(hours=5, minutes=30))

    assert (states(), message_states()) == ({"failed": 3}, {"failed": 3})


def test_a_mail_that_waits_says_why_and_one_that_left_says_nothing_of_it(sink: FaultServer, clock: Any) -> None:
    slowed("slow.example")
    live("hana@slow.example")
    work()
    assert list(db.session.scalars(sa.select(Delivery.last_error))) == [
        "slow.example takes mail slowly at present: it leaves by itself."
    ]

    clock.advance(timedelta(minutes=2))
    work()

    assert (the_delivery().state, the_delivery().last_error) == (DeliveryState.SENT, "")


def test_what_was_not_tried_for_a_day_is_forgotten(sink: FaultServer, clock: Any) -> None:
    slowed("old.example")
    clock.advance(timedelta(days=1, minutes=2))

    slowed("new.example")

    assert list(db.session.scalars(sa.select(Circuit.channel))) == ["mail:new.example"]


def test_what_a_claim_asks_does_not_grow_with_what_waits_for_slow_domains(sink: FaultServer, clock: Any) -> None:
    waiting(*people(3, "fast.example"))
    outbox.claim(1)
    none_slow = _asked_for_one()
    slowed("slow.example")
    waiting(*people(150, "slow.example"))
    clock.advance(timedelta(seconds=1))
    waiting(*people(3, "later.example"))
    outbox.claim(1)

    met_first, met_before = _asked_for_one(), _asked_for_one()

    assert met_first == none_slow + 1
    assert met_before == none_slow


def _asked_for_one() -> int:
    with asked() as statements:
        outbox.claim(1)
    return len(statements)
