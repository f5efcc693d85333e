"""Hands one mail to the mail server, phase by phase, and says what became of it."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from bugintake.loop.verdicts import Outcome, Phase, Refused, Verdict, enhanced_code_of, reading


class Security(StrEnum):
    """How the connection is protected."""

    IMPLICIT = "smtps"
    STARTTLS = "smtp"
    PLAIN = "smtp+plain"


@dataclass(frozen=True)
class Server:
    """A mail server and how to sign in to it."""

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> Server:
        """Read `smtp://`, `smtps://` or `smtp+plain://` with user, password, host and port.

        `smtp` requires STARTTLS, except to this machine itself; a plain connection elsewhere has to be asked for by
        name. Raises ValueError with a sentence that never repeats the password.
        """
        try:
            parts = urlsplit(url)
            security, port = Security(parts.scheme), parts.port
        except ValueError as error:
            raise ValueError("Mail is sent through smtp://, smtps:// or smtp+plain://, then host and port.") from error
        if not parts.hostname:
            raise ValueError("The address of the mail server has no host.")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("The address of the mail server ends after the port.")
        if security is Security.STARTTLS and _is_this_machine(parts.hostname):
            security = Security.PLAIN
        default = {Security.IMPLICIT: 465, Security.STARTTLS: 587, Security.PLAIN: 25}[security]
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port or default, security, user, password)


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class Timeouts:
    """Seconds without an answer before a phase counts as stalled.

    Shorter than RFC 5321 §4.5.3.2 before DATA, where giving up is free, and as long as it asks after the final dot,
    where giving up leaves the mail uncertain. Before DATA and from DATA on they add up to less than one lease each.
    """

    connect: float = 15
    tls: float = 30
    hello: float = 30
    auth: float = 30
    mail: float = 60
    rcpt: float = 60
    data: float = 60
    content: float = 600


@dataclass(frozen=True)
class Envelope:
    """A finished mail: one sender, exactly one recipient, its bytes."""

    sender: str
    recipient: str
    content: bytes


class _Client(smtplib.SMTP):
    def __init__(self, host: str, timeout: float) -> None:
        super().__init__(timeout=timeout, local_hostname="localhost")
        self._host = host  # starttls() compares the certificate with it; only connect() would set it


class Channel:
    """A connection to the mail server, kept open from one mail to the next."""

    mails_per_connection = 100

    def __init__(self, server: Server, *, timeouts: Timeouts | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.server = server
        self.timeouts = timeouts or Timeouts()
        self._tls = tls
        self._client: smtplib.SMTP | None = None
        self._phase = Phase.CONNECT
        self._handed_over = 0

    def deliver(self, mail: Envelope, before_data: Callable[[], bool]) -> Outcome:
        """Hand a mail over and say how it ended.

        `before_data` is called once the recipient is accepted and nothing has been handed over yet: where it says no,
        or raises, the mail stays here. A kept connection that the server has closed meanwhile is replaced once.
        """
        kept = self._is_usable()
        outcome = self._attempt(mail, before_data)
        if kept and outcome.verdict is Verdict.RETRY and self._client is None and outcome.phase is Phase.MAIL:
            outcome = self._attempt(mail, before_data)
        return outcome

    def check(self) -> Outcome:
        """Connect, sign in and say whether the server would take mail."""
        try:
            self._open()
        except (OSError, smtplib.SMTPException, Refused) as error:
            return self._ended(error)
        finally:
            self.close()
        return Outcome(Verdict.SENT, self._phase)

    def close(self) -> None:
        """Say goodbye; what was accepted stays accepted whatever the server answers."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.sock is not None:
                client.sock.settimeout(5)
            client.quit()
        except (OSError, smtplib.SMTPException):
            client.close()

    def _is_usable(self) -> bool:
        return self._client is not None and self._handed_over < self.mails_per_connection

    def _attempt(self, mail: Envelope, before_data: Callable[[], bool]) -> Outcome:
        try:
            client = self._client if self._client is not None and self._is_usable() else self._open()
            self._begin(client, Phase.MAIL, self.timeouts.mail)
            self._expect(2, *client.mail(mail.sender, self._options(client, mail)))
            self._begin(client, Phase.RCPT, self.timeouts.rcpt)
            self._expect(2, *client.rcpt(mail.recipient))
            if not before_data():
                self._reset()
                return Outcome(Verdict.WITHDRAWN, Phase.RCPT)
            code, answer = self._hand_over(client, mail.content)
        except (OSError, smtplib.SMTPException, Refused) as error:
            return self._ended(error)
        except BaseException:
            self._drop()
            raise
        self._handed_over += 1
        return Outcome(Verdict.SENT, Phase.DATA, code, enhanced_code_of(answer))

    def _open(self) -> smtplib.SMTP:
        self.close()
        self._phase = Phase.CONNECT
        server = self.server
        client = _Client(server.host, self.timeouts.connect)
        self._client, self._handed_over = client, 0
        sock = socket.create_connection((server.host, server.port), self.timeouts.connect)
        client.sock = sock
        client.local_hostname = _own_name(sock)
        if server.security is Security.IMPLICIT:
            self._begin(client, Phase.TLS, self.timeouts.tls)
            client.sock = self._context().wrap_socket(sock, server_hostname=server.host)
        self._begin(client, Phase.HELLO, self.timeouts.hello)
        self._expect(2, *client.getreply())
        client.ehlo_or_helo_if_needed()
        if server.security is Security.STARTTLS:
            self._start_tls(client)
        if server.user is not None:
            self._begin(client, Phase.AUTH, self.timeouts.auth)
            client.login(server.user, server.password or "")
        return client

    def _start_tls(self, client: smtplib.SMTP) -> None:
        self._begin(client, Phase.TLS, self.timeouts.tls)
        client.starttls(context=self._context())
        self._begin(client, Phase.HELLO, self.timeouts.hello)
        client.ehlo_or_helo_if_needed()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls

    def _begin(self, client: smtplib.SMTP, phase: Phase, seconds: float) -> None:
        self._phase = phase
        if client.sock is not None:
            client.sock.settimeout(seconds)

    def _options(self, client: smtplib.SMTP, mail: Envelope) -> list[str]:
        return [f"size={len(mail.content)}"] if client.has_extn("size") else []

    def _hand_over(self, client: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
        # Not client.data(): the answer to the final dot needs a longer patience than the one to the command.
        self._begin(client, Phase.DATA, self.timeouts.data)
        client.putcmd("DATA")
        self._expect(3, *client.getreply())
        self._begin(client, Phase.DATA, self.timeouts.content)
        body = re.sub(rb"(?m)^\.", b"..", content)
        client.send(body + (b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"))
        return self._expect(2, *client.getreply())

    def _expect(self, kind: int, code: int, answer: bytes) -> tuple[int, bytes]:
        if code // 100 != kind:
            raise Refused(code, answer)
        return code, answer

    def _ended(self, error: Exception) -> Outcome:
        phase = self._phase
        code, answer, verdict = reading(phase, error)
        if isinstance(error, Refused) and phase in (Phase.MAIL, Phase.RCPT, Phase.DATA) and 400 <= code != 421:
            self._reset()
        else:
            self._drop()
        enhanced = enhanced_code_of(answer) if code > 0 else None
        return Outcome(verdict, phase, code if code > 0 else None, enhanced, self._redacted(error, answer))

    def _reset(self) -> None:
        try:
            if self._client is None or self._client.sock is None:
                return
            self._client.sock.settimeout(5)
            self._expect(2, *self._client.rset())
        except (OSError, smtplib.SMTPException, Refused):
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    def _redacted(self, error: Exception, answer: bytes) -> str:
        text = answer.decode("utf-8", "replace") or str(error) or type(error).__name__
        for secret in (self.server.password, self.server.user):
            text = text.replace(secret, "…") if secret else text
        text = re.sub(r"[^\s<>@]+@[^\s<>]+", "…@…", text)
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def _own_name(sock: socket.socket) -> str:
    name = socket.gethostname()
    if "." in name:
        return name
    address = str(sock.getsockname()[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
