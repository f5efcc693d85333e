"""What a delivery of GitHub, GitLab or anybody else says of a release."""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from werkzeug.datastructures import Headers

from bugintake.core.errors import Invalid
from bugintake.loop.webhooks.models import Occasion, Sender

LONGEST_VERSION = 120
SINCE = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What one delivery says: that a version went live, or why it says nothing of the kind.

    `said_at` is when the sender learnt it, `live_at` since when it is so. A `version` that is only a reference of a
    repository may as well be a branch.
    """

    delivery: str
    version: str = ""
    said_at: datetime | None = None
    live_at: datetime | None = None
    is_reference: bool = False
    nothing_because: str = ""


def read(sender: Sender, occasion: Occasion, headers: Headers, raw: bytes) -> Told:
    """Read a delivery whose signature was checked. Raises Invalid for one that cannot be read."""
    if sender is Sender.STANDARD:
        return _standard(headers, _object(raw))
    if sender is Sender.GITHUB:
        return _github(occasion, headers, _object(_unwrapped(headers, raw)))
    return _gitlab(occasion, headers, raw)


def _standard(headers: Headers, body: dict[str, Any]) -> Told:
    said_at = SINCE + timedelta(seconds=int(headers["webhook-timestamp"]))
    version, live_at = body.get("version"), body.get("live_at")
    if not isinstance(version, str) or not version.strip() or len(version) > LONGEST_VERSION:
        raise Invalid(f"Say which version is live, in 1 to {LONGEST_VERSION} characters.", "version")
    return Told(headers["webhook-id"], version, said_at, said_at if live_at is None else _instant(live_at, "live_at"))


def _github(occasion: Occasion, headers: Headers, body: dict[str, Any]) -> Told:
    delivery, event = headers.get("X-GitHub-Delivery", ""), headers.get("X-GitHub-Event", "")
    if not delivery or len(delivery) > 200:
        raise Invalid("There is no X-GitHub-Delivery.")
    if event == "release" and occasion is Occasion.RELEASED:
        release, action = _part(body, "release"), body.get("action")
        if release.get("draft"):
            return Told(delivery, nothing_because="It is a draft.")
        if release.get("prerelease"):
            return Told(delivery, nothing_because="It is a pre-release.")
        if action not in ("published", "released"):
            return Told(delivery, nothing_because=f"A release was {_word(action)}, which is not looked at.")
        at = _instant(release.get("published_at"), "published_at")
        return Told(delivery, _text(release, "tag_name"), at, at)
    if event == "deployment_status" and occasion is Occasion.DEPLOYED:
        status, deployment = _part(body, "deployment_status"), _part(body, "deployment")
        if status.get("state") != "success":
            return Told(delivery, nothing_because=f"The deployment is {_word(status.get('state'))}.")
        if not (deployment.get("production_environment") or _is_production(deployment.get("environment"))):
            return Told(delivery, nothing_because=f"{_word(deployment.get('environment'))} is not production.")
        at = _instant(status.get("created_at"), "created_at")
        return Told(delivery, _text(deployment, "ref"), at, at, is_reference=True)
    return Told(delivery, nothing_because=f"An event {_word(event)} is not looked at here.")


def _gitlab(occasion: Occasion, headers: Headers, raw: bytes) -> Told:
    named = headers.get("Idempotency-Key") or headers.get("X-Gitlab-Event-UUID") or ""
    delivery = named if 0 < len(named) <= 200 else hashlib.sha256(raw).hexdigest()
    body = _object(raw)
    kind = body.get("object_kind")
    if kind == "release" and occasion is Occasion.RELEASED:
        if body.get("action") != "create":
            return Told(delivery, nothing_because=f"A release had the action {_word(body.get('action'))}.")
        at = _instant(body.get("released_at") or body.get("created_at"), "released_at")
        return Told(delivery, _text(body, "tag"), at, at)
    if kind == "deployment" and occasion is Occasion.DEPLOYED:
        if body.get("status") != "success":
            return Told(delivery, nothing_because=f"The deployment is {_word(body.get('status'))}.")
        if not (body.get("environment_tier") == "production" or _is_production(body.get("environment"))):
            return Told(delivery, nothing_because=f"{_word(body.get('environment'))} is not production.")
        at = _instant(body.get("status_changed_at"), "status_changed_at")
        return Told(delivery, _text(body, "ref"), at, at, is_reference=True)
    return Told(delivery, nothing_because=f"An event {_word(kind)} is not looked at here.")


def _unwrapped(headers: Headers, raw: bytes) -> bytes:
    """Take the JSON out of the form that GitHub sends where nobody chose otherwise."""
    if headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        return parse_qs(raw).get(b"payload", [b""])[0]
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Invalid("The body is no object of JSON.")
    return found


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    if not isinstance(found, dict):
        raise Invalid(f"There is no {name} in it.", name)
    return found


def _text(body: dict[str, Any], name: str) -> str:
    found = body.get(name)
    if not isinstance(found, str) or not 0 < len(found.strip()) <= LONGEST_VERSION:
        raise Invalid(f"There is no {name} in it that could be a version.", name)
    return found.removeprefix("refs/tags/")


def _instant(given: Any, name: str) -> datetime:
    """Read a time as the three write it: 2026-03-10T09:00:00Z, 2026-03-10 09:00:00 UTC, 2026-03-10 10:00:00 +0100."""
    try:
        found = datetime.fromisoformat(re.sub(r" (?=[+-]\d)", "", str(given).replace(" UTC", "Z")))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(f"{name} is no time that can be read.", name) from None


def _is_production(environment: Any) -> bool:
    return isinstance(environment, str) and environment.casefold() == "production"


def _word(given: Any) -> str:
    """Quote a word of a delivery in a log."""
    return "“" + re.sub(r"[^\w .:/-]", "", str(given))[:60] + "”"
