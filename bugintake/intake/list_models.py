"""Further lists, and what reports chose from them."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core.db import Model


class FurtherList(Model):
    """A list that a report is asked for besides the built-in ones. Its choices are the options of its `name`.

    The name is made once, from the first label: programs and options know the list by it. `area_ids` are the areas it
    is asked for, all where there are none; a list that grows takes words that are not on it.
    """

    __tablename__ = "lists"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(32), unique=True)
    label: Mapped[str] = mapped_column(sa.String(120))
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    is_required: Mapped[bool] = mapped_column(default=False)
    grows: Mapped[bool] = mapped_column(default=False)
    area_ids: Mapped[list[int]] = mapped_column(default=list)
    position: Mapped[int] = mapped_column(default=0)
    retired_at: Mapped[datetime | None]

    def is_asked_for(self, area_id: int) -> bool:
        """Whether reports about an area are asked for it."""
        return not self.area_ids or area_id in self.area_ids


class ReportChoice(Model):
    """What one report chose from one further list."""

    __tablename__ = "report_choices"

    report_id: Mapped[int] = mapped_column(sa.ForeignKey("reports.id"), primary_key=True)
    list_id: Mapped[int] = mapped_column(sa.ForeignKey("lists.id"), primary_key=True)
    option_id: Mapped[int] = mapped_column(sa.ForeignKey("options.id"))
