"""Signs of life of workers."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bugintake.core import clock
from bugintake.core.db import Model


class WorkerPulse(Model):
    """When a worker was last alive."""

    __tablename__ = "worker_pulses"

    worker: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock.now)
