"""The command line, in the words of its tests."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    """Run a command as `bugintake …` would, on this test's database."""
    runner = app.test_cli_runner()

    def invoke(*arguments: str, stdin: str | None = None) -> Result:
        return runner.invoke(args=list(arguments), input=stdin)

    return invoke


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """Run a command with --json and return what it printed."""

    def invoke(*arguments: str, stdin: str | None = None) -> Any:
        result = run(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke
