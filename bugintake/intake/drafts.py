"""Drafts: what is typed is kept for whoever types it, until it is filed, discarded, or old."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from itsdangerous import BadSignature, TimestampSigner
from sqlalchemy.orm import joinedload

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotFound
from bugintake.core.forms import printable
from bugintake.core.security import new_secret
from bugintake.intake.attachments.keeping import form_of
from bugintake.intake.draft_models import Draft
from bugintake.intake.models import Bug
from bugintake.intake.queries import visible_to
from bugintake.intake.reports import filed_as
from bugintake.team.models import User

FORGET_AFTER = timedelta(days=14)
FORGET_DISCARDED_AFTER = timedelta(days=1)
OFFERED = 10
LEFT_OPEN = 3600  # seconds
SURROUNDINGS = frozenset({"csrf_token", "revision", "ask", "bug", "choice", "confirmed", "another"})
NO_WORDS = frozenset({"key", "source", "filled"})


def new_key(user: User) -> str:
    """Make the key of a form: it names the form, and proves for whom it was made, and when."""
    return _signer().sign(f"{user.id}.{new_secret()}").decode()


def owner_of(key: str) -> User | None:
    """Return for whom a form with this key was made, if it was made here and they still work here.

    So words that come without a sign-in are kept for the right person, and for nobody else.
    """
    try:
        number = int(_signer().unsign(key).split(b".")[0])
    except (BadSignature, ValueError):
        return None
    user = db.session.get(User, number)
    return user if user is not None and user.is_active else None


def seconds_since_made(key: str) -> int | None:
    """Say how long ago a form was made; nothing where it was not made here, or lay open for more than an hour."""
    try:
        _, at = _signer().unsign(key, return_timestamp=True)
    except BadSignature:
        return None
    seconds = int((clock.now() - at).total_seconds())
    return seconds if 0 <= seconds <= LEFT_OPEN else None


def save(given: Mapping[str, str], bug: Bug | None, *, actor: User) -> Draft | None:
    """Keep what was typed into a form, as it was typed; where nothing is left of it, its draft goes.

    Where another tab went on with the same draft, what this one holds becomes one of its own, with a key of its own.
    Raises Conflict where the form was filed already.
    """
    fields = {printable(name): printable(value) for name, value in given.items() if name not in SURROUNDINGS}
    key = fields.setdefault("key", new_key(actor))
    earlier = filed_as(form_of(actor, key))
    if earlier is not None:
        raise Conflict(f"This form was filed already, and made {earlier.bug.ref}.")
    draft = _draft(form_of(actor, key))
    is_another_tabs = draft is not None and given.get("revision", "") != str(draft.revision)
    if not any(value.strip() for name, value in fields.items() if name not in NO_WORDS):
        if draft is not None and not is_another_tabs:
            db.session.delete(draft)
        return None
    if is_another_tabs:
        fields["key"], draft = new_key(actor), None
    if draft is None:
        draft = Draft(user_id=actor.id, form_hash=form_of(actor, fields["key"]), revision=0)
    draft.bug_id = bug.id if bug else None
    draft.fields, draft.revision, draft.saved_at, draft.discarded_at = fields, draft.revision + 1, clock.now(), None
    db.session.add(draft)
    db.session.flush()
    return draft


def remove(form_hash: str) -> None:
    """Let the draft of a form go, because it is filed."""
    db.session.execute(_REMOVE, {"form": form_hash})


_REMOVE = sa.delete(Draft).where(Draft.form_hash == sa.bindparam("form"))
_REMOVE = _REMOVE.execution_options(synchronize_session=False)


def carry_over(form_hash: str, key: str, *, actor: User) -> None:
    """Let the draft of one form wait for another, which takes its place."""
    draft = _draft(form_hash)
    if draft is not None:
        draft.form_hash, draft.fields = form_of(actor, key), {**draft.fields, "key": key}


def discard(draft: Draft) -> None:
    """Offer a draft no longer; it can be taken back for a day."""
    draft.discarded_at = clock.now()


def take_back(draft: Draft) -> None:
    """Offer a discarded draft again."""
    draft.discarded_at = None


def offered_to(actor: User) -> Sequence[Draft]:
    """List what a person began and may go on with, the latest first; nothing about a bug that they may not see."""
    seen = sa.or_(Draft.bug_id.is_(None), visible_to(actor))
    mine = sa.select(Draft).outerjoin(Bug, Bug.id == Draft.bug_id).where(Draft.user_id == actor.id, seen)
    query = mine.where(Draft.discarded_at.is_(None)).options(joinedload(Draft.bug))
    return db.session.scalars(query.order_by(Draft.saved_at.desc(), Draft.id.desc()).limit(OFFERED)).all()


def draft_of(actor: User, number: int) -> Draft | None:
    """Return one of a person's own drafts."""
    draft = db.session.get(Draft, number) if 0 < number < 2**31 else None
    return draft if draft is not None and draft.user_id == actor.id else None


def draft_or_404(actor: User, number: int) -> Draft:
    """Return one of a person's own drafts. Raises NotFound."""
    draft = draft_of(actor, number)
    if draft is None:
        raise NotFound()
    return draft


def sweep() -> None:
    """Forget drafts that nobody went on with for two weeks, and those that were discarded yesterday."""
    now = clock.now()
    old = sa.or_(Draft.saved_at < now - FORGET_AFTER, Draft.discarded_at < now - FORGET_DISCARDED_AFTER)
    if db.session.scalars(sa.select(Draft.id).where(old).limit(1)).first() is not None:
        with transaction():
            db.session.execute(sa.delete(Draft).where(old))


def _draft(form_hash: str) -> Draft | None:
    return db.session.scalar(sa.select(Draft).where(Draft.form_hash == form_hash))


def _signer() -> TimestampSigner:
    return _Signer(settings().secret_key, salt="form")


class _Signer(TimestampSigner):
    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())
