"""Addresses that only we can have made up: each names one envelope, and what may come to it.

Nothing else says whose mail came in: a From, a Message-ID and the text of a bounce can be written by anybody.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256

from bugintake.core import clock
from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.loop.links import OPENS_FOR
from bugintake.loop.mail import Sender, UnsafeMail, sender_of
from bugintake.loop.models import Delivery

KEY_OF = b"bugintake.loop.inbound.addresses.v1"
LETTERS = 24  # of base32: 120 bits
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
LONGEST_LOCAL = 64  # RFC 5321 §4.5.3.1.1
LONGEST_NAME = LONGEST_LOCAL - len("+b") - 7 - len(".") - LETTERS
"""How long the part before the @ of the sender may be; seven digits name the envelopes of any lifetime."""


class Purpose(StrEnum):
    """What may come to an address: what came back, or what somebody answers."""

    BOUNCE = "b"
    ANSWER = "a"


VALID_FOR = {Purpose.BOUNCE: timedelta(days=30), Purpose.ANSWER: OPENS_FOR}


def signed(sender: Sender, delivery_id: int, message_id: str) -> tuple[str, Sender]:
    """Return the envelope's sender, to which what cannot be delivered comes back, and a sender whom one may answer."""
    bounces = _address(sender, Purpose.BOUNCE, delivery_id, message_id)
    return bounces, replace(sender, reply_to=_address(sender, Purpose.ANSWER, delivery_id, message_id))


def check(sender: Sender) -> None:
    """Refuse a sender whose address is too long to add to. Raises UnsafeMail."""
    if len(sender.address.rpartition("@")[0]) > LONGEST_NAME:
        raise UnsafeMail(f"The part of BUGINTAKE_MAIL_FROM before the @ is longer than {LONGEST_NAME} characters.")


def delivery_behind(recipients: Iterable[str]) -> tuple[Delivery, Purpose] | None:
    """Find the envelope that one of a mail's addressees names; nothing where none is ours, or where it is too late."""
    try:
        sender = sender_of(settings().mail_from or "", "", None)
    except UnsafeMail:
        return None  # nothing can have left from it
    name = re.escape(sender.address.rpartition("@")[0])
    token = rf"\+([{''.join(Purpose)}])([0-9a-z]{{1,7}})\.([a-z2-7]{{{LETTERS}}})"
    ours = re.compile(
        rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-]){name}{token}@{re.escape(sender.domain)}(?![\w.-])", re.IGNORECASE
    )
    for purpose, number, mark in (found for text in recipients for found in ours.findall(text)[:10]):
        behind = _behind(Purpose(purpose.lower()), number.lower(), mark.lower())
        if behind is not None:
            return behind
    return None


def _behind(purpose: Purpose, number: str, mark: str) -> tuple[Delivery, Purpose] | None:
    delivery_id = int(number, 36)
    delivery = db.session.get(Delivery, delivery_id) if 0 < delivery_id < 2**31 else None
    message_id = delivery.message_id if delivery is not None else ""
    keys = (settings().secret_key, *settings().secret_key_fallbacks)
    fits = [hmac.compare_digest(_mark(key, purpose, delivery_id, message_id), mark) for key in keys]
    if delivery is None or delivery.customer_id is None or not any(fits):
        return None
    is_too_late = clock.now() > (delivery.sent_at or delivery.created_at) + VALID_FOR[purpose]
    return None if is_too_late else (delivery, purpose)


def _address(sender: Sender, purpose: Purpose, delivery_id: int, message_id: str) -> str:
    name = sender.address.rpartition("@")[0]
    mark = _mark(settings().secret_key, purpose, delivery_id, message_id)
    return f"{name}+{purpose}{_base36(delivery_id)}.{mark}@{sender.domain}"


def _mark(secret_key: str, purpose: Purpose, delivery_id: int, message_id: str) -> str:
    """Sign what an address says. The Message-ID, because after a restore numbers may name other envelopes."""
    key = hmac.digest(secret_key.encode(), KEY_OF, sha256)
    said = f"{purpose}\n{delivery_id}\n{message_id}"
    return b32encode(hmac.digest(key, said.encode(), sha256)).decode().lower()[:LETTERS]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits
