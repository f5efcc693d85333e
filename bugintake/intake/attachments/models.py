"""Attachments: one row for each file, which lies beside the database."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.intake.models import Report
from bugintake.team.models import User


class Attachment(Model):
    """A file of a report, or one that was chosen for a form nobody has sent yet.

    `form_hash` names that form and who filled it in, as `Report.submission_key` does; `sha256` is of the file as it is
    kept, which for a picture is not the one that came.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        sa.UniqueConstraint("form_hash", "sha256", "name"),
        sa.Index(
            "ix_attachments_unfiled",
            "added_at",
            sqlite_where=sa.text("report_id IS NULL"),
            postgresql_where=sa.text("report_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int | None] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    form_hash: Mapped[str] = mapped_column(sa.String(64))
    added_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    added_at: Mapped[datetime] = mapped_column(default=clock.now)
    name: Mapped[str] = mapped_column(sa.String(120))
    media_type: Mapped[str] = mapped_column(sa.String(64))
    byte_count: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    stored_as: Mapped[str] = mapped_column(sa.String(32), unique=True)

    report: Mapped[Report | None] = relationship()
    added_by: Mapped[User] = relationship()

    @property
    def is_picture(self) -> bool:
        """Whether it can be looked at, so that a small copy of it lies beside it."""
        return self.media_type.startswith("image/")

    @property
    def size(self) -> str:
        """How large it is, for people."""
        if self.byte_count < 1000:
            return f"{self.byte_count} bytes"
        if self.byte_count < 1_000_000:
            return f"{round(self.byte_count / 1000)} kB"
        return f"{self.byte_count / 1_000_000:.1f} MB"
