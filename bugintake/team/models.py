"""People who work here, how they prove it, and the workspace they share."""

import enum
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bugintake.core import clock
from bugintake.core.db import Model

WEEKDAYS = [0, 1, 2, 3, 4]
LANGUAGES = {
    "en": "English",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "pt": "Portuguese",
    "tr": "Turkish",
    "zh": "Chinese (Simplified)",
    "ar": "Arabic",
}
"""Everything that customers read is written in these; which of them a workspace offers is its setting."""
OWN_NAMES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "pt": "Português",
    "tr": "Türkçe",
    "zh": "简体中文",
    "ar": "العربية",
}
OFFERED_FIRST = ("en", "de", "es")


class Role(enum.StrEnum):
    """What a person may do; each role includes the ones before it."""

    AGENT = "agent"
    ENGINEER = "engineer"
    LEAD = "lead"
    ADMIN = "admin"

    def at_least(self, other: "Role") -> bool:
        """Whether this role includes another."""
        order = list(Role)
        return order.index(self) >= order.index(other)


class User(Model):
    """A person who works here. Disabled, never deleted. Who stands in for them answers while they are not there."""

    __tablename__ = "users"
    __table_args__ = (sa.CheckConstraint("stands_in_id <> id", name="another_stands_in"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    role: Mapped[Role]
    zone: Mapped[str] = mapped_column(sa.String(64), default="UTC")
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    has_keys: Mapped[bool] = mapped_column(default=True)
    is_compact: Mapped[bool] = mapped_column(default=False)  # how close together bugs stand on a board and in lists
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    disabled_at: Mapped[datetime | None]
    stands_in_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)

    stands_in: Mapped["User | None"] = relationship(remote_side=[id])

    # Flask-Login asks for these two. Its UserMixin would also compare people by their sign-in, so that any two people
    # who are not signed in would be equal.
    is_authenticated = True
    is_anonymous = False
    session_secret = ""

    @property
    def is_active(self) -> bool:
        """Whether this person may sign in."""
        return self.disabled_at is None

    @property
    def first_name(self) -> str:
        """The name colleagues use."""
        return self.name.split()[0] if self.name.split() else self.name

    @property
    def is_admin(self) -> bool:
        """Whether this person runs the installation."""
        return self.role is Role.ADMIN

    def can(self, role: Role) -> bool:
        """Whether this person's role includes another."""
        return self.role.at_least(role)

    def get_id(self) -> str:
        """Name this sign-in, not the person: Flask-Login keeps it in the cookie, a row in the database ends it."""
        return self.session_secret


class SignIn(Model):
    """One signed-in browser. Deleting the row signs it out at once."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    browser: Mapped[str] = mapped_column(sa.String(200), default="")

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Pass(Model):
    """A link that lets one person in once: an invitation or a password reset."""

    __tablename__ = "passes"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    purpose: Mapped[str] = mapped_column(sa.String(16))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class ApiToken(Model):
    """A program's right to act as a person, within scopes. Only the fingerprint of the secret is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    prefix: Mapped[str] = mapped_column(sa.String(12))
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"), index=True)
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    revoked_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class Workspace(Model):
    """The one company this installation belongs to: its names, languages, hours and how customers hear."""

    __tablename__ = "workspaces"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(sa.String(200))
    sender_name: Mapped[str] = mapped_column(sa.String(200), default="")
    reply_address: Mapped[str | None] = mapped_column(sa.String(254))
    language: Mapped[str] = mapped_column(sa.String(8), default="en")
    languages: Mapped[list[str]] = mapped_column(default=lambda: list(OFFERED_FIRST))
    zone: Mapped[str] = mapped_column(sa.String(64), default="UTC")
    working_days: Mapped[list[int]] = mapped_column(default=lambda: list(WEEKDAYS))
    opens_at: Mapped[time] = mapped_column(default=time(9))
    closes_at: Mapped[time] = mapped_column(default=time(17))
    review_minutes: Mapped[int | None] = mapped_column(default=30)
    goes_live_at_once: Mapped[bool] = mapped_column(default=False)
    confirms_reports: Mapped[bool] = mapped_column(default=False)
    has_public_list: Mapped[bool] = mapped_column(default=False)
    fallback_owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    retention_months: Mapped[int | None]
    is_sample: Mapped[bool] = mapped_column(default=False)
    set_up_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def signature(self) -> str:
        """Who mail comes from when no person signs it."""
        return self.sender_name or self.name


class IdempotentAnswer(Model):
    """What one API request with an Idempotency-Key was answered, so that a repeat gets the same."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (sa.UniqueConstraint("token_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    token_id: Mapped[int] = mapped_column(sa.ForeignKey("api_tokens.id"))
    key: Mapped[str] = mapped_column(sa.String(255))
    request_hash: Mapped[str] = mapped_column(sa.String(64))
    status: Mapped[int]
    body: Mapped[dict[str, Any]]
    headers: Mapped[dict[str, Any]]
    answered_at: Mapped[datetime] = mapped_column(default=clock.now)
