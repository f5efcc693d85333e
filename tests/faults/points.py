"""Where a worker can be killed or stopped: each point patches the running program, never the shipped one."""

from __future__ import annotations

import os
import signal
import smtplib
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bugintake.loop import attempts, outbox, telling
from bugintake.loop.verdicts import Verdict


def die() -> None:
    """End at once, as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Stand still, as by SIGSTOP, until somebody lets us go on."""
    os.kill(os.getpid(), signal.SIGSTOP)


def after_claim() -> None:
    """F-W1: envelopes are claimed, nothing was said to the server."""
    claim = outbox.claim

    def claim_and_die(*args: Any) -> Any:
        if claim(*args):
            die()
        return []

    _replace(outbox, "claim", claim_and_die)


def after_rcpt() -> None:
    """F-W2: the server has accepted the recipient."""
    rcpt = smtplib.SMTP.rcpt

    def rcpt_and_die(self: Any, *args: Any) -> Any:
        answer = rcpt(self, *args)
        die()
        return answer

    _replace(smtplib.SMTP, "rcpt", rcpt_and_die)


def before_data() -> None:
    """F-W3: it is committed that DATA comes next."""
    begin_sending = attempts.begin_sending

    def begin_and_die(claimed: Any) -> bool:
        begin_sending(claimed)
        die()
        return True

    _replace(attempts, "begin_sending", begin_and_die)


def after_250() -> None:
    """F-W4: the server has taken the mail, and nobody has written it down."""
    finish = attempts.finish
    _replace(attempts, "finish", lambda claimed, outcome: _if_sent(outcome, die) or finish(claimed, outcome))


def before_noting() -> None:
    """F-W5: that the server has them is written down, and nobody is noted as told."""
    _replace(telling, "note_told", lambda _ids: die())


def after_commit() -> None:
    """F-W5: it is written down, and who was told."""
    note_told = telling.note_told
    _replace(telling, "note_told", lambda ids: _die_at_commit() or note_told(ids))


def in_recovery() -> None:
    """F-W6: taking back what a dead worker held."""
    recover = attempts.recover

    def recover_and_die() -> int:
        _die_at_commit()
        return recover()

    _replace(attempts, "recover", recover_and_die)


def slow_at_rcpt() -> None:
    """F-W8: the recipient is accepted, and then the worker stands still for longer than its lease."""
    begin_sending = attempts.begin_sending

    def stop_and_begin(claimed: Any) -> bool:
        stop()
        return begin_sending(claimed)

    _replace(attempts, "begin_sending", stop_and_begin)


def _if_sent(outcome: Any, act: Callable[[], None]) -> None:
    if outcome.verdict is Verdict.SENT:
        act()


def _die_at_commit() -> None:
    sa.event.listen(Session, "after_commit", lambda session: die())


def _replace(module: Any, name: str, value: Any) -> None:
    setattr(module, name, value)


POINTS = {
    "never": lambda: None,
    "after_claim": after_claim,
    "after_rcpt": after_rcpt,
    "before_data": before_data,
    "after_250": after_250,
    "before_noting": before_noting,
    "after_commit": after_commit,
    "in_recovery": in_recovery,
    "slow_at_rcpt": slow_at_rcpt,
}
