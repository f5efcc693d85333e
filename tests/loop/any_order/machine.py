"""What a story is told of: a company with some customers, and how one thing after another happens to it by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.intake import reports
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Option, OptionList, Report, SettledBy, Status
from bugintake.loop.attempts import Claimed
from bugintake.loop.models import OUTCOMES, Announcement, Delivery, DeliveryState, Message, MessageState
from bugintake.team.models import Role, User
from tests.factories import make_customer, make_option, make_telling, make_user, make_version, make_workspace
from tests.loop.any_order import promises
from tests.loop.any_order.post_office import PostOffice
from tests.loop.any_order.truth import root
from tests.loop.rows import TUESDAY_9

OFTEN = {"work": 6, "claim": 12, "hand_over": 8, "hear": 8, "note": 8, "die": 4, "fix": 8, "release_live": 12}
"""What happens in every story, and how often; of the rest some happens again and again, and some never."""
SOME = 14
KNOWN = {"Grace": "en", "Hana": "de", "Ole": "en"}


class Nothing(Exception):
    """There is nothing that this could happen to."""


class Step(NamedTuple):
    """One thing that can happen, and what there must be any of for it."""

    needs: frozenset[str]
    call: Callable[[Any], None]

    @property
    def name(self) -> str:
        """What it is called."""
        return self.call.__name__


STEPS: list[Step] = []


def step(*needs: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Let this happen while there is any of what it `needs`."""

    def add(call: Callable[[Any], None]) -> Callable[[Any], None]:
        STEPS.append(Step(frozenset(needs), call))
        return call

    return add


