"""Every kind of mail to a customer, as other programs read it: nothing of it is code, and its links are whole."""

from __future__ import annotations

import email.policy
import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.config import Settings
from bugintake.core.db import db
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, Message
from tests.faults.rig import work
from tests.faults.server import FaultServer
from tests.loop import mutt
from tests.loop.every_mail import Company

pytestmark = pytest.mark.long_on("postgres")

AS_SENT = email.policy.SMTP.clone(refold_source="none")
LINK = re.compile(r"https://bugs\.example\.com/s/\w\w/(r|unsubscribe)/[\w-]{43}")
CODE = re.compile(r"=[0-9A-F]{2}|=\?utf-8|&[a-z]+;|\{\{|%\(|\ufffd|<[a-z]")


def parsed(mail: bytes, _folder: Path) -> str:
    """Read a mail with Python's parser, in the shape in which mutt shows it."""
    found: Any = message_from_bytes(mail, policy=email.policy.default)
    return f"Subject: {found['Subject']}\n\n{found.get_body(('plain',)).get_content()}"


def without_marks(text: str) -> str:
    """Leave out marks of direction and of quoting, and where lines end."""
    return " ".join(re.sub("[\u200f\u2068\u2069]|^> ", "", text, flags=re.M).split())


READERS = [parsed, *([mutt.shown] if mutt.PROGRAM else [])]


@pytest.fixture
def settings(settings: Settings, sink: FaultServer) -> Settings:
    return replace(settings, smtp_url=f"smtp://127.0.0.1:{sink.port}", base_url="https://bugs.example.com")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("language", ["en", "ar", "zh"])
@pytest.mark.parametrize("reader", READERS)
def test_every_kind_is_read_as_it_was_written(
    app: Any,
    clock: Any,
    sink: FaultServer,
    tmp_path: Path,
    reader: Callable[[bytes, Path], str],
    language: str,
) -> None:
    for _ in Company(clock, language).days():
        work()
    known = sa.select(Delivery.message_id, Delivery.subject, Announcement.kind, Message.text)
    known = known.join(Message, Message.delivery_id == Delivery.id).join(Message.announcement)
    written = {name: words for name, *words in db.session.execute(known)}
    read = set()
    for mail in [mail for _, mail in sink.accepted if mail["Message-ID"] in written]:
        subject, kind, text = written[mail["Message-ID"]]
        head, _, body = reader(mail.as_bytes(policy=AS_SENT), tmp_path).partition("\n\n")
        title = next(line for line in head.splitlines() if line.startswith("Subject: "))
        assert title == f"Subject: {without_marks(subject)}"
        assert CODE.findall(f"{title}\n{body}") == []
        assert [match[1] for match in map(LINK.fullmatch, body.splitlines()) if match] == ["r", "unsubscribe"]
        plain, said = without_marks(body), map(without_marks, text.split("\n\n"))
        assert [paragraph for paragraph in said if paragraph not in plain] == []
        read.add(kind)
    assert read == set(AnnouncementKind)
