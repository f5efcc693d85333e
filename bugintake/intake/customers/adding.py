"""Customers and their companies: finding them, adding them in place."""

import re
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from bugintake.core import events
from bugintake.core.db import db, one_at_a_time, rows
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.intake import waiting
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers import finding
from bugintake.intake.customers.models import Account, Customer, ExternalId
from bugintake.team.models import LANGUAGES, User
from bugintake.team.people import LONGEST_ADDRESS, LONGEST_TYPED
from bugintake.team.workspace import workspace

NAME_LENGTH = 200
COUNTRIES = {
    "de": ("de", "at", "ch", "li"),
    "es": ("es", "mx", "ar", "cl", "pe", "uy", "ec"),
    "en": ("uk", "us", "ie"),
    "fr": ("fr", "mc"),
    "pt": ("br", "pt"),
    "tr": ("tr",),
    "zh": ("cn",),
    "ar": ("sa", "ae", "eg", "qa", "kw", "jo", "om", "bh"),
}
_LANGUAGE_OF_COUNTRY = {country: language for language, countries in COUNTRIES.items() for country in countries}


def normalise_address(text: str) -> str:
    """Check an e-mail address and bring it into the one shape that is stored.

    Addresses of a company's own network (`name@mail.internal`, `name@host.test`) are fine. Raises Invalid.
    """
    wrong = Invalid("That is not an e-mail address that mail can reach.", "email")
    line = clean_line(text)
    if len(line) > LONGEST_TYPED:
        raise wrong
    try:
        found = validate_email(line, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise wrong from error
    if len(found.normalized) > LONGEST_ADDRESS or re.search(r'[\s,;<>"%]', found.normalized):
        raise wrong
    return found.normalized.lower()


def language_of(address: str, default: str, offered: Collection[str]) -> str:
    """Guess one of the languages offered from the country at the end of an address; the agent may change it."""
    guess = _LANGUAGE_OF_COUNTRY.get(address.rpartition(".")[2], default)
    return guess if guess in offered else default


def customer_with(address: str) -> Customer | None:
    """Find a customer by address; the address of a merged record leads to the one that stands for it."""
    found = db.session.scalar(sa.select(Customer).where(Customer.email == address))
    return standing_for(found) if found is not None else None


def standing_for(customer: Customer) -> Customer:
    """Return the record that stands for a person: this one, or the one it was merged into."""
    return db.session.get_one(Customer, customer.merged_into_id) if customer.merged_into_id else customer


def hold_standing(people: Iterable[Customer]) -> Sequence[Customer]:
    """Return the records that stand for these people now; none is merged or erased until this transaction ends.

    Raises Conflict for one that was erased meanwhile.
    """
    stand = {each.id for each in people}

    def is_right() -> bool:
        nonlocal stand
        found, held = rows(_STANDING, ids=stand), stand
        if any(row.erased_at is not None for row in found):
            raise Conflict("The record of this person was erased a moment ago, so nothing was kept under it.")
        stand = {row.merged_into_id or row.id for row in found}
        return stand == held

    waiting.take_until(is_right)
    return [db.session.get_one(Customer, number) for number in sorted(stand)]


_STANDING = sa.select(Customer.id, Customer.merged_into_id, Customer.erased_at).order_by(Customer.id)
_STANDING = _STANDING.where(Customer.id.in_(sa.bindparam("ids", expanding=True)))
_STANDING = _STANDING.with_for_update(read=True, key_share=True)


def customers_called(text: str) -> Sequence[Customer]:
    """Find the customers meant by a complete address, a name, or a name with its company; whatever case and accents.

    Where nobody is called so, a number that another system gives them.
    """
    given = clean_line(text)
    if "@" in given:
        known = customer_with(given.lower())
        return [known] if known is not None else []
    key = key_of(given, 2 * NAME_LENGTH + 2)
    if not key:
        return []
    with_company = Customer.name_key + ", " + sa.func.coalesce(Account.name_key, "")
    called = sa.or_(Customer.name_key == key, with_company == key)
    query = sa.select(Customer).outerjoin(Account, Account.id == Customer.account_id)
    is_there = (Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
    found = db.session.scalars(query.where(called, *is_there).order_by(Customer.id).limit(10)).all()
    if found:
        return found
    numbered = sa.select(ExternalId.customer_id).where(ExternalId.value == given)
    return db.session.scalars(
        sa.select(Customer).where(Customer.id.in_(numbered)).order_by(Customer.id).limit(10)
    ).all()


def known_or_new(
    email: str, *, name: str = "", language: str = "", company: str = "", default: str = "en", actor: User | None
) -> Customer:
    """Return the customer with an address, adding them where nobody has it.

    Without a language it is guessed from the address, else it is the default. Raises as add_customer.
    """
    address = normalise_address(email)
    one_at_a_time(f"customer {address}")
    found = customer_with(address)
    if found is not None:
        return found
    account = account_named(company) if clean_line(company) else None
    chosen = language or language_of(address, default, workspace().languages)
    return add_customer(email=address, name=name, language=chosen, actor=actor, account=account)


def called_or_new(
    name: str, *, language: str = "", company: str = "", default: str = "en", actor: User | None
) -> Customer:
    """Return the customer who is called that, at a company where one is named, or add them without an address.

    Raises Invalid where several are called that, and as add_customer.
    """
    one_at_a_time(f"customer {clean_line(name)}")
    called = customers_called(name)
    account = account_named(company) if clean_line(company) else None
    if account is not None:
        called = [each for each in called if each.account_id == account.id]
    if len(called) > 1:
        raise Invalid(f"{len(called)} customers are called that. Give the address, or the company.", "customer")
    if called:
        return called[0]
    return add_customer(email=None, name=name, language=language or default, actor=actor, account=account)


def add_customer(
    *, email: str | None, name: str, language: str, actor: User | None, account: Account | None = None
) -> Customer:
    """Add a person who waits. Without an address they are told by hand only.

    Records customer.added. Raises Invalid for a name, address or language that cannot be used.
    """
    name = clean_line(name)
    if len(name) > NAME_LENGTH:
        raise Invalid(f"A name has at most {NAME_LENGTH} characters.", "name")
    address = normalise_address(email) if email else None
    if address is not None and customer_with(address) is not None:
        raise Invalid("There is already a customer with this address.", "email")
    if not name and address is None:
        raise Invalid("Give the customer a name or an address.", "name")
    if language not in LANGUAGES:
        raise Invalid(f"Customers are written to in {', '.join(LANGUAGES.values())}.", "language")
    customer = Customer(
        email=address,
        name=name or (address or "").partition("@")[0],
        name_key=key_of(name or (address or "").partition("@")[0], NAME_LENGTH),
        language=language,
        account_id=account.id if account else None,
    )
    db.session.add(customer)
    db.session.flush()
    finding.learn([customer.id])
    events.record(EventKind.CUSTOMER_ADDED, actor=actor, customer_id=customer.id)
    return customer


def account_called(name: str) -> Account | None:
    """Find a company by name, whatever its case and accents; the name of a merged one leads to what it became."""
    key = key_of(name, NAME_LENGTH)
    account = db.session.scalar(sa.select(Account).where(Account.name_key == key))
    if account is None or account.merged_into_id is None:
        return account
    return db.session.get_one(Account, account.merged_into_id)


def account_named(name: str) -> Account:
    """Find a company by name, whatever its case and accents, or add it.

    The name of a merged one leads to what it became. Raises Invalid for a name that is too long.
    """
    name = clean_line(name)
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(f"A company's name has 1 to {NAME_LENGTH} characters.", "company")
    key = key_of(name, NAME_LENGTH)
    one_at_a_time(f"account {key}")
    account = account_called(name)
    if account is None:
        account = Account(name=name, name_key=key)
        db.session.add(account)
        db.session.flush()
        finding.learn(account_ids=[account.id])
    return account
