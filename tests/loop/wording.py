"""Texts of mails, written in the fewest words."""

from bugintake.core.db import db, transaction
from bugintake.loop import writing
from bugintake.loop.text_models import MailText, TextKind
from bugintake.team.models import Role
from tests.factories import make_customer, make_user


def write(kind: TextKind, body: str, *, subject: str = "", language: str = "en", by=None) -> MailText | None:
    by = by or make_user(Role.LEAD, "Luka Lead")
    with transaction():
        return writing.write(kind, language, subject, body, actor=by)


def nameless(**values):
    """A customer whose name nobody knows."""
    customer = make_customer(**values)
    with transaction():
        customer.name = customer.name_key = ""
    return customer


def said(letter):
    """What a letter says in words, paragraph by paragraph, up to its small print."""
    return [line.text for line in letter.lines if line.kind != "small"]


def versions():
    found = db.session.query(MailText).order_by(MailText.id)
    return [(each.version, each.subject, each.body) for each in found]
