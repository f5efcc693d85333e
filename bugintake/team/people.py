"""The people who work here: who they are, what they may do, and how they get in."""

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

import email_validator
import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError

from bugintake.core import clock, config, events
from bugintake.core.db import db, rows, update_one
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import Seen, clean_line, is_zone
from bugintake.core.kept import kept
from bugintake.core.security import hash_secret, new_secret
from bugintake.team import sign_in
from bugintake.team.models import LANGUAGES, Pass, Role, User

STANDS_IN = "stands_in"
INVITATION = "invitation"
RESET = "reset"
LASTS = {INVITATION: timedelta(days=7), RESET: timedelta(hours=2)}
LONGEST_NAME = 200
LONGEST_ADDRESS = 254
LONGEST_TYPED = 4 * LONGEST_ADDRESS  # a letter may be typed in parts; reading a megabyte takes half a second

# A company on its own network writes to itself under names that the rest of the world never sees.
for _name in {"local", "localhost", "test"} & set(email_validator.SPECIAL_USE_DOMAIN_NAMES):
    email_validator.SPECIAL_USE_DOMAIN_NAMES.remove(_name)


def clean_address(text: str) -> str:
    """Bring an address into the one form it is kept in; one of an intranet is fine. Raises Invalid."""
    wrong = Invalid("That is not an e-mail address.", "email")
    line = clean_line(text)
    if len(line) > LONGEST_TYPED:
        raise wrong
    try:
        found = validate_email(line, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, UnicodeError):
        raise wrong from None
    address = found.normalized.lower()
    if len(address) > LONGEST_ADDRESS:
        raise wrong
    return address


def add_user(
    email: str,
    name: str,
    role: Role,
    *,
    actor: User | None,
    zone: str = "UTC",
    language: str = "en",
    password_hash: str | None = None,
) -> User:
    """Add a person; without a password they need a link to get in.

    Records user.added. Raises Invalid for a name, address or zone that cannot be, Conflict where the address is taken.
    """
    address = clean_address(email)
    if db.session.scalar(sa.select(User.id).where(User.email == address)) is not None:
        raise Conflict(f"Somebody with the address {address} is here already.")
    _check(name=name, zone=zone, language=language)
    user = User(email=address, name=clean_line(name), role=role, zone=zone, language=language)
    user.password_hash = password_hash
    db.session.add(user)
    try:
        db.session.flush()
    except IntegrityError:
        raise Conflict(f"Somebody with the address {address} was added a moment ago.") from None
    events.record(EventKind.USER_ADDED, actor=actor, user=user, after=role)
    return user


def invite(email: str, name: str, role: Role, *, actor: User | None, zone: str = "UTC") -> tuple[User, str]:
    """Add a person and return the link by which they choose their password, shown once. Records user.invited."""
    user = add_user(email, name, role, actor=actor, zone=zone)
    return user, invite_again(user, actor=actor)


def invite_again(user: User, *, actor: User | None) -> str:
    """Return a new invitation link; the ones before stop working. Records user.invited."""
    url = _new_link(user, INVITATION)
    events.record(EventKind.USER_INVITED, actor=actor, user=user)
    return url


def new_reset_link(user: User) -> str:
    """Return a link by which a person chooses a new password within two hours; the ones before stop working.

    Raises Conflict for somebody who is disabled.
    """
    return _new_link(user, RESET)


def request_reset(email: str) -> None:
    """Note that somebody wants a new password for an address, whether or not it is anybody's.

    Both write one event, so that neither the answer nor the time it takes tells which; only the one of a person
    carries them, and gets mail. Records user.password_reset_requested.
    """
    user = db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))
    known = user if user is not None and user.is_active else None
    events.record(EventKind.PASSWORD_RESET_REQUESTED, actor=None, user=known)


def pass_or_404(secret: str) -> Pass:
    """Find the unused link that a secret belongs to. Raises NotFound for one that is used, too old or made up."""
    at = clock.now()
    found = sa.select(Pass).where(Pass.secret_hash == hash_secret(secret), Pass.used_at.is_(None), Pass.expires_at > at)
    link = db.session.scalar(found) if secret else None
    if link is None or not link.user.is_active:
        raise NotFound("This link has been used, is too old, or was replaced by a newer one.")
    return link


def use_pass(link: Pass, password_hash: str) -> User:
    """Choose a password by a link, which then is used up; whoever else knew the old password is signed out.

    Records user.password_changed. Raises Conflict where the link was used a moment ago.
    """
    unused = sa.update(Pass).where(Pass.id == link.id, Pass.used_at.is_(None)).values(used_at=clock.now())
    if not update_one(unused):
        raise Conflict("This link was used a moment ago.")
    set_password(link.user, password_hash, actor=link.user)
    return link.user


def set_password(user: User, password_hash: str, *, actor: User | None, keep: int | None = None) -> None:
    """Give a person a password, and end their sign-ins but the one kept, and every link that was still open.

    Records user.password_changed.
    """
    user.password_hash = password_hash
    sign_in.end_sign_ins(user, keep=keep)
    db.session.execute(sa.delete(Pass).where(Pass.user_id == user.id, Pass.used_at.is_(None)))
    db.session.flush()
    events.record(EventKind.PASSWORD_CHANGED, actor=actor, user=user)


def change_profile(user: User, *, name: str, zone: str, language: str, actor: User) -> None:
    """Change how a person is called and where they are. Records user.changed. Raises Invalid."""
    _check(name=name, zone=zone, language=language)
    wanted = {"name": clean_line(name), "zone": zone, "language": language}
    changed = sorted(column for column, value in wanted.items() if getattr(user, column) != value)
    for column in changed:
        setattr(user, column, wanted[column])
    if changed:
        events.record(EventKind.USER_CHANGED, actor=actor, user=user, changed=changed)


