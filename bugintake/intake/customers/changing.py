"""Changing what is known of customers and accounts: details, numbers of other systems, notes, mail that comes back."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

import sqlalchemy as sa

from bugintake.core import events
from bugintake.core.db import db, hold, one_at_a_time, update_all
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.core.forms import Seen, clean_line, is_zone
from bugintake.core.templating import ago_in_words
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers import adding, finding, queries
from bugintake.intake.customers.models import Account, Customer, ExternalId, StaffNote
from bugintake.team import people
from bugintake.team.models import LANGUAGES, User

NOTE_LENGTH = 4000
PLAN_LENGTH = 80
YES, NO = "yes", "no"
VALUE_LENGTH = 120
MOST_IDS = 20
_ID = re.compile(r"([a-z][a-z0-9_.-]{0,31})\s*[:=]\s*(\S.*)", re.IGNORECASE | re.ASCII)

Ids = tuple[tuple[str, str], ...]


def change_customer(customer: Customer, typed: Mapping[str, Any], seen: Seen, *, actor: User | None) -> None:
    """Change what is known of a person, each field for itself: name, email, language, zone, company, ids, quiet_until.

    A new address ends what was held against the old one. Records customer.changed with the names of the fields. Raises
    Invalid for what cannot be, Stale where somebody else changed a field since it was `seen`, Conflict for a person who
    was erased or merged.
    """
    hold(customer)
    if customer.erased_at is not None or customer.merged_into_id is not None:
        raise Conflict("This person's record was erased or merged, so nothing of it changes any more.")
    changes = seen.changes(shown_of_customer(customer), typed, partial(_who_changed, customer))
    if "name" in changes:
        customer.name = _name(changes["name"] or (customer.email or "").partition("@")[0])
        customer.name_key = key_of(customer.name, adding.NAME_LENGTH)
    if "email" in changes:
        _readdress(customer, changes["email"])
    if "language" in changes:
        if changes["language"] not in LANGUAGES:
            raise Invalid(f"Customers are written to in {', '.join(LANGUAGES.values())}.", "language")
        customer.language = changes["language"]
    if "zone" in changes:
        if changes["zone"] and not is_zone(changes["zone"]):
            raise Invalid(f"There is no time zone named {changes['zone']}.", "zone")
        customer.zone = changes["zone"] or None
    if "company" in changes:
        customer.account = adding.account_named(changes["company"]) if changes["company"] else None
    _keep(customer, changes, EventKind.CUSTOMER_CHANGED, actor)


def change_account(account: Account, typed: Mapping[str, Any], seen: Seen, *, actor: User | None) -> None:
    """Change what is known of a company: name, plan, own_version (yes or no), owner (an address), ids, quiet_until.

    Each field is changed for itself. Records account.changed. Raises as change_customer, and Invalid for a name that
    another company has and for an owner who does not work here.
    """
    hold(account)
    if account.merged_into_id is not None:
        raise Conflict("This company was merged, so nothing of it changes any more.")
    changes = seen.changes(shown_of_account(account), typed, partial(_who_changed, account))
    if "name" in changes:
        name = _name(changes["name"])
        key = key_of(name, adding.NAME_LENGTH)
        one_at_a_time(f"account {key}")
        taken = sa.select(Account.id).where(Account.name_key == key, Account.id != account.id)
        if db.session.scalar(taken) is not None:
            raise Invalid("There is already a company of this name. Merge the two instead.", "name")
        account.name, account.name_key = name, key
    if "plan" in changes:
        if len(changes["plan"]) > PLAN_LENGTH:
            raise Invalid(f"A plan has at most {PLAN_LENGTH} characters.", "plan")
        account.plan = changes["plan"]
    if "own_version" in changes:
        if changes["own_version"] not in (YES, NO, ""):
            raise Invalid("Whether they run their own version is yes or no.", "own_version")
        account.runs_own_version = changes["own_version"] == YES
    if "owner" in changes:
        account.owner = _colleague(changes["owner"]) if changes["owner"] else None
    _keep(account, changes, EventKind.ACCOUNT_CHANGED, actor)


def shown_of_customer(customer: Customer) -> dict[str, Any]:
    """Return what a page shows of a person, by field, as it is compared when it is changed."""
    return {
        "name": customer.name,
        "email": customer.email or "",
        "language": customer.language,
        "zone": customer.zone or "",
        "company": customer.account.name if customer.account else "",
        "ids": written(queries.external_ids(customer)),
        "quiet_until": customer.quiet_until_on.isoformat() if customer.quiet_until_on else "",
    }


def shown_of_account(account: Account) -> dict[str, Any]:
    """Return what a page shows of a company, by field."""
    return {
        "name": account.name,
        "plan": account.plan,
        "own_version": YES if account.runs_own_version else NO,
        "owner": account.owner.email if account.owner is not None else "",
        "ids": written(queries.external_ids(account)),
        "quiet_until": account.quiet_until_on.isoformat() if account.quiet_until_on else "",
    }


def written(ids: Iterable[ExternalId]) -> str:
    """Write numbers of other systems as people do: crm: 4711, one in a line."""
    return "\n".join(f"{each.system}: {each.value}" for each in ids)


def ids_in(text: str) -> Ids:
    """Read what `written` writes; a semicolon parts like a line end. Raises Invalid with the line that is none."""
    found = []
    for number, line in enumerate(re.split(r"[\n;]", text), 1):
        if not line.strip():
            continue
        match = _ID.fullmatch(clean_line(line))
        if match is None or len(match[2]) > VALUE_LENGTH:
            raise Invalid(f"Line {number} is not a system and its number, like “crm: 4711”.", "ids")
        if "@" in match[2]:  # everybody here reads these numbers, and not everybody reads addresses
            raise Invalid(f"Line {number} is an address: it belongs into the field of its own.", "ids")
        found.append((match[1].lower(), match[2]))
    if len(found) > MOST_IDS:
        raise Invalid(f"That is more than {MOST_IDS} numbers.", "ids")
    return tuple(sorted(set(found)))


def day_in(text: str) -> date | None:
    """Read a day as forms and files write it, 2027-03-01; nothing is none. Raises Invalid."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid("Write the day as year, month and day: 2027-03-01.", "quiet_until") from error


