"""Refusals: each carries a sentence fit for the screen, and the status that says which kind it is."""

import errno
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from bugintake.core.access_log import shown_path


class Refusal(Exception):
    """Something was asked for that cannot be done; `sentence` says why."""

    status = 400
    title = "That did not work"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Invalid(Refusal):
    """What was given has not the right shape; `field` names the part that is wrong."""

    status = 422
    title = "Something is missing or wrong"

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class Conflict(Refusal):
    """The rules, or somebody faster, stand against it."""

    status = 409
    title = "Somebody was faster"


@dataclass(frozen=True)
class Clash:
    """One field that two people changed at once: what stands there now, who wrote that, and what was typed here."""

    name: str
    theirs: Any
    mine: Any
    who: str
    seen: str


class Stale(Conflict):
    """Somebody else changed the same fields since the page was opened; nothing of it was saved."""

    title = "Somebody changed the same thing"

    def __init__(self, clashes: Sequence[Clash]) -> None:
        super().__init__("Nothing of yours was saved yet. What you typed is below, beside what stands there now.")
        self.clashes = clashes


class PreconditionFailed(Refusal):
    """It changed since the asker read it."""

    status = 412
    title = "It has changed since"


class NotPermitted(Refusal):
    """This person's role does not include it."""

    status = 403
    title = "Not yours to do"


class NotFound(Refusal):
    """It does not exist, or not for this person: both answer the same."""

    status = 404
    title = "Not found"

    def __init__(self, sentence: str = "There is nothing here, or nothing that you may see.") -> None:
        super().__init__(sentence)


_GOES_ALONG = re.compile(r"\d*|[a-z]{1,2}|on|/.*|[0-9a-f-]{32,}|[a-z]+_[a-z_]+")
PROGRAMS = ("/api/", "/hooks/")
MASKED = ("password", "secret", "csrf_token")


def answer_refusals(app: Flask) -> None:
    """Turn every refusal and failure into a page, or for programs into a problem document (RFC 9457).

    The page offers what was typed again, so that a locked database or a stale form costs nobody their words.
    """
    app.register_error_handler(Refusal, answer)
    app.register_error_handler(CSRFError, answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(OperationalError, _answer_database)
    app.register_error_handler(OSError, _answer_disk)
    app.register_error_handler(Exception, _answer_failure)


STALE = "Your sign-in or this page is too old, so nothing was saved yet. Everything you typed is below: send it again."
FULL = ("No room left", "The disk is full, so nothing was saved. Everything you typed is below.")
WORDS = {
    400: ("That cannot be read", "The request is not one that this page understands."),
    404: ("Not found", "There is nothing here, or nothing that you may see."),
    405: ("Not found", "There is nothing here that answers to this."),
    413: ("Too large", "That is more than fits: 12 MB in all, 64 MB with several files, and 4 MB of text."),
    422: ("Something is missing or wrong", "The fields named in errors are missing or wrong; nothing was saved."),
    415: ("That cannot be read", "Send it as application/json."),
    429: ("Too many tries", "Too many tries in a short time. Wait a minute and try again."),
}


def answer(refusal: Exception) -> ResponseReturnValue:
    """Say on a page, or to a program, why something was refused."""
    if isinstance(refusal, Refusal):
        return _answer(refusal.status, refusal.title, refusal.sentence, refusal)
    return _answer(400, "This page was open too long", STALE)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error.get_response()  # a redirect of the router
    title, sentence = WORDS.get(error.code, (error.name, error.description or error.name))
    shape = getattr(error, "data", None) or {}  # what marshmallow found wrong, field by field
    messages = next(iter(shape.get("messages", {}).values()), None)
    return _answer(error.code, title, sentence, messages=messages, retry_after=60 if error.code == 429 else None)


def _answer_database(error: OperationalError) -> ResponseReturnValue:
    current_app.logger.warning("The database did not answer: %s", error.orig)
    text = str(error.orig)
    if "full" in text:
        return _answer(507, *FULL)
    return _answer(
        503,
        "The database is busy",
        "It did not answer in time, so nothing was saved. Everything you typed is below: try again in a moment.",
        retry_after=5,
    )


def _answer_disk(error: OSError) -> ResponseReturnValue:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return _answer_failure(error)
    current_app.logger.warning("There is no room for a file: %s", error.strerror)
    return _answer(507, *FULL)


def _answer_failure(error: Exception) -> ResponseReturnValue:
    code = secrets.token_hex(4)
    current_app.logger.error("Failure %s at %s %s", code, request.method, shown_path(), exc_info=error)
    return _answer(
        500, "That is our mistake", f"Something broke here, and nothing was saved. Quote {code} when you ask."
    )


def _answer(
    status: int,
    title: str,
    sentence: str,
    error: Exception | None = None,
    messages: Any = None,
    retry_after: int | None = None,
) -> ResponseReturnValue:
    if request.path.startswith(PROGRAMS):
        body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": sentence}
        if messages:
            body["errors"] = messages
        if isinstance(error, Invalid) and error.field:
            body["errors"] = {error.field: [sentence]}
        answer = current_app.response_class(json.dumps(body), status, mimetype="application/problem+json")
    else:
        words: dict[str, Any] = {"status": status, "title": title, "sentence": sentence}
        words |= {"kept": _kept(), "action": request.full_path, "is_typed": _is_typed}
        if isinstance(error, Stale):
            seen = {f"seen_{clash.name}" for clash in error.clashes}  # an undo says in its address what it saw
            address = urlencode([each for each in request.args.items(multi=True) if each[0] not in seen])
            words["action"] = f"{request.path}?{address}"
            page = render_template("core/stale.html", clashes=error.clashes, **words)
        else:
            page = _draw("core/error.html", **words)
        answer = current_app.response_class(page, status)
    if retry_after:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _draw(template: str, *, status: int, **words: Any) -> str:
    """Draw a page; that of a failure without asking who sees it, since what failed may be the answer to just that."""
    if status < 500:
        return render_template(template, status=status, **words)
    return current_app.jinja_env.get_template(template).render(status=status, **words)


def _is_typed(name: str, value: str) -> bool:
    """Tell what somebody wrote, which is shown again, from keys, places and ticks, which only go along."""
    return not (name.startswith("seen") or name in ("next", "asked", "keep", "bug") or _GOES_ALONG.fullmatch(value))


def _kept() -> list[tuple[str, str]]:
    if request.method != "POST" or request.endpoint is None:
        return []
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return []  # what another site filled in is not offered for sending, with our own token, by one click
    try:
        fields = list(request.form.items(multi=True))
    except (HTTPException, OSError):  # too large, or no room to read it into
        return []
    return [(name, value) for name, value in fields if not any(word in name for word in MASKED)]
