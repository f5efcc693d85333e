"""The duty queue: what today's engineer looks at, by deadline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from bugintake.core import clock
from bugintake.core.db import rows
from bugintake.intake import catalogue
from bugintake.intake.models import Bug, OptionList, Status
from bugintake.intake.queries import VISIBLE_TO_READER
from bugintake.team.models import Role, User
from bugintake.team.workspace import working_hours
from bugintake.triage.queries import Card, cards, read_cards

SHOWN = 50


@dataclass(frozen=True)
class Item:
    """One bug in the queue, why it is there, and until when somebody should look."""

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


def queue(actor: User) -> tuple[Sequence[Item], int]:
    """List what waits most urgently for the person on duty, and count all of it.

    New bugs, those that came back, and accepted ones without an owner, ordered by deadline, which is the impact's
    working minutes after the bug arrived here; people waiting break ties.
    """
    sees_all = actor.can(Role.LEAD)
    impacts = [choice for choice in catalogue.names().choices.values() if choice.list == OptionList.IMPACT]
    minutes = {impact.position: impact.deadline_minutes for impact in impacts}
    hours = working_hours()
    items = []
    for card in read_cards(_queue(sees_all), reader=actor.id):
        allowed = minutes.get(card.impact_rank)
        since = card.came_back_at if card.has_come_back and card.came_back_at else card.filed_at
        items.append(Item(card, hours.add_working(since, allowed) if allowed is not None else None))
    return sorted(items, key=_order)[:SHOWN], rows(_count(sees_all), reader=actor.id)[0][0]


def _waiting(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    ownerless = sa.and_(Bug.status == Status.ACCEPTED, Bug.owner_id.is_(None))
    return cards(sa.or_(Bug.status == Status.NEW, ownerless), sa.true() if sees_all else VISIBLE_TO_READER)


@cache
def _queue(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    """Select the oldest of each impact: within one, deadlines follow the order in which bugs arrived."""
    arrived = sa.func.coalesce(Bug.came_back_at, Bug.filed_at)
    place = sa.func.row_number().over(partition_by=Bug.impact_rank, order_by=(arrived, Bug.id)).label("place")
    found = _waiting(sees_all).add_columns(place).order_by(None).subquery()
    return sa.select(found).where(found.c.place <= SHOWN)


@cache
def _count(sees_all: bool) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(_waiting(sees_all).order_by(None).subquery())


def _order(item: Item) -> tuple[bool, datetime, int, int]:
    return (item.deadline_at is None, item.deadline_at or item.card.filed_at, -item.card.waiting, item.card.id)
