"""A-27: scanners open every link of every mail there is, and whoever it was meant for comes by it all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any, NamedTuple

import sqlalchemy as sa
from flask import Flask, current_app

from bugintake.core.db import db
from bugintake.intake.models import Report
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, DeliveryKind, DeliveryState, Message
from bugintake.team.models import User
from tests.faults.launching import Rig
from tests.faults.rig import work
from tests.loop.every_mail import Company
from tests.visitors import visit

METHODS = ("GET", "HEAD", "GET", "HEAD", "OPTIONS")
IN_TEXT = re.compile(r"https?://[^\s<>]+")
IN_HTML = re.compile(r"""(?:href|src|action)="(https?://[^"]+)\"""")
NEW_PASSWORD = "five green lamps over the harbour"  # a test's own


class Link(NamedTuple):
    """Where a mail leads, and whom it leads there."""

    reader: str
    path: str


def open_every_link(rig: Rig) -> None:
    """A-27: each link is opened again and again, and nothing has changed. Then its reader comes, and it works."""
    for _ in Company(rig.clock).days():
        work()
    assert kinds_sent() == (set(AnnouncementKind), set(DeliveryKind))
    found = sorted({Link(to, path) for to, mail in rig.sink.accepted for path in paths_in(mail, rig.settings.base_url)})
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
    before = everything()
    paths = sorted({link.path for link in found})
    refused = [(path, *answer) for path in paths for answer in scanned(app, path) if answer[-1] >= 400]
    assert (refused, changed_since(before)) == ([], [])
    for link in found:
        come(app, link)
    assert everybody_unsubscribed() == set()


def kinds_sent() -> tuple[set[AnnouncementKind], set[DeliveryKind]]:
    """Name everything that customers were told, and what envelopes carried."""
    sent = sa.select(Delivery.kind).where(Delivery.state == DeliveryState.SENT)
    told = sa.select(Announcement.kind).join(Message).join(Delivery, Delivery.id == Message.delivery_id)
    left = told.where(Delivery.state == DeliveryState.SENT)
    return set(db.session.scalars(left)), set(db.session.scalars(sent))


def paths_in(mail: EmailMessage, base_url: str) -> set[str]:
    """Read where a mail leads: its text, its HTML twin, and its headers. All of it leads to us."""
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    headers = " ".join(str(value) for value in mail.values())
    in_text, in_html = set(IN_TEXT.findall(text)), set(IN_HTML.findall(html))
    assert in_text == in_html
    urls = in_text | set(IN_TEXT.findall(headers))
    assert {url for url in urls if not url.startswith(f"{base_url}/")} == set()
    return {url.removeprefix(base_url).partition("#")[0] for url in urls}


def scanned(app: Flask, path: str) -> Iterator[tuple[str, int]]:
    """Open a link as scanners do: without cookies, and then with those that it sets, wherever it leads."""
    for keeps_cookies in (False, True):
        scanner = app.test_client(use_cookies=keeps_cookies)
        for method in METHODS:
            headers = {"Purpose": "prefetch"}
            answer = scanner.open(path, method=method, headers=headers, follow_redirects=keeps_cookies)
            yield method, answer.status_code


def come(app: Flask, link: Link) -> None:
    """Let whoever a mail is for follow a link, and do there what it is for."""
    user = db.session.scalar(sa.select(User).where(User.email == link.reader))
    person = visit(app, None if link.path.startswith("/passes/") else user)
    assert person.get(link.path, follow_redirects=True).status_code == 200, link
    if "/unsubscribe/" in link.path:
        foreign = {"Origin": "https://mail.example.net", "Sec-Fetch-Site": "cross-site"}
        for _ in range(2):
            click = app.test_client().post(link.path, data={"List-Unsubscribe": "One-Click"}, headers=foreign)
            assert click.status_code == 200
    elif link.path.startswith("/passes/"):
        assert person.post(link.path, {"password": NEW_PASSWORD}).status_code == 302
        assert person.get(link.path).status_code == 404


def everybody_unsubscribed() -> set[int]:
    """Name the reports that somebody was mailed about and still is."""
    mailed = sa.select(Message.report_id).where(Message.delivery_id.is_not(None))
    return set(db.session.scalars(sa.select(Report.id).where(Report.id.in_(mailed), Report.unsubscribed_at.is_(None))))


def everything() -> dict[str, list[str]]:
    """Read every row there is."""
    db.session.rollback()
    return {table.name: sorted(map(repr, db.session.execute(sa.select(table)))) for table in db.metadata.sorted_tables}


def changed_since(before: dict[str, list[str]]) -> list[str]:
    """Name the tables of which any row is another one now."""
    now = everything()
    return [name for name, rows in before.items() if now[name] != rows]