class Company:
    """Three customers with an address, of whom one reads German, and one without; two versions; one outbox."""

    def __init__(self, seed: int) -> None:
        clock.freeze(TUESDAY_9)
        self.chance = Random(seed)
        seldom = sorted({each.name for each in STEPS} - set(OFTEN))
        self.often = {**dict.fromkeys(self.chance.sample(seldom, SOME), 2), **OFTEN}
        make_workspace(review_minutes=0, reply_address="help@fakturo.example")
        self.actor = make_user(Role.LEAD).id
        known = {name: f"{name.lower()}@example.org" for name in KNOWN} | {"Nadia": ""}
        people = [make_customer(name, email=known[name], language=KNOWN.get(name, "en")) for name in known]
        self.people = [customer.id for customer in people]
        self.versions = [make_version("4.13.0").id, make_version("4.14.0").id]
        self.reason = make_option(OptionList.DECLINE_REASON).id
        self.office, self.words = PostOffice(), 0
        self.misled: dict[tuple[int, int], tuple[int, datetime]] = {}
        self.claimed: list[Claimed] = []
        self.leaving: list[Claimed] = []
        self.counts: Counter[str] = Counter()
        self.story: list[str] = []
        for customer in people[:2]:
            telling = make_telling(customer)
            self.act("file", lambda telling=telling: reports.file_report(telling, actor=self.me))

    def live_through(self, steps: int) -> None:
        """Let so many things happen, and look after each whether everything holds."""
        for _ in range(steps):
            there = self.there()
            able = [each for each in STEPS if each.name in self.often and (not each.needs or there & each.needs)]
            chosen = self.chance.choices(able, [self.often[each.name] for each in able])[0]
            self.story.append(chosen.name)
            with suppress(Nothing):
                chosen.call(self)
            self.look_anew()
            broken = promises.broken(self.office, self.misled)
            assert not broken, f"{broken} after {self.story}"

    def there(self) -> set[str]:
        """Name what there is."""
        bugs = sa.select(Bug.status, Bug.merged_into_id.is_(None), sa.func.count()).where(Bug.withdrawn_at.is_(None))
        found = db.session.execute(bugs.group_by(Bug.status, Bug.merged_into_id.is_(None))).all()
        there = {f"bug {status}" if is_whole else "part" for status, is_whole, _ in found}
        there |= {"two bugs"} if sum(count for _, is_whole, count in found if is_whole) > 1 else set()
        there |= {f"message {state}" for state in db.session.scalars(sa.select(Message.state).distinct())}
        told = sa.select(Announcement.kind, Announcement.held_at.is_(None), Announcement.released_at.is_(None))
        for kind, is_free, waits in db.session.execute(told.where(Announcement.cancelled_at.is_(None)).distinct()):
            there |= {"announcement", str(kind)} | ({"unsent"} if waits else set()) | (set() if is_free else {"held"})
        left = sa.select(Report.id).where(Report.unsubscribed_at.is_not(None)).limit(1)
        there |= {"unsubscribed"} if db.session.scalar(left) else set()
        accepted = sa.select(Delivery.id).where(Delivery.state == DeliveryState.ACCEPTED).limit(1)
        there |= {"accepted"} if db.session.scalar(accepted) else set()
        kept = {"claimed": self.claimed, "leaving": self.leaving, "mail": self.office.places}
        return there | {name for name, some in kept.items() if some}

    # --- How a step is taken ---

    def act(self, verb: str, call: Callable[[], Any]) -> bool:
        """Do one thing in a transaction, which may be refused; tell whether it happened."""
        self.wait(timedelta(seconds=1))
        try:
            with transaction():
                call()
        except (Conflict, Invalid):
            verb = f"{verb}, refused"
        self.look_anew()
        self.counts[verb] += 1
        return not verb.endswith("refused")

    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        clock.freeze(clock.now() + span)

    def look_anew(self) -> None:
        """Forget what was read."""
        db.session.rollback()
        db.session.expire_all()

    def sometimes(self) -> bool:
        """Toss a coin that seldom says yes."""
        return self.chance.random() < 0.3

    @property
    def me(self) -> User:
        """Who acts for the team."""
        return db.session.get_one(User, self.actor)

    def one(self, query: sa.Select[Any]) -> Any:
        """Choose one of what there is. Raises Nothing."""
        found = db.session.scalars(query).all()
        if not found:
            raise Nothing
        return self.chance.choice(found)

    def person(self) -> Customer:
        """Choose a customer."""
        return db.session.get_one(Customer, self.chance.choice(self.people))

    def version(self) -> Option:
        """Choose a version."""
        return db.session.get_one(Option, self.chance.choice(self.versions))

    def bug(self, *statuses: Status) -> Bug:
        """Choose a bug that stands for itself."""
        query = sa.select(Bug).where(Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None)).order_by(Bug.id)
        found: Bug = self.one(query.where(Bug.status.in_(statuses)) if statuses else query)
        return found

    def report(self) -> Report:
        """Choose somebody's report."""
        here = (Report.customer_id.is_not(None), Report.settled_by.is_distinct_from(SettledBy.WITHDRAWN))
        theirs = sa.select(Report).join(Report.bug).where(*here, Bug.withdrawn_at.is_(None))
        found: Report = self.one(theirs.order_by(Report.id))
        return found

    def announcement(self, *terms: sa.ColumnElement[bool]) -> Announcement:
        """Choose something that is to be told, or was."""
        stands = sa.select(Announcement).where(Announcement.cancelled_at.is_(None), *terms)
        found: Announcement = self.one(stands.order_by(Announcement.id))
        return found

    def message(self, *states: MessageState) -> Message:
        """Choose what somebody is owed."""
        found: Message = self.one(sa.select(Message).where(Message.state.in_(states)).order_by(Message.id))
        return found

    # --- Who was told wrong ---

    def told_of(self, bug_id: int) -> list[Message]:
        """List who counts as told how a bug ended."""
        about = sa.select(Message).join(Message.announcement).where(Announcement.bug_id == bug_id)
        return list(db.session.scalars(about.where(Announcement.kind.in_(OUTCOMES), Message.state.in_(promises.TOLD))))

    def mislead(self, message: Message) -> None:
        """Note that somebody was told what is not so, if they wait again."""
        if message.report.settled_at is None:
            self.misled[message.customer_id, message.report_id] = (message.id, clock.now())

    def mislead_by(self, delivery: int) -> None:
        """Note who was told, when a mail turned out to have arrived, of a bug that they never reported."""
        found = db.session.scalars(sa.select(Message).where(Message.delivery_id == delivery))
        for message in [each for each in found if each.announcement.kind in OUTCOMES]:
            theirs = sa.select(Report).where(Report.customer_id == message.customer_id)
            said = root(message.announcement.bug)
            if not any(root(report.bug) is said for report in db.session.scalars(theirs)):
                self.mislead(message)
