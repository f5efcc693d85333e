"""What the field at the top of every page finds besides what the page itself says."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from bugintake.core.db import db, rows
from bugintake.core.pages import pages
from bugintake.intake.customers.models import Customer
from bugintake.intake.customers.queries import companies_like, customers_called
from bugintake.intake.models import Bug, Status
from bugintake.intake.queries import VISIBLE_TO_READER, in_sight_of_reader
from bugintake.intake.word_index import all_of, before_latest, hits_of_all
from bugintake.intake.words import begun
from bugintake.team.models import Role, User
from bugintake.team.people import names
from bugintake.triage.meanings import begin
from bugintake.triage.queries import CLOSED
from bugintake.triage.saved_views import views_of

EACH = 5
HITS = 200
REF = re.compile(r"(?:BUG-)?([1-9][0-9]{0,8})", re.IGNORECASE | re.ASCII)


class Known(NamedTuple):
    """A bug as it is offered."""

    id: int
    title: str
    status: Status

    @property
    def ref(self) -> str:
        """The name people use for it."""
        return f"BUG-{self.id}"


class Row(NamedTuple):
    """Something to open: what it is called, where it is, and a few words beside it."""

    label: str
    url: str
    hint: str = ""


class Group(NamedTuple):
    """Things of one kind."""

    name: str
    rows: Sequence[Row]


def found(typed: str, recent: Sequence[int], actor: User) -> list[Group]:
    """Find what may be meant, by kind; where nothing was typed, the bugs opened last and the saved views."""
    if not typed:
        known = {bug.id: bug for bug in bugs_numbered(recent, actor)}
        opened = [known[number] for number in recent if number in known]
        views = [Row(view.name, view.url) for view in views_of(actor.id)]
        return _filled(Group("Opened last", [_bug(bug) for bug in opened]), Group("Views", views[:EACH]))
    ref = REF.fullmatch(typed)
    named = bugs_numbered([int(ref[1])], actor) if ref else []
    like = [bug for bug in bugs_like(typed, actor) if bug not in named]
    return _filled(
        Group("Bugs", [_bug(bug) for bug in (*named, *like)]),
        Group("Pages", [Row(page.label, page.url) for page in pages() if begin(typed, (page.label,))][:EACH]),
        Group("Views", [Row(view.name, view.url) for view in views_of(actor.id) if begin(typed, (view.name,))][:EACH]),
        Group("Customers", [_customer(each, actor) for each in customers_called(typed, actor, EACH)]),
        Group("Companies", [Row(each.name, f"/accounts/{each.id}", each.plan) for each in companies_like(typed, EACH)]),
        Group("Colleagues", [Row(name, f"/bugs?owner={number}", "their bugs") for number, name in _people(typed)]),
    )


def _filled(*groups: Group) -> list[Group]:
    return [group for group in groups if group.rows]


def _bug(bug: Known) -> Row:
    return Row(f"{bug.ref} {bug.title}", f"/bugs/{bug.ref}", bug.status.label)


def _customer(customer: Customer, actor: User) -> Row:
    return Row(customer.full_name, f"/customers/{customer.id}", customer.email_for(actor))


def _people(typed: str) -> list[tuple[int, str]]:
    active = [each for each in names().values() if each.is_active and begin(typed, (each.name,))]
    return [(each.id, each.name) for each in active[:EACH]]


# --- Bugs ------------------------------------------------------------------------------------------------------------


def bugs_like(typed: str, actor: User) -> list[Known]:
    """Find bugs that hold the words that were typed, and one that begins as the last of them: open ones first.

    What was merged is found as the bug that stands for it. Of bugs with these words the latest few hundred count, and
    older ones only where the latest thousands hold too few.
    """
    words = begun(typed)
    if words is None:
        return []
    dialect, sees_all = db.engine.dialect.name, actor.can(Role.LEAD)
    asked = {"every": all_of(*words), "most": HITS, "reader": actor.id}
    found = rows(_hit(dialect, sees_all, False), beyond=before_latest(), **asked)
    if len(found) < EACH:
        found = rows(_hit(dialect, sees_all, True), beyond=0, **asked)
    return [Known._make(row) for row in found]


def bugs_numbered(numbers: Sequence[int], actor: User) -> list[Known]:
    """Read bugs by their numbers, in no order; those that this person may not see are left out."""
    if not numbers:
        return []
    found = rows(_numbered(actor.can(Role.LEAD)), numbers=list(numbers), reader=actor.id)
    return [Known._make(row) for row in found]


_KNOWN = (Bug.id, Bug.title, Bug.status)
_IS_THERE = Bug.withdrawn_at.is_(None)


@cache
def _numbered(sees_all: bool) -> sa.Select[*tuple[Any, ...]]:
    seen = sa.true() if sees_all else VISIBLE_TO_READER
    return sa.select(*_KNOWN).where(Bug.id.in_(sa.bindparam("numbers", expanding=True)), _IS_THERE, seen)


@cache
def _hit(_dialect: str, sees_all: bool, of_few: bool) -> sa.Select[*tuple[Any, ...]]:
    part, hits = aliased(Bug), hits_of_all(of_few=of_few)
    seen = (sa.true(), sa.true()) if sees_all else (in_sight_of_reader(part), VISIBLE_TO_READER)
    few = sa.select(part.canonical_id).join(hits, hits.c.bug_id == part.id)
    few = few.where(part.withdrawn_at.is_(None), seen[0])
    order = (Bug.status.in_(CLOSED), Bug.id.desc())
    return sa.select(*_KNOWN).where(Bug.id.in_(few), _IS_THERE, seen[1]).order_by(*order).limit(EACH)
