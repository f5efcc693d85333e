"""The mail to whoever filed a report or looks after a company: which of their customers are told, and which not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext
from sqlalchemy.orm import joinedload

from bugintake.core.config import settings
from bugintake.core.db import db
from bugintake.duty.standing_in import passed_to
from bugintake.intake.customers.models import Account, Customer
from bugintake.intake.models import Report
from bugintake.intake.queries import is_visible
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, HeldBecause, Message, MessageState
from bugintake.team.models import User

NAMED = 8
MOST = 20  # announcements

_REACHED_IN_VAIN = (MessageState.FAILED, MessageState.UNCERTAIN)
_NO_ADDRESS = sa.and_(Message.state == MessageState.HELD, Message.held_because == HeldBecause.NO_ADDRESS)
_CAME_BACK = sa.and_(Message.state == MessageState.SUPPRESSED, Customer.suppressed_at.is_not(None))
_QUIET = sa.and_(Message.state == MessageState.HELD, Message.held_because == HeldBecause.QUIET)
_GROUPS: Mapping[str, sa.ColumnElement[bool]] = {
    "another way": sa.or_(Message.state.in_(_REACHED_IN_VAIN), _NO_ADDRESS, _CAME_BACK),
    "to be told": sa.or_(Message.state == MessageState.PENDING, _QUIET),
    "waits": Message.state == MessageState.HELD,
    "told": Message.state == MessageState.SENT,
    "by hand": Message.state == MessageState.TOLD_BY_HAND,
    "no mail": Message.state == MessageState.SUPPRESSED,
}
"""How a customer stands: the first that is so. Those who need somebody come first."""

_WORDS: Mapping[str, Callable[[str], str]] = {
    "another way": lambda names: gettext("Not reached, they need another way: %(names)s", names=names),
    "to be told": lambda names: gettext("To be told by mail: %(names)s", names=names),
    "waits": lambda names: gettext("Waiting for somebody here: %(names)s", names=names),
    "told": lambda names: gettext("Told by mail: %(names)s", names=names),
    "by hand": lambda names: gettext("Told by hand: %(names)s", names=names),
    "no mail": lambda names: gettext("Get no mail about it: %(names)s", names=names),
}


def letter(delivery: Delivery, user: User) -> Written | None:
    """Say of each bug that ended which of somebody's customers stand where; nothing where none is left to name.

    Of a restricted bug nothing but its number leaves the house.
    """
    parts = sa.select(Announcement).options(joinedload(Announcement.bug)).order_by(Announcement.id)
    named = db.session.scalars(parts.where(Announcement.id.in_(delivery.params["announcements"]))).all()
    standing = _standing(user, [each.id for each in named if is_visible(each.bug, user)])
    found = [each for each in named if each.id in standing]
    if not found:
        return None
    refs = {each.bug.ref for each in found}
    subject = gettext("What your customers are told about several bugs")
    if len(refs) == 1:
        subject = gettext("What your customers are told about %(ref)s", ref=refs.pop())
    lines = [line for each in found[:MOST] for line in _about(each, standing[each.id])]
    if len(found) > MOST:
        lines.append(Line(gettext("There is more, on your reports:"), url=f"{settings().base_url}/mine"))
    return subject, lines


def _about(announcement: Announcement, rows: Sequence[Any]) -> list[Line]:
    bug, url = announcement.bug, f"{settings().base_url}/loop/{announcement.id}"
    if bug.is_restricted:
        words = gettext("%(ref)s is restricted: sign in to read what your customers are told.", ref=bug.ref)
        return [Line(words, url=url)]
    names = defaultdict(list)
    for row in rows:
        names[row.stands].append(f"{row.name} ({row.company})" if row.company else row.name)
    counts = {row.stands: row.people for row in rows}
    said = [words(_listed(names[stands], counts[stands])) for stands, words in _WORDS.items() if stands in names]
    return [Line(_HEADS.get(announcement.kind, _head)(bug.ref, bug.title), url=url), Line("\n".join(said))]


def _head(ref: str, title: str) -> str:
    return f"{ref}: {title}"


_HEADS: Mapping[AnnouncementKind, Callable[[str, str], str]] = {
    AnnouncementKind.LIVE: lambda ref, title: gettext("%(ref)s is fixed and live: %(title)s", ref=ref, title=title),
    AnnouncementKind.DECLINED: lambda ref, title: gettext("%(ref)s is left as it is: %(title)s", ref=ref, title=title),
    AnnouncementKind.CORRECTION: lambda ref, title: gettext(
        "What was told about %(ref)s was not right: %(title)s", ref=ref, title=title
    ),
}


def _listed(names: Sequence[str], count: int) -> str:
    listed, more = ", ".join(names), count - len(names)
    return str(gettext("%(names)s and %(count)d more", names=listed, count=more)) if more else listed


def _standing(user: User, announcement_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Read how somebody's customers stand in announcements: how many stand so, and the first few by name."""
    filers = [user.id, *(each.id for each in passed_to(user))]
    stands = sa.case(*((which, sa.literal(name)) for name, which in _GROUPS.items()))
    together: dict[str, Any] = {"partition_by": (Message.announcement_id, stands)}
    each = (
        sa.select(
            Message.announcement_id,
            stands.label("stands"),
            Customer.name,
            Account.name.label("company"),
            sa.func.count().over(**together).label("people"),
            sa.func.row_number().over(**together, order_by=Message.id).label("number"),
        )
        .join(Report, Report.id == Message.report_id)
        .join(Customer, Customer.id == Message.customer_id)
        .outerjoin(Account, Account.id == Customer.account_id)
        .where(Message.announcement_id.in_(announcement_ids), Message.state != MessageState.CANCELLED)
        .where(sa.or_(Report.filed_by_id.in_(filers), Account.owner_id == user.id), Customer.erased_at.is_(None))
        .subquery()
    )
    shown = sa.select(each).where(each.c.number <= NAMED).order_by(each.c.announcement_id, each.c.number)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(shown):
        found[row.announcement_id].append(row)
    return found
