"""The database: how a transaction begins and ends. Nothing else commits."""

import enum
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapper, Session, registry

from bugintake.core import connections
from bugintake.core.trying_again import once_more

ALL = 2**31 - 1  # a limit that nothing reaches, and no number of a row is greater

log = logging.getLogger(__name__)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An instant: aware in Python, always UTC; refuses a naive one."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Store as UTC; SQLite has no zones, so it gets the bare UTC time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A stored time must be aware.")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Read back as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = sa.JSON().with_variant(JSONB(), "postgresql")


class Base(DeclarativeBase):
    """Every table: which column type an annotation stands for."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMES),
        type_annotation_map={
            datetime: UtcDateTime(),
            date: sa.Date(),
            time: sa.Time(),
            dict[str, str]: Json,
            dict[str, Any]: Json,
            list[str]: Json,
            list[int]: Json,
            enum.StrEnum: sa.Enum(
                enum.StrEnum,
                native_enum=False,
                create_constraint=False,
                length=32,
                values_callable=lambda kind: [member.value for member in kind],
            ),
        },
    )


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:

    class Model(Base):
        """The base of every table."""

        __abstract__ = True

else:
    Model = db.Model


def connect(app: Flask) -> None:
    """Attach the database to an app, with the settings of its connections."""
    db.init_app(app)
    with app.app_context():
        connections.tune(db.engine)
    app.dispatch_request = once_more(app.dispatch_request)  # type: ignore[method-assign]  # the one place to wrap a view


_turn = RLock()


@contextmanager
def _in_turn() -> Iterator[None]:
    """Let the threads of this process write to SQLite one after the other, whoever asked first.

    SQLite itself would let each look less and less often whether it is free: who waited longest would wait on. Who is
    not let in for long takes the chance there.
    """
    is_ours = db.engine.dialect.name == "sqlite" and _turn.acquire(timeout=connections.BUSY_TIMEOUT_MS / 1000)
    try:
        yield
    finally:
        if is_ours:
            _turn.release()


@contextmanager
def transaction(*, awaits_disk: bool = True) -> Iterator[None]:
    """Let the block write, and keep all of it or nothing.

    Ends the reading transaction of the request first and forgets what it read, but for the numbers of rows, so that
    what the block reads is what it changes. A block inside another one joins it. What is kept without waiting for the
    disk survives the end of any process, not a power cut right after it; nothing kept later survives without it.
    """
    session = db.session()
    if session.info.get("is_writing"):
        yield
        return
    _forget_what_was_read(session)
    session.info["is_writing"] = True
    session.info["after_commit"] = []
    with _in_turn():
        try:
            session.connection(execution_options={"is_writing": True, "awaits_disk": awaits_disk})
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.info["is_writing"] = False
            callbacks: list[Callable[[], None]] = session.info.pop("after_commit")
    for call in callbacks:
        try:
            call()
        except Exception:
            log.exception("Something that was to follow a change failed; the change itself is kept.")
    if callbacks:
        _forget_what_was_read(session)  # else whoever reads next would read what stood there when they did


def _forget_what_was_read(session: Session) -> None:
    """End what only reads. A rollback would forget the numbers too, and ask for each row again to tell its number."""
    reading = session.get_transaction()
    if reading is not None:
        reading.close()
    for row in session.new:
        session.expunge(row)
    for row in session.identity_map.values():
        session.expire(row, _may_change(sa.inspect(row).mapper))


@cache
def _may_change(mapper: Mapper[Any]) -> list[str]:
    named_by = {mapper.get_property_by_column(column).key for column in mapper.primary_key}
    return [each.key for each in mapper.attrs if each.key not in named_by]


def update_alone(statement: sa.Update, *, awaits_disk: bool = True, **values: Any) -> int:
    """Execute an UPDATE that is a transaction by itself, and count the rows it changed.

    Without BEGIN and COMMIT, which on PostgreSQL cost more than a small change. The statement is made once, in a
    module; `values` fill its parameters. `awaits_disk` as for `transaction`. Raises RuntimeError inside one, which it
    would not be a part of.
    """
    session = db.session()
    if session.info.get("is_writing"):
        raise RuntimeError("update_alone() does not belong inside a transaction().")
    _forget_what_was_read(session)
    options: dict[str, Any] = {"is_writing": True, "is_alone": True, "awaits_disk": awaits_disk}
    if db.engine.dialect.name == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT"
        statement = statement if awaits_disk else _without_disk(statement)
    with _in_turn(), db.engine.connect().execution_options(**options) as connection:
        count: int = connection.execute(statement, values).rowcount
        connection.commit()
    return count


@cache
def _without_disk(statement: sa.Update) -> sa.Update:
    # A SET of its own would be one exchange more. True: until the end of this transaction, which is this statement.
    return statement.returning(sa.func.set_config("synchronous_commit", "off", True))


def after_commit(call: Callable[[], None]) -> None:
    """Run something once the transaction around this has been kept, asked twice too; never when it was rolled back."""
    session = db.session()
    if not session.info.get("is_writing"):
        raise RuntimeError("after_commit() belongs inside a transaction().")
    if call not in session.info["after_commit"]:
        session.info["after_commit"].append(call)


def rows(statement: sa.Executable, **values: Any) -> Sequence[Any]:
    """Read rows instead of objects, with a statement that was made once: a fifth of what the session's way costs."""
    session = db.session()
    session.flush()
    return session.connection().execute(statement, values).all()


