"""Customers and their companies: finding them, adding them in place."""

import re

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email

from bugintake.core import events
from bugintake.core.db import db
from bugintake.core.errors import Invalid
from bugintake.core.events import EventKind
from bugintake.core.forms import clean_line
from bugintake.intake.catalogue import key_of
from bugintake.intake.models import Account, Customer
from bugintake.team.models import LANGUAGES, User

NAME_LENGTH = 200
_LANGUAGE_OF_COUNTRY = {"de": "de", "at": "de", "ch": "de", "es": "es", "mx": "es", "ar": "es", "cl": "es", "co": "es"}


def normalise_address(text: str) -> str:
    """Check an e-mail address and bring it into the one shape that is stored.

    Addresses of a company's own network (`name@mail.internal`, `name@host.test`) are fine. Raises Invalid.
    """
    try:
        found = validate_email(clean_line(text), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid("That is not an e-mail address that mail can reach.", "email") from error
    if len(found.normalized) > 254 or re.search(r'[\s,;<>"%]', found.normalized):
        raise Invalid("That is not an e-mail address that mail can reach.", "email")
    return found.normalized.lower()


def language_of(address: str, default: str) -> str:
    """Guess the language from the country at the end of an address; shown to the agent, who may change it."""
    return _LANGUAGE_OF_COUNTRY.get(address.rpartition(".")[2], default)


def customer_with(address: str) -> Customer | None:
    """Find a customer by address."""
    return db.session.scalar(sa.select(Customer).where(Customer.email == address))


def add_customer(
    *, email: str | None, name: str, language: str, actor: User | None, account: Account | None = None
) -> Customer:
    """Add a person who waits. Without an address they are told by hand only.

    Records customer.added. Raises Invalid for a name, address or language that cannot be used.
    """
    name = clean_line(name)[:NAME_LENGTH]
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
        language=language,
        account_id=account.id if account else None,
    )
    db.session.add(customer)
    db.session.flush()
    events.record(EventKind.CUSTOMER_ADDED, actor=actor, customer_id=customer.id)
    return customer


def account_named(name: str) -> Account:
    """Find a company by name, whatever its case and accents, or add it."""
    name = clean_line(name)[:NAME_LENGTH]
    account = db.session.scalar(sa.select(Account).where(Account.name_key == key_of(name)))
    if account is None:
        account = Account(name=name, name_key=key_of(name))
        db.session.add(account)
        db.session.flush()
    return account
