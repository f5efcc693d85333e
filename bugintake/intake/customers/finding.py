"""What customers are found by: the words of their name and company, their address, and what other systems call them."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.intake.catalogue import key_of
from bugintake.intake.customers.models import NO_MASK, WORD_LENGTH, Account, Customer, CustomerWord, ExternalId
from bugintake.team.models import User

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


def matches(typed: str, actor: User) -> sa.Subquery | None:
    """Select the customers each word of what was typed begins a word of: `id`, and the `word` the longest one found.

    An engineer, who reads addresses masked, finds one only by the whole of it. Nothing where nothing was typed.
    """
    words = sorted(
        {word[:WORD_LENGTH] for word in key_of(typed, 200).replace(",", " ").split()},
        key=lambda word: (-len(word), word),
    )
    if not words:
        return None
    if "@" in typed and actor.role not in NO_MASK:
        whole = Customer.email == key_of(typed, 254)
        return sa.select(Customer.id, Customer.email.label("word")).where(whole).subquery()
    longest, *others = (_begins(word, actor) for word in words)
    own = sa.select(CustomerWord.customer_id.label("id"), CustomerWord.word).where(
        longest, CustomerWord.customer_id.is_not(None)
    )
    company = sa.select(Customer.id, CustomerWord.word).join(Customer, Customer.account_id == CustomerWord.account_id)
    candidates = own.union_all(company.where(longest)).subquery()
    query = sa.select(candidates.c.id, sa.func.min(candidates.c.word).label("word"))
    query = query.join(Customer, Customer.id == candidates.c.id)
    for other in others:
        query = query.where(
            sa.or_(
                sa.exists().where(CustomerWord.customer_id == Customer.id, other),
                sa.exists().where(CustomerWord.account_id == Customer.account_id, other),
            )
        )
    return query.group_by(candidates.c.id).subquery()


def _begins(word: str, actor: User) -> sa.ColumnElement[bool]:
    within = sa.and_(CustomerWord.word >= word, CustomerWord.word < word + LAST)
    return within if actor.role in NO_MASK else sa.and_(within, CustomerWord.is_address.is_(False))


def _address_words(email: str) -> Iterator[str]:
    if email:
        yield key_of(email, WORD_LENGTH)
        yield key_of(email.partition("@")[2], WORD_LENGTH)


def _rows(words: Iterable[str], **owner: Any) -> list[dict[str, Any]]:
    about = {"customer_id": None, "account_id": None, "is_address": False, **owner}
    return [{"word": word, **about} for word in words if word]