def switch_keys(user: User, *, on: bool) -> None:
    """Let single keys act for a person, or not (WCAG 2.1.4). Records user.changed."""
    if user.has_keys != on:
        user.has_keys = on
        events.record(EventKind.USER_CHANGED, actor=user, user=user, changed=["has_keys"])


def set_density(user: User, *, compact: bool) -> None:
    """Let bugs stand closer together on this person's board and lists, or not. Records user.changed."""
    if user.is_compact != compact:
        user.is_compact = compact
        events.record(EventKind.USER_CHANGED, actor=user, user=user, changed=["is_compact"])


def name_stand_in(user: User, colleague: User | None, seen: Seen, *, actor: User) -> None:
    """Say who signs and hears for a person while they are not there, or that nobody does. Records user.changed.

    Raises Invalid for themselves and for somebody who is disabled, Stale where it was changed since it was `seen`.
    """
    if colleague is not None and (colleague.id == user.id or not colleague.is_active):
        raise Invalid("Choose somebody else who works here.", STANDS_IN)
    db.session.refresh(user, with_for_update=True)
    if seen.changes({STANDS_IN: user.stands_in}, {STANDS_IN: colleague}):
        user.stands_in = colleague
        after = colleague.name if colleague else None
        events.record(EventKind.USER_CHANGED, actor=actor, user=user, after=after, changed=["stands_in_id"])


def change_role(user: User, role: Role, *, actor: User | None) -> None:
    """Let a person do more or less from now on; their sign-ins end.

    Records user.changed. Raises Conflict where nobody would be admin any more.
    """
    if user.role is role:
        return
    if role is not Role.ADMIN:
        _keep_an_admin(user)
    before, user.role = user.role, role
    sign_in.end_sign_ins(user)
    events.record(EventKind.USER_CHANGED, actor=actor, user=user, before=before, after=role, changed=["role"])


def disable(user: User, *, actor: User | None) -> None:
    """Keep a person out from now on: sign-ins end, tokens open nothing, links stop working. Their history stays.

    Records user.disabled. Raises Conflict where nobody would be admin any more.
    """
    if not user.is_active:
        return
    _keep_an_admin(user)
    user.disabled_at = clock.now()
    sign_in.end_sign_ins(user)
    db.session.execute(sa.delete(Pass).where(Pass.user_id == user.id, Pass.used_at.is_(None)))
    events.record(EventKind.USER_DISABLED, actor=actor, user=user)


def enable(user: User, *, actor: User | None) -> None:
    """Let a disabled person in again. Records user.changed."""
    if user.is_active:
        return
    user.disabled_at = None
    db.session.flush()
    events.record(EventKind.USER_CHANGED, actor=actor, user=user, before="disabled", after="enabled")


def user_or_404(user_id: int) -> User:
    """Load a person by number. Raises NotFound."""
    user = db.session.get(User, user_id) if 0 < user_id < 2**31 else None
    if user is None:
        raise NotFound
    return user


def user_by_email(email: str) -> User | None:
    """Find a person by address."""
    return db.session.scalar(sa.select(User).where(User.email == email.strip().lower()))


def everybody() -> list[User]:
    """List the people who work here by name, then those who are disabled."""
    order = (User.disabled_at.is_not(None), User.name, User.id)
    return list(db.session.scalars(sa.select(User).order_by(*order)))


def working_here() -> list[User]:
    """List the people who may sign in, by name."""
    return [user for user in everybody() if user.is_active]


class Colleague(NamedTuple):
    """A person as pages name and offer them."""

    id: int
    name: str
    is_active: bool


@kept
def names() -> Mapping[int, Colleague]:
    """Read what everybody is called who works here or did, by name."""
    return {row[0]: Colleague._make(row) for row in rows(_NAMES)}


_NAMES = sa.select(User.id, User.name, User.disabled_at.is_(None)).order_by(User.name, User.id)


def _new_link(user: User, purpose: str) -> str:
    if not user.is_active:
        raise Conflict(f"{user.name} is disabled. Enable them first.")
    secret = new_secret()
    at = clock.now()
    open_ones = sa.delete(Pass).where(Pass.user_id == user.id, Pass.purpose == purpose, Pass.used_at.is_(None))
    db.session.execute(open_ones)
    row = Pass(secret_hash=hash_secret(secret), purpose=purpose, user_id=user.id, created_at=at)
    row.expires_at = at + LASTS[purpose]
    db.session.add(row)
    db.session.flush()
    return f"{config.settings().base_url}/passes/{secret}"


def _keep_an_admin(user: User) -> None:
    others = sa.select(User.id).where(User.role == Role.ADMIN, User.disabled_at.is_(None), User.id != user.id)
    if user.role is Role.ADMIN and db.session.scalar(others.with_for_update().limit(1)) is None:
        raise Conflict(f"{user.name} is the only admin. Make somebody else admin first.")


def _check(*, name: str, zone: str, language: str) -> None:
    if not clean_line(name):
        raise Invalid("Give a name.", "name")
    if len(clean_line(name)) > LONGEST_NAME:
        raise Invalid(f"A name has at most {LONGEST_NAME} characters.", "name")
    if not is_zone(zone):
        raise Invalid(f"There is no time zone named {zone}.", "zone")
    if language not in LANGUAGES:
        raise Invalid(f"The languages are {', '.join(LANGUAGES.values())}.", "language")
