"""What a chat reads of each happening: numbers, labels of the catalogue and names of the team, and no title.

A title may quote a customer; what stands here is what the JSON of the same happening says, in words.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bugintake.core import clock
from bugintake.core.chats import Link
from bugintake.core.config import settings
from bugintake.core.templating import plural, when
from bugintake.intake.models import Bug, Status
from bugintake.loop.webhooks.models import Topic, WebhookDelivery
from bugintake.team.workspace import workspace

LATE = timedelta(minutes=10)
BECAME = {"failed": "did not arrive", "bounced": "came back", "uncertain": "may or may not have arrived"}
OUTCOMES = {"live": "is live", "declined": "is declined", "workaround": "has a workaround"}


def of(delivery: WebhookDelivery) -> tuple[str, Link]:
    """Say what happened, when where that is a while ago, and where to read more."""
    facts, bug = delivery.facts, delivery.bug
    told = SAID[delivery.topic](facts, _named(bug) if bug is not None else "")
    if clock.now() - delivery.happened_at > LATE:
        zone = workspace().zone
        told = f"{told} (This was on {when(delivery.happened_at, zone)} {zone}.)"
    return told, _link(delivery)


def _link(delivery: WebhookDelivery) -> Link:
    facts = delivery.facts
    if "announcement" in facts:
        return Link("Open the announcement", facts["announcement"]["url"])
    if "bug" in facts:
        return Link(f"Open {facts['bug']['ref']}", facts["bug"]["url"])
    page = "duty" if delivery.topic is Topic.DUTY_HANDED_OVER else f"admin/webhooks/{delivery.webhook_id}"
    return Link("Open bugintake", f"{settings().base_url}/{page}")


def _named(bug: Bug) -> str:
    return f"{bug.ref} ({bug.area.label}: {bug.symptom.label})"


def _filed(facts: dict[str, Any], bug: str) -> str:
    return f"New: {bug}. {_waiting(facts)}."


def _moved(facts: dict[str, Any], bug: str) -> str:
    before, after = Status(facts["before"]).label, Status(facts["after"]).label
    return f"{bug} was “{before}” and is “{after}” now. {_waiting(facts)}."


def _came_back(facts: dict[str, Any], bug: str) -> str:
    return f"{bug} came back. {_waiting(facts)}."


def _live(facts: dict[str, Any], bug: str) -> str:
    version = facts["bug"]["version"]
    return f"{bug} is live{f' in {version}' if version else ''}. {_waiting(facts)} to be told."


def _declined(facts: dict[str, Any], bug: str) -> str:
    return f"{bug} is declined. {_waiting(facts)} to be told."


def _told(_facts: dict[str, Any], bug: str) -> str:
    return f"Nobody waits any more to be told of {bug}."


def _announced(facts: dict[str, Any], bug: str) -> str:
    about = facts["announcement"]
    people = plural(about["people"], "person is", "people are")
    became = OUTCOMES.get(about["kind"], "has news")
    return f"{people} to be told about {bug}, which {became}: look at it before it leaves."


def _not_arrived(facts: dict[str, Any], bug: str) -> str:
    return f"A mail to a customer about {bug} {BECAME[facts['state']]}."


def _handed_over(facts: dict[str, Any], _bug: str) -> str:
    return "\n".join(_turn(turn) for turn in facts["turns"])


def _turn(turn: dict[str, str]) -> str:
    zone = workspace().zone
    start, end = (when(datetime.fromisoformat(turn[name]), zone) for name in ("from", "until"))
    return f"{turn['person']} is on duty from {start} to {end} {zone} ({turn['rotation']})."


def _sample(_facts: dict[str, Any], _bug: str) -> str:
    return f"A sample from {workspace().name}: this is where it says what happens to bugs."


def _waiting(facts: dict[str, Any]) -> str:
    count = facts["bug"]["people_waiting"]
    return plural(count, "person waits", "people wait") if count else "Nobody waits"


SAID: Mapping[Topic, Callable[[dict[str, Any], str], str]] = {
    Topic.BUG_FILED: _filed,
    Topic.BUG_STATUS_CHANGED: _moved,
    Topic.BUG_CAME_BACK: _came_back,
    Topic.BUG_LIVE: _live,
    Topic.BUG_DECLINED: _declined,
    Topic.BUG_EVERYBODY_TOLD: _told,
    Topic.ANNOUNCEMENT_WAITING: _announced,
    Topic.MESSAGE_FAILED: _not_arrived,
    Topic.DUTY_HANDED_OVER: _handed_over,
    Topic.TEST: _sample,
}