def write_note(owner: Customer | Account, text: str, *, actor: User) -> StaffNote:
    """Write a note for the team. Records customer.note_written.

    Raises Invalid for an empty or overlong text, Conflict for a record that was erased or merged: nobody would see it.
    """
    hold(owner)
    if owner.merged_into_id is not None or getattr(owner, "erased_at", None) is not None:
        raise Conflict("This record was erased or merged, so there is nothing to write a note on any more.")
    if not text or len(text) > NOTE_LENGTH:
        raise Invalid(f"A note has 1 to {NOTE_LENGTH:,} characters.", "text")
    note = StaffNote(text=text, written_by_id=actor.id, **_owner(owner))
    db.session.add(note)
    db.session.flush()
    events.record(EventKind.CUSTOMER_NOTE_WRITTEN, actor=actor, note_id=note.id, **_owner(owner))
    return note


def remove_note(note: StaffNote, *, actor: User) -> None:
    """Take a note away that is no longer so. Records customer.note_removed."""
    owner: dict[str, Any] = {"customer_id": note.customer_id, "account_id": note.account_id}
    db.session.delete(note)
    events.record(EventKind.CUSTOMER_NOTE_REMOVED, actor=actor, note_id=note.id, **owner)


def lift_suppression(customer: Customer, *, actor: User) -> None:
    """Let mail go to an address again that came back; what was not sent meanwhile stays unsent.

    Records customer.suppression_lifted. Raises Conflict where nothing stands against mail.
    """
    hold(customer)
    if customer.suppressed_at is None:
        raise Conflict("Mail goes to this address already.")
    customer.suppressed_at, customer.suppressed_because = None, ""
    events.record(EventKind.SUPPRESSION_LIFTED, actor=actor, customer_id=customer.id)


def _colleague(email: str) -> User:
    found = people.user_by_email(email)
    if found is None or not found.is_active:
        raise Invalid(f"Nobody who works here has the address {email}.", "owner")
    return found


def _name(text: str) -> str:
    if not text or len(text) > adding.NAME_LENGTH:
        raise Invalid(f"A name has 1 to {adding.NAME_LENGTH} characters.", "name")
    return text


def _readdress(customer: Customer, text: str) -> None:
    address = adding.normalise_address(text) if text else None
    if address is not None:
        one_at_a_time(f"customer {address}")
        taken = adding.customer_with(address)
        if taken is not None and taken.id != customer.id:
            raise Invalid("There is already a customer with this address. Merge the two instead.", "email")
        merged = sa.update(Customer).where(Customer.email == address, Customer.id != customer.id)
        update_all(merged.values(email=None))  # it was that of a record which became this one
    customer.email, customer.suppressed_at, customer.suppressed_because = address, None, ""


def _keep(
    owner: Customer | Account, changes: dict[str, Any], kind: EventKind, actor: User | None, **about: int
) -> None:
    if not changes:
        return
    if "quiet_until" in changes:
        owner.quiet_until_on = day_in(changes["quiet_until"])
    if "ids" in changes:
        _set_ids(owner, ids_in(changes["ids"]))
    db.session.flush()
    is_person = isinstance(owner, Customer)
    finding.learn([owner.id] if is_person else (), () if is_person else [owner.id])
    events.record(kind, actor=actor, **_owner(owner), fields=sorted(changes))


def _set_ids(owner: Customer | Account, ids: Ids) -> None:
    mine = ExternalId.customer_id if isinstance(owner, Customer) else ExternalId.account_id
    for system, value in ids:
        one_at_a_time(f"external id {system} {value}")
        taken = sa.select(ExternalId.id).where(ExternalId.system == system, ExternalId.value == value)
        if db.session.scalar(taken.where(mine.is_not(None), mine != owner.id)) is not None:
            raise Invalid(f"{system} {value} is somebody else's already. Merge the two instead.", "ids")
    db.session.execute(sa.delete(ExternalId).where(mine == owner.id))
    db.session.add_all(ExternalId(system=system, value=value, **_owner(owner)) for system, value in ids)


def _owner(owner: Customer | Account) -> dict[str, Any]:
    return {"customer_id" if isinstance(owner, Customer) else "account_id": owner.id}


def _who_changed(owner: Customer | Account, name: str) -> str:
    is_person = isinstance(owner, Customer)
    kind = EventKind.CUSTOMER_CHANGED if is_person else EventKind.ACCOUNT_CHANGED
    about = Event.details["customer_id" if is_person else "account_id"].as_integer() == owner.id
    latest = sa.select(Event).where(Event.kind == kind, about).order_by(Event.at.desc(), Event.id.desc()).limit(20)
    for event in db.session.scalars(latest):
        if name in event.details["fields"]:
            user = db.session.get(User, event.actor_id) if event.actor_id else None
            return f"{user.first_name if user else 'bugintake'} changed it {ago_in_words(event.at)}."
    return ""
