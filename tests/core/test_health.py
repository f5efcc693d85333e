"""/healthz says whether everything works, and what does not."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

import bugintake
from bugintake.core import migrating
from bugintake.core.db import db, transaction
from bugintake.loop.worker import beat


@pytest.fixture
def pulse(app: Flask, clock: Any) -> None:
    """A worker that was alive just now."""
    beat()


def test_everything_works(client: FlaskClient, clock: Any, pulse: None) -> None:
    clock.advance(timedelta(seconds=12))

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json) == (
        200,
        {
            "status": "ok",
            "version": bugintake.__version__,
            "migration": migrating.newest(),
            "worker_age_seconds": 12.0,
            "problems": [],
        },
    )


def test_a_worker_that_never_ran_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json["problems"]) == (503, ["The worker has not run yet, so no mail leaves."])


def test_a_silent_worker_is_a_problem(client: FlaskClient, clock: Any, pulse: None) -> None:
    clock.advance(timedelta(seconds=90))

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json["problems"]) == (
        503,
        ["The worker has been silent for 90 s, so no mail leaves."],
    )


def test_a_database_of_another_shape_is_a_problem(client: FlaskClient, pulse: None) -> None:
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    answer = client.get("/healthz")

    assert (answer.status_code, answer.json["problems"]) == (
        503,
        [f"The database is at migration 9999, not at {migrating.newest()}."],
    )


def test_a_database_that_does_not_answer_is_a_problem_and_nothing_of_it_is_told(
    app: Flask, client: FlaskClient, pulse: None
) -> None:
    with transaction():
        db.session.execute(sa.text("DROP TABLE worker_pulses"))

    answer = client.get("/healthz")

    assert answer.status_code == 503
    assert answer.json["problems"][0].startswith("The database does not answer: ")
    assert "worker_pulses" not in answer.text


@pytest.mark.fault("F-D3")
def test_a_read_only_database_is_a_problem(app: Flask, client: FlaskClient, pulse: None) -> None:
    def forbid(connection: Any, _record: Any) -> None:
        connection.execute(FORBID[db.engine.dialect.name])
        if db.engine.dialect.name == "postgresql":
            connection.commit()

    db.session.remove()
    sa.event.listen(db.engine, "connect", forbid)
    db.engine.dispose()

    try:
        assert client.get("/healthz").json["problems"] == ["The database cannot be written to."]
    finally:
        sa.event.remove(db.engine, "connect", forbid)


FORBID = {"sqlite": "PRAGMA query_only=ON", "postgresql": "SET default_transaction_read_only = on"}
