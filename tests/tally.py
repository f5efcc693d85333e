"""The last line of a test run: what passed where, and what was left out. CI accepts no run that left anything out."""

from collections import Counter
from pathlib import Path

import pytest

from tests import browsers, databases

PLACES = {
    "on_sqlite": "on SQLite",
    "on_postgres": "on PostgreSQL",
    "browser": "in a browser",
    "shared": "with shared data",
}


class Tally:
    """Counts what passed, as the process sees it that prints the outcome."""

    def __init__(self, kinds: tuple[str, ...], shared: Path) -> None:
        self._kinds = kinds
        self._shared = shared
        self._passed: Counter[str] = Counter()
        self._has_run = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that passed for each of its places."""
        self._has_run = True
        if report.when == "call" and report.passed:
            self._passed.update(place for place in PLACES if place in report.keywords)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Say nothing about a run that somebody stopped."""
        self._has_run &= exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)

    def pytest_unconfigure(self) -> None:
        """Print the line, after everything else."""
        if self._has_run:
            print(self._line())

    def _line(self) -> str:
        ran = ", ".join(f"{self._passed[place]} {words}" for place, words in PLACES.items())
        missing = [f"tests {PLACES[f'on_{kind}']} (--db)" for kind in databases.KINDS if kind not in self._kinds]
        if not browsers.are_wanted():
            missing.append("tests in a browser (BROWSER=none)")
        if not self._shared.is_dir():
            missing.append(f"tests with shared data (no folder {self._shared}; BUGINTAKE_SHARED names it)")
        if missing:
            return f"Left out: {'; '.join(missing)}. Passed: {ran}."
        return f"Nothing was left out: {ran}."
