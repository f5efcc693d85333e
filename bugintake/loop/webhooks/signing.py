"""How webhooks are signed: Standard Webhooks both ways, and what GitHub and GitLab send. All of it over raw bytes.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from werkzeug.datastructures import Headers

PREFIX = "whsec_"
TOLERANCE = timedelta(minutes=5)
LONGEST_ID = 200


class Unverified(Exception):
    """A delivery that is not from whom it should be, with what is wrong: for the admins' page, not for senders."""


def new_standard_secret() -> str:
    """Make a secret of 192 bits as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


def standard_headers(message_id: str, at: datetime, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Sign a body with every secret that is valid now; `at` is when it is sent."""
    second = int(at.timestamp())
    signatures = " ".join(f"v1,{_standard(key, message_id, str(second), body)}" for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": str(second), "webhook-signature": signatures}


def check_standard(headers: Headers, body: bytes, secret: str, now: datetime) -> None:
    """Check what Standard Webhooks sends. Raises Unverified, also for a time more than TOLERANCE from `now`."""
    message_id, second = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or len(message_id) > LONGEST_ID:
        raise Unverified("There is no webhook-id.")
    if not (second.isascii() and second.isdigit() and len(second) <= 12):
        raise Unverified("There is no webhook-timestamp.")
    expected = f"v1,{_standard(secret, message_id, second, body)}"
    given = headers.get("webhook-signature", "").split(" ")
    if not any([_is_same(each, expected) for each in given]):  # noqa: C419  # each is compared, whichever fits
        raise Unverified("The signature does not fit.")
    if abs(int(now.timestamp()) - int(second)) > TOLERANCE.total_seconds():
        raise Unverified("It was signed more than five minutes from now: a clock is wrong, or it is played again.")


def check_github(headers: Headers, body: bytes, secret: str) -> None:
    """Check what GitHub sends. Raises Unverified."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not _is_same(headers.get("X-Hub-Signature-256", ""), expected):
        raise Unverified("The signature does not fit.")


def check_gitlab(headers: Headers, secret: str) -> None:
    """Check what GitLab sends: the secret itself. Raises Unverified."""
    if not _is_same(headers.get("X-Gitlab-Token", ""), secret):
        raise Unverified("The secret token does not fit.")


def _standard(secret: str, message_id: str, second: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b".".join((message_id.encode("utf-8", "surrogateescape"), second.encode(), body))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _is_same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
