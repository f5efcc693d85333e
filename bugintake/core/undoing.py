"""The last thing that somebody did and may take back: their browser keeps its address for ten minutes."""

from datetime import timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, request, session

from bugintake.core import clock

KEPT_FOR = timedelta(minutes=10)
_NAME = "undo"


class Undo(NamedTuple):
    """What was done, in words, and the address that takes it back and leads to the page that one is on."""

    address: str
    words: str


def keep(address: str, words: str) -> None:
    """Remember what was done last. Whether it may still be taken back is asked when somebody does."""
    session[_NAME] = [_bare(address), words, clock.now().timestamp()]


def last() -> Undo | None:
    """Return what was done last, where that is not long ago and was not taken back."""
    address, words, at = session.get(_NAME, ("", "", 0))
    if clock.now().timestamp() - at > KEPT_FOR.total_seconds():
        return None
    here = urlencode({"next": request.full_path.rstrip("?")}) if request.method == "GET" else ""
    return Undo(f"{address}{'&' if '?' in address else '?'}{here}", words)


def offer(app: Flask) -> None:
    """Let every page offer it, until it was tried."""
    app.jinja_env.globals["last_undo"] = last

    @app.after_request
    def forget(response: Response) -> Response:
        is_answered = response.status_code not in (400, 401, 500, 503)
        if request.method == "POST" and is_answered and session.get(_NAME, [""])[0] == _bare(request.full_path):
            del session[_NAME]
        return response


def _bare(address: str) -> str:
    """Leave out where an address leads back to: that is the page one is on by then."""
    parts = urlsplit(address)
    rest = urlencode([each for each in parse_qsl(parts.query, keep_blank_values=True) if each[0] != "next"])
    return f"{parts.path}?{rest}" if rest else parts.path
