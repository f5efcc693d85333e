"""What every page reads and seldom changes: each process keeps it until something is changed anywhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, update_wrapper, wraps
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session, SessionTransaction

from bugintake.core.db import db
from bugintake.core.events import OF_THE_HOUSE, Event

P = ParamSpec("P")
T = TypeVar("T")


class State(NamedTuple):
    """What names the state that a transaction reads: of people, choices, settings and turns; and of all with the bugs.

    Each part differs once any process has changed anything of it.
    """

    house: tuple[Any, ...]
    everything: tuple[Any, ...]


LATE = 500  # events: counting them takes 0.06 ms
_LATE: sa.ColumnElement[int] = sa.literal_column(str(LATE))  # no values, so that PostgreSQL plans it once
_ONE: sa.ColumnElement[int] = sa.literal_column("1")
_EVENTS = Event.__table__
_OWN = sa.select(_EVENTS.c.id).where(OF_THE_HOUSE)
_LAST = sa.select(sa.func.max(_EVENTS.c.id)).scalar_subquery()
_LAST_OWN = _OWN.order_by(_EVENTS.c.id.desc()).limit(_ONE).scalar_subquery()


# PostgreSQL gives numbers to events before it shows them, so a lower number may come to light after the last one. It is
# counted among the last ones, or else its writer was among those who were still writing. Who began after everybody who
# is done is not named there; what the server will begin next would tell, but moves with each of its databases.
# With a limit, which they never reach, it reads just these: it expects a third of the table, and sends for helpers.
def _among_the_last(events: sa.Select[*tuple[Any, ...]], last: sa.ScalarSelect[Any]) -> sa.ScalarSelect[Any]:
    latest = events.where(_EVENTS.c.id > last - _LATE).order_by(_EVENTS.c.id.desc()).limit(_LATE)
    return sa.select(sa.func.count()).select_from(latest.subquery()).scalar_subquery()


_WRITING = sa.func.split_part(
    sa.cast(sa.func.pg_current_snapshot(), sa.Text), sa.literal_column("':'"), sa.literal_column("3")
)
_HOUSE = {
    "sqlite": (_LAST_OWN,),
    "postgresql": (_LAST_OWN, _among_the_last(_OWN, _LAST_OWN), _WRITING),
}
_BUGS = {
    "sqlite": (_LAST,),
    "postgresql": (_LAST, _among_the_last(sa.select(_EVENTS.c.id), _LAST)),
}
_NOTHING: sa.Select[*tuple[Any, ...]] = sa.select()
_READ = {dialect: (*_HOUSE[dialect], *_BUGS[dialect]) for dialect in _HOUSE}


def state() -> State:
    """Name the state that this transaction reads.

    Every change is an event in the same transaction, so the last event's number names what is true.
    """
    session = db.session()
    found: State | None = session.info.get("state")
    if found is None:
        dialect = db.engine.dialect.name
        found = _read(session.connection().execute(_with_state(_NOTHING, dialect)).one(), dialect)
    return found


def first_with_state(statement: sa.Select[*tuple[Any, ...]], **values: Any) -> Sequence[Any] | None:
    """Read the first row of what every page begins with, and the state in the same breath; None where there is none."""
    dialect = db.engine.dialect.name
    row = db.session.execute(_with_state(statement, dialect), values).first()
    if row is None:
        return None
    _read(row, dialect)
    return row[: -len(_READ[dialect])]


@cache
def _with_state(statement: sa.Select[*tuple[Any, ...]], dialect: str) -> sa.Select[Any]:
    return statement.add_columns(*_READ[dialect])


def _read(row: Sequence[Any], dialect: str) -> State:
    everything = tuple(row[-len(_READ[dialect]) :])
    found = State(everything[: len(_HOUSE[dialect])], everything)
    db.session().info["state"] = found
    return found


def once(read: Callable[[], T]) -> Callable[[], T]:
    """Let a function read once in a transaction, however often it is called there."""

    @wraps(read)
    def remembered() -> T:
        memory: dict[Callable[[], T], T] = db.session().info.setdefault("once", {})
        if read not in memory:
            memory[read] = read()
        return memory[read]

    return remembered


@contextmanager
def apart() -> Iterator[Session]:
    """Open a session of its own for objects to keep: they belong to no request, so none can change them."""
    if db.session().info.get("is_writing"):
        yield db.session()
        return
    with Session(db.engine) as session:
        yield session


@sa.event.listens_for(Session, "after_transaction_end")
def _forget(session: Session, ended: SessionTransaction) -> None:
    if ended.parent is None:
        session.info.pop("state", None)
        session.info.pop("once", None)


class kept(Generic[P, T]):  # noqa: N801  # a decorator
    """Let a process keep what a function read until the state of the house is another; who writes reads for itself.

    What it returns is shared by threads and outlives its session, so it must be plain and never changed. `anew` reads.
    What tells of bugs too is `kept_with_bugs`.
    """

    def __init__(self, read: Callable[P, T]) -> None:
        self.anew = read
        self._memory: WeakKeyDictionary[sa.Pool, tuple[Any, dict[Any, T]]] = WeakKeyDictionary()
        update_wrapper(self, read)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what is kept, else read it."""
        if db.session().info.get("is_writing"):
            return self.anew(*args, **kwargs)
        now, pool = self._state(), db.engine.pool  # a pool leads to one database; a disposed engine opens another
        then, found = self._memory.get(pool, (None, {}))
        if then != now:
            found = {}
            self._memory[pool] = (now, found)
        key = (args, *kwargs.items())
        if key not in found:
            found[key] = self.anew(*args, **kwargs)
        return found[key]

    def _state(self) -> tuple[Any, ...]:
        return state().house


class kept_with_bugs(kept[P, T]):  # noqa: N801  # a decorator
    """Let a process keep what a function read until anything happened, to a bug too."""

    def _state(self) -> tuple[Any, ...]:
        return state().everything
