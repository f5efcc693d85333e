"""What customers say and are: it works, it still happens, another problem, no more mail, other addresses, erased."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.forms import Seen
from bugintake.intake.customers import changing, erasing
from bugintake.intake.models import Report
from bugintake.loop import replies
from bugintake.loop.inbound.reading import read
from bugintake.loop.inbound.taking_in import NotYet, take_in
from tests.loop.any_order.machine import Company, Nothing, step
from tests.loop.inbound.mails import answered, returned

HARD, SOFT = ("5.1.1", "550 5.1.1 User unknown"), ("5.7.1", "550 5.7.1 looks like spam")


class OfPeople(Company):
    """What comes from outside."""

    @step()
    def works_now(self) -> None:
        """It works for them."""
        report = self.report()
        self.act("works now", lambda: replies.works_now(report))

    @step()
    def still_happening(self) -> None:
        """It does not."""
        report = self.report()
        self.act("still happening", lambda: replies.still_happening(report, "Still."))

    @step("two bugs")
    def not_my_problem(self) -> None:
        """Theirs is another problem."""
        report = self.report()
        self.act("not my problem", lambda: replies.not_my_problem(report, "Mine is another one."))

    @step()
    def unsubscribe(self) -> None:
        """They want no mail about it."""
        report = self.report()
        self.act("unsubscribe", lambda: replies.unsubscribe(report))

    @step("unsubscribed")
    def return_to_mail(self) -> None:
        """They want it again."""
        report: Report = self.one(sa.select(Report).where(Report.unsubscribed_at.is_not(None)).order_by(Report.id))
        self.act("return to mail", lambda: replies.resubscribe(report))

    @step("mail")
    def comes_back(self) -> None:
        """A mail that left comes back: there is no such address, or it looks like spam."""
        number = self.chance.choice(sorted(self.office.places))
        recipient, bounces, _ = self.office.places[number]
        status, said = HARD if self.sometimes() else SOFT
        self.office.excuse(number)
        raw = returned(bounces, recipient=recipient, status=status, said=said, number=self._named())
        if self._comes_in("come back", raw) in ("failed", "suppressed"):
            self.office.returned.add(number)

    @step("mail")
    def answer_by_mail(self) -> None:
        """Somebody answers a mail."""
        recipient, _, answers = self.office.places[self.chance.choice(sorted(self.office.places))]
        self._comes_in("answer", answered("It is Firefox.", answers, sender=recipient, number=self._named()))

    def _named(self) -> str:
        self.words += 1
        return f"mail-{self.words}"

    def _comes_in(self, verb: str, raw: bytes) -> str:
        self.wait(timedelta(seconds=1))
        try:
            did = str(take_in(read(raw)))
        except NotYet:
            did = "not yet"
        self.counts[f"{verb}, {did}"] += 1
        return did

    @step()
    def move(self) -> None:
        """Somebody has another address, or wants no mail for two days."""
        customer, until = self.person(), (clock.now() + timedelta(days=2)).date()
        self.words += 1
        typed = {"quiet_until": until.isoformat()} if self.sometimes() else {"email": f"{self.words}@example.org"}
        self.act(f"change {min(typed)}", lambda: changing.change_customer(customer, typed, Seen(), actor=self.me))

    @step()
    def erase(self) -> None:
        """Somebody is forgotten, seldom, because nothing happens to them any more."""
        if not (self.sometimes() and self.sometimes()):
            raise Nothing
        customer = self.person()
        self.act("erase", lambda: erasing.erase(customer, actor=self.me))
