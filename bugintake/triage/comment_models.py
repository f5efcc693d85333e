"""What the team writes to each other about a bug."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.models import Bug
from bugintake.team.models import User


class Comment(Model):
    """What somebody here wrote about a bug, for the team alone. Events name it by its key; once removed it is empty."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(sa.Text)
    mentioned: Mapped[list[int]] = mapped_column(default=list)
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    edited_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    bug: Mapped[Bug] = relationship()
    author: Mapped[User] = relationship()
