"""Checking an installation, and printing the document of its API."""

import json
import os
import shutil
import socket
import sqlite3
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

import click
import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from bugintake.cli.commands import Command, as_json, in_app, show_table
from bugintake.core import config, migrating
from bugintake.core.config import Settings
from bugintake.core.db import db
from bugintake.intake.attachments.queries import damaged
from bugintake.loop.inbound import roads
from bugintake.loop.inbound.addresses import LONGEST_NAME
from bugintake.loop.worker import last_pulse

OLDEST_SQLITE = (3, 35, 0)
LEAST_ROOM = 200 * 1024 * 1024
PATCHED = {(3, 11): 10, (3, 12): 5}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: fine, worth a look, or broken."""

    verdict: str
    subject: str
    sentence: str


def fine(subject: str, sentence: str) -> Finding:
    """Report what is as it should be."""
    return Finding("ok", subject, sentence)


def warn(subject: str, sentence: str) -> Finding:
    """Report what works, and may not be meant."""
    return Finding("look", subject, sentence)


def broken(subject: str, sentence: str) -> Finding:
    """Report what is unsafe or does not work."""
    return Finding("broken", subject, sentence)


@click.command(cls=Command)
@as_json
@in_app(any_shape=True)
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look at this installation and say what is unsafe or broken; exit status 1 where something is."""
    found = list(examine(config.settings()))
    show_table(("verdict", "subject", "sentence"), [(f.verdict, f.subject, f.sentence) for f in found], as_json)
    if any(finding.verdict == "broken" for finding in found):
        click.echo("Something is broken: see above.", err=True)
        ctx.exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything in turn."""
    yield _python()
    yield from _folder(settings)
    yield from _database()
    yield _address(settings)
    yield _mail(settings)
    yield _inbound(settings)


def _python() -> Finding:
    least = PATCHED.get(sys.version_info[:2])
    if least is not None and sys.version_info.micro < least:
        return warn(
            "Python",
            f"{sys.version.split()[0]} lets forged mail headers through (CVE-2024-6923), so bugintake checks every "
            f"mail itself; {sys.version_info.major}.{sys.version_info.minor}.{least} or newer is better.",
        )
    return fine("Python", sys.version.split()[0])


def _folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    if not os.access(folder, os.W_OK):
        yield broken("data folder", f"{folder} cannot be written to.")
        return
    free = shutil.disk_usage(folder).free
    if free < LEAST_ROOM:
        yield broken("data folder", f"{folder} has only {free // 2**20} MB left.")
    else:
        yield fine("data folder", f"{folder}, {free // 2**30} GB left")
    for name in ("secret_key", "bugintake.db"):
        path = folder / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o007:
            finding = broken if name == "secret_key" else warn
            yield finding(name, f"{path} is open to everybody on this machine: chmod 600 it, or chmod 700 the folder.")


def _database() -> Iterator[Finding]:
    try:
        with db.engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                yield _sqlite(connection)
            else:
                yield fine("database", f"PostgreSQL {connection.scalar(sa.text('SHOW server_version'))}")
        found = migrating.current()
    except SQLAlchemyError as error:
        yield broken("database", f"It does not answer: {getattr(error, 'orig', error)}")
        return
    if found is not None and not migrating.knows(found):
        yield broken("migration", f"{found} is newer than this version of bugintake knows ({migrating.newest()}).")
    elif found != migrating.newest():
        yield warn("migration", f"{found or 'none yet'}; `bugintake serve` brings it to {migrating.newest()}.")
    else:
        yield fine("migration", found)
        yield _attachments()
        pulse = last_pulse()
        yield (
            fine("worker", f"last alive at {pulse:%Y-%m-%d %H:%M:%S} UTC") if pulse else warn("worker", "It never ran.")
        )
        for road in roads.roads():
            yield (fine if road.is_open else broken)("mail that comes in", f"{road.name}: {road.sentence}")


def _attachments() -> Finding:
    lost = damaged()
    if lost:
        names = ", ".join(f"{each.stored_as} ({each.name})" for each in lost[:5])
        return broken("attachments", f"{len(lost)} are missing or damaged, among them {names}: restore a backup.")
    return fine("attachments", "each is whole")


def _sqlite(connection: sa.Connection) -> Finding:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        return broken("database", f"SQLite {sqlite3.sqlite_version} is too old; 3.35 is the oldest that works.")
    mode = connection.scalar(sa.text("PRAGMA journal_mode"))
    if mode != "wal":
        return broken("database", f"SQLite keeps its journal as {mode}, not wal: the file system may not allow it.")
    answer = connection.scalar(sa.text("PRAGMA quick_check"))
    if answer != "ok":
        return broken("database", f"The SQLite file is damaged ({answer}): restore a backup.")
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        return broken("database", "A row points to a row that is not there: restore a backup.")
    return fine("database", f"SQLite {sqlite3.sqlite_version}, whole")


def _address(settings: Settings) -> Finding:
    host = urlsplit(settings.base_url).hostname or ""
    if settings.is_https or host in ("localhost", "::1") or host.startswith("127."):
        return fine("address", settings.base_url)
    return warn("address", f"{settings.base_url} is plain http: passwords cross the network readable. Use https.")


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return warn("mail", "No mail server is set (BUGINTAKE_SMTP_URL), so mail stays in the outbox.")
    if settings.mail_from is None:
        return broken("mail", "BUGINTAKE_MAIL_FROM is not set, so nobody can be written to.")
    parts = urlsplit(settings.smtp_url)
    port = parts.port or (465 if parts.scheme == "smtps" else 587)
    try:
        socket.create_connection((parts.hostname, port), timeout=5).close()
    except OSError as error:
        return broken("mail", f"{parts.hostname}:{port} cannot be reached: {error.strerror or error}.")
    return fine("mail", f"{parts.hostname}:{port} answers; /admin/mail sends a test")


def _inbound(settings: Settings) -> Finding:
    subject = "what comes back"
    if settings.imap_url is None and settings.inbound_secret is None:
        return fine(subject, "not read: neither BUGINTAKE_IMAP_URL nor BUGINTAKE_INBOUND_SECRET is set")
    if settings.mail_from is None:
        return broken(subject, "BUGINTAKE_MAIL_FROM is not set, so nothing can come back to it.")
    name = parseaddr(settings.mail_from)[1].rpartition("@")[0]
    if len(name) > LONGEST_NAME:
        return broken(
            subject, f"The part of BUGINTAKE_MAIL_FROM before the @ is longer than {LONGEST_NAME} characters."
        )
    return fine(subject, f"mail to {name}+…@… is read; /admin/mail shows when")


@click.command(cls=Command)
@in_app(any_shape=True)
def openapi() -> None:
    """Print the API's document (OpenAPI 3.1)."""
    document = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
