"""Mail to customers as they see it: its HTML twin in a browser, and its text in mutt."""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email.message import EmailMessage
from html import escape
from pathlib import Path

import sqlalchemy as sa
from PIL import Image
from playwright.sync_api import Browser

from bugintake.core import clock
from bugintake.core.db import db
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, Message
from tests import apps
from tests.conftest import Clock
from tests.faults.rig import work
from tests.faults.server import FaultServer
from tests.loop import mutt
from tests.loop.every_mail import Company

HERE = Path(__file__).parent / "mails"
WIDTH = 600
LARGEST = 30 * 1024
LANGUAGES = {"en": tuple(AnnouncementKind), "ar": (AnnouncementKind.LIVE,), "zh": (AnnouncementKind.LIVE,)}
SHOWN = ("From:", "To:", "Subject:")
TERMINAL = (
    "<pre style='font: 12px/1.35 monospace; margin: 12px; white-space: pre-wrap; overflow-wrap: anywhere;"
    " unicode-bidi: plaintext'>{text}</pre>"
)


def written(language: str, folder: Path) -> dict[AnnouncementKind, EmailMessage]:
    """Let customers of one language be mailed about everything, and return the first mail of each kind."""
    url = f"sqlite:///{folder / 'bugintake.db'}"
    apps.migrate(url)
    with FaultServer().running(0) as server:
        settings = replace(apps.make_settings(folder, url), smtp_url=f"smtp://127.0.0.1:{server.port}")
        with apps.opened(replace(settings, base_url="https://bugs.example.com")):
            for _ in Company(Clock(), language).days():
                work()
            clock.freeze(None)
            query = sa.select(Delivery.message_id, Announcement.kind).join(Message, Message.delivery_id == Delivery.id)
            kinds = dict(map(tuple, db.session.execute(query.join(Message.announcement))))
        found: dict[AnnouncementKind, EmailMessage] = {}
        for _, mail in server.accepted:
            if mail["Message-ID"] in kinds:
                found.setdefault(kinds[mail["Message-ID"]], mail)
        return found


def pages(mail: EmailMessage, folder: Path) -> Iterator[tuple[str, str]]:
    """Name the two ways in which a mail is read, each with a page that shows it."""
    html = mail.get_body(("html",))
    assert html is not None
    yield "browser", html.get_content()
    head, _, text = mutt.shown(mail.as_bytes(), folder).partition("\n\n")
    known = "\n".join(line for line in head.splitlines() if line.startswith(SHOWN))
    yield "mutt", TERMINAL.format(text=escape(f"{known}\n\n{text}"))


def take(browser: Browser) -> None:
    """Fill docs/mails. Raises SystemExit where mutt is missing, or a picture is too large."""
    if mutt.PROGRAM is None:
        raise SystemExit("Install mutt to take the pictures of mails.")
    HERE.mkdir(exist_ok=True)
    with closing(browser.new_page(viewport={"width": WIDTH, "height": 100}, color_scheme="light")) as page:
        for language, kinds in LANGUAGES.items():
            with tempfile.TemporaryDirectory() as data:
                mails = written(language, Path(data))
                for kind in kinds:
                    for reader, content in pages(mails[kind], Path(data)):
                        page.set_content(content)
                        page.add_style_tag(content="body { font-family: sans-serif }")  # as mail programs choose
                        path = HERE / f"{kind}-{language}-{reader}.png"
                        page.screenshot(path=path, full_page=True)
                        shrink(path)


def shrink(path: Path) -> None:
    """Save a picture of text as small as it can be. Raises SystemExit where that is too large."""
    Image.open(path).convert("L").quantize(16).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path} is larger than {LARGEST // 1024} KB.")
