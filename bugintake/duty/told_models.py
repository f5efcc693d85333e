"""What people know of their duty."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core.db import Model


class ToldShift(Model):
    """Hours of duty that a person knows to be theirs. `Rotation.told_until` says how far ahead all of them are here."""

    __tablename__ = "told_shifts"
    __table_args__ = (sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"), index=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
