"""Fakturo's company while its story is told: who and what there is, and the verbs that people use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bugintake.cli import fakturo
from bugintake.cli.fakturo import JONAS, LEA, LUKA, PETRA, TEAM, Person, Words
from bugintake.core import clock
from bugintake.core.db import db
from bugintake.duty import absences, overrides, queries, roster, swaps
from bugintake.intake import catalogue, drafts, filing, packs, reports
from bugintake.intake.attachments import keeping
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.quiet import open_day
from bugintake.intake.filing import Typed
from bugintake.intake.models import Bug, Option, OptionList, Question, Report
from bugintake.loop import (
    announcements,
    attempts,
    envelopes,
    facts,
    letters,
    links,
    messages,
    releases,
    replies,
    telling,
)
from bugintake.loop.attempts import Claimed
from bugintake.loop.models import Delivery, DeliveryState, Message
from bugintake.loop.verdicts import Outcome, Phase
from bugintake.team import people, setup
from bugintake.team.models import User
from bugintake.team.workspace import workspace
from bugintake.triage import editing, transitions

TO_CHOOSE, TYPED_IN_A_SECOND = 14, 5  # seconds for the lists, and characters for the texts
NOTHING_MORE: Mapping[str, str] = {}
NO_FILES: Mapping[str, bytes] = {}


@dataclass
class Company:
    """Who and what there is so far, by the names the stories use."""

    users: dict[Person, User] = field(default_factory=dict)
    callers: dict[str, Customer] = field(default_factory=dict)
    options: dict[OptionList, dict[str, Option]] = field(default_factory=dict)
    bugs: dict[str, Bug] = field(default_factory=dict)

    # --- Who they are ------------------------------------------------------------------------------------------

    def found(self) -> None:
        """Set the company up: people, lists, customers, and who takes duty."""
        admin = setup.found_company(
            "Fakturo",
            admin_name=PETRA.name,
            admin_email=address(PETRA.name),
            password_hash=None,
            zone=fakturo.ZONE,
        )
        company = workspace()
        company.is_sample, company.sender_name = True, "Fakturo support"
        company.reply_address = f"support@{fakturo.DOMAIN}"
        self.users[PETRA] = admin
        for person in TEAM[1:]:
            self.users[person] = people.add_user(
                address(person.name), person.name, person.role, actor=admin, zone=person.zone
            )
        self._fill_lists(admin)
        self._add_customers()
        zone = ZoneInfo(fakturo.ZONE)
        roster.create_rotation(
            name="Bug duty",
            zone=fakturo.ZONE,
            start_on=clock.today(zone),
            handoff=time(9),
            until=time(17),
            days=range(5),
            people=[self.users[person] for person in fakturo.IN_TURN],
            actor=self.users[LUKA],
            country=fakturo.COUNTRY,
        )
        company.fallback_owner_id = self.users[LUKA].id

    def _fill_lists(self, admin: User) -> None:
        for label, (german, spanish, aliases) in fakturo.AREAS.items():
            labels = {"en": label, "de": german, "es": spanish}
            catalogue.add_option(OptionList.AREA, label, actor=admin, labels=labels, aliases=aliases.split(","))
        packs.install_pack("web", actor=admin, areas=fakturo.AREAS)
        for version in ("4.11.0", "4.11.1", "4.12.0", "4.12.1", "4.12.2", "4.13.0"):
            catalogue.add_option(OptionList.VERSION, version, actor=admin)
        for kind in OptionList:
            self.options[kind] = {option.label: option for option in catalogue.options_of(kind)}

    def _add_customers(self) -> None:
        lea = self.users[LEA]
        for caller in fakturo.CUSTOMERS:
            account = adding.account_named(caller.company)
            account.plan = fakturo.ACCOUNTS[caller.company]
            host = catalogue.key_of(caller.company).replace("&", "and").replace(" ", "-")
            email = address(caller.name, f"{host}.example") if caller.has_address else None
            self.callers[caller.name.split()[0]] = adding.add_customer(
                email=email, name=caller.name, language=caller.language, actor=lea, account=account
            )

    # --- What they do ------------------------------------------------------------------------------------------

    def file(
        self,
        key: str,
        caller: str | None,
        words: tuple[str, str, str],
        *choices: str,
        by: Person = LEA,
        title: str = "",
        further: Mapping[str, str] = NOTHING_MORE,
        files: Mapping[str, bytes] = NO_FILES,
    ) -> None:
        """File a bug, with a title of its own where the customer's words are in another language than the team's.

        The form was opened as long before as it takes to fill in.
        """
        now, agent = clock.now(), self.users[by]
        clock.freeze(now - timedelta(seconds=TO_CHOOSE + len("".join(words)) // TYPED_IN_A_SECOND))
        form = drafts.new_key(agent)
        clock.freeze(now)
        for name, content in files.items():
            keeping.choose(keeping.form_of(agent, form), name, content, actor=agent)
        told = self.typed(caller, words, *choices, further=further)
        self.bugs[key] = filing.submit(told, None, actor=agent, key=form).bug
        if title:
            editing.rename(self.bugs[key], title, actor=agent)

    def attach(self, key: str, caller: str, words: tuple[str, str, str], *choices: str, by: Person = LEA) -> None:
        """Let one more customer wait for it."""
        filing.submit(self.typed(caller, words, *choices), self.bugs[key], actor=self.users[by], key=None)

    def typed(
        self, caller: str | None, words: tuple[str, str, str], *choices: str, further: Mapping[str, str] = NOTHING_MORE
    ) -> Typed:
        """Fill the form in; the choices come in its order, and may be words that are not listed."""
        given = dict(zip(filing.ASKED, choices, strict=True))
        listed = {kind: self.options[kind][label] for kind, label in given.items() if label in self.options[kind]}
        steps, actual, expected = words
        return Typed(
            customer_id=str(self.callers[caller].id) if caller else "",
            is_found_by_us=caller is None,
            choices={kind: str(option.id) for kind, option in listed.items()},
            not_listed={kind: label for kind, label in given.items() if kind not in listed},
            further=further,
            steps=steps,
            actual=actual,
            expected=expected,
        )

    def bug(self, key: str) -> Bug:
        """Read a bug as it stands."""
        return db.session.get_one(Bug, self.bugs[key].id, populate_existing=True)

    def report(self, key: str, caller: str) -> Report:
        """Find what a customer told about a bug."""
        customer = self.callers[caller]
        found = sa.select(Report).where(Report.bug_id == self.bugs[key].id, Report.customer_id == customer.id)
        return db.session.scalars(found).one()

    def accept(self, key: str, by: Person) -> None:
        """Accept it and own it."""
        transitions.accept(self.bug(key), actor=self.users[by], owner=self.users[by])

    def start(self, key: str, by: Person) -> None:
        """Begin to work on it."""
        transitions.start(self.bug(key), actor=self.users[by])

    def fix(self, key: str, by: Person, version: str, notes: Words) -> None:
        """Say that it is fixed."""
        transitions.fix(self.bug(key), notes, self.options[OptionList.VERSION][version], actor=self.users[by])

    def decline(self, key: str, by: Person, reason: str, notes: Words, ways: Words) -> None:
        """Close it without a fix."""
        chosen = self.options[OptionList.DECLINE_REASON][reason]
        transitions.decline(self.bug(key), chosen, notes, ways, actor=self.users[by])

    def release(self, version: str) -> None:
        """Say that a version is live."""
        releases.release_live(self.options[OptionList.VERSION][version], actor=self.users[LUKA])

    def send(self, outcomes: Mapping[str, Outcome]) -> None:
        """Let everything leave whose review is over; each arrives, unless `outcomes` says otherwise by first name."""
        envelopes.open_due(clock.now())
        due = sa.select(Delivery).where(Delivery.state == DeliveryState.PENDING, Delivery.customer_id.is_not(None))
        for delivery in db.session.scalars(due.order_by(Delivery.id)).all():
            assert delivery.customer is not None
            told = [
                facts.Outcome(message, links.make_links(message.report, message.language))
                for message in attempts.messages_in(delivery.id, *envelopes.OWED)
            ]
            for outcome in told:
                outcome.message.text = letters.text_of(outcome, workspace())
            letter = letters.outcome_letter(told, workspace())
            other = outcomes.get(delivery.customer.name.split()[0])
            delivery.subject = letter.subject
            if other is None:
                self._arrive(delivery)
                continue
            delivery.state, delivery.lease_owner = DeliveryState.SENDING, "sample"
            db.session.flush()
            attempts.finish(Claimed(delivery.id, "sample", delivery.message_id, letter, None, open_day()), other)

    def _arrive(self, delivery: Delivery) -> None:
        delivery.state, delivery.sent_at, delivery.attempts = DeliveryState.ACCEPTED, clock.now(), 1
        delivery.last_phase, delivery.last_code = Phase.DATA, 250
        db.session.flush()
        telling.note_told([delivery.id])

    def tell_by_hand(self, caller: str) -> None:
        """Tell somebody by phone."""
        owed = sa.select(Message).where(Message.customer_id == self.callers[caller].id)
        messages.tell_by_hand(db.session.scalars(owed).one(), actor=self.users[LEA])

    def ask(self, key: str, by: Person, caller: str, text: str, missing: str) -> None:
        """Ask a customer one question, about what was `missing`, which is with them a minute later."""
        transitions.ask(
            self.bug(key),
            self.report(key, caller),
            text,
            actor=self.users[by],
            missing=missing,
            is_for_customer=True,
            language=self.callers[caller].language,
        )
        clock.freeze(clock.now() + announcements.SEND_DELAY)
        self.send({})

    def answer(self, key: str, by: Person, caller: str, text: str) -> None:
        """Take down what a customer answered."""
        asked = sa.select(Question).where(Question.report_id == self.report(key, caller).id)
        transitions.answer(db.session.scalars(asked).one(), text, actor=self.users[by])

    def restrict(self, key: str, by: Person) -> None:
        """Hide it from everybody who has nothing to do with it, and give it to an engineer."""
        editing.restrict(self.bug(key), True, actor=self.users[LUKA])
        editing.assign(self.bug(key), self.users[by], actor=self.users[LUKA])

    def works_now(self, key: str, caller: str) -> None:
        """Hear from a customer that it works."""
        replies.works_now(self.report(key, caller))

    def withdraw(self, key: str, by: Person, caller: str) -> None:
        """Take back what should not have been filed."""
        reports.withdraw(self.report(key, caller), actor=self.users[by])

    def ask_for_swap(self, by: Person, reason: str) -> None:
        """Ask everybody who is free to take a day of duty of the week after this one."""
        coming = queries.upcoming_shifts(self.users[by])
        later = [each for each in coming if each.shift.start > clock.now() + timedelta(days=6)]
        hours = later[0].shift.start, later[0].shift.end
        user = self.users[by]
        swaps.ask(later[0].rotation, *hours, None, actor=user, seen_id=user.id, reason=reason)

    def stand_in(self) -> None:
        """Let Jonas take the next day of duty that a colleague has."""
        plan = queries.current_plan()
        assert plan is not None
        jonas = self.users[JONAS]
        taken = queries.next_shift(clock.now(), plan, but=jonas)
        assert taken is not None
        hours = taken.shift.start, taken.shift.end
        overrides.stand_in(plan.rotation, jonas, *hours, actor=jonas, reason="Swapped a day with me")

    def be_away(self, who: Person, first: datetime, days: int, word: str, by: Person) -> None:
        """Note that somebody takes no duty for some days."""
        last_on = first.date() + timedelta(days=days - 1)
        absences.note_absence(self.users[who], first.date(), last_on, actor=self.users[by], word=word)


def address(name: str, host: str = fakturo.DOMAIN) -> str:
    """Make an address of a name."""
    return f"{catalogue.key_of(name.split()[0]).replace('ı', 'i')}@{host}"
