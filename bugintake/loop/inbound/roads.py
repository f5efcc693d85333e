"""The roads by which mail comes in: which are set up, when each was last used, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bugintake.core import clock
from bugintake.core.config import Settings, settings
from bugintake.core.db import db, transaction, update_one
from bugintake.core.templating import when
from bugintake.loop.inbound_models import InboundRoad

HOOK = "hook"
NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Road:
    """One road as an admin reads of it."""

    name: str
    sentence: str
    is_open: bool


def mailbox_road(chosen: Settings) -> str:
    """Name the mailbox that is read, without a secret: another one is read from its own beginning."""
    parts = urlsplit(chosen.imap_url or "")
    return "imap:" + sha256(f"{parts.hostname}\n{parts.username}\n{parts.path}".encode()).hexdigest()[:32]


def road(name: str) -> InboundRoad:
    """Return how far a road was read, from the beginning where it never was. Call inside transaction()."""
    dialect = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    values = {"road": name, "problem": "", "uid_validity": 0, "last_uid": 0}
    db.session.execute(dialect.insert(InboundRoad).values(**values).on_conflict_do_nothing())
    return db.session.get_one(InboundRoad, name, populate_existing=True)


def claim(name: str, until: datetime) -> bool:
    """Take a road that is due for oneself until a time; of several workers one gets it."""
    now = clock.now()
    found = db.session.scalar(sa.select(InboundRoad.look_at).where(InboundRoad.road == name))
    if found is not None and found > now:
        return False
    with transaction():
        road(name)
        is_due = sa.or_(InboundRoad.look_at.is_(None), InboundRoad.look_at <= now)
        return update_one(sa.update(InboundRoad).where(InboundRoad.road == name, is_due).values(look_at=until))


def note_hook() -> None:
    """Note that the hook was used: once a minute, however much comes."""
    found = db.session.scalar(sa.select(InboundRoad.read_at).where(InboundRoad.road == HOOK))
    if found is None or found < clock.now() - NOTED_EVERY:
        with transaction():
            road(HOOK).read_at = clock.now()


def roads() -> list[Road]:
    """Say of each road that is set up when mail last came in by it, or what stands in the way."""
    chosen, found = settings(), []
    if chosen.imap_url is not None:
        host = urlsplit(chosen.imap_url).hostname
        found.append(_mailbox(f"IMAP, {host}", db.session.get(InboundRoad, mailbox_road(chosen))))
    if chosen.inbound_secret is not None:
        used = db.session.get(InboundRoad, HOOK)
        at = used.read_at if used is not None else None
        address = f"{chosen.base_url}/hooks/mail"
        found.append(Road(address, f"Last used {when(at)}." if at else "Nothing has come in yet.", True))
    return found


def _mailbox(name: str, read: InboundRoad | None) -> Road:
    at = f"Last read {when(read.read_at)}." if read is not None and read.read_at is not None else "Not read yet."
    if read is not None and read.problem:
        return Road(name, f"It cannot be read: {read.problem} {at}", False)
    return Road(name, at, True)
