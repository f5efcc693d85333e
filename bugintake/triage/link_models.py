"""Where other systems speak of a bug: commits, trackers, help desks."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.models import Bug


class BugLink(Model):
    """One page elsewhere about a bug, for the team alone. Events name it by its key, never by its address.

    `title` and `state` are what the other system said at `checked_at`; `look_at` is when it is asked next, and nothing
    for what nobody can ask. Once removed it stays, so that the removal can be undone; one that named somebody who was
    erased has no address any more.
    """

    __tablename__ = "bug_links"
    __table_args__ = (sa.Index("ix_bug_links_look_at", "look_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    url: Mapped[str] = mapped_column(sa.String(500))
    added_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    removed_at: Mapped[datetime | None]
    title: Mapped[str] = mapped_column(sa.String(200), default="")
    state: Mapped[str] = mapped_column(sa.String(20), default="")
    checked_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    failed_count: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(sa.String(200), default="")

    bug: Mapped[Bug] = relationship()
