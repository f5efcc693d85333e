"""A mail server without a socket: it answers as it is told, counts what it took, and workers die in its doorway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from unittest import mock

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.loop import attempts, outbox, post, telling, worker
from bugintake.loop.attempts import Claimed
from bugintake.loop.inbound import addresses
from bugintake.loop.models import Delivery
from bugintake.loop.smtp import Envelope
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from tests.loop.any_order.truth import Told, told_by, untrue

ANSWERS = {
    "yes": Outcome(Verdict.SENT, Phase.DATA, 250, "2.0.0"),
    "not now": Outcome(Verdict.RETRY, Phase.RCPT, 450, "4.2.1", "try again later"),
    "no such address": Outcome(Verdict.BOUNCED, Phase.RCPT, 550, "5.1.1", "no such user"),
    "looks like spam": Outcome(Verdict.FAILED, Phase.DATA, 554, "5.7.1", "looks like spam"),
    "wrong password": Outcome(Verdict.CHANNEL, Phase.AUTH, 535, "5.7.8", "wrong password"),
    "nothing after the dot": Outcome(Verdict.UNCERTAIN, Phase.DATA),
    "nothing in the middle": Outcome(Verdict.UNCERTAIN, Phase.DATA),
}
TAKEN = ("yes", "nothing after the dot")
DEATHS = (
    "after the claim",
    "after RCPT",
    "before DATA",
    "after 250",
    "once it is accepted",
    "after it is written down",
    "in recovery",
)


class Died(BaseException):
    """A worker that ends here, as by kill -9: nothing after it happens, and what was not committed never did."""


@dataclass
class PostOffice:
    """What the world outside got. `lies` are the sentences that were not so when they were handed over."""

    answer: str = "yes"
    death: str = ""
    is_dead: bool = False
    count: Counter[str] = field(default_factory=Counter)
    told: list[Told] = field(default_factory=list)
    lies: list[str] = field(default_factory=list)
    places: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    """For each envelope whom it went to, where it comes back to and where it is answered."""
    excused: Counter[int] = field(default_factory=Counter)
    """How often an envelope came back, or a person said what became of it."""
    allowed: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How often a person let somebody be told once more, or what they were told came back: announcement, customer."""
    vouched: set[tuple[int, int]] = field(default_factory=set)
    """Who was told as a person says, and by which announcement."""
    returned: set[int] = field(default_factory=set)
    """The envelopes that came back."""
    doubted: set[int] = field(default_factory=set)
    """The envelopes that were uncertain once: what ends the waiting of their people ends them, too."""

    def excuse(self, number: int) -> None:
        """Note that what left in an envelope did not arrive, or that a person says what became of it."""
        self.excused[number] += 1
        self.allowed.update({(each.announcement, each.customer) for each in self.told if each.delivery == number})

    def deliver(self, mail: Envelope, before_data: Callable[[], bool]) -> Outcome:
        """Do what smtp.Channel does, by the answer of the day."""
        outcome = ANSWERS[self.answer]
        if outcome.phase is not Phase.DATA:
            return outcome
        self.die("after RCPT")
        if not before_data():
            return Outcome(Verdict.WITHDRAWN, Phase.RCPT)
        self.die("before DATA")
        if self.answer in TAKEN:
            content = message_from_bytes(mail.content, policy=default)
            text = content.get_body(("plain",)).get_content()
            self.take(str(content["Message-ID"]), mail.recipient, text, mail.sender, str(content["Reply-To"]))
        return outcome

    def take(self, name: str, recipient: str, text: str, comes_back: str, answers: str) -> None:
        """Accept a mail, and note whether it is so."""
        db.session.rollback()
        number, user = db.session.execute(
            sa.select(Delivery.id, Delivery.user_id).where(Delivery.message_id == name)
        ).one()
        self.count[name] += 1
        if user is not None:  # the team hears beside it what its customers are told
            self.die("after 250")
            return
        self.places[number] = (recipient, comes_back, answers)
        self.lies += untrue(number, recipient, " ".join(text.split()))
        self.told += told_by(number)
        db.session.rollback()
        self.die("after 250")

    def die(self, where: str) -> None:
        """End the worker that is at a place, if it is to end there."""
        if self.death == where:
            self.is_dead = True
        if self.is_dead:
            raise Died

    def close(self) -> None:
        """Hang up."""


def work(office: PostOffice) -> None:
    """Let a worker do everything that is due, or as much as it lives for."""
    claim, finish, recover, note_told = outbox.claim, attempts.finish, attempts._recover, telling.note_told

    def claim_or_die(*limit: int) -> list[Claimed]:
        found = claim(*limit)
        if found:
            office.die("after the claim")
        return found

    def finish_or_die(claimed: Claimed, outcome: Outcome) -> None:
        finish(claimed, outcome)
        office.die("once it is accepted")

    def note_or_die(ids: Sequence[int]) -> None:
        office.die("once it is accepted")  # it may be dead already: whatever ends without a word notes nothing
        note_told(ids)
        office.die("after it is written down")

    def recover_or_die(number: int, expired: sa.Select[int]) -> None:
        recover(number, expired)
        office.die("in recovery")

    broken = mock.patch.multiple(attempts, finish=finish_or_die, _recover=recover_or_die)
    try:
        with (
            broken,
            mock.patch.object(outbox, "claim", claim_or_die),
            mock.patch.object(telling, "note_told", note_or_die),
        ):
            attempts.recover()
            open_what_is_due()
            post.send_due(channel=office)  # type: ignore[arg-type]  # it looks the same from here
    except Died:
        pass
    db.session.remove()
    office.answer, office.death, office.is_dead = "yes", "", False


def open_what_is_due() -> None:
    """Release what is due, and put what is owed into envelopes."""
    while worker._open_some():
        pass


def hand_over(claimed: Claimed, office: PostOffice) -> bool:
    """Take one step of sending: from the claim to where the server has the mail and has not answered."""
    if not attempts.begin_sending(claimed):
        attempts.finish(claimed, Outcome(Verdict.WITHDRAWN, Phase.RCPT))
        return False
    comes_back, sender = addresses.signed(post.sender(), claimed.id, claimed.message_id)
    text = " ".join(line.text for line in claimed.letter.lines)
    office.take(claimed.message_id, claimed.letter.recipient, text, comes_back, str(sender.reply_to))
    return True
