"""The bugs that a turn of duty left to the next."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core.db import Model
from bugintake.duty.handoff_models import Handoff
from bugintake.intake.models import Bug
from bugintake.team.models import User

_OPEN = sa.text("dealt_with_at IS NULL")


class LeftBug(Model):
    """A bug that a handoff note names. It is shown to the next person until it is closed, touched, or ticked off.

    `dealt_with_by` ticked it off; where nobody did, the bug was closed or touched by the time `dealt_with_at` says.
    """

    __tablename__ = "left_bugs"
    __table_args__ = (
        sa.UniqueConstraint("handoff_id", "bug_id"),
        sa.Index("ix_left_bugs_open", "bug_id", sqlite_where=_OPEN, postgresql_where=_OPEN),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    handoff_id: Mapped[int] = mapped_column(sa.ForeignKey("handoffs.id"))
    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"))
    dealt_with_at: Mapped[datetime | None]
    dealt_with_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    handoff: Mapped[Handoff] = relationship()
    bug: Mapped[Bug] = relationship()
    dealt_with_by: Mapped[User | None] = relationship()
