"""Drafts: what is typed and not filed yet."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.core.forms import clean_line
from bugintake.intake.models import Bug

SHOWN = 80


class Draft(Model):
    """What somebody typed into one form, in one tab, and has not filed: theirs, and nobody else's.

    `form_hash` names the form and who fills it in, as `Report.submission_key` will; `fields` are as they were typed,
    the form's key among them. With a bug, a customer was to be attached to it. `revision` counts the savings, so that
    two tabs which go on with the same draft do not overwrite each other.
    """

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    form_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    bug_id: Mapped[int | None] = mapped_column(sa.ForeignKey("bugs.id"), index=True)
    fields: Mapped[dict[str, str]]
    revision: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    saved_at: Mapped[datetime] = mapped_column(default=clock.now, index=True)
    discarded_at: Mapped[datetime | None]

    bug: Mapped[Bug | None] = relationship()

    @property
    def begins(self) -> str:
        """How it begins: for whom, and the first words of its first text."""
        texts = [clean_line(self.fields.get(name, "")) for name in ("actual", "steps", "expected")]
        parts = [clean_line(self.fields.get("customer", "")), next(filter(None, texts), "")]
        words = ": ".join(filter(None, parts))
        return words if len(words) <= SHOWN else words[: SHOWN - 1] + "…"
