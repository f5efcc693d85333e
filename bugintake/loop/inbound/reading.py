"""Reading one mail that came in: what kind it is, and what of it counts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from bugintake.loop.inbound.automatic import is_automatic, is_from_nobody
from bugintake.loop.inbound.new_words import new_words
from bugintake.loop.inbound.parts import Mail, take_apart
from bugintake.loop.inbound.returned import Failure, failures_in, is_returned
from bugintake.loop.inbound_models import InboundKind


@dataclass(frozen=True)
class Incoming:
    """A mail as far as anything depends on it. None of it proves who sent it.

    `name` is its Message-ID, or what it is made of where it has none.
    """

    kind: InboundKind
    name: str
    recipients: tuple[str, ...]
    failures: tuple[Failure, ...] = ()
    words: str = ""


ADDRESSED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc", "apparently-to")


def read(raw: bytes) -> Incoming:
    """Read a mail, however broken or hostile: never raises."""
    mail = take_apart(raw)
    name = mail.header("message-id")[:500] or sha256(raw).hexdigest()
    recipients = tuple(mail.every(*ADDRESSED))
    if is_returned(mail, is_from_nobody(mail)):
        failures = tuple(failures_in(mail))
        is_hard = any(failure.why.is_hard and failure.is_final for failure in failures)
        kind = InboundKind.HARD_BOUNCE if is_hard else InboundKind.SOFT_BOUNCE
        return Incoming(kind, name, recipients, failures)
    if is_automatic(mail):
        return Incoming(InboundKind.AUTOMATIC, name, recipients)
    return Incoming(InboundKind.HUMAN, name, recipients, words=new_words(_body(mail)))


def _body(mail: Mail) -> str:
    """Return what a person wrote: as plain text where there is one, else out of the HTML."""
    plain = next((part.text for part in mail.parts if part.content_type == "text/plain" and part.text.strip()), "")
    return plain or next((part.text for part in mail.parts if part.content_type == "text/html"), "")
