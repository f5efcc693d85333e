"""How a transaction begins and ends, and what the database promises while several people write."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, request
from flask.testing import FlaskClient
from sqlalchemy.exc import InternalError

from bugintake.core import connections
from bugintake.core.db import after_commit, db, transaction, update_one
from bugintake.core.security import needs_no_form_token
from bugintake.loop.models import Circuit
from tests.counting import asked


@pytest.fixture
def circuit(app: Flask) -> Circuit:
    """A row with a counter in it."""
    with transaction():
        row = Circuit(channel="mail")
        db.session.add(row)
    return row


@pytest.fixture
def counting(app: Flask, circuit: Circuit) -> Flask:
    """An app with a page that reads the counter, and an action that raises it."""

    @app.get("/counter")
    def show() -> str:
        return str(db.session.get_one(Circuit, "mail").failures)

    @app.get("/wrong")
    def write_in_a_get() -> str:
        db.session.get_one(Circuit, "mail").failures += 1
        db.session.flush()
        return "written"

    @app.post("/counter")
    @needs_no_form_token
    def raise_counter() -> str:
        with transaction():
            row = db.session.get_one(Circuit, "mail")
            row.failures += 1
            row.reason = request.form.get("reason", "")[:500]
        return str(row.failures)

    return app


def failures() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(Circuit.failures)) or 0


# --- Settings of every connection ----------------------------------------------------------------------------------


@pytest.mark.fault("F-SYNC")
@pytest.mark.only_on("sqlite")
def test_every_pooled_connection_has_the_settings_that_make_sqlite_durable(app: Flask) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    connections = [db.engine.connect() for _ in range(8)]
    try:
        found = [
            {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected}
            for connection in connections
        ]
    finally:
        for connection in connections:
            connection.close()

    assert found == [expected] * 8


def disk_waits(*wanted: bool) -> list[str]:
    """Write in turn, waiting for the disk or not, and read back each time what the database was asked to do."""
    asked = "PRAGMA synchronous" if db.engine.dialect.name == "sqlite" else "SHOW synchronous_commit"
    found = []
    for wants in wanted:
        with transaction(awaits_disk=wants):
            found.append(str(db.session.scalar(sa.text(asked))))
    return found


@pytest.mark.fault("F-SYNC")
def test_only_what_says_so_does_not_wait_for_the_disk_and_what_comes_after_it_does(app: Flask) -> None:
    is_sqlite = db.engine.dialect.name == "sqlite"
    if not is_sqlite:
        with transaction():  # the server of the tests waits for nothing unless it is asked to
            db.session.execute(sa.text("SET SESSION synchronous_commit = on"))

    assert disk_waits(True, False, True) == (["2", "1", "2"] if is_sqlite else ["on", "off", "on"])


@pytest.mark.only_on("postgres")
def test_every_pooled_connection_waits_for_a_lock_no_longer_than_sqlite_would(app: Flask) -> None:
    with db.engine.connect() as one, db.engine.connect() as two:
        assert [c.scalar(sa.text("SHOW lock_timeout")) for c in (one, two)] == ["5s", "5s"]


@pytest.mark.only_on("postgres")
def test_what_did_not_say_that_it_writes_cannot(app: Flask, circuit: Circuit) -> None:
    with db.engine.connect() as connection, pytest.raises(InternalError, match="read-only"):
        connection.execute(sa.update(Circuit).values(failures=5))

    assert failures() == 0


@pytest.mark.only_on("postgres")
def test_a_statement_that_pages_ask_again_and_again_is_planned_once(counting: Flask, client: FlaskClient) -> None:
    def prepared() -> int:
        with db.engine.connect() as connection:
            return connection.scalar(
                sa.text("SELECT count(*) FROM pg_prepared_statements WHERE statement ~ 'circuits'")
            )

    db.engine.dispose()  # the connection of the test before may know it by now
    for _ in range(10):
        client.get("/counter")
    client.post("/counter")

    assert prepared() == 1


# --- Several writers -----------------------------------------------------------------------------------------------


def test_eight_threads_times_a_hundred_increments_lose_none_and_fail_none(app: Flask, circuit: Circuit) -> None:
    errors: list[Exception] = []

    def increment() -> None:
        for _ in range(100):
            try:
                with app.app_context(), transaction():
                    row = db.session.get_one(Circuit, "mail", with_for_update=True)  # on SQLite the BEGIN does it
                    row.failures += 1
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=increment) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert failures() == 800


def test_of_two_who_change_the_same_state_one_is_told(app: Flask, circuit: Circuit) -> None:
    claim = sa.update(Circuit).where(Circuit.failures == 0).values(failures=1)

    with transaction():
        first = update_one(claim)
    with transaction():
        second = update_one(claim)

    assert (first, second) == (True, False)


def test_a_writer_sees_what_others_changed_since_it_read(app: Flask, circuit: Circuit) -> None:
    row = db.session.get_one(Circuit, "mail")
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        connection.execute(sa.update(Circuit).values(failures=7))

    with transaction():
        row.failures += 1

    assert failures() == 8


# --- What transaction() means --------------------------------------------------------------------------------------


def test_a_block_that_fails_changes_nothing(app: Flask, circuit: Circuit) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        circuit.failures = 5
        db.session.flush()
        raise ZeroDivisionError

    assert failures() == 0


def test_a_block_inside_another_lives_and_dies_with_it(app: Flask, circuit: Circuit) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        with transaction():
            circuit.failures = 5
        raise ZeroDivisionError
    assert failures() == 0

    with transaction():
        with transaction():
            circuit.failures = 5
        circuit.failures += 1
    assert failures() == 6


def test_what_was_added_or_changed_before_a_transaction_is_no_part_of_it(app: Flask, circuit: Circuit) -> None:
    circuit.failures = 7
    db.session.add(Circuit(channel="hook"))

    with transaction():
        pass

    assert db.session.execute(sa.select(Circuit.channel, Circuit.failures)).all() == [("mail", 0)]


def test_a_transaction_reads_a_row_again_but_not_for_its_name_alone(app: Flask, circuit: Circuit) -> None:
    with transaction(), asked() as statements:
        assert circuit.channel == "mail"
        before = len(statements)
        assert circuit.failures == 0

    assert (before, len(statements)) == (0, 1)


def test_a_change_outside_a_transaction_is_refused(app: Flask, circuit: Circuit) -> None:
    circuit.failures = 5
    with pytest.raises(RuntimeError, match=r"outside transaction\(\)"):
        db.session.flush()
    db.session.rollback()
    with pytest.raises(RuntimeError, match=r"outside transaction\(\)"):
        db.session.execute(sa.update(Circuit).values(failures=5))

    assert failures() == 0


def test_a_get_cannot_write(counting: Flask, client: FlaskClient) -> None:
    assert client.get("/wrong").status_code == 500
    assert client.get("/counter").text == "0"


def test_what_follows_a_change_runs_once_it_is_kept_and_never_when_it_is_not(app: Flask, circuit: Circuit) -> None:
    seen: list[int] = []

    with transaction():
        with transaction():
            after_commit(lambda: seen.append(failures()))
        circuit.failures = 3
        assert seen == []
    with pytest.raises(ZeroDivisionError), transaction():
        after_commit(lambda: seen.append(-1))
        raise ZeroDivisionError

    assert seen == [3]


def test_what_follows_a_change_cannot_make_it_look_failed(
    app: Flask, circuit: Circuit, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    with transaction():
        circuit.failures = 3
        after_commit(lambda: 1 // 0)
        after_commit(lambda: seen.append("the next one"))

    assert failures() == 3
    assert seen == ["the next one"]
    assert "the change itself is kept" in caplog.text


def test_what_follows_a_change_leaves_no_old_reading_behind(app: Flask) -> None:
    """Else what somebody else changes after it would not be seen in the same request."""

    def read() -> None:
        db.session.execute(sa.text("SELECT 1"))

    with transaction():
        after_commit(read)

    assert db.session().get_transaction() is None


def test_after_commit_needs_a_transaction_to_follow(app: Flask) -> None:
    with pytest.raises(RuntimeError):
        after_commit(print)


# --- A database that does not answer -------------------------------------------------------------------------------


@contextmanager
def held(path: Path, seconds: float | None) -> Iterator[None]:
    """Lock the file as another process would, for a while or until the block ends."""
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    with closing(holder):
        holder.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(seconds or 0, lambda: holder.execute("ROLLBACK"))
        if seconds is not None:
            release.start()
        yield
        if seconds is not None:
            release.join()


@pytest.fixture
def file(app: Flask) -> Path:
    """The database file of this test."""
    return Path(db.engine.url.database or "")


@pytest.fixture
def impatient(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for locks only briefly."""
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_MS", 150)
    db.session.remove()
    db.engine.dispose()


