"""What a file is: told from its content, never from its name or from what the browser says."""

import codecs
import re
import unicodedata
from dataclasses import dataclass

from bugintake.core.errors import Invalid
from bugintake.core.forms import clean_line

MAX_BYTES = 10_000_000
NAME_LENGTH = 120
TEXT = "text/plain"
PDF = "application/pdf"
THUMBNAIL_TYPE = "image/webp"
PICTURES = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF87a": "GIF", b"GIF89a": "GIF"}
ENDINGS = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    PDF: ("pdf",),
    TEXT: ("txt", "log", "csv", "json", "md", "yml", "yaml", "har", "out", "err"),
}
_MARKUP = re.compile(r"\s*<[!?a-z]", re.IGNORECASE)
_NOT_WRITTEN = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # the escape that colours a terminal's log may stay


@dataclass(frozen=True)
class Content:
    """A file as it is kept: its safe name, its type, its bytes, and a small copy of a picture."""

    name: str
    media_type: str
    data: bytes
    thumbnail: bytes | None = None


def read(name: str, data: bytes) -> Content:
    """Find out what a file is, and make it fit to be kept.

    Pictures (PNG, JPEG, WebP, GIF) are written anew, texts become UTF-8, PDF stays as it is. Raises Invalid for what is
    empty, too large or anything else; markup (HTML, SVG, XML) is refused whatever it is called.
    """
    shown = _plain_name(name) or "The file"
    if not data:
        raise Invalid(f"{shown} is empty.", "files")
    if len(data) > MAX_BYTES:
        raise Invalid(f"{shown} is larger than {MAX_BYTES // 1_000_000} MB.", "files")
    kind = _picture_kind(data)
    if kind is not None:
        from bugintake.intake.attachments import pictures  # Pillow is loaded with the first picture

        try:
            picture, thumbnail = pictures.written_anew(data, kind)
        except Invalid as refusal:
            raise Invalid(f"{shown} {refusal.sentence}", "files") from refusal
        media_type = f"image/{kind.lower()}"
        return Content(file_name(name, media_type), media_type, picture, thumbnail)
    if data.startswith(b"%PDF-"):
        return Content(file_name(name, PDF), PDF, data)
    return Content(file_name(name, TEXT), TEXT, _text(shown, data).encode())


def file_name(given: str, media_type: str) -> str:
    """Make a name fit to be shown and saved under: one line, no folders, nothing invisible, an ending that is true."""
    name = _plain_name(given)
    stem, dot, ending = name.rpartition(".")
    if not dot or ending.lower() not in ENDINGS[media_type]:
        stem, ending = name, ENDINGS[media_type][0]
    stem = stem[: NAME_LENGTH - len(ending) - 1].rstrip(". ") or "file"
    return f"{stem}.{ending}"


def _plain_name(given: str) -> str:
    """Drop folders, and what could turn the reading around: U+202E shows `gpj.exe` as `exe.jpg`."""
    last = re.split(r"[\\/]", given)[-1]
    visible = "".join(each for each in last if unicodedata.category(each) != "Cf")
    return clean_line(visible).strip(". ")[:NAME_LENGTH]


def _picture_kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in PICTURES.items() if data.startswith(start)), None)


def _text(shown: str, data: bytes) -> str:
    encodings = ("utf-16",) if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _MARKUP.match(text):
            raise Invalid(f"{shown} is a web page or a drawing (HTML, SVG, XML), which can carry code.", "files")
        if not _NOT_WRITTEN.search(text):
            return text
    raise Invalid(f"{shown} is not one of these: a picture (PNG, JPEG, WebP, GIF), a text or log, a PDF.", "files")
