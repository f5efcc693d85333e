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
from bugintake.intake.models import OPEN, Bug, Report
from bugintake.intake.queries import is_visible
from bugintake.loop import owed
from bugintake.loop.mail import Line, Written
from bugintake.loop.models import Announcement, AnnouncementKind, Delivery, HeldBecause, Message, MessageState
from bugintake.team.models import User

NAMED = 8  # customers of each group
MOST = 20  # announcements

_QUIET = sa.and_(Message.state == MessageState.HELD, Message.held_because == HeldBecause.QUIET)
_GROUPS: Mapping[str, tuple[sa.ColumnElement[bool], Callable[[str], str]]] = {
    "unreached": (
        owed.UNREACHED,
        lambda names: gettext("Mail did not reach them, please tell them another way: %(names)s", names=names),
    ),
    "uncertain": (
        Message.state == MessageState.UNCERTAIN,
        lambda names: gettext("Nobody knows whether the mail arrived: %(names)s", names=names),
    ),
    "to be told": (
        sa.or_(Message.state == MessageState.PENDING, _QUIET),
        lambda names: gettext("To be told by mail: %(names)s", names=names),
    ),
    "held": (
        Message.state == MessageState.HELD,
        lambda names: gettext("Held until somebody of the team sends it: %(names)s", names=names),
    ),
    "told": (Message.state == MessageState.SENT, lambda names: gettext("Told by mail: %(names)s", names=names)),
    "by hand": (
        Message.state == MessageState.TOLD_BY_HAND,
        lambda names: gettext("Told by hand: %(names)s", names=names),
    ),
    "no mail": (
        Message.state == MessageState.SUPPRESSED,
        lambda names: gettext("Get no mail about it: %(names)s", names=names),
    ),
}
"""How a customer stands, by the first that is so, and what is said of those who stand so."""


def letter(delivery: Delivery, user: User) -> Written | None:
    """Say of each bug that ended which of somebody's customers stand where; nothing where none is left to name.

    Of a restricted bug nothing but its number leaves the house.
    """
    parts = sa.select(Announcement).options(joinedload(Announcement.bug)).order_by(Announcement.id)
    named = db.session.scalars(parts.where(Announcement.id.in_(delivery.params["announcements"]))).all()
    visible = [each for each in named if is_visible(each.bug, user)]
    standing = _standing(user, [each.id for each in visible[-MOST:]])
    found = [each for each in visible if each.id in standing]
    if not found:
        return None
    refs = {each.bug.ref for each in found}
    subject = gettext("What your customers are told about several bugs")
    if len(refs) == 1:
        subject = gettext("What your customers are told about %(ref)s", ref=refs.pop())
    lines = [line for each in found for line in _about(each, standing[each.id])]
    if len(visible) > MOST:
        more = gettext("%(count)d more are not listed here:", count=len(visible) - MOST)
        lines.append(Line(more, url=f"{settings().base_url}/loop"))
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
    said = [words(_listed(names[stands], counts[stands])) for stands, (_, words) in _GROUPS.items() if stands in names]
    head = _HEADS.get(announcement.kind, _head)
    if announcement.generation != bug.generation and bug.status in OPEN:
        head = _reopened
    return [Line(head(bug.ref, bug.title), url=url), Line("\n".join(said))]


def _head(ref: str, title: str) -> str:
    return f"{ref}: {title}"


def _reopened(ref: str, title: str) -> str:
    return str(gettext("%(ref)s is open again: %(title)s", ref=ref, title=title))


_HEADS: Mapping[AnnouncementKind, Callable[[str, str], str]] = {
    AnnouncementKind.LIVE: lambda ref, title: gettext("%(ref)s is fixed and live: %(title)s", ref=ref, title=title),
    AnnouncementKind.DECLINED: lambda ref, title: gettext("%(ref)s is declined: %(title)s", ref=ref, title=title),
    AnnouncementKind.CORRECTION: lambda ref, title: gettext(
        "A correction about %(ref)s: %(title)s", ref=ref, title=title
    ),
}


def _listed(names: Sequence[str], count: int) -> str:
    listed, more = ", ".join(names), count - len(names)
    return str(gettext("%(names)s and %(count)d more", names=listed, count=more)) if more else listed


def _standing(user: User, announcement_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Read how somebody's customers stand in announcements: how many stand so, and the first few by name."""
    mine = [user.id, *(each.id for each in passed_to(user))]
    stands = sa.case(*((which, sa.literal(name)) for name, (which, _) in _GROUPS.items()))
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
        .join(Message.announcement)
        .join(Customer, Customer.id == Message.customer_id)
        .outerjoin(Account, Account.id == Customer.account_id)
        .where(Message.announcement_id.in_(announcement_ids), Message.state != MessageState.CANCELLED)
        .where(sa.or_(_filed_by(mine), Account.owner_id.in_(mine)), Customer.erased_at.is_(None))
        .subquery()
    )
    shown = sa.select(each).where(each.c.number <= NAMED).order_by(each.c.announcement_id, each.c.number)
    found: dict[int, list[Any]] = defaultdict(list)
    for row in db.session.execute(shown):
        found[row.announcement_id].append(row)
    return found


def _filed_by(people: Sequence[int]) -> sa.ColumnElement[bool]:
    """Select the messages whose customers told one of these people of the bug, or of a part of it."""
    of_it = (Report.customer_id == Message.customer_id, Report.filed_by_id.in_(people))
    under = sa.select(Report.id).join(Bug, Bug.id == Report.bug_id)
    under = under.where(*of_it, Bug.canonical_id == Announcement.bug_id)
    itself = sa.select(Report.id).where(Report.id == Message.report_id, Report.filed_by_id.in_(people))
    return sa.or_(itself.correlate(Message).exists(), under.correlate(Message, Announcement).exists())
