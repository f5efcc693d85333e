"""A database with many bugs, written in bulk: what a company has after years of use."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate, islice
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.migrating import metadata
from bugintake.core.statistics import count_anew
from bugintake.intake import catalogue, packs, words
from bugintake.intake.customers import finding
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, OptionList, Report, SettledBy, Status
from bugintake.loop import announcements
from bugintake.loop.models import Announcement, AnnouncementKind
from bugintake.team import people, setup
from bugintake.team.models import Role
from bugintake.team.passwords import hash_password

EMAIL, PASSWORD = "mira@bench.example", "correct horse battery staple 71"
AREAS = 200
OPEN_AREAS = 10
OPENED = 500
CUSTOMERS_PER_BUG = 3
BATCH = 2000
LANGUAGES = ("en", "de", "es")
OPEN = (Status.NEW, Status.ACCEPTED, Status.IN_PROGRESS)
WORDS = (
    "The VAT line is missing on the exported invoice",
    "Saving the form answers with an error",
    "The list takes a minute to open",
    "The reminder goes out twice",
    "The picture is saved lying on its side",
    "Nothing happens when the button is pressed",
    "The total is one cent too high",
)
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnr" for vowel in "aeo"]
RARER = list(accumulate(1 / rank for rank in range(1, len(SYLLABLES) ** 3 + 1)))  # as often as Zipf's law has it


@dataclass(frozen=True)
class Seeded:
    """What to ask for."""

    count: int
    area_id: int
    big_bug: int
    open_bugs: list[int]
    choices: dict[str, int]
    customers: int


def seed(count: int, opened: int = OPENED) -> Seeded:
    """Fill an empty, migrated database with so many bugs, some of them open, and three reports each."""
    with transaction():
        admin = setup.found_company(
            "Bench",
            admin_name="Petra",
            admin_email="petra@bench.example",
            password_hash=None,
        )
        people.add_user(EMAIL, "Mira", Role.ENGINEER, actor=admin, password_hash=hash_password(PASSWORD))
        packs.install_pack("web", actor=admin, areas=[f"Area {number:03}" for number in range(AREAS)])
        for number in range(20):
            catalogue.add_option(OptionList.VERSION, f"4.{number}.0", actor=admin)
        db.session.execute(sa.insert(Account), [{"name": "Bench", "name_key": "bench"}])
    found = catalogue.choices()
    choices = {kind: [option.id for option in found[kind]] for kind in OptionList}
    reasons = choices[OptionList.DECLINE_REASON]
    customers = max(1000, count)
    opened = min(count, opened)
    with _indexed_afterwards():
        _insert(Customer, _customers(customers))
        _insert(Bug, _bugs(count, opened, choices, reasons[0]))
        _insert(Report, _reports(count, opened, customers, choices))
        _insert(Event, _events(count, opened))
        for start in range(1, count + 1, BATCH):
            with transaction():
                words.learn(range(start, min(start + BATCH, count + 1)))
        for start in range(1, customers + 1, BATCH):
            with transaction():
                finding.learn(range(start, min(start + BATCH, customers + 1)))
    with db.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        if db.engine.dialect.name == "postgresql":
            for table in ("bugs", "reports", "events", "customers"):
                connection.execute(sa.text(f"SELECT setval('{table}_id_seq', (SELECT max(id) FROM {table}))"))
            connection.execute(sa.text("VACUUM ANALYZE"))
    count_anew()
    chosen = {kind.value: found[0] for kind, found in choices.items()}
    return Seeded(count, choices[OptionList.AREA][0], 1, list(range(2, opened + 1)), chosen, customers)


@contextmanager
def _indexed_afterwards() -> Iterator[None]:
    """Let PostgreSQL sort each index once, when all is there; SQLite is no faster that way."""
    if db.engine.dialect.name == "sqlite":
        yield
        return
    tables = "('bugs', 'bug_words', 'reports', 'events', 'customers', 'customer_words')"
    found = f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN {tables} AND indexname LIKE 'ix_%'"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        indexes = connection.execute(sa.text(found)).all()
        for name, _made in indexes:
            connection.execute(sa.text(f"DROP INDEX {name}"))
        yield
        for _name, made in indexes:
            connection.execute(sa.text(made))


def _insert(model: Any, rows: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(rows, BATCH)):
        with transaction():
            db.session.execute(sa.insert(model.__table__), batch)


def _customers(count: int) -> Iterator[dict[str, Any]]:
    for number in range(1, count + 1):
        yield {
            "id": number,
            "email": f"c{number}@customer.example",
            "name": name_of(number),
            "name_key": name_of(number).casefold(),
            "language": ("en", "de", "es")[number % 3],
            "account_id": 1,
            "suppressed_because": "",
        }


def name_of(number: int) -> str:
    """Make up what somebody is called: one of a few hundred first names, and a family name that few share."""
    chance = random.Random(number)
    first, family = chance.choices(SYLLABLES, k=2), chance.choices(SYLLABLES, k=3)
    return f"{''.join(first)} {''.join(family)}".title()


def _bugs(count: int, opened: int, choices: dict[OptionList, list[int]], reason: int) -> Iterator[dict[str, Any]]:
    """Yield the open ones first: as many in each of ten areas; the others are told long since."""
    now = clock.now()
    impacts, symptoms, areas = choices[OptionList.IMPACT], choices[OptionList.SYMPTOM], choices[OptionList.AREA]
    for number in range(1, count + 1):
        is_open = number <= opened
        status = OPEN[number % 3] if is_open else (Status.DECLINED if number % 9 == 0 else Status.LIVE)
        at = now - (timedelta(minutes=20 * number) if is_open else timedelta(days=30, minutes=number))
        yield {
            "id": number,
            "title": title_of(number),
            "status": status,
            "status_since_at": at,
            "generation": 1,
            "canonical_id": number,
            "is_restricted": False,
            "area_id": areas[number % OPEN_AREAS] if is_open else areas[number % AREAS],
            "symptom_id": symptoms[number % len(symptoms)],
            "impact_id": impacts[number % len(impacts)],
            "impact_rank": number % len(impacts) + 1,
            "owner_id": 2 if status in (Status.ACCEPTED, Status.IN_PROGRESS) else None,
            "filed_by_id": 1,
            "filed_at": at - timedelta(hours=1),
            "changed_at": at,
            "waiting_count": reports_of(number) if is_open else 0,
            "decline_reason_id": reason if status is Status.DECLINED else None,
            "customer_notes": {},
            "workarounds": {},
            "has_no_workaround": status is Status.DECLINED,
        }


def title_of(number: int) -> str:
    """Make up what a bug is called: one of a few sentences, and three words that most others do not have."""
    chance = random.Random(number)  # the same every time
    ranks = chance.choices(range(len(RARER)), cum_weights=RARER, k=3)
    return f"{WORDS[number % len(WORDS)]}: {' '.join(map(_word, ranks))} ({number})"


def _word(rank: int) -> str:
    many = len(SYLLABLES)
    return SYLLABLES[rank % many] + SYLLABLES[rank // many % many] + SYLLABLES[rank // many**2]


def reports_of(number: int) -> int:
    """Tell how many people told of a bug: twenty of the first, three of the others."""
    return 20 if number == 1 else CUSTOMERS_PER_BUG


def _reports(count: int, opened: int, customers: int, choices: dict[OptionList, list[int]]) -> Iterator[dict[str, Any]]:
    now = clock.now()
    first = {f"{kind.value}_id": found[0] for kind, found in choices.items() if kind is not OptionList.DECLINE_REASON}
    text = "Open an invoice, export it, and compare it with the preview. " * 3
    identity = 0
    for number in range(1, count + 1):
        for place in range(reports_of(number)):
            identity += 1
            is_told = number > opened
            yield {
                **first,
                "id": identity,
                "bug_id": number,
                "customer_id": (number * CUSTOMERS_PER_BUG + place) % customers + 1,
                "filed_by_id": 1,
                "filed_at": now - timedelta(days=40, minutes=identity % 1000),
                "steps": text,
                "actual": WORDS[number % len(WORDS)],
                "expected": "It works.",
                "source": "",
                "settled_at": now if is_told else None,
                "settled_by": SettledBy.TOLD if is_told else None,
            }


def _events(count: int, opened: int) -> Iterator[dict[str, Any]]:
    at = clock.now() - timedelta(days=40)
    common = {"at": at, "actor_id": 1, "details": {}}
    for number in range(1, count + 1):
        yield {**common, "kind": EventKind.REPORT_FILED, "bug_id": number, "before": None, "after": None}
        for _ in range(reports_of(number) - 1):
            yield {**common, "kind": EventKind.REPORT_ATTACHED, "bug_id": number, "before": None, "after": None}
        if number > opened:
            yield {**common, "kind": EventKind.BUG_LIVE, "bug_id": number, "before": "fixed", "after": "live"}


def owe(count: int) -> None:
    """Owe a message about one live bug to so many people, released and due."""
    bug_id = db.session.scalar(sa.select(sa.func.max(Bug.id)).where(Bug.status == Status.LIVE)) or 0
    with transaction():
        wait(bug_id, count)
        announcement = Announcement(
            kind=AnnouncementKind.LIVE,
            bug_id=bug_id,
            generation=1,
            notes=dict.fromkeys(LANGUAGES, "The VAT line is printed again."),
            due_at=clock.now(),
        )
        db.session.add(announcement)
        db.session.flush()
        announcements.owe(announcement)


def wait(bug_id: int, count: int) -> None:
    """Let so many new people wait for one bug, within a transaction."""
    last = db.session.scalar(sa.select(sa.func.max(Customer.id))) or 0
    report = db.session.scalars(sa.select(Report).order_by(Report.id).limit(1)).first()
    assert report is not None
    shared = {c.name: getattr(report, c.name) for c in Report.__table__.columns}
    waiting = {"bug_id": bug_id, "settled_at": None, "settled_by": None}
    for start in range(0, count, BATCH):
        numbers = range(last + 1 + start, last + 1 + min(start + BATCH, count))
        people = [
            {**row, "id": number, "email": f"m{number}@mail.example", "language": LANGUAGES[number % 3]}
            for number, row in zip(numbers, _customers(len(numbers)), strict=True)
        ]
        db.session.execute(sa.insert(metadata().tables["customers"]), people)
        reports = [{**shared, **waiting, "id": 10_000_000 + number, "customer_id": number} for number in numbers]
        db.session.execute(sa.insert(metadata().tables["reports"]), reports)
