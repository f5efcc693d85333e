"""What plans rest on is counted where the database does not do so itself."""

import pytest
import sqlalchemy as sa
from flask import Flask

from bugintake.core.db import db, transaction
from bugintake.core.statistics import count_anew
from bugintake.loop.models import Circuit
from tests.counting import asked
from tests.factories import make_bug


@pytest.mark.only_on("sqlite")
def test_what_plans_rest_on_is_counted_anew_while_somebody_reads(app: Flask) -> None:
    bug = make_bug()
    with db.engine.connect() as reader, reader.begin():
        reader.execute(sa.text("SELECT count(*) FROM bugs")).all()
        count_anew()

    db.session.rollback()
    found = db.session.execute(sa.text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'bugs' AND idx = 'ix_bugs_board'"))
    assert found.scalar_one().split()[0] == str(bug.id)


@pytest.mark.only_on("postgres")
def test_postgresql_is_left_to_count_by_itself(app: Flask) -> None:
    with asked() as statements:
        count_anew()

    assert statements == []


@pytest.mark.only_on("postgres")
def test_postgresql_counts_the_tables_it_is_told_and_leaves_the_others_to_itself(app: Flask) -> None:
    def counted() -> float:
        db.session.rollback()
        return float(db.session.scalar(sa.text("SELECT reltuples FROM pg_class WHERE relname = 'circuits'")))

    before = counted()
    with transaction():
        db.session.add_all([Circuit(channel=f"channel {number}", failures=0) for number in range(7)])
    count_anew()
    assert counted() == before

    count_anew("circuits")
    assert counted() == 7
