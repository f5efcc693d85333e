"""Taking a mail apart that anybody may have written: bounded in size and depth, and never an exception.

The parser's `compat32` policy, because the newer one reads a header's grammar to the end, and that can be made to take
minutes or to recurse too deeply. What is needed of a header is read here.
"""

from __future__ import annotations

import quopri
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from html.parser import HTMLParser
from itertools import islice

MOST_BYTES = 10 * 1024 * 1024
READ_BYTES = 256 * 1024
"""Of a longer mail only so much is read: what a person or a mail server says comes before what they attach."""
LONGEST_HEADER = 4000
LONGEST_HTML = 200_000
LONGEST_LINE = 20_000
MOST_HEADERS = 500
MOST_PARTS = 60
DEEPEST = 8
REPORTS = ("message/delivery-status", "message/global-delivery-status")
RETURNED = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers", "message/partial")
QUOTES = ("gmail_quote", "yahoo_quoted", "moz-cite-prefix", "protonmail_quote", "OutlookMessageHeader")
QUOTE_IDS = ("divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container", "OLK_SRC_BODY_SECTION")
VOID = frozenset(("br", "hr", "img", "input", "meta", "link", "col", "area", "base", "embed", "source", "track", "wbr"))
UNCLOSED = re.compile(r"<(?!!--)(?=[^<>]*(?:<|\Z))")  # each would be looked for to the end again
BLOCKS = frozenset(("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "pre", "hr"))


@dataclass(frozen=True)
class Part:
    """One readable part of a mail: what it is, and its text."""

    content_type: str
    text: str
    html: str = ""


@dataclass(frozen=True)
class Mail:
    """A mail taken apart: its headers by their names in small letters, and what can be read in it."""

    headers: tuple[tuple[str, str], ...]
    content_type: str
    report_type: str
    parts: tuple[Part, ...]

    def header(self, name: str) -> str:
        """Return the first header of a name, decoded and on one line, or an empty text."""
        return next((value for found, value in self.headers if found == name), "")

    def every(self, *names: str) -> list[str]:
        """List all headers of these names."""
        return [value for found, value in self.headers if found in names]


def take_apart(raw: bytes) -> Mail:
    """Read a mail, whatever it is. What cannot be read in it is left out."""
    cut = _short_lines(raw[:READ_BYTES])
    head = BytesHeaderParser(policy=compat32).parsebytes(cut)
    try:
        # Each boundary costs every line after it a look, and each level a recursion.
        is_fine = cut.count(b"boundary=") + cut.lower().count(b"message/rfc822") <= MOST_PARTS
        message = BytesParser(policy=compat32).parsebytes(cut) if is_fine else head
        parts = tuple(islice(_parts(message, 0), MOST_PARTS))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        message, parts = head, ()
    headers = tuple((name.lower(), _readable(value)) for name, value in list(head.raw_items())[:MOST_HEADERS])
    declared = next((value for name, value in headers if name == "content-type"), "text/plain")
    kind = re.search(r"report-type=[\"']?([\w-]+)", declared, re.IGNORECASE)
    return Mail(headers, _content_type(declared), kind[1].lower() if kind else "", parts)


def _short_lines(raw: bytes) -> bytes:
    return b"\n".join(line[:LONGEST_LINE] for line in raw.split(b"\n"))


def _readable(value: object) -> str:
    """Decode a header's encoded words and put it on one line."""
    text = str(value)[:LONGEST_HEADER]
    try:
        pieces = decode_header(text) if "=?" in text else [(text, None)]
        text = "".join(
            piece if isinstance(piece, str) else decoded(piece, charset or "latin-1") for piece, charset in pieces
        )
    except (ValueError, LookupError, TypeError):
        pass
    # Bytes beyond ASCII are UTF-8 (RFC 6532), or nobody knows what.
    return " ".join(text.replace("\0", " ").encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())


def _content_type(declared: str) -> str:
    found = re.match(r"\s*([\w.+-]+/[\w.+-]+)", declared)
    return found[1].lower() if found else "text/plain"


def _parts(message: Message, depth: int) -> Iterator[Part]:
    if depth > DEEPEST:
        return
    content_type = _content_type(_readable(message.get("content-type", "text/plain")))
    inside = message.get_payload()
    if content_type in RETURNED:
        yield Part(content_type, "")
    elif content_type in REPORTS:
        yield Part(content_type, _report(message, inside))
    elif isinstance(inside, list):
        for part in inside:
            if isinstance(part, Message):
                yield from _parts(part, depth + 1)
    elif content_type.startswith(("text/", "message/")):
        if "attachment" not in _readable(message.get("content-disposition", "")).lower():
            text = _text(message)
            is_html = content_type == "text/html"
            yield Part(content_type, text_of_html(text) if is_html else text, text if is_html else "")
    elif content_type.startswith("multipart/"):
        yield Part("text/plain", _text(message))  # whose boundary is nowhere to be found


def _report(message: Message, inside: object) -> str:
    """Put the blocks of a delivery report together again, which the parser has taken for headers."""
    blocks = [str(block) for block in inside if isinstance(block, Message)] if isinstance(inside, list) else []
    text = "\n\n".join(blocks) if blocks else _text(message)
    return _unpacked(text.encode("utf-8", "replace"), message).decode("utf-8", "replace") if blocks else text


def _text(message: Message) -> str:
    inside = message.get_payload()
    if not isinstance(inside, str):
        return ""
    declared = _readable(message.get("content-type", ""))
    charset = re.search(r"charset=[\"']?([\w.:-]+)", declared, re.IGNORECASE)
    octets = _unpacked(inside.encode("ascii", "surrogateescape") if _is_bytes(inside) else inside.encode(), message)
    return decoded(octets, charset[1] if charset else "utf-8")


def _is_bytes(text: str) -> bool:
    return all(ord(c) < 128 or 0xDC80 <= ord(c) <= 0xDCFF for c in text)


def _unpacked(octets: bytes, message: Message) -> bytes:
    encoding = _readable(message.get("content-transfer-encoding", "")).lower().strip()
    if encoding == "quoted-printable":
        return quopri.decodestring(octets)
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", octets)
        return b64decode(letters[: len(letters) // 4 * 4])
    return octets


def decoded(octets: bytes, charset: str) -> str:
    """Turn bytes into text that a database takes: no NUL, no half characters, whatever the charset is said to be."""
    try:
        text = octets.decode(charset, "strict")
    except (LookupError, UnicodeError, ValueError):
        try:
            text = octets.decode("utf-8", "strict")
        except UnicodeError:
            text = octets.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return text.encode("utf-8", "replace").decode("utf-8")


class _Reader(HTMLParser):
    """Collects what somebody reads in an HTML mail, without what mail programs mark as quoted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden: list[str] = []
        self._is_over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element: what is quoted, a style or a script is left out."""
        known = {name: value or "" for name, value in attrs}
        if known.get("id") in QUOTE_IDS:
            self._is_over = True
        is_quote = tag == "blockquote" or any(name in known.get("class", "") for name in QUOTES)
        if self._hidden:
            if tag == self._hidden[0]:
                self._hidden.append(tag)
        elif tag not in VOID and (is_quote or tag in ("style", "script", "head", "title")):
            self._hidden = [tag]
        if tag in BLOCKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End an element."""
        if self._hidden and tag == self._hidden[0]:
            self._hidden.pop()
        if tag in BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep words."""
        if not self._hidden and not self._is_over:
            self.pieces.append(re.sub(r"[ \t\n\xa0]+", " ", data))


def text_of_html(html: str) -> str:
    """Turn an HTML mail into the words that its writer wrote."""
    reader = _Reader()
    try:
        reader.feed(UNCLOSED.sub("&lt;", html[:LONGEST_HTML]))
        reader.close()
    except (AssertionError, ValueError, RecursionError):
        pass  # what was read until then is kept
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
