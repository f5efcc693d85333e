"""Views under a name, for oneself or for the team: saved, called otherwise, put in order and removed."""

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from bugintake.core import events
from bugintake.core.db import db, one_at_a_time, rows
from bugintake.core.errors import Conflict, Invalid, NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import clean_line
from bugintake.core.kept import kept
from bugintake.team.guards import may_not
from bugintake.team.models import Role, User
from bugintake.triage import search
from bugintake.triage.models import SavedView

NAME_LENGTH = 80
MOST = 50


class View(NamedTuple):
    """A view as pages link to it."""

    id: int
    name: str
    is_the_teams: bool
    is_board: bool
    address: str

    @property
    def url(self) -> str:
        """Where it is shown."""
        return ("/board" if self.is_board else "/bugs") + (f"?{self.address}" if self.address else "")


@kept
def views_of(person_id: int) -> Sequence[View]:
    """List a person's own views in their order, then the team's."""
    found = sa.select(SavedView.id, SavedView.name, SavedView.owner_id.is_(None), SavedView.is_board, SavedView.address)
    mine = sa.or_(SavedView.owner_id == person_id, SavedView.owner_id.is_(None))
    order = (SavedView.owner_id.is_(None), SavedView.position, SavedView.id)
    return [View._make(row) for row in rows(found.where(mine).order_by(*order))]


def view_or_404(view_id: int, actor: User) -> SavedView:
    """Load a view that this person may change. Raises NotFound for somebody else's, NotPermitted for the team's."""
    view = db.session.get(SavedView, view_id) if 0 < view_id < 2**31 else None
    if view is None or view.owner_id not in (None, actor.id):
        raise NotFound()
    if view.owner_id is None and not actor.can(Role.LEAD):
        raise may_not(Role.LEAD)
    return view


def save(name: str, address: str, *, is_board: bool, for_team: bool, actor: User) -> SavedView:
    """Name what an address shows. Records view.saved.

    Keeps of the address what board and list understand. Raises Invalid as check_name and where there are too many,
    NotPermitted for the team's by anybody but leads.
    """
    if for_team and not actor.can(Role.LEAD):
        raise may_not(Role.LEAD)
    owner_id = None if for_team else actor.id
    one_at_a_time(f"views of {owner_id}")
    beside = _of(owner_id)
    if len(beside) >= MOST:
        raise Invalid(f"There are {MOST} views already. Remove one first.", "name")
    filters = search.read(MultiDict(parse_qsl(address))).filters
    kept_address = urlencode(filters.address(), doseq=True)
    position = beside[-1].position + 1 if beside else 1
    name = _free(name, beside)
    view = SavedView(name=name, owner_id=owner_id, is_board=is_board, address=kept_address, position=position)
    db.session.add(view)
    db.session.flush()
    events.record(EventKind.VIEW_SAVED, actor=actor, view=view.id)
    return view


def rename(view: SavedView, name: str, *, actor: User) -> None:
    """Call a view otherwise. Records view.changed. Raises Invalid for no name, Conflict for one that is taken."""
    one_at_a_time(f"views of {view.owner_id}")
    view.name = _free(name, [each for each in _of(view.owner_id) if each is not view])
    events.record(EventKind.VIEW_CHANGED, actor=actor, view=view.id)


def rise(view: SavedView, *, actor: User) -> None:
    """Put a view before the one that stands above it. Records view.changed, unless it is the first."""
    one_at_a_time(f"views of {view.owner_id}")
    beside = _of(view.owner_id)
    place = beside.index(view)
    if place == 0:
        return
    above = beside[place - 1]
    above.position, view.position = view.position, above.position
    events.record(EventKind.VIEW_CHANGED, actor=actor, view=view.id)


def remove(view: SavedView, *, actor: User | None) -> None:
    """Forget a view; the bugs stay what they are. Records view.removed."""
    events.record(EventKind.VIEW_REMOVED, actor=actor, view=view.id)
    db.session.delete(view)


def _of(owner_id: int | None) -> Sequence[SavedView]:
    query = sa.select(SavedView).where(SavedView.owner_id.is_not_distinct_from(owner_id))
    return db.session.scalars(query.order_by(SavedView.position, SavedView.id)).all()


def _free(name: str, beside: Sequence[SavedView]) -> str:
    name = clean_line(name)
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(f"A view's name has 1 to {NAME_LENGTH} characters.", "name")
    if name in {each.name for each in beside}:
        raise Conflict(f"There is a view called {name} already.")
    return name
