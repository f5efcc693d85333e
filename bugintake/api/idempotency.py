"""The same POST sent twice is answered once: both answers are the same, whatever died in between."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Response, g, jsonify, make_response, request

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.team.models import IdempotentAnswer

View = TypeVar("View", bound=Callable[..., Any])
KEPT_FOR = timedelta(days=7)


def idempotent(view: View) -> View:
    """Keep the answer to a request with an Idempotency-Key in the transaction of its change, and repeat it.

    Raises Invalid for an overlong key, and for a key that came with another request before.
    """

    @wraps(view)
    def answer_once(*args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(*args, **kwargs)
        if not 0 < len(key) <= 255 or not key.isprintable():
            raise Invalid("An Idempotency-Key has 1 to 255 printable characters.", "Idempotency-Key")
        content = hashlib.sha256(f"{request.method} {request.full_path}\n".encode() + request.get_data()).hexdigest()
        with transaction():
            earlier = _earlier(key)
            if earlier is None:
                answer = cast(Response, view(*args, **kwargs))
                _keep(key, content, answer)
                return answer
            if earlier.request_hash != content:
                raise Invalid("This Idempotency-Key came with another request before.", "Idempotency-Key")
            return _repeat(earlier)

    return cast(View, answer_once)


def _earlier(key: str) -> IdempotentAnswer | None:
    db.session.execute(sa.delete(IdempotentAnswer).where(IdempotentAnswer.answered_at < clock.now() - KEPT_FOR))
    if db.session.get_bind().dialect.name == "postgresql":
        db.session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"{g.token.id}:{key}"))))
    query = sa.select(IdempotentAnswer).where(IdempotentAnswer.token_id == g.token.id, IdempotentAnswer.key == key)
    return db.session.scalar(query)


def _keep(key: str, content: str, answer: Response) -> None:
    headers = {name: value for name, value in answer.headers.items() if name in ("ETag", "Location")}
    row = IdempotentAnswer(token_id=g.token.id, key=key, request_hash=content, status=answer.status_code)
    row.body, row.headers = answer.get_json(), headers
    db.session.add(row)


def _repeat(earlier: IdempotentAnswer) -> Response:
    answer = make_response(jsonify(earlier.body), earlier.status)
    answer.headers.update(earlier.headers)
    return answer