@pytest.mark.fault("F-D1")
@pytest.mark.only_on("sqlite")
def test_a_database_locked_for_two_seconds_only_takes_longer(counting: Flask, client: FlaskClient, file: Path) -> None:
    with held(file, 2):
        answer = client.post("/counter")

    assert (answer.status_code, answer.text) == (200, "1")


@pytest.mark.fault("F-D1")
@pytest.mark.only_on("sqlite")
def test_a_database_locked_for_longer_answers_503_and_keeps_what_was_typed(
    counting: Flask, client: FlaskClient, file: Path, impatient: None
) -> None:
    with held(file, None):
        answer = client.post("/counter", data={"reason": "All that I typed & more", "password": "kangaroo"})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "All that I typed &amp; more" in answer.text
    assert "kangaroo" not in answer.text
    assert failures() == 0
    assert client.post("/counter").text == "1"


@pytest.mark.fault("F-D1")
@pytest.mark.only_on("postgres")
def test_a_row_locked_for_longer_answers_503(counting: Flask, client: FlaskClient, impatient: None) -> None:
    with db.engine.connect().execution_options(is_writing=True) as other, other.begin():
        other.execute(sa.update(Circuit).values(failures=5))
        answer = client.post("/counter", data={"reason": "All that I typed"})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "All that I typed" in answer.text


