"""What triage keeps besides bugs: views that somebody named."""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core.db import Model


class SavedView(Model):
    """A board or list under a name: nothing but its address, so it shows each person what they may see.

    It is its owner's, or where there is none the team's.
    """

    __tablename__ = "saved_views"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    is_board: Mapped[bool]
    address: Mapped[str] = mapped_column(sa.Text)
    position: Mapped[int]
