"""Many customers at once, as in an outage: who is meant by a pasted list or a company, and letting all of them wait."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, one_at_a_time
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import clean_line
from bugintake.core.security import hash_secret
from bugintake.intake import attaching, filing, waiting
from bugintake.intake.customers import adding, queries
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, OptionList, Report, SettledBy
from bugintake.intake.reports import TEXT_LENGTH, canonical, hold_canonical
from bugintake.team.models import LANGUAGES, User
from bugintake.team.workspace import workspace

MOST = 500
_ENTRY = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<name>[^",;<>]*?))\s*<(?P<inside>[^<>]*)>|(?P<bare>[^,;]+)')


@dataclass(frozen=True)
class Entry:
    """One address of a pasted list: the line it stands in, its name where it has one; or why it is none."""

    line: int
    address: str
    name: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Crowd:
    """Who is meant by a list: known customers, new people with the language guessed for each, and those who wait."""

    known: Sequence[Customer]
    new: Sequence[tuple[Entry, str]]
    waiting: Sequence[Customer]
    refused: Sequence[Entry]

    @property
    def count(self) -> int:
        """How many people will wait who do not now."""
        return len(self.known) + len(self.new)

    def only(self, people: Collection[str], addresses: Collection[str]) -> "Crowd":
        """Leave out everybody but these: known customers by number, new people by address."""
        known = [each for each in self.known if str(each.id) in people]
        return replace(self, known=known, new=[each for each in self.new if each[0].address in addresses])


def entries_in(text: str) -> list[Entry]:
    """Read pasted addresses: in lines, between commas, semicolons or blanks, and as Hana Kovač <hana@example.com>.

    An address that stands there twice counts once. Raises Invalid for more than 500.
    """
    found: dict[str, Entry] = {}
    for number, line in enumerate(text.split("\n"), 1):
        for match in _ENTRY.finditer(line):
            for name, typed in _pieces(match):
                entry = _entry(number, name, typed)
                found.setdefault(entry.address or f"{number} {typed}", entry)
    if len(found) > MOST:
        raise Invalid(f"That is more than {MOST} addresses. Paste them in parts.", "addresses")
    return list(found.values())


def meant(bug: Bug, text: str, company: str) -> Crowd:
    """Say who is meant by pasted addresses, or by a company's name, and who of them waits for a bug already.

    The beginning of a name will do where it is that of one company. Raises Invalid where nobody is meant, for a company
    that nobody knows or that may be several, or more than 500 people.
    """
    entries = entries_in(text)
    good = {entry.address: entry for entry in entries if not entry.refusal}
    found = _with_addresses(list(good))
    people = list(dict.fromkeys(found.values()))
    people += [each for each in _people_of(company) if each not in people]
    if not people and not entries:
        raise Invalid("Paste addresses, or name a company.", "addresses")
    wait = waiting.unsettled_under(canonical(bug).id).with_only_columns(Report.customer_id)
    waits = set(db.session.scalars(wait.where(Report.customer_id.in_([each.id for each in people]))))
    ours = workspace()
    return Crowd(
        known=[each for each in people if each.id not in waits],
        new=[
            (each, adding.language_of(each.address, ours.language, ours.languages))
            for each in good.values()
            if each.address not in found
        ],
        waiting=[each for each in people if each.id in waits],
        refused=[entry for entry in entries if entry.refusal],
    )


def attach_all(
    bug: Bug, crowd: Crowd, *, words: str, languages: Mapping[str, str], actor: User, key: str, version: str = ""
) -> str:
    """Let everybody of a crowd wait for a bug who does not yet, all or none, and return the name to take it back by.

    Who is new is added, in the language chosen for their address. Sent twice, it happens once. Records report.attached
    for each; a live bug comes back, unless their `version` lacks the fix. Raises Conflict for a bug that was taken
    back, Invalid as add_customer, and where the version has to be known.
    """
    bug = canonical(bug)
    batch = hash_secret(f"crowd {actor.id} {bug.id} {key}")[:32]
    one_at_a_time(f"crowd {batch}")
    if _made_by(batch, bug) or _waiting_again_by(batch, bug):
        return batch
    if len(words) > TEXT_LENGTH:
        raise Invalid(f"That is longer than {TEXT_LENGTH:,} characters.", "actual")
    new_people = sorted(crowd.new, key=lambda new: new[0].address)  # one order, as two crowds may name the same people
    added = [_added(entry, languages.get(entry.address, guess), actor) for entry, guess in new_people]
    bug = hold_canonical(bug)
    if bug.withdrawn_at is not None:
        raise Conflict(f"{bug.ref} was taken back, so nobody can wait for it.")
    people = {each.id: each for each in adding.hold_standing([*crowd.known, *added])}
    theirs = waiting.reports_under(bug.id).where(Report.customer_id.in_(people)).order_by(Report.id)
    earlier = {report.customer_id: report for report in db.session.scalars(theirs)}
    again = [
        (report, attaching.wait_again(report, words)) for report in earlier.values() if report.settled_at is not None
    ]
    chosen = filing.options_chosen(filing.Typed(choices={OptionList.VERSION: version}), bug)
    choices = {f"{kind}_id": chosen[kind].id for kind in OptionList if kind in chosen}
    texts = {"actual": words, "filed_by_id": actor.id, "bug_id": bug.id}
    new = [
        Report(customer_id=number, submission_key=f"{batch}:{number}", **choices, **texts)
        for number in people
        if number not in earlier
    ]
    db.session.add_all(new)
    bug.changed_at = clock.now()
    waiting.recount([bug.id])
    live = attaching.where_live(bug, chosen[OptionList.VERSION])
    for report, before in again:
        what = {"crowd": batch, **before, **live}
        events.record(EventKind.REPORT_ATTACHED, actor=actor, bug=bug, report=report, **what)
    for report in new:
        events.record(EventKind.REPORT_ATTACHED, actor=actor, bug=bug, report=report, **live)
    return batch


def take_back(bug: Bug, batch: str, *, actor: User) -> int:
    """Take the reports of one crowd back without a word to anybody, and count them. Records report.withdrawn for each.

    Who was told meanwhile stays told; who had waited before still waits, and who had stopped does again. Raises
    Conflict where nothing is left to take back.
    """
    bug = hold_canonical(bug)
    new = [report for report in _made_by(batch, bug) if report.settled_at is None]
    again = _waiting_again_by(batch, bug)
    if not new and not again:
        raise Conflict("Nothing of it is left to take back.")
    for report in new:
        report.settled_at, report.settled_by = clock.now(), SettledBy.WITHDRAWN
    for report, before in again:
        attaching.stand_as_before(report, before)
    bug.changed_at = clock.now()
    waiting.recount([bug.id])
    taken = [*new, *(report for report, _before in again)]
    for report in taken:
        told = attaching.last_telling(report)
        events.record(EventKind.REPORT_WITHDRAWN, actor=actor, bug=bug, report=report, attached=told and told.id)
    return len(taken)


def _waiting_again_by(batch: str, bug: Bug) -> list[tuple[Report, dict[str, Any]]]:
    """Find who waits again since a crowd was attached, and was not attached again since, with how they had stopped."""
    later = sa.orm.aliased(Event)
    is_same = (later.report_id == Event.report_id, later.kind == EventKind.REPORT_ATTACHED)
    last = sa.select(sa.func.max(later.id)).where(*is_same).scalar_subquery()
    under = sa.select(Bug.id).where(Bug.canonical_id == bug.id)  # it may have been merged since
    of_it = sa.select(Event).where(Event.bug_id.in_(under), Event.kind == EventKind.REPORT_ATTACHED, Event.id == last)
    events_of_it = db.session.scalars(of_it.where(Event.details["crowd"].as_string() == batch).order_by(Event.id)).all()
    found = [(db.session.get_one(Report, event.report_id), event.details) for event in events_of_it]
    return [(report, before) for report, before in found if report.settled_at is None]


def _pieces(match: re.Match[str]) -> list[tuple[str, str]]:
    if match["inside"] is not None:
        return [(match["quoted"] or match["name"] or "", match["inside"])]
    words = match["bare"].split()
    return [("", word) for word in words] if words and all("@" in word for word in words) else [("", match["bare"])]


def _entry(line: int, name: str, typed: str) -> Entry:
    try:
        return Entry(line, adding.normalise_address(typed), clean_line(name)[: adding.NAME_LENGTH])
    except Invalid as refusal:
        return Entry(line, clean_line(typed), refusal=refusal.sentence)


def _with_addresses(addresses: Sequence[str]) -> dict[str, Customer]:
    found = sa.select(Customer).where(Customer.email.in_(addresses)).order_by(Customer.name_key, Customer.id)
    return {each.email or "": adding.standing_for(each) for each in db.session.scalars(found)}


def _people_of(company: str) -> Sequence[Customer]:
    if not company:
        return []
    account = _company_meant(company)
    theirs = sa.select(Customer).where(Customer.account_id == account.id, Customer.erased_at.is_(None))
    theirs = theirs.where(Customer.merged_into_id.is_(None)).order_by(Customer.name_key, Customer.id)
    people = db.session.scalars(theirs.limit(MOST + 1)).all()
    if not people:
        raise Invalid("This company has no people yet.", "company")
    if len(people) > MOST:
        raise Invalid(f"This company has more than {MOST} people. Paste the addresses in parts.", "company")
    return people


def _company_meant(company: str) -> Account:
    account = adding.account_called(company)
    if account is not None:
        return account
    like = queries.companies_like(company)
    if not like:
        raise Invalid("No company is called that.", "company")
    if len(like) > 1:
        names = "; ".join(each.name for each in like)
        raise Invalid(f"That may be several companies: {names}. Give the whole name of one.", "company")
    return like[0]


def _added(entry: Entry, language: str, actor: User) -> Customer:
    chosen = language if language in LANGUAGES else workspace().language
    return adding.known_or_new(entry.address, name=entry.name, language=chosen, actor=actor)


def _made_by(batch: str, bug: Bug) -> Sequence[Report]:
    begins = Report.submission_key.startswith(f"{batch}:", autoescape=True)  # no range: languages sort ":" differently
    found = waiting.reports_under(bug.id).where(begins)
    return db.session.scalars(found.order_by(Report.id)).all()
