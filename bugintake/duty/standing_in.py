"""Who stands in for somebody who is away or does not work here any more: a named colleague, or theirs."""

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core.db import db
from bugintake.duty.queries import is_away
from bugintake.team.models import User


def is_there(person: User) -> bool:
    """Whether somebody works here, and is not away right now."""
    return person.is_active and not is_away(person)


def present(person: User) -> User | None:
    """Return a person, else the first who stands in for them and is there; nobody where a chain or circle ends."""
    met: set[int] = set()
    found: User | None = person
    while found is not None and found.id not in met:
        if is_there(found):
            return found
        met.add(found.id)
        found = found.stands_in
    return None


def signer(filer: User, sender: User | None) -> User | None:
    """Return who signs for what somebody filed: they, or who stands in for them; nobody where the company alone does.

    Where nobody was named, whoever is only away signs as ever, and `sender` for somebody who is disabled.
    """
    if filer.stands_in_id is not None:
        return present(filer)
    return next((each for each in (filer, sender) if each is not None and each.is_active), None)


def who_hears(filer: User) -> list[User]:
    """List who hears of what somebody filed: they, and who stands in for them while they are not there."""
    colleague = present(filer)
    return [filer] if colleague is None or colleague.id == filer.id else [filer, colleague]


def passed_to(person: User) -> list[User]:
    """List for whom somebody stands in right now, by name."""
    named = sa.select(User).where(User.stands_in_id.is_not(None)).options(joinedload(User.stands_in))
    found = db.session.scalars(named.order_by(User.name, User.id)).all()
    now = [(each, present(each)) for each in found if not is_there(each)]
    return [each for each, colleague in now if colleague is not None and colleague.id == person.id]
