"""What a mail server's answer, or its silence, means for the mail: the whole table, and nothing else."""

from __future__ import annotations

import re
import smtplib
import ssl
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """How far the conversation with the server had come."""

    COMPOSE = "compose"
    CONNECT = "connect"
    TLS = "tls"
    HELLO = "hello"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


class Verdict(StrEnum):
    """What an answer, or its absence, means for the mail."""

    SENT = "sent"
    RETRY = "retry"
    SLOW = "slow"
    """The receiving domain asks for patience: mail to it waits, and this one is not to blame."""
    BOUNCED = "bounced"
    """The address does not exist: no other mail may try it."""
    FAILED = "failed"
    """This mail was refused for good; the address may be fine."""
    UNCERTAIN = "uncertain"
    """It may have arrived: only a person may send it again."""
    CHANNEL = "channel"
    """No mail can leave until an admin repairs the settings."""
    WITHDRAWN = "withdrawn"
    """The sender no longer held the mail right before handing it over."""


@dataclass(frozen=True)
class Outcome:
    """How one attempt ended, and at which phase."""

    verdict: Verdict
    phase: Phase
    code: int | None = None
    enhanced_code: str | None = None
    error: str | None = None


ABOUT_THE_PACE = re.compile(
    rb"\b(too (many|much|fast|quickly|frequent(ly)?)|rate|rate.?limit\w*|throttl\w*|slow down|try (again )?later)\b",
    re.IGNORECASE,
)
ABOUT_STRANGERS = re.compile(rb"gr[ae]y.?list", re.IGNORECASE)
"""Greylisting: whoever comes again gets in, each mail for itself."""


class Refused(Exception):
    """The server answered, and not what was hoped for."""

    def __init__(self, code: int, answer: bytes) -> None:
        super().__init__(code)
        self.code, self.answer = code, answer


def reading(phase: Phase, error: Exception) -> tuple[int, bytes, Verdict]:
    """Say what an error means at a phase: its code, the server's words, the verdict."""
    if isinstance(error, Refused):
        if _asks_for_patience(phase, error):
            return error.code, error.answer, Verdict.SLOW
        return error.code, error.answer, verdict_of(phase, error.code, enhanced_code_of(error.answer))
    if phase is Phase.DATA:
        return 0, b"", Verdict.UNCERTAIN
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
        return error.smtp_code, answer, verdict_of(phase, error.smtp_code, None)
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, smtplib.SMTPServerDisconnected)):
        return 0, b"", Verdict.RETRY
    if phase is Phase.TLS and isinstance(error, (ssl.SSLError, smtplib.SMTPNotSupportedError)):
        return 0, b"", Verdict.CHANNEL
    if phase is Phase.AUTH and isinstance(error, smtplib.SMTPException):
        return 0, b"", Verdict.CHANNEL
    return 0, b"", Verdict.RETRY


def _asks_for_patience(phase: Phase, refusal: Refused) -> bool:
    """Whether the answer is about how fast mail comes to the recipient's domain: 4.7.x, or such words and no code."""
    if phase not in (Phase.RCPT, Phase.DATA) or refusal.code not in (421, 450, 451):
        return False
    if ABOUT_STRANGERS.search(refusal.answer):
        return False
    enhanced = enhanced_code_of(refusal.answer)
    return enhanced.startswith("4.7.") if enhanced else ABOUT_THE_PACE.search(refusal.answer) is not None


def verdict_of(phase: Phase, code: int, enhanced_code: str | None) -> Verdict:
    """Say what an answer other than the hoped-for one means.

    A 5xx to sign-in, STARTTLS or our own sender address concerns every mail. 5.1.7 and 5.1.8 speak of the sender
    (RFC 3463), so they never cost the recipient their mail; nor does a bare 550, which may be a policy.
    """
    if phase is Phase.DATA and not 400 <= code < 600:
        return Verdict.UNCERTAIN
    if not 500 <= code < 600 or phase in (Phase.CONNECT, Phase.HELLO):
        return Verdict.RETRY
    if phase in (Phase.TLS, Phase.AUTH):
        return Verdict.CHANNEL
    if phase is Phase.MAIL:
        return Verdict.FAILED if code == 552 else Verdict.CHANNEL
    subject = (enhanced_code or "").split(".")
    is_unknown = subject[:2] == ["5", "1"] and subject[2] not in ("7", "8")
    return Verdict.BOUNCED if is_unknown or enhanced_code == "5.2.1" else Verdict.FAILED


def enhanced_code_of(answer: bytes) -> str | None:
    """Read the enhanced status code (RFC 2034) an answer begins with."""
    found = re.match(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)", answer)
    return found[1].decode() if found else None
