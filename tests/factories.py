"""Valid things in the fewest words, made through the real verbs. A test names only what it is about."""

import io
import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from PIL import Image

from bugintake.core import clock, events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.intake import attaching, catalogue, further_lists, reports
from bugintake.intake.attachments import keeping
from bugintake.intake.attachments.models import Attachment
from bugintake.intake.customers import adding
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.further_lists import Terms
from bugintake.intake.list_models import FurtherList
from bugintake.intake.models import Bug, Option, OptionList, Report, Status
from bugintake.intake.reports import Telling
from bugintake.team.models import Role, User, Workspace
from bugintake.triage import merging, transitions

_numbers = itertools.count(1)
MONDAY_NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)

LABELS = {
    OptionList.AREA: "Invoices › PDF export",
    OptionList.SYMPTOM: "Shows the wrong thing",
    OptionList.IMPACT: "Hard to work",
    OptionList.FREQUENCY: "Always",
    OptionList.PLATFORM: "Chrome on Windows",
    OptionList.VERSION: "4.12.1",
    OptionList.DECLINE_REASON: "Works as intended",
}


def make_workspace(**values: Any) -> Workspace:
    """Set the workspace up, or change the one that is there."""
    with transaction():
        found = db.session.get(Workspace, 1)
        if found is None:
            found = Workspace(**{"name": "Fakturo", "sender_name": "Fakturo support", **values})
            db.session.add(found)
        else:
            for name, value in values.items():
                setattr(found, name, value)
        events.record(EventKind.WORKSPACE_SET_UP, actor=None)
    return found


def make_user(role: Role = Role.ENGINEER, name: str | None = None, **values: Any) -> User:
    """Add a person to the team; the name leads to the address."""
    number = next(_numbers)
    name = name or f"{role.value.title()} {number}"
    email = values.pop("email", f"{name.split()[0].lower()}{number}@team.test")
    with transaction():
        user = User(email=email, name=name, role=role, **values)
        db.session.add(user)
    return user


def make_option(kind: str, label: str | None = None, **values: Any) -> Option:
    """Return the choice with this label, adding it where the list has none."""
    label = label or LABELS[kind]
    with transaction():
        found = catalogue.option_labelled(kind, label)
        return found or catalogue.add_option(kind, label, actor=None, **values)


def make_list(label: str = "Browser extension", *choices: str, **terms: Any) -> FurtherList:
    """Add a further list with these choices."""
    with transaction():
        found = further_lists.add_list(Terms(label=label, **terms), actor=None)
        for choice in choices:
            catalogue.add_option(found.name, choice, actor=None)
    return found


def make_version(label: str = "4.13.0", *, live_since: datetime | None = None) -> Option:
    """Return a version, live or not."""
    option = make_option(OptionList.VERSION, label)
    with transaction():
        option.live_since_at = live_since
    return option


def make_customer(
    name: str | None = None, *, email: str | None = None, language: str = "en", company: str | None = None
) -> Customer:
    """Add a customer, with an address unless `email` is the empty string."""
    number = next(_numbers)
    name = name or f"Customer {number}"
    address = f"customer{number}@example.com" if email is None else email
    with transaction():
        account: Account | None = adding.account_named(company) if company else None
        return adding.add_customer(email=address or None, name=name, language=language, actor=None, account=account)


def make_telling(customer: Customer | None = None, **values: Any) -> Telling:
    """Tell about a bug: every choice may be given as an option or as its label."""
    given = {kind.value: values.pop(kind.value, None) or LABELS[kind] for kind in catalogue.NEEDED}
    texts = {
        "steps": "1. Open an invoice\n2. Choose Export, then PDF",
        "actual": "The VAT line is missing. Only the total is there.",
        "expected": "A VAT line above the total.",
    }
    return Telling(customer=customer, **_choices(given), **{**texts, **values})


def _choices(given: dict[str, Option | str]) -> dict[str, Option]:
    """Find choices by their labels, and add those that are missing."""
    keys = {kind: catalogue.key_of(label) for kind, label in given.items() if isinstance(label, str)}
    same = sa.or_(sa.false(), *(sa.and_(Option.list == kind, Option.label_key == key) for kind, key in keys.items()))
    with transaction():
        query = sa.select(Option).where(same, Option.merged_into_id.is_(None))
        found = {option.list: option for option in db.session.scalars(query)}
        missing = [(kind, label) for kind, label in given.items() if kind in keys and kind not in found]
        return given | found | {option.list: option for option in add_choices(missing)}


