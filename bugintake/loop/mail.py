"""Turns a letter into the bytes of a mail, and refuses any whose headers are not exactly the ones intended."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.parser import BytesParser
from email.policy import compat32
from email.quoprimime import body_encode
from email.utils import format_datetime, getaddresses, parseaddr
from urllib.parse import urlsplit
from uuid import uuid4

import idna
from flask import current_app

from bugintake.core.config import settings

CRLF = "\r\n"
MAX_BYTES = 1_000_000
MAX_SUBJECT = 150
BOUNDARY = (
    "=_bugintake"  # "=_" cannot occur in quoted-printable; the same in each, because its pattern is compiled once
)
BIDI = frozenset([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F])
ISOLATES = frozenset([0x2068, 0x2069])
"""The marks around a name or number in a right-to-left sentence: what stands between them turns nothing outside."""
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
PART_HEADERS = ["content-transfer-encoding", "content-type"]


class UnsafeMail(Exception):
    """A mail that would say or reach more than was meant: it never leaves."""


@dataclass(frozen=True)
class Line:
    """One paragraph of a letter, the same in both twins: words, somebody's own words, a link, or small print."""

    text: str
    kind: str = "words"
    url: str = ""


Written = tuple[str, list[Line]]
"""A mail to somebody of the team as it is written: its subject, and its paragraphs below the greeting."""


@dataclass(frozen=True)
class Letter:
    """What a mail says, and to whom; nothing in it is trusted."""

    recipient: str
    recipient_name: str
    language: str
    subject: str
    lines: tuple[Line, ...]
    thread: tuple[str, ...] = ()
    unsubscribe_url: str = ""


@dataclass(frozen=True)
class Sender:
    """Who mail comes from, and where an answer goes."""

    address: str
    name: str
    reply_to: str = ""
    domain: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "domain", self.address.rpartition("@")[2])


def sender_of(mail_from: str, name: str, reply_to: str | None) -> Sender:
    """Read the configured sender, which may carry a name of its own. Raises UnsafeMail where it is no address."""
    own_name, address = parseaddr(mail_from)
    return Sender(plain_address(address), own_name or name, plain_address(reply_to) if reply_to else "")


def compose(letter: Letter, sender: Sender, message_id: str, at: datetime) -> bytes:
    """Write the mail: text first, its HTML twin second. Raises UnsafeMail.

    The headers are written here and not by EmailMessage, which reads encoded words out of a value and so makes real
    headers of them on a Python before 3.11.10 (CVE-2024-6923), and which encodes a long List-Unsubscribe beyond
    recognition. The finished bytes are read again and must hold exactly the intended headers and one recipient.
    """
    language = header_text(letter.language, 8)
    headers = {
        "From": _mailbox(sender.name, sender.address),
        "To": _mailbox(letter.recipient_name, plain_address(letter.recipient)),
        "Subject": _encoded("Subject", header_text(letter.subject, MAX_SUBJECT)),
        "Date": format_datetime(at),
        "Message-ID": _identifier(message_id),
        "Auto-Submitted": "auto-generated",
        "Content-Language": language,
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{BOUNDARY}"',
    }
    if sender.reply_to:
        headers["Reply-To"] = sender.reply_to
    if letter.thread:
        headers["In-Reply-To"] = _identifier(letter.thread[0])
        headers["References"] = "\r\n ".join(_identifier(parent) for parent in letter.thread[:5])
    if letter.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{_web_address(letter.unsubscribe_url)}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    content = (head + "\r\n" + _body(letter, language)).encode("ascii")
    _check(content, list(headers), letter, sender)
    return content


def _body(letter: Letter, language: str) -> str:
    lines = [Line(body_text(line.text), line.kind, _web_address(line.url)) for line in letter.lines]
    if sum(len(line.text) for line in lines) > MAX_BYTES:
        raise UnsafeMail("The mail is larger than 1 MB.")
    title = header_text(letter.subject, MAX_SUBJECT)
    parts = []
    for subtype, template in (("plain", "loop/mail/letter.txt"), ("html", "loop/mail/letter.html")):
        # Not render_template(): context processors of pages expect somebody signed in.
        text = current_app.jinja_env.get_template(template).render(lines=lines, language=language, title=title)
        octets = text.strip("\n").encode().decode("latin-1") + "\n"
        parts.append(
            f"--{BOUNDARY}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
            f"Content-Transfer-Encoding: quoted-printable\r\n\r\n{body_encode(octets, eol=CRLF)}\r\n"
        )
    return "".join(parts) + f"--{BOUNDARY}--\r\n"


