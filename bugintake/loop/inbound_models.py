"""What came in by mail, and how far each road in was read."""

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.loop.models import Delivery


class InboundKind(enum.StrEnum):
    """What a mail that came in is."""

    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    AUTOMATIC = "automatic"
    HUMAN = "human"


class Did(enum.StrEnum):
    """What a mail that came in did."""

    SUPPRESSED = "suppressed"
    FAILED = "failed"
    ANSWERED = "answered"
    REMARKED = "remarked"
    NOTHING = "nothing"


class InboundMail(Model):
    """One mail that came to an address of ours: what it did, and none of its words. The same one again does nothing."""

    __tablename__ = "inbound_mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[InboundKind]
    did: Mapped[Did]
    code: Mapped[str] = mapped_column(sa.String(16), default="")
    delivery_id: Mapped[int] = mapped_column(sa.ForeignKey("deliveries.id"), index=True)
    webhook: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    arrived_at: Mapped[datetime] = mapped_column(default=clock.now)

    delivery: Mapped[Delivery] = relationship()


class InboundRoad(Model):
    """A road by which mail comes in: when it was last used, what stood in the way since, and how far it was read."""

    __tablename__ = "inbound_roads"

    road: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    read_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(sa.String(300), default="")
    uid_validity: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    last_uid: Mapped[int] = mapped_column(sa.BigInteger, default=0)
