"""Reading a mailbox by IMAP: what came to an address of ours is taken in and marked as seen, the rest is left alone."""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.exc import SQLAlchemyError

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import transaction
from bugintake.loop.inbound import roads
from bugintake.loop.inbound.addresses import delivery_behind
from bugintake.loop.inbound.parts import READ_BYTES, take_apart
from bugintake.loop.inbound.reading import ADDRESSED, read
from bugintake.loop.inbound.taking_in import NotYet, take_in

EVERY = timedelta(minutes=1)
AFTER_A_PROBLEM = timedelta(minutes=5)
LOOKS_BACK = timedelta(days=30)
MOST_AT_ONCE = 500
IN_ALL = 300.0  # seconds
HEADERS = f"(BODY.PEEK[HEADER.FIELDS ({' '.join(ADDRESSED).upper()})])"

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """The mailbox cannot be read now; why, in words without a secret."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds without an answer before a phase counts as stalled."""

    connect: float = 15
    login: float = 30
    look: float = 60
    fetch: float = 120


@dataclass(frozen=True)
class Account:
    """A mailbox and how to sign in to it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"

    @classmethod
    def from_url(cls, url: str) -> Account:
        """Read `imaps://user:password@host:port/folder`, as the settings have checked it."""
        parts = urlsplit(url)
        folder = unquote(parts.path.strip("/")) or "INBOX"
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname or "", parts.port or 993, user, password, folder)


def read_mailbox(
    stopping: Callable[[], bool] = lambda: False,
    *,
    tls: ssl.SSLContext | None = None,
    timeouts: Timeouts | None = None,
) -> int:
    """Read the mailbox if it is due, and count the mails that were taken in; a minute later it is due again.

    Where it cannot be read, the admins' page says why, and it is tried again in five minutes.
    """
    chosen = settings()
    if chosen.imap_url is None or not chosen.reads_mail:
        return 0
    name, account = roads.mailbox_road(chosen), Account.from_url(chosen.imap_url)
    if not roads.claim(name, clock.now() + AFTER_A_PROBLEM):
        return 0
    problem, count = "", 0
    try:
        with _opened(account, tls or ssl.create_default_context(), timeouts or Timeouts()) as mailbox:
            count = _take_all(mailbox, name, stopping)
    except Unreadable as error:
        problem = str(error)
    with transaction():
        road = roads.road(name)
        road.problem, road.look_at = problem, clock.now() + (AFTER_A_PROBLEM if problem else EVERY)
        road.read_at = road.read_at if problem else clock.now()
    return count


class _Mailbox:
    """A folder that is open."""

    def __init__(self, client: imaplib.IMAP4, timeouts: Timeouts, uid_validity: int) -> None:
        self.uid_validity = uid_validity
        self._client, self._timeouts = client, timeouts

    def after(self, last: int) -> list[int]:
        """List the mails that came after one, the oldest first; in a folder never read, those of the last 30 days."""
        self._client.sock.settimeout(self._timeouts.look)
        since = (clock.now() - LOOKS_BACK).strftime("%d-%b-%Y")
        [found] = self._said("SEARCH", *(("UID", f"{last + 1}:*") if last else ("SINCE", since)))
        numbers = (int(number) for number in (found or b"").split() if number.isdigit())
        return sorted(number for number in numbers if number > last)

    def part_of(self, number: int, what: str) -> bytes:
        """Fetch something of a mail, without marking it as seen; nothing where it is gone."""
        self._client.sock.settimeout(self._timeouts.fetch)
        answer = self._said("FETCH", str(number), what)
        return next((part[1] for part in answer if isinstance(part, tuple)), b"")

    def mark(self, number: int) -> None:
        """Mark a mail as seen."""
        self._client.sock.settimeout(self._timeouts.look)
        self._said("STORE", str(number), "+FLAGS.SILENT", r"(\Seen)")

    def _said(self, command: str, *words: str) -> list[Any]:
        status, answer = self._client.uid(command, *words)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{command} was refused")
        return answer


@contextmanager
def _opened(account: Account, tls: ssl.SSLContext, timeouts: Timeouts) -> Iterator[_Mailbox]:
    """Sign in and open the folder, for IN_ALL seconds at most, whatever trickles in. Raises Unreadable."""
    client: imaplib.IMAP4 | None = None
    try:
        client = imaplib.IMAP4_SSL(account.host, account.port, ssl_context=tls, timeout=timeouts.connect)
        over = threading.Timer(IN_ALL, client.shutdown)
        over.daemon = True
        over.start()
        try:
            client.sock.settimeout(timeouts.login)
            _sign_in(client, account)
            client.sock.settimeout(timeouts.look)
            status, answer = client.select(_quoted(account.folder))
            if status != "OK":
                raise imaplib.IMAP4.error(f"There is no folder {account.folder}: {answer[0]!r}")
            validity = client.response("UIDVALIDITY")[1][0] or b"0"
            yield _Mailbox(client, timeouts, int(validity) if validity.isdigit() else 0)
            _say_goodbye(client)
        finally:
            over.cancel()
    except (OSError, imaplib.IMAP4.error, ValueError, TypeError, AttributeError) as error:
        raise Unreadable(_redacted(account, error)) from None
    finally:
        if client is not None:
            with suppress(OSError):
                client.shutdown()


def _say_goodbye(client: imaplib.IMAP4) -> None:
    """Leave; what was taken in stays so whatever the server answers."""
    with suppress(OSError, imaplib.IMAP4.error):
        client.sock.settimeout(5)
        client.logout()


def _sign_in(client: imaplib.IMAP4, account: Account) -> None:
    if "AUTH=PLAIN" in client.capabilities:  # takes any letters; LOGIN does not
        client.authenticate("PLAIN", lambda _: f"\0{account.user}\0{account.password}".encode())
    else:
        client.login(account.user, account.password)


def _quoted(folder: str) -> str:
    """Write the name of a folder as IMAP does: modified UTF-7 (RFC 3501 §5.1.3), quoted."""
    escaped = re.sub(
        r"[^\x20-\x7e]+",
        lambda found: "&" + b64encode(found[0].encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-",
        folder.replace("&", "&-"),
    )
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _take_all(mailbox: _Mailbox, name: str, stopping: Callable[[], bool]) -> int:
    with transaction():
        road = roads.road(name)
        if road.uid_validity != mailbox.uid_validity:
            road.uid_validity, road.last_uid = mailbox.uid_validity, 0
        last = reached = road.last_uid
    count = 0
    try:
        for number in islice(mailbox.after(last), MOST_AT_ONCE):
            if stopping():
                break
            count += _take(mailbox, name, number)
            reached = number
    except NotYet:
        log.info("A mail came back before its sending was noted; it is read again")
    finally:
        with transaction():
            road = roads.road(name)
            road.last_uid = max(road.last_uid, reached)
    return count


def _take(mailbox: _Mailbox, name: str, number: int) -> bool:
    """Take one mail in where it came to an address of ours, and tell whether it did."""
    head = take_apart(mailbox.part_of(number, HEADERS))
    if delivery_behind(head.every(*ADDRESSED)) is None:
        return False
    mail = read(mailbox.part_of(number, f"(BODY.PEEK[]<0.{READ_BYTES}>)"))
    try:
        with transaction():
            take_in(mail)
            roads.road(name).last_uid = number
    except (NotYet, SQLAlchemyError):
        raise
    except Exception:  # one mail that is not understood must not keep the others out
        log.exception("A mail that came in could not be taken in")
        return False
    mailbox.mark(number)
    return True


def _redacted(account: Account, error: Exception) -> str:
    said = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said or type(error).__name__
    for secret in (account.password, account.user):
        text = text.replace(secret, "…") if secret else text
    text = re.sub(r"[^\s<>]{1,200}@[^\s<>]{1,200}", "…@…", text[:2000])
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:250] + "."
