"""Customers and the companies they belong to."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model
from bugintake.core.languages import addressed
from bugintake.core.security import mask_address
from bugintake.team.models import Role, User

NO_MASK = frozenset({Role.AGENT, Role.LEAD, Role.ADMIN})
WORD_LENGTH = 64


class Account(Model):
    """A company that uses the product: the unit that demand is counted in. `quiet_until_on` holds mail to its people.

    Its `owner` looks after it, and hears what its people are told.
    One that `runs_own_version` has a fix only once it has updated: its people are told of the version.
    One that was merged stays under its name and points to the one that stands for it.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(sa.String(200), unique=True)
    plan: Mapped[str] = mapped_column(sa.String(80), default="", index=True)
    runs_own_version: Mapped[bool] = mapped_column(default=False)
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    quiet_until_on: Mapped[date | None]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)

    owner: Mapped[User | None] = relationship()


class Customer(Model):
    """A person who waits for an answer, at an account or alone. `name_key` is the name as people type it.

    `quiet_until_on` holds mail to them. One that was merged keeps its number and points to the one that stands for it.
    """

    __tablename__ = "customers"
    __table_args__ = (
        sa.CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_merged_into_itself"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_key: Mapped[str] = mapped_column(sa.String(200), default="", index=True)
    language: Mapped[str] = mapped_column(sa.String(8))
    zone: Mapped[str | None] = mapped_column(sa.String(64))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)
    quiet_until_on: Mapped[date | None]
    suppressed_at: Mapped[datetime | None]
    suppressed_because: Mapped[str] = mapped_column(sa.String(200), default="")
    erased_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)

    account: Mapped[Account | None] = relationship(lazy="joined")

    @property
    def full_name(self) -> str:
        """Name and company: Hana Kovač, Brightline."""
        return f"{self.name}, {self.account.name}" if self.account else self.name

    @property
    def first_name(self) -> str:
        """The name a greeting uses; nothing where no name is known."""
        return addressed(self.name, self.language)

    def email_for(self, viewer: User) -> str:
        """Return the address as this person may read it: engineers see h•••@example.com."""
        if not self.email or viewer.role in NO_MASK:
            return self.email or ""
        return mask_address(self.email)


class ExternalId(Model):
    """What another system calls a customer or an account: crm 4711. One number of one system means one of them."""

    __tablename__ = "external_ids"
    __table_args__ = (
        sa.CheckConstraint("(customer_id IS NULL) <> (account_id IS NULL)", name="one_owner"),
        *(
            sa.Index(
                f"uq_external_ids_of_{owner}",
                "system",
                "value",
                unique=True,
                sqlite_where=sa.text(f"{owner}_id IS NOT NULL"),
                postgresql_where=sa.text(f"{owner}_id IS NOT NULL"),
            )
            for owner in ("customer", "account")
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    system: Mapped[str] = mapped_column(sa.String(32))
    value: Mapped[str] = mapped_column(sa.String(120))
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)


class LinkTemplate(Model):
    """Where another system shows the customer or account that it gives a number: https://crm.example/{external_id}."""

    __tablename__ = "link_templates"

    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(80))
    system: Mapped[str] = mapped_column(sa.String(32))
    url: Mapped[str] = mapped_column(sa.String(500))


class CustomerWord(Model):
    """One word that a customer or an account is found by; `customers.finding` keeps them.

    Ordered by code points on both databases, so that a range of the index holds every word with the same beginning.
    """

    __tablename__ = "customer_words"
    __table_args__ = (
        *(
            sa.Index(
                f"ix_customer_words_word_{owner}",
                "word",
                f"{owner}_id",
                sqlite_where=sa.text(f"{owner}_id IS NOT NULL"),
                postgresql_where=sa.text(f"{owner}_id IS NOT NULL"),
            )
            for owner in ("customer", "account")
        ),
        sa.Index("ix_customer_words_customer_word", "customer_id", "word"),
        sa.Index("ix_customer_words_account_word", "account_id", "word"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(
        sa.String(WORD_LENGTH).with_variant(sa.String(WORD_LENGTH, collation="C"), "postgresql")
    )
    is_address: Mapped[bool] = mapped_column(default=False)  # found only by those who read addresses
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"))


class StaffNote(Model):
    """What somebody here wrote down about a customer or an account: on leave, answer in March. No customer reads it."""

    __tablename__ = "staff_notes"
    __table_args__ = (sa.CheckConstraint("(customer_id IS NULL) <> (account_id IS NULL)", name="one_subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.Text)
    written_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    written_at: Mapped[datetime] = mapped_column(default=clock.now)
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("accounts.id"), index=True)

    written_by: Mapped[User] = relationship()
