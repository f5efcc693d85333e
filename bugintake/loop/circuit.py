"""Circuits: while the server refuses everything, mail waits and does not fail one by one. Domains have their `pace`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock, resting
from bugintake.core.db import db, one_at_a_time, transaction
from bugintake.loop.models import Circuit
from bugintake.loop.verdicts import Outcome, Phase, Verdict

MAIL = "mail"
SETTINGS_WRONG = (timedelta(minutes=1), timedelta(minutes=15))
UNREACHABLE = (timedelta(seconds=2), timedelta(minutes=1))
BEFORE_ANY_MAIL = frozenset({Phase.CONNECT, Phase.TLS, Phase.HELLO, Phase.AUTH})
ABOUT_THE_SERVER = BEFORE_ANY_MAIL | {Phase.MAIL}


def mail_circuit() -> Circuit | None:
    """Return what is wrong with the mail channel, or nothing while mail leaves."""
    return db.session.get(Circuit, MAIL, populate_existing=True)


def is_open() -> bool:
    """Whether mail waits until the server may be asked again."""
    circuit = mail_circuit()
    return circuit is not None and circuit.open_until is not None and circuit.open_until > clock.now()


def circuits() -> Sequence[Circuit]:
    """List everything that refused mail and has not taken any since: the mail server, and domains."""
    return db.session.scalars(sa.select(Circuit).execution_options(populate_existing=True)).all()


def concerns_every_mail(outcome: Outcome) -> bool:
    """Whether an attempt ended because of the server or our settings, and not because of the mail."""
    if outcome.verdict is Verdict.CHANNEL:
        return True
    return outcome.verdict is Verdict.RETRY and outcome.phase in ABOUT_THE_SERVER


def is_no_fault_of_the_mail(outcome: Outcome) -> bool:
    """Whether an attempt ended before the server heard anything of the mail: it keeps its place, and all its tries."""
    return concerns_every_mail(outcome) and outcome.phase in BEFORE_ANY_MAIL


def trip(outcome: Outcome) -> None:
    """Let all mail wait, longer each time, with some chance so that workers do not come back at once.

    Several workers that find the server away at once lengthen the pause once.
    """
    pause = SETTINGS_WRONG if outcome.verdict is Verdict.CHANNEL else UNREACHABLE
    with transaction():
        one_at_a_time(MAIL)
        lengthen(MAIL, pause, outcome, is_due=False)


def lengthen(channel: str, pause: tuple[timedelta, timedelta], outcome: Outcome, *, is_due: bool) -> Circuit:
    """Let a channel wait, twice as long as the last time, between a first and a longest pause.

    Where it waits already, that is left as it is unless its one try `is_due`. Whoever calls holds the channel.
    """
    first, longest = pause
    circuit = db.session.get(Circuit, channel, populate_existing=True)
    if circuit is None:
        circuit = Circuit(channel=channel, failures=0, since_at=clock.now())
        db.session.add(circuit)
    elif not is_due and circuit.open_until is not None and circuit.open_until > clock.now():
        return circuit
    length = min(longest, first * 2 ** min(circuit.failures, 20))
    circuit.failures += 1
    circuit.reason = f"{outcome.phase}: {outcome.error or outcome.code or 'no answer'}"[:500]
    circuit.open_until = clock.now() + resting.jittered(length)
    return circuit


def close() -> None:
    """Let mail leave again."""
    if mail_circuit() is None:
        return
    with transaction():
        circuit = mail_circuit()
        if circuit is not None:
            db.session.delete(circuit)