def _check(content: bytes, names: Sequence[str], letter: Letter, sender: Sender) -> None:
    if len(content) > MAX_BYTES:
        raise UnsafeMail("The mail is larger than 1 MB.")
    mail = BytesParser(policy=compat32).parsebytes(content)
    found = sorted(name.lower() for name in mail)
    if found != sorted(name.lower() for name in names):
        raise UnsafeMail("A text in it would have become a header.")
    parts = list(mail.walk())[1:]
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"]:
        raise UnsafeMail("A text in it would have become a part of its own.")
    if any(sorted(name.lower() for name in part) != PART_HEADERS for part in parts):
        raise UnsafeMail("A text in it would have become a header of a part.")
    for name, expected in (("To", letter.recipient), ("From", sender.address)):
        if [address for _, address in getaddresses([str(mail[name])])] != [plain_address(expected)]:
            raise UnsafeMail("A name in it would have become a second address.")


def header_text(text: str, limit: int) -> str:
    """Make a text safe as a header value: one line, no control characters, no encoded words, not too long."""
    flat = " ".join(_without_controls(text, "").split())
    return flat.replace("=?", "= ?")[:limit].rstrip()


def display_name(text: str) -> str:
    """Make a person's name safe before an address: nothing in it can end the name or begin an address."""
    return header_text(re.sub(r"[\"(),.:;<>@\[\\\]]", " ", text), 80)


def body_text(text: str) -> str:
    """Make a text safe in a body: plain line breaks, no control characters, no half characters."""
    return _without_controls(text.replace("\r\n", "\n").replace("\r", "\n"), "\n\t", ISOLATES)


def _without_controls(text: str, kept: str, marks: Set[int] = frozenset()) -> str:
    """Drop C0, C1, surrogates and other marks that turn the direction of writing; line separators become spaces."""
    if text.isascii() and text.isprintable():
        return text
    spaced = re.sub(r"[\u2028\u2029\x85]", "\n" if "\n" in kept else " ", text)
    if "\n" not in kept:
        spaced = re.sub(r"[\r\n\t]+", " ", spaced)
    kinds = ((c, unicodedata.category(c)) for c in spaced.translate(dict.fromkeys(BIDI - marks)))
    return "".join(c for c, kind in kinds if c in kept or kind not in ("Cc", "Cs", "Zl", "Zp"))


def plain_address(text: str) -> str:
    """Return the one address a text is, its domain in ASCII. Raises UnsafeMail for anything else.

    No quoted local parts, no lists, no comments, no local parts beyond ASCII: what is left means the same to every
    program that reads it (RFC 5321 §4.1.2 as far as real mailboxes use it).
    """
    local, _, domain = text.rpartition("@")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError as error:
            raise UnsafeMail("The address has a domain that cannot exist.") from error
    is_plain = (
        re.fullmatch(rf"{ATOM}(\.{ATOM})*", local)
        and re.fullmatch(rf"({LABEL}\.)*{LABEL}", domain)
        and len(local) <= 64
        and len(local) + len(domain) < 254
        and "=?" not in local
    )
    if not is_plain:
        raise UnsafeMail("The address is not one that mail can be sent to.")
    return f"{local}@{domain}"


def _mailbox(name: str, address: str) -> str:
    words = display_name(name)
    return f"{_encoded('To', words)} <{address}>" if words else address


def _encoded(header: str, text: str) -> str:
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, header_name=header).encode(linesep=CRLF)


def _identifier(text: str) -> str:
    if not re.fullmatch(r"<[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,100}>", text):
        raise UnsafeMail("The Message-ID is malformed.")
    return text


def _web_address(url: str) -> str:
    if url and not re.fullmatch(r"https?://[!-;=?-~]+", url):
        raise UnsafeMail("A link in it is not a web address.")
    return url


def new_message_id() -> str:
    """Make the name a mail keeps for ever, also when it is sent again."""
    return f"<{uuid4().hex}@{mail_domain()}>"


def mail_domain() -> str:
    """Return the host that Message-IDs are made under: the one our links lead to."""
    host = urlsplit(settings().base_url).hostname or "localhost"
    return host if all(c.isascii() and (c.isalnum() or c in ".-") for c in host) else "localhost"
