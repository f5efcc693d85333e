"""Settings: read once from the environment, checked in words."""

import base64
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, current_app

EXTENSION = "bugintake"


class BadSetting(Exception):
    """A setting that cannot be used: its name, its value unless it is a secret, and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this installation runs. Every field is an environment variable `BUGINTAKE_…` of the same name."""

    data: Path
    database_url: str
    queue_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str | None = None
    mail_from: str | None = None
    imap_url: str | None = None
    inbound_secret: str | None = None
    secret_key: str
    secret_key_fallbacks: tuple[str, ...] = ()
    trusted_proxies: int = 0

    @property
    def is_https(self) -> bool:
        """Whether people reach the pages over https, so that cookies may demand it."""
        return self.base_url.startswith("https://")

    @property
    def reads_mail(self) -> bool:
        """Whether what comes back is read, so that mail may leave with addresses to answer to."""
        return self.mail_from is not None and (self.imap_url is not None or self.inbound_secret is not None)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file in the data folder."""
        return self.database_url.startswith("sqlite")


def settings() -> Settings:
    """Return the settings of the running app."""
    found: Settings = current_app.extensions[EXTENSION]
    return found


def keep(app: Flask, chosen: Settings) -> None:
    """Remember the settings on the app."""
    app.extensions[EXTENSION] = chosen


def from_environment(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings, each from `NAME` or from the file that `NAME_FILE` names.

    Makes the data folder and, the first time, a secret key in it (mode 0600). Raises BadSetting.
    """
    data = Path(_read(environ, "DATA") or "var").resolve()
    host = _read(environ, "HOST") or "127.0.0.1"
    port = _number(environ, "PORT", 8000, 1, 65535)
    shown = f"[{host}]" if ":" in host else host
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(f"BUGINTAKE_DATA is {data}, which cannot be made or opened: {error.strerror}.") from error
    return Settings(
        data=data,
        database_url=_database_url(_read(environ, "DATABASE_URL"), data),
        queue_url=_queue_url(_read(environ, "QUEUE_URL"), data),
        host=host,
        port=port,
        base_url=_base_url(_read(environ, "BASE_URL"), f"http://{shown}:{port}"),
        smtp_url=_smtp_url(_read(environ, "SMTP_URL")),
        mail_from=_read(environ, "MAIL_FROM"),
        imap_url=_imap_url(_read(environ, "IMAP_URL")),
        inbound_secret=_inbound_secret(_read(environ, "INBOUND_SECRET")),
        secret_key=_secret_key(_read(environ, "SECRET_KEY"), data),
        secret_key_fallbacks=tuple((_read(environ, "SECRET_KEY_FALLBACKS") or "").split()),
        trusted_proxies=_number(environ, "TRUSTED_PROXIES", 0, 0, 10),
    )


def _read(environ: Mapping[str, str], name: str) -> str | None:
    full = f"BUGINTAKE_{name}"
    path = environ.get(f"{full}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(f"{full}_FILE names {path}, which cannot be read: {error}.") from error
    return environ.get(full, "").strip() or None


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = _read(environ, name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise BadSetting(f"BUGINTAKE_{name} is {text!r}; a whole number from {low} to {high} is allowed.")
    return int(text)


def _database_url(text: str | None, data: Path) -> str:
    if text is None:
        return f"sqlite:///{data / 'bugintake.db'}"
    scheme = text.split(":", 1)[0]
    if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        return "postgresql+psycopg:" + text.split(":", 1)[1]
    if scheme == "sqlite":
        return text
    raise BadSetting(f"BUGINTAKE_DATABASE_URL starts with {scheme!r}; sqlite:///… and postgresql://… are allowed.")


def _queue_url(text: str | None, data: Path) -> str:
    chosen = text or f"sqlite:///{data / 'queue.db'}"
    scheme = chosen.split(":", 1)[0]
    if scheme not in ("sqlite", "postgresql"):
        raise BadSetting(f"BUGINTAKE_QUEUE_URL starts with {scheme!r}; sqlite:///… and postgresql://… are allowed.")
    return chosen


def _base_url(text: str | None, default: str) -> str:
    chosen = (text or default).rstrip("/")
    parts = urlsplit(chosen)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query:
        raise BadSetting(
            f"BUGINTAKE_BASE_URL is {chosen!r}; an address like https://bugs.example.com, without a path, is allowed."
        )
    return chosen


def _smtp_url(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("smtp", "smtps", "smtp+plain")
        fine = known and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        fine = False
    if not fine:
        raise BadSetting(
            "BUGINTAKE_SMTP_URL cannot be read; smtp://user:password@host:587, smtps://… or, for a server that cannot "
            "encrypt, smtp+plain://… is allowed."
        )
    return text


def _imap_url(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        fine = parts.scheme == "imaps" and bool(parts.hostname and parts.username and parts.password)
        fine = fine and (parts.port is None or parts.port > 0) and not parts.query and not parts.fragment
    except ValueError:
        fine = False
    if not fine:
        raise BadSetting("BUGINTAKE_IMAP_URL cannot be read; imaps://user:password@host/folder is allowed.")
    return text


def _inbound_secret(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise BadSetting("BUGINTAKE_INBOUND_SECRET cannot be read; whsec_ and the base64 of 24 to 64 bytes is allowed.")
    return text


def _secret_key(text: str | None, data: Path) -> str:
    if text is not None:
        if len(text) < 32:
            raise BadSetting("BUGINTAKE_SECRET_KEY is too short; at least 32 characters are allowed.")
        return text
    path = data / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key
