"""Long lists, a page at a time."""

from flask import request


def page_number() -> int:
    """Read which page is asked for; anything unreadable is the first."""
    return max(1, min(request.args.get("page", 1, type=int), 10_000))


def page_start(size: int) -> int:
    """Say how many rows come before the page that is asked for."""
    return (page_number() - 1) * size