def one_of(column: Any, values: Iterable[Any]) -> sa.ColumnElement[bool]:
    """Select by values that never change: unlike `column.in_(values)`, its text is not rendered anew each time."""
    found: sa.ColumnElement[bool] = column.in_([sa.literal(value, column.type) for value in values])
    return found


def changed(statement: sa.Update) -> int:
    """Execute an UPDATE, and count the rows it changed."""
    count: int = db.session.execute(statement).rowcount  # type: ignore[attr-defined]  # it answers with a CursorResult
    return count


def update_one(statement: sa.Update) -> bool:
    """Execute a compare-and-set, and tell whether it changed exactly one row."""
    return changed(statement) == 1


def update_all(statement: sa.Update, **values: Any) -> int:
    """Execute an UPDATE of any number of rows without reading them, and count them.

    Objects of the table that are in use read their row again.
    """
    session = db.session()
    _refuse_outside(session)
    session.flush()
    count: int = session.connection().execute(statement, values).rowcount
    read_again(statement.entity_description["entity"])
    return count


def one_at_a_time(what: str) -> None:
    """Let nobody else do what is named until this transaction ends; SQLite has a single writer anyway."""
    if db.engine.dialect.name == "postgresql":
        rows(_ALONE, what=what)


_ALONE = sa.select(
    sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(sa.bindparam("what"), sa.literal_column("0")))
)


def hold(row: Any, *, is_leaving: bool = False) -> None:
    """Let nobody else change a row until this transaction ends, and read what the last one made of it.

    Where it `is_leaving`, and another or nothing will stand for it, this waits for those who let others point to it.

    The order of all locks: what `one_at_a_time` names, bugs by their number, then customers, envelopes, messages and
    reports. Who changes what hangs from a bug takes the bug first, so that two of them never wait for each other.

    Two statements: PostgreSQL joins what it locks late to what stood there before.
    """
    kind = type(row)
    db.session.flush()
    db.session.execute(sa.select(kind.id).where(kind.id == row.id).with_for_update(key_share=not is_leaving)).all()
    db.session.refresh(row)


def read_again(kind: type[Model]) -> None:
    """Let the objects of a table that are in use read their row again, because a statement changed it behind them."""
    session = db.session()
    for row in [row for row in session.identity_map.values() if isinstance(row, kind)]:
        session.expire(row)


def _refuse_outside(session: Session) -> None:
    if not session.info.get("is_writing"):
        raise RuntimeError("A change outside transaction() would be lost.")


@sa.event.listens_for(Session, "before_flush")
def _refuse_flush_outside(session: Session, _context: Any, _instances: Any) -> None:
    _refuse_outside(session)


@sa.event.listens_for(Session, "do_orm_execute")
def _refuse_change_outside(state: Any) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        _refuse_outside(state.session)
