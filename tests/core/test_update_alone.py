"""A change that is a transaction by itself: nothing begins it, nothing ends it, and it is kept all the same."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bugintake.core.db import db, transaction, update_alone
from bugintake.loop.models import Circuit

FAILED = sa.update(Circuit).where(Circuit.channel == sa.bindparam("b_channel")).values(failures=Circuit.failures + 1)


@pytest.fixture
def circuit(app: Flask) -> Circuit:
    with transaction():
        circuit = Circuit(channel="mail")
        db.session.add(circuit)
    return circuit


def failures() -> int | None:
    """Read it anew, on a connection of its own."""
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(Circuit.failures))


def test_it_is_kept_and_what_was_read_before_is_read_again(circuit: Circuit) -> None:
    assert circuit.failures == 0

    assert update_alone(FAILED, b_channel="mail") == 1

    assert (failures(), circuit.failures) == (1, 1)


@pytest.mark.parametrize("awaits_disk", [True, False])
def test_it_counts_what_it_changed(circuit: Circuit, awaits_disk: bool) -> None:
    assert update_alone(FAILED, awaits_disk=awaits_disk, b_channel="mail") == 1
    assert update_alone(FAILED, awaits_disk=awaits_disk, b_channel="no such") == 0


def test_a_transaction_after_it_is_kept_or_lost_as_a_whole(circuit: Circuit) -> None:
    update_alone(FAILED, b_channel="mail")

    with pytest.raises(ZeroDivisionError), transaction():
        db.session.execute(FAILED.execution_options(synchronize_session=False), {"b_channel": "mail"})
        _ = 1 / 0

    assert failures() == 1


def test_inside_a_transaction_it_is_refused(circuit: Circuit) -> None:
    with pytest.raises(RuntimeError), transaction():
        update_alone(FAILED, b_channel="mail")

    assert failures() == 0


def test_what_fails_changes_nothing_and_leaves_a_connection_that_works(circuit: Circuit) -> None:
    wrong = sa.update(Circuit).values(channel=sa.null())

    with pytest.raises(sa.exc.IntegrityError):
        update_alone(wrong)

    assert update_alone(FAILED, b_channel="mail") == 1


@pytest.mark.only_on("sqlite")
def test_nothing_begins_or_ends_it_on_sqlite(circuit: Circuit) -> None:
    said: list[str] = []
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.set_trace_callback(said.append)

    update_alone(FAILED, awaits_disk=False, b_channel="mail")

    raw.set_trace_callback(None)
    assert [line.split()[0] for line in said] == ["PRAGMA", "UPDATE"]


@pytest.mark.only_on("postgres")
def test_the_server_is_asked_once(circuit: Circuit, tmp_path: Any) -> None:
    update_alone(FAILED, awaits_disk=False, b_channel="mail")
    with db.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
    with (tmp_path / "said").open("w") as said:
        raw.pgconn.trace(said.fileno())
        update_alone(FAILED, awaits_disk=False, b_channel="mail")
        raw.pgconn.untrace()

    ready = [line for line in (tmp_path / "said").read_text().splitlines() if "ReadyForQuery" in line]
    assert len(ready) == 1


@pytest.mark.fault("F-SYNC")
@pytest.mark.only_on("postgres")
def test_only_what_says_so_does_not_wait_for_the_disk(circuit: Circuit) -> None:
    with transaction():  # the server of the tests waits for nothing unless it is asked to
        db.session.execute(sa.text("SET SESSION synchronous_commit = on"))

    on_disk = {wants: sum(is_on_disk(after=wants) for _ in range(20)) for wants in (True, False)}

    assert on_disk[True] > 15  # the server writes by itself, too, every now and then
    assert on_disk[False] < 5


def is_on_disk(*, after: bool) -> bool:
    """Change something, waiting for the disk or not, and tell whether all that was written is there right then."""
    update_alone(FAILED, awaits_disk=after, b_channel="mail")
    with db.engine.connect() as connection:
        written = sa.text("SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
        return bool(connection.scalar(written))
