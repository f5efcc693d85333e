"""Customers from a file, by the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result

from bugintake.core.db import db
from bugintake.intake.customers.models import Customer
from tests.factories import make_workspace

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _company(app: Any) -> None:
    make_workspace()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.csv"
    path.write_text("email,name\nhana@b.com,Hana\n", "utf-8")
    return path


def count() -> int | None:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Customer))


def test_a_dry_run_says_what_would_be_and_the_command_does_it(run: Run, file: Path) -> None:
    dry = run("import", "customers", str(file), "--dry-run")
    assert ("Hana is added." in dry.stdout, dry.exit_code, count()) == (True, 0, 0)

    done = run("import", "customers", str(file))

    assert (done.exit_code, count()) == (0, 1)


def test_a_wrong_line_is_said_and_nothing_is_kept(run: Run, file: Path) -> None:
    file.write_text("email\nhana@b.com\nnobody\n", "utf-8")

    result = run("import", "customers", str(file))

    assert (result.exit_code, result.stderr) == (1, "Error: Nothing is taken in: 1 lines cannot be.\n")
    assert ("That is not an e-mail address" in result.stdout, count()) == (True, 0)


def test_programs_read_it_as_json(run_json: Callable[..., Any], file: Path) -> None:
    assert run_json("import", "customers", str(file)) == {
        "kept": True,
        "left_out": [],
        "lines": [{"line": 2, "refused": False, "sentence": "Hana is added."}],
    }
