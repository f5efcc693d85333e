"""The duty queue: what today's engineer looks at, by deadline, and what was put off until another day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import rows
from bugintake.intake import catalogue
from bugintake.intake.models import OPEN, Bug, News, OptionList, Status
from bugintake.intake.queries import VISIBLE_TO_READER
from bugintake.team.models import Role, User
from bugintake.team.workspace import working_hours
from bugintake.triage import area_duty, owners
from bugintake.triage.contacts import with_contact
from bugintake.triage.looking import today_of
from bugintake.triage.queries import ROWS_SHOWN, Card, cards, read_cards

SHOWN = 50
TODAY = sa.bindparam("today", type_=sa.Date())
IS_ASLEEP = Bug.snoozed_until > TODAY
Shape = tuple[bool, bool | None]
"""Whether somebody sees every bug; and whether the areas they answer for include the rest, None for who sees all."""
WHY = {
    News.ANSWERED: "Answered",
    News.CAME_BACK: "Came back",
    News.WOKEN: "Woken by a customer",
    News.WROTE: "A customer wrote",
}


@dataclass(frozen=True)
class Item:
    """One bug in the queue, and until when somebody should look."""

    card: Card
    deadline_at: datetime | None

    @property
    def is_late(self) -> bool:
        """Whether its deadline has passed."""
        return self.deadline_at is not None and self.deadline_at < clock.now()

    @property
    def is_soon(self) -> bool:
        """Whether its deadline is less than half an hour away."""
        return self.deadline_at is not None and self.deadline_at - clock.now() < timedelta(minutes=30)

    @property
    def why(self) -> str:
        """What brought it back, for one that is not simply new."""
        if self.card.news is not None:
            return WHY[self.card.news]
        if self.card.snoozed_until is not None:
            return "Snooze ended"
        return WHY[News.CAME_BACK] if self.card.has_come_back else ""


def queue(actor: User, rotation_id: int | None = None) -> tuple[Sequence[Item], int]:
    """List what waits most urgently for the person on duty, and count all of it.

    New bugs and accepted ones without an owner, and of any that are open those that were answered, came back or whose
    snooze has ended and that no engineer has touched since; none that is snoozed. Also those that a customer wrote
    about, closed or not. What somebody raised is on top; then by deadline, which is the impact's working minutes after
    the bug arrived here; people waiting break ties.
    Whoever is on duty is shown what they are on duty for, everybody else all of it; of a rotation what it answers for.
    """
    shape, values = shown_to(actor, rotation_id)
    impacts = [choice for choice in catalogue.names().choices.values() if choice.list == OptionList.IMPACT]
    minutes = {impact.position: impact.deadline_minutes for impact in impacts}
    hours = working_hours()
    items = []
    for card in read_cards(_queue(shape), **values):
        allowed = minutes.get(card.impact_rank)
        since = max([card.filed_at, *(at for at in (card.came_back_at, card.news_at) if at is not None)])
        if card.snoozed_until is not None:
            since = max(since, hours.span(card.snoozed_until)[0])
        items.append(Item(card, hours.add_working(since, allowed) if allowed is not None else None))
    return sorted(items, key=_order)[:SHOWN], rows(_count(shape), **values)[0][0]


def count_worst(actor: User, rotation_id: int) -> int:
    """Count what waits for whoever is on duty in a rotation and is as bad as can be."""
    shape, values = shown_to(actor, rotation_id)
    count: int = rows(_count_worst(shape), **values)[0][0]
    return count


def shown_to(actor: User, rotation_id: int | None = None) -> tuple[Shape, dict[str, Any]]:
    """Say what of the queue somebody is shown: how a statement asks for it with is_shown, and with which values."""
    if rotation_id is not None:
        scope: owners.Answered | None = owners.answered_in(rotation_id)
    else:
        scope = owners.answered_by(actor) if area_duty.own_rotations() else None
    values = {"reader": actor.id, "today": today_of(actor), **(scope.values if scope is not None else {})}
    return (actor.can(Role.LEAD), scope.has_rest if scope is not None else None), values


def is_shown(shape: Shape) -> tuple[sa.ColumnElement[bool], ...]:
    """Select the bugs that somebody sees and is on duty for."""
    sees_all, has_rest = shape
    in_scope = owners.is_in_scope(has_rest) if has_rest is not None else sa.true()
    return in_scope, sa.true() if sees_all else VISIBLE_TO_READER


def asleep(actor: User, *, of_everybody: bool, start: int) -> Sequence[Card]:
    """Read one page of the open bugs that are snoozed, and one more, the soonest first.

    By default only the actor's: those they own, and while they stand in those that nobody owns.
    """
    values = {"reader": actor.id, "today": today_of(actor), "me": actor.id, "start": start}
    scope = owners.answered_by(actor) if not of_everybody else None
    shape = (actor.can(Role.LEAD), of_everybody, scope.has_rest if scope is not None else None)
    return read_cards(_asleep(*shape), **values, **(scope.values if scope is not None else {}))


@cache
def _asleep(sees_all: bool, of_everybody: bool, has_rest: bool | None) -> sa.Select[*tuple[Any, ...]]:
    nobodys = sa.and_(Bug.owner_id.is_(None), owners.is_in_scope(has_rest)) if has_rest is not None else sa.false()
    mine = sa.or_(Bug.owner_id == sa.bindparam("me"), nobodys)
    seen = sa.true() if sees_all else VISIBLE_TO_READER
    found = cards(Bug.status.in_(OPEN), IS_ASLEEP, sa.true() if of_everybody else mine, seen)
    page = found.order_by(None).order_by(Bug.snoozed_until, Bug.impact_rank, Bug.id)
    return with_contact(page.offset(sa.bindparam("start")).limit(ROWS_SHOWN + 1))


def is_waiting() -> sa.ColumnElement[bool]:
    """Select the bugs that are in the queue, of those that stand for themselves; `today` is the reader's day.

    What a customer wrote is looked at whatever the bug's status: of one that is closed it may say that it is not. Both
    are asked for by themselves, because for "or" SQLite would read all bugs.
    """
    bug, written = sa.orm.aliased(Bug), sa.orm.aliased(Bug)
    ownerless = sa.and_(bug.status == Status.ACCEPTED, bug.owner_id.is_(None))
    is_back = sa.or_(bug.news.is_not(None), bug.snoozed_until.is_not(None), bug.raised_at.is_not(None))
    is_awake = sa.or_(bug.snoozed_until.is_(None), bug.snoozed_until <= TODAY)
    waits = (bug.status.in_(OPEN), is_awake, sa.or_(bug.status == Status.NEW, ownerless, is_back))
    wrote: sa.ColumnElement[str] = sa.literal_column(
        f"'{News.WROTE}'"
    )  # in the statement itself, so that its index is used
    return Bug.id.in_(sa.select(bug.id).where(*waits).union_all(sa.select(written.id).where(written.news == wrote)))


def _waiting(shape: Shape) -> sa.Select[*tuple[Any, ...]]:
    return cards(is_waiting(), *is_shown(shape))


@cache
def _queue(shape: Shape) -> sa.Select[*tuple[Any, ...]]:
    """Select the oldest of each impact: within one, deadlines follow the order in which bugs arrived."""
    arrived = sa.func.coalesce(Bug.news_at, Bug.came_back_at, Bug.filed_at)
    alike = (Bug.impact_rank, Bug.snoozed_until.is_(None), Bug.raised_at.is_(None))
    first = (Bug.snoozed_until, arrived, Bug.id)
    place = sa.func.row_number().over(partition_by=alike, order_by=first).label("place")
    found = _waiting(shape).add_columns(place).order_by(None).subquery()
    return sa.select(found).where(found.c.place <= SHOWN)


@cache
def _count(shape: Shape) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(_waiting(shape).order_by(None).subquery())


@cache
def _count_worst(shape: Shape) -> sa.Select[int]:
    worst = _waiting(shape).where(Bug.impact_rank <= 1)
    return sa.select(sa.func.count()).select_from(worst.order_by(None).subquery())


def _order(item: Item) -> tuple[bool, bool, datetime, int, int]:
    is_below, until = item.card.raise_reason is None, item.deadline_at
    return (is_below, until is None, until or item.card.filed_at, -item.card.waiting, item.card.id)
