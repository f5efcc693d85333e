"""Customers and the companies they belong to."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core.db import Model
from bugintake.core.security import mask_address
from bugintake.team.models import Role, User

NO_MASK = frozenset({Role.AGENT, Role.LEAD, Role.ADMIN})


class Account(Model):
    """A company that uses the product: the unit that demand is counted in."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    plan: Mapped[str] = mapped_column(sa.String(80), default="")


class Customer(Model):
    """A person who waits for an answer, at an account or alone. `name_key` is the name as people type it."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(sa.String(200), default="", index=True)
    language: Mapped[str] = mapped_column(sa.String(8))
    zone: Mapped[str | None] = mapped_column(sa.String(64))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    suppressed_at: Mapped[datetime | None]
    suppressed_because: Mapped[str] = mapped_column(sa.String(200), default="")
    erased_at: Mapped[datetime | None]

    account: Mapped[Account | None] = relationship(lazy="joined")

    @property
    def full_name(self) -> str:
        """Name and company: Hana Kovač, Brightline."""
        return f"{self.name}, {self.account.name}" if self.account else self.name

    @property
    def first_name(self) -> str:
        """The name a greeting uses; nothing where no name is known."""
        return next(iter(self.name.split()), "")

    def email_for(self, viewer: User) -> str:
        """Return the address as this person may read it: engineers see h•••@example.com."""
        if not self.email or viewer.role in NO_MASK:
            return self.email or ""
        return mask_address(self.email)
