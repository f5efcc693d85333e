"""What customers are found by: the words of their name and company, their address, and what other systems call them."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core.db import db
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers.models import NO_MASK, WORD_LENGTH, Account, Customer, CustomerWord, ExternalId
from bugintake.team.models import User

ENOUGH = 200
LAST = "\U0010ffff"  # no word goes on with it, so that what begins with a word stands between it and this
_PARTS = re.compile(r"[^\W_]+")


def learn(customer_ids: Collection[int] = (), account_ids: Collection[int] = ()) -> None:
    """Write anew what some customers and accounts are found by; whoever changes what they are called calls this.

    One that was merged or erased is found by nothing.
    """
    db.session.flush()
    rows: list[dict[str, Any]] = []
    is_there = (Customer.id.in_(customer_ids), Customer.erased_at.is_(None), Customer.merged_into_id.is_(None))
    for number, name, email in db.session.execute(
        sa.select(Customer.id, Customer.name, Customer.email).where(*is_there)
    ):
        rows += _rows(words_of(name), customer_id=number)
        rows += _rows(_address_words(email or ""), customer_id=number, is_address=True)
    stands = (Account.id.in_(account_ids), Account.merged_into_id.is_(None))
    for number, name in db.session.execute(sa.select(Account.id, Account.name).where(*stands)):
        rows += _rows(words_of(name), account_id=number)
    found = {(row["customer_id"], row["account_id"]) for row in rows}
    called = sa.or_(ExternalId.customer_id.in_(customer_ids), ExternalId.account_id.in_(account_ids))
    for value, *owner in db.session.execute(
        sa.select(ExternalId.value, ExternalId.customer_id, ExternalId.account_id).where(called)
    ):
        if tuple(owner) in found:
            rows += _rows([key_of(value, WORD_LENGTH)], customer_id=owner[0], account_id=owner[1])
    known = sa.or_(CustomerWord.customer_id.in_(customer_ids), CustomerWord.account_id.in_(account_ids))
    db.session.execute(sa.delete(CustomerWord).where(known))
    if rows:
        db.session.execute(sa.insert(CustomerWord), rows)


def words_of(name: str) -> set[str]:
    """Split a name into what people type of it: Anne-Marie is found by that, and by Marie."""
    key = key_of(name, 200)
    return {word[:WORD_LENGTH] for word in (*key.split(), *_PARTS.findall(key))}


class Asked(NamedTuple):
    """What was typed, for a statement that is made once: how many words, whether an address, and who reads masked."""

    word_count: int
    is_address: bool
    is_masked: bool


def asked(typed: str, actor: User | None) -> tuple[Asked, dict[str, str]] | None:
    """Read what was typed to find customers by: what matches() selects, and its values. Nothing for no words."""
    given = {word[:WORD_LENGTH] for word in key_of(typed, 200).replace(",", " ").split()}
    if not given:
        return None
    is_masked = actor is None or actor.role not in NO_MASK
    if "@" in typed and is_masked:
        return Asked(1, True, True), {"email": key_of(typed, 254)}
    words = sorted(given, key=lambda word: (-len(word), word))
    begins = {f"word{place}": word for place, word in enumerate(words)}
    return Asked(len(words), False, is_masked), begins | {
        f"last{place}": word + LAST for place, word in enumerate(words)
    }


def matches(what: Asked) -> sa.Subquery:
    """Select the `id` of customers each word of what was typed begins a word of, the first few hundred of them.

    An engineer, who reads addresses masked, finds one only by the whole of it. Reads on from where the longest word
    begins until it has enough, so that what thousands share costs no more.
    """
    if what.is_address:
        return sa.select(Customer.id).where(Customer.email == sa.bindparam("email")).subquery()
    word, person = CustomerWord, aliased(Customer)
    begins = _begins(word, 0, what)
    own = sa.select(word.customer_id.label("id")).where(begins, word.customer_id.is_not(None))
    called = sa.select(word.account_id, word.word).where(begins, word.account_id.is_not(None))
    accounts = called.order_by(word.word).limit(ENOUGH).subquery()
    theirs = accounts.c.account_id + sa.literal_column("0", sa.Integer)  # else SQLite looks for each person's account
    company = sa.select(person.id).join(accounts, theirs == person.account_id)
    for place in range(1, what.word_count):
        own = own.where(_has(place, word.customer_id, what))
        company = company.where(_has(place, person.id, what))
    first = [each.limit(ENOUGH).subquery() for each in (own.order_by(word.word), company.order_by(accounts.c.word))]
    return sa.union(*(sa.select(part.c.id) for part in first)).subquery()


def companies(typed: str) -> sa.Select[Account] | None:
    """Select the companies each word of what was typed begins a word of, in order of their names."""
    given = {word[:WORD_LENGTH] for word in key_of(typed, 200).replace(",", " ").split()}
    if not given:
        return None
    longest, *others = sorted(given, key=lambda word: (-len(word), word))
    word = CustomerWord
    found = sa.select(word.account_id).where(_is_within(word, longest), word.account_id.is_not(None))
    for other in others:
        also = aliased(CustomerWord)
        found = found.where(sa.exists().where(also.account_id == word.account_id, _is_within(also, other)))
    first = found.order_by(word.word).limit(ENOUGH)
    return sa.select(Account).where(Account.id.in_(first)).order_by(Account.name_key, Account.id)


def _has(place: int, customer_id: Any, what: Asked) -> sa.ColumnElement[bool]:
    other, person = aliased(CustomerWord), aliased(Customer)
    begins = _begins(other, place, what)
    of_company = sa.exists().where(person.id == customer_id, other.account_id == person.account_id, begins)
    return sa.or_(sa.exists().where(other.customer_id == customer_id, begins), of_company)


def _begins(table: type[CustomerWord], place: int, what: Asked) -> sa.ColumnElement[bool]:
    first, last = (sa.bindparam(f"{name}{place}", type_=sa.Text()) for name in ("word", "last"))
    within = sa.and_(table.word >= first, table.word < last)
    return sa.and_(within, table.is_address.is_(False)) if what.is_masked else within


def _is_within(table: type[CustomerWord], word: str) -> sa.ColumnElement[bool]:
    return sa.and_(table.word >= word, table.word < word + LAST)


def _address_words(email: str) -> Iterator[str]:
    if email:
        yield key_of(email, WORD_LENGTH)
        yield key_of(email.partition("@")[2], WORD_LENGTH)


def _rows(words: Iterable[str], **owner: Any) -> list[dict[str, Any]]:
    about = {"customer_id": None, "account_id": None, "is_address": False, **owner}
    return [{"word": word, **about} for word in words if word]