def add_choices(words: Sequence[tuple[str, str]]) -> list[Option]:
    """Add choices at the end of their lists, each a list and a label, all at once: most tests begin with some."""
    last = sa.select(Option.list, sa.func.max(Option.position)).group_by(Option.list)
    taken = Counter(dict[str, int](map(tuple, db.session.execute(last))))
    added = []
    for kind, label in words:
        taken[kind] += 1
        same = {"list": kind, "label": label, "label_key": catalogue.key_of(label), "position": taken[kind]}
        added.append(Option(**same, is_unsure=label == "Not sure"))
    if added:
        db.session.add_all(added)
        db.session.flush()
        what = {"kind": EventKind.OPTION_ADDED, "at": clock.now(), "details": {}}
        events.record_many([{**what, "option_id": option.id, "after": option.label} for option in added])
    return added


def make_report(
    customer: Customer | None = None, *, bug: Bug | None = None, actor: User | None = None, **values: Any
) -> Report:
    """File a report, or attach it to a bug."""
    actor = actor or make_user(Role.AGENT)
    customer = customer or make_customer()
    telling = make_telling(customer, **values)
    with transaction():
        if bug is not None:
            return attaching.attach(bug, telling, actor=actor)
        return reports.file_report(telling, actor=actor)


def make_bug(
    status: Status = Status.NEW, *, waiting: list[Customer] | None = None, actor: User | None = None, **values: Any
) -> Bug:
    """File a bug for the people who wait and bring it to a status; `values` go into the first report."""
    actor = actor or make_user(Role.ENGINEER)
    people = waiting if waiting is not None else [make_customer()]
    telling = make_telling(people[0] if people else None, **values)
    with transaction():
        bug = reports.file_report(telling, actor=actor).bug
    for customer in people[1:]:
        make_report(customer, bug=bug, actor=actor, **values)
    bring_to(bug, status, actor=actor)
    return db.session.scalars(sa.select(Bug).where(Bug.id == bug.id)).one()


def merge(bug: Bug, into: Bug, *, actor: User | None = None) -> Bug:
    """Make a bug a part of another one."""
    actor = actor or make_user(Role.LEAD)
    with transaction():
        merging.merge(bug, into, actor=actor)
    return bug


def make_attachment(bug: Bug, name: str = "screen.png", data: bytes | None = None) -> Attachment:
    """Add a file to the first report of a bug; a picture where nothing is said."""
    report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id)).first()
    assert report is not None
    form = keeping.form_of(report.filed_by, f"form {next(_numbers)}")
    chosen = keeping.choose(form, name, data or make_picture(), actor=report.filed_by)
    with transaction():
        keeping.attach(form, report)
    return chosen


def make_picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **saved: Any) -> bytes:
    """Draw a picture; `saved` is what Pillow takes when it saves."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(target, kind, **saved)
    return target.getvalue()


def bring_to(bug: Bug, status: Status, *, actor: User) -> None:
    """Move a bug to a status through the verbs."""
    if status == Status.NEW:
        return
    note = {"en": "The VAT line is back.", "de": "Die Steuerzeile ist wieder da.", "es": "La línea de IVA ha vuelto."}
    release = make_version() if status in (Status.FIXED, Status.LIVE) else None
    reason = make_option(OptionList.DECLINE_REASON) if status == Status.DECLINED else None
    with transaction():
        if status == Status.ACCEPTED:
            transitions.accept(bug, actor=actor)
        elif status == Status.IN_PROGRESS:
            transitions.start(bug, actor=actor)
        elif status == Status.NEEDS_INFO:
            report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).first()
            assert report is not None
            transitions.ask(bug, report, "Which browser?", actor=actor)
        elif status == Status.DECLINED:
            assert reason is not None
            transitions.decline(bug, reason, note, {}, actor=actor)
        else:
            transitions.fix(bug, note, release, actor=actor)
            if status == Status.LIVE:
                assert release is not None
                release.live_since_at = release.live_since_at or datetime.now(UTC)
                transitions.go_live(bug, actor=actor)
