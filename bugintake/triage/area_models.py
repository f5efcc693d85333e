"""Which rotation answers for which area."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core.db import Model


class AreaRotation(Model):
    """An area whose bugs go to a rotation of their own; for all others the default one answers."""

    __tablename__ = "area_rotations"

    area_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"), primary_key=True)
    rotation_id: Mapped[int] = mapped_column(sa.ForeignKey("rotations.id"), index=True)
