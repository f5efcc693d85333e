"""Whole stories: a real browser, real processes, a real mail server. Nothing here knows the product from inside."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.server import FaultServer
from tests.journeys.house import House, free_port, https_in_front


@pytest.fixture
def inbox() -> Iterator[FaultServer]:
    """The customers' mail server."""
    with FaultServer().running() as server:
        yield server


@pytest.fixture
def scheme() -> str:
    """How people reach the house; a test may ask for https."""
    return "http"


@pytest.fixture
def house(database: str, scheme: str, inbox: FaultServer, tmp_path: Path) -> Iterator[House]:
    """A running installation with nobody in it yet, stopped as Ctrl-C does; it must stop cleanly."""
    data, port = tmp_path / "data", free_port()
    data.mkdir()
    with contextlib.ExitStack() as stack:
        address = stack.enter_context(https_in_front(port)) if scheme == "https" else f"http://127.0.0.1:{port}"
        chosen = (
            "" if database.startswith("sqlite") else database
        )  # by default a file in the data folder, made at start
        house = House(data, chosen, inbox.port, port, address)
        house.start()
        try:
            yield house
        finally:
            status = house.stop()
        assert (status, [line for line in house.log.splitlines() if "Traceback" in line]) == (0, []), house.log


class People:
    """Everybody with a browser of their own; what any console complains about fails the story."""

    def __init__(self, browser: Any, theme: str, has_script: bool) -> None:
        self._browser, self._theme, self._has_script = browser, theme, has_script
        self.said: list[str] = []

    def arrive(self, *, width: int = 1366, has_script: bool | None = None) -> Any:
        """Open a fresh browser."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=self._theme,
            java_script_enabled=self._has_script if has_script is None else has_script,
            ignore_https_errors=True,
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: self.said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        return page


@pytest.fixture
def people(request: pytest.FixtureRequest, browser: Any) -> Iterator[People]:
    """Browsers in the theme and with or without script, as the test asks by the `seen` marker."""
    theme, has_script = getattr(request, "param", ("light", True))
    found = People(browser, theme, has_script)
    yield found
    assert found.said == []
