"""The problems that an agent published for everybody to read."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.models import Bug
from bugintake.team.models import User


class KnownProblem(Model):
    """What everybody may read of a bug: a sentence in each language, written for that. Nothing else of it is shown."""

    __tablename__ = "known_problems"

    id: Mapped[int] = mapped_column(primary_key=True)
    bug_id: Mapped[int] = mapped_column(sa.ForeignKey("bugs.id"), unique=True)
    sentences: Mapped[dict[str, str]]
    published_at: Mapped[datetime] = mapped_column(default=clock.now)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    published_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))

    bug: Mapped[Bug] = relationship()
    published_by: Mapped[User] = relationship()
