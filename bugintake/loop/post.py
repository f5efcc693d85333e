"""Sending what is due: one envelope after the other over one kept connection."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from flask import Flask, current_app
from sqlalchemy.exc import OperationalError

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.loop import attempts, circuit, outbox, pace, telling
from bugintake.loop.attempts import Claimed
from bugintake.loop.inbound import addresses
from bugintake.loop.mail import Sender, UnsafeMail, compose, mail_domain, plain_address, sender_of
from bugintake.loop.smtp import Channel, Envelope, Server
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.team.workspace import workspace

KEEP_TRIES = 3
NOTED_AFTER = 1.0  # seconds after the first of them, looked at before each mail

log = logging.getLogger(__name__)


@dataclass
class _Accepted:
    """What the server took and nobody has noted yet: noted for many at once, which costs a tenth."""

    ids: list[int] = field(default_factory=list)
    since: float = 0.0

    def add(self, claimed: Claimed) -> None:
        """Take one in."""
        self.since = self.since if self.ids else time.monotonic()
        self.ids.append(claimed.id)

    def note_in_time(self) -> None:
        """Note all of them once the first has waited for NOTED_AFTER."""
        if self.ids and time.monotonic() - self.since >= NOTED_AFTER:
            self.note()

    def note(self) -> None:
        """Note that everybody in these envelopes has been told."""
        ids, self.ids = self.ids, []
        if ids:
            _keep(lambda: telling.note_told(ids), ids)


def send_due(stopping: Callable[[], bool] = lambda: False, channel: Channel | None = None) -> int:
    """Send everything that is due, and tell how many envelopes were tried.

    Stops after the envelope at hand when told to, and gives the rest of its claim back; so it does where the server
    turns out to refuse everything. Each claim has a context and a database session of its own.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    tried = 0
    try:
        while not stopping():
            with app.app_context():
                if channel is None:
                    if not outbox.is_waiting():
                        return tried
                    try:
                        channel = open_channel()
                    except ValueError as error:
                        circuit.trip(Outcome(Verdict.CHANNEL, Phase.CONNECT, error=str(error)))
                        return tried
                count = _send_batch(channel, stopping)
            if not count:
                return tried
            tried += count
        return tried
    finally:
        if channel is not None:
            channel.close()


def open_channel() -> Channel:
    """Prepare a connection to the configured mail server; it connects with the first mail. Raises ValueError."""
    return Channel(Server.from_url(settings().smtp_url or ""))


def sender() -> Sender:
    """Return who mail comes from. Raises UnsafeMail where the settings name no address, or one nobody can answer."""
    company = workspace()
    address = settings().mail_from or f"bugintake@{mail_domain()}"
    found = sender_of(address, company.signature, company.reply_address)
    if settings().reads_mail:
        addresses.check(found)
    return found


def _send_batch(channel: Channel, stopping: Callable[[], bool]) -> int:
    was_refusing = circuit.mail_circuit() is not None
    try:
        from_whom = sender()
    except UnsafeMail as error:
        circuit.trip(Outcome(Verdict.CHANNEL, Phase.COMPOSE, error=f"The sender cannot be used. {error}"))
        return 0
    batch, accepted = outbox.claim(), _Accepted()

    def send(claimed: Claimed) -> Outcome:
        accepted.note_in_time()
        outcome = _send(claimed, channel, from_whom)
        if outcome.verdict is Verdict.SENT:
            accepted.add(claimed)
        return outcome

    try:
        return _send_each(batch, send, stopping, was_refusing=was_refusing)
    finally:
        accepted.note()


def _send_each(
    batch: list[Claimed], send: Callable[[Claimed], Outcome], stopping: Callable[[], bool], *, was_refusing: bool
) -> int:
    slow: set[str] = set()
    for position, claimed in enumerate(batch):
        if stopping():
            _give_back(batch[position:])
            return position
        if slow and pace.domain_of(claimed.letter.recipient) in slow:
            attempts.give_back(claimed)
            continue
        try:
            outcome = send(claimed)
        except Exception:
            with suppress(Exception):  # where even this fails, leases run out
                attempts.give_back(claimed, goes_last=True)  # what stops its worker each time must not stop all others
                _give_back(batch[position + 1 :])
            raise
        if circuit.concerns_every_mail(outcome):
            circuit.trip(outcome)
            _give_back(batch[position + 1 :])
            return 0
        if outcome.verdict is Verdict.SLOW:
            slow.add(pace.domain_of(claimed.letter.recipient))
        elif claimed.tries_domain and outcome.verdict is Verdict.SENT:
            pace.speed_up(pace.domain_of(claimed.letter.recipient))
        if was_refusing and outcome.phase is not Phase.COMPOSE:
            circuit.close()
            was_refusing = False
    return len(batch)


def _send(claimed: Claimed, channel: Channel, from_whom: Sender) -> Outcome:
    try:
        comes_back_to = from_whom.address
        if claimed.user_id is None and settings().reads_mail:
            comes_back_to, from_whom = addresses.signed(from_whom, claimed.id, claimed.message_id)
        content = compose(claimed.letter, from_whom, claimed.message_id, clock.now())
        envelope = Envelope(comes_back_to, plain_address(claimed.letter.recipient), content)
    except Exception as error:  # whatever is wrong with it, the next one can be sent
        log.warning("Envelope %s cannot be written: %s", claimed.id, error)
        said = str(error) if isinstance(error, UnsafeMail) else f"It cannot be written: {type(error).__name__}."
        outcome = Outcome(Verdict.FAILED, Phase.COMPOSE, error=said)
    else:
        outcome = channel.deliver(envelope, lambda: attempts.begin_sending(claimed))
    _keep(lambda: attempts.finish(claimed, outcome), [claimed.id])
    return outcome


def _keep(what: Callable[[], None], ids: list[int]) -> None:
    """Try again where the database is busy: a lost outcome leaves a mail uncertain, a lost note leaves it to others."""
    for left in reversed(range(KEEP_TRIES)):
        try:
            what()
            return
        except OperationalError:
            if not left:
                raise
            log.warning("What became of envelopes %s could not be kept yet", ids)


def _give_back(rest: list[Claimed]) -> None:
    for claimed in rest:
        attempts.give_back(claimed)
