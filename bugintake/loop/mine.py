"""What became of the reports that somebody filed, or stands in for: asked back, and what each customer was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from bugintake.core.db import db
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty.standing_in import passed_to
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Bug, News, Question, Remark, Report, SettledBy, Status
from bugintake.intake.queries import VISIBLE_TO_READER
from bugintake.loop.models import Announcement, Message, MessageState
from bugintake.team.models import Role, User

SHOWN = 50
WHOLE = aliased(Bug)
LEFT = (SettledBy.WITHDRAWN, SettledBy.MERGED)


@dataclass(frozen=True)
class Row:
    """One report, the bug it belongs to by now, and what its customer was told last; what is asked or was written.

    `filer` is whose it is, where somebody stands in for them.
    """

    report_id: int
    filer: str
    filed_at: datetime
    settled_by: SettledBy | None
    customer_id: int | None
    customer: str
    bug_id: int
    title: str
    status: Status
    quote: str | None
    quoted_at: datetime | None
    message: Message | None

    @property
    def ref(self) -> str:
        """The bug's name."""
        return f"BUG-{self.bug_id}"


def asked_back(actor: User) -> list[Row]:
    """List the reports of somebody about which a question is open, the oldest question first."""
    return _read(_asked(actor.can(Role.LEAD)), actor, start=0)


def written_back(actor: User) -> list[Row]:
    """List the reports of somebody whose customers wrote what nobody has looked at yet, the oldest first."""
    return _read(_written(actor.can(Role.LEAD)), actor, start=0)


def filed_by(actor: User, *, start: int) -> list[Row]:
    """Read one page of somebody's other reports, the newest first, and one more."""
    return _read(_others(actor.can(Role.LEAD)), actor, start=start)


def _read(statement: sa.Select[*tuple[Any, ...]], actor: User, *, start: int) -> list[Row]:
    absent = {each.id: each.first_name for each in passed_to(actor)}
    given = {"filers": [actor.id, *absent], "reader": actor.id, "start": start}
    found = db.session.execute(statement, given).all()
    told = _told({row.customer_id for row in found}, {row.bug_id for row in found})
    return [
        Row(
            report_id=row.id,
            filer=absent.get(row.filed_by_id, ""),
            filed_at=row.filed_at,
            settled_by=row.settled_by,
            customer_id=row.customer_id,
            customer=f"{row.name}, {row.company}" if row.company else row.name or "",
            bug_id=row.bug_id,
            title=row.title,
            status=row.status,
            quote=row.quote,
            quoted_at=row.quoted_at,
            message=told.get((row.customer_id, row.bug_id)),
        )
        for row in found
    ]


def _told(customers: set[int | None], bugs: set[int]) -> dict[tuple[int | None, int], Message]:
    """Read what customers are or were told about bugs, the last of each."""
    about = sa.select(Message).join(Message.announcement).where(Announcement.bug_id.in_(bugs))
    wanted = about.where(Message.customer_id.in_(customers - {None}), Message.state != MessageState.CANCELLED)
    parts = (sa.orm.contains_eager(Message.announcement), joinedload(Message.customer))
    found: Sequence[Message] = db.session.scalars(wanted.options(*parts).order_by(Message.id)).all()
    return {(message.customer_id, message.announcement.bug_id): message for message in found}


@cache
def _asked(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    found = _mine(sees_all).join(Question, Question.report_id == Report.id).where(Question.answered_at.is_(None))
    return (
        found.add_columns(Question.text.label("quote"), Question.asked_at.label("quoted_at"))
        .order_by(Question.id)
        .limit(SHOWN)
    )


@cache
def _written(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    later = sa.orm.aliased(Remark)
    is_last = ~sa.exists().where(later.report_id == Remark.report_id, later.id > Remark.id)
    is_new = sa.exists().where(
        Event.report_id == Report.id, Event.kind == EventKind.REPORT_REMARKED, Event.at >= WHOLE.news_at
    )
    found = _mine(sees_all).join(Remark, Remark.report_id == Report.id).where(WHOLE.news == News.WROTE, is_last, is_new)
    return (
        found.add_columns(Remark.text.label("quote"), Remark.said_at.label("quoted_at"))
        .order_by(Remark.id)
        .limit(SHOWN)
    )


@cache
def _others(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    is_open = sa.exists().where(Question.report_id == Report.id, Question.answered_at.is_(None))
    found = _mine(sees_all).where(~is_open).add_columns(sa.null().label("quote"), sa.null().label("quoted_at"))
    return found.order_by(Report.id.desc()).offset(sa.bindparam("start")).limit(SHOWN + 1)


def _mine(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Report.id,
            Report.filed_by_id,
            Report.filed_at,
            Report.settled_by,
            Report.customer_id,
            Customer.name,
            Account.name.label("company"),
            WHOLE.id.label("bug_id"),
            WHOLE.title,
            WHOLE.status,
        )
        .join(Bug, Bug.id == Report.bug_id)
        .join(WHOLE, WHOLE.id == Bug.canonical_id)
        .outerjoin(Customer, Customer.id == Report.customer_id)
        .outerjoin(Account, Account.id == Customer.account_id)
        .where(
            Report.filed_by_id.in_(sa.bindparam("filers", expanding=True)),
            sa.or_(Report.settled_by.is_(None), Report.settled_by.not_in(LEFT)),
            sa.true() if sees_all else VISIBLE_TO_READER,
        )
    )
