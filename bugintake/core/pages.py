"""Pages that stand in no menu of every page: the rooms name them here, so that they are found by their name."""

from collections.abc import Callable
from typing import NamedTuple

from flask import url_for


class Page(NamedTuple):
    """One page: what it is called, and whom it is for."""

    label: str
    endpoint: str
    is_for: Callable[[], bool] | None

    @property
    def url(self) -> str:
        """Its address."""
        return url_for(self.endpoint)


_pages: dict[str, Page] = {}


def register_page(label: str, endpoint: str, is_for: Callable[[], bool] | None = None) -> None:
    """Let a page be found by its name, by everybody or by those whom it is for."""
    _pages[endpoint] = Page(label, endpoint, is_for)


def pages() -> list[Page]:
    """List the reader's pages by name."""
    return sorted(page for page in _pages.values() if page.is_for is None or page.is_for())