@pytest.mark.fault("F-D2")
@pytest.mark.only_on("sqlite")
def test_a_full_disk_answers_507_keeps_what_was_typed_and_reading_goes_on(counting: Flask, client: FlaskClient) -> None:
    def limit(connection: Any, _record: Any) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")

    with transaction():
        db.session.execute(sa.text("CREATE TABLE filling (text TEXT)"))
    db.session.remove()
    sa.event.listen(db.engine, "connect", limit)
    db.engine.dispose()

    @counting.post("/filling")
    @needs_no_form_token
    def fill() -> str:
        with transaction():
            db.session.execute(sa.text("INSERT INTO filling VALUES (:text)"), {"text": "x" * 100_000})
        return "filled"

    answer = client.post("/filling", data={"text": "All that I typed"})

    assert answer.status_code == 507
    assert "All that I typed" in answer.text
    assert client.get("/counter").text == "0"
    assert db.session.scalar(sa.text("PRAGMA integrity_check")) == "ok"


@pytest.mark.fault("F-D3")
@pytest.mark.only_on("sqlite")
def test_a_read_only_database_still_shows_pages_and_refuses_changes_in_words(
    counting: Flask, client: FlaskClient
) -> None:
    def forbid(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    db.session.remove()
    sa.event.listen(db.engine, "connect", forbid)
    db.engine.dispose()

    assert client.get("/counter").text == "0"
    assert client.post("/counter").status_code == 503


def test_times_are_stored_in_utc_and_come_back_aware(app: Flask, clock: Any, circuit: Circuit) -> None:
    with transaction():
        circuit.open_until = clock.now()
    db.session.expire_all()

    assert circuit.open_until == clock.now()
    assert str(circuit.open_until.tzinfo) == "UTC"


def test_a_time_without_a_zone_is_refused(app: Flask, clock: Any, circuit: Circuit) -> None:
    with pytest.raises(sa.exc.StatementError, match="A stored time must be aware"), transaction():
        circuit.open_until = clock.now().replace(tzinfo=None)
