"""The table of texts: what mails to customers say in the company's own words, version by version."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.team.models import User

SUBJECT_LENGTH = 150
BODY_LENGTH = 4000


class TextKind(enum.StrEnum):
    """What of a mail a text is: how every mail begins, what one kind of announcement says, how every mail ends."""

    OPENING = "opening"
    LIVE = "live"
    DECLINED = "declined"
    ASKED = "asked"
    REMINDED = "reminded"
    PAUSED = "paused"
    RECEIVED = "received"
    WORKAROUND = "workaround"
    CORRECTION = "correction"
    CLOSING = "closing"


AROUND = (TextKind.OPENING, TextKind.CLOSING)
"""What stands around every mail, once, whatever the mail tells; it has no subject."""


class MailText(Model):
    """One version of what a mail says in a language. The newest is in force; without a body, our own words are."""

    __tablename__ = "mail_texts"
    __table_args__ = (sa.UniqueConstraint("kind", "language", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[TextKind]
    language: Mapped[str] = mapped_column(sa.String(8))
    version: Mapped[int]
    subject: Mapped[str] = mapped_column(sa.String(SUBJECT_LENGTH))
    body: Mapped[str] = mapped_column(sa.Text)
    written_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    written_at: Mapped[datetime] = mapped_column(default=clock.now)

    written_by: Mapped[User] = relationship()
