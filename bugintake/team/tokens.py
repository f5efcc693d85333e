"""API tokens: programs that act as a person, within scopes. Only a fingerprint of the secret is kept."""

import re

import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.security import hash_secret, new_secret
from bugintake.team.models import ApiToken, User

READ = "read"
REPORTS_WRITE = "reports:write"
BUGS_WRITE = "bugs:write"
RELEASES_WRITE = "releases:write"
ANNOUNCEMENTS_WRITE = "announcements:write"
SCOPES = {
    READ: "read what this person may see",
    REPORTS_WRITE: "file reports and attach customers",
    BUGS_WRITE: "move bugs",
    RELEASES_WRITE: "say that a release is live",
    ANNOUNCEMENTS_WRITE: "send announcements",
}

_PREFIX = "bi_"
_BEARER = re.compile(r"Bearer +([A-Za-z0-9_\-]{20,200}) *", re.IGNORECASE)


def create_token(user: User, scopes: list[str], *, actor: User | None) -> tuple[ApiToken, str]:
    """Give a program the right to act as a person; the secret returned cannot be shown again.

    Records token.created. Raises Invalid for no scope or an unknown one, Conflict for a disabled person.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise Invalid(f"Choose what the token may do: {', '.join(SCOPES)}.", field="scopes")
    if not user.is_active:
        raise Conflict(f"{user.name} is disabled, so a token of theirs would open nothing.")
    secret = _PREFIX + new_secret()
    token = ApiToken(
        user_id=user.id,
        secret_hash=hash_secret(secret),
        prefix=secret[:8],
        scopes=[scope for scope in SCOPES if scope in scopes],
        created_at=clock.now(),
    )
    db.session.add(token)
    db.session.flush()
    events.record(EventKind.TOKEN_CREATED, actor=actor, user=user, token=token.id, scopes=token.scopes)
    return token, secret


def revoke(token: ApiToken, *, actor: User | None) -> None:
    """End a token at once. Revoking it again changes nothing. Records token.revoked."""
    if token.revoked_at is not None:
        return
    token.revoked_at = clock.now()
    events.record(EventKind.TOKEN_REVOKED, actor=actor, user=token.user, token=token.id)


def token_or_404(token_id: int) -> ApiToken:
    """Load a token by its number. Raises NotFound."""
    token = db.session.get(ApiToken, token_id) if 0 < token_id < 2**31 else None
    if token is None:
        raise NotFound
    return token


def all_tokens() -> list[ApiToken]:
    """List tokens, the working ones first, each group newest first."""
    order = (ApiToken.revoked_at.is_not(None), ApiToken.id.desc())
    return list(db.session.scalars(sa.select(ApiToken).order_by(*order)))


def authenticate(header: str | None) -> ApiToken | None:
    """Find the working token that an Authorization header carries; None for anything else.

    A token dies when it is revoked and when its person is disabled.
    """
    match = _BEARER.fullmatch(header or "")
    if match is None:
        return None
    found = sa.select(ApiToken).where(ApiToken.secret_hash == hash_secret(match[1]), ApiToken.revoked_at.is_(None))
    token = db.session.scalar(found)
    return token if token is not None and token.user.is_active else None


def owners() -> list[User]:
    """List the people a token can be made for."""
    return list(db.session.scalars(sa.select(User).where(User.disabled_at.is_(None)).order_by(User.name, User.id)))
