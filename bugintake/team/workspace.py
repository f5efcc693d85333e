"""The company this installation belongs to: its names, languages, hours and how customers hear."""

from typing import Any
from zoneinfo import ZoneInfo

from bugintake.core import events
from bugintake.core.db import db
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.forms import is_zone
from bugintake.core.kept import apart, kept
from bugintake.team.models import LANGUAGES, User, Workspace
from bugintake.team.working_hours import WorkingHours

CHANGEABLE = frozenset(
    {
        "name",
        "sender_name",
        "reply_address",
        "language",
        "languages",
        "zone",
        "working_days",
        "opens_at",
        "closes_at",
        "review_minutes",
        "goes_live_at_once",
        "confirms_reports",
        "has_public_list",
        "fallback_owner_id",
        "retention_months",
    }
)
LONGEST_REVIEW = 10_000
LONGEST_RETENTION = 240


def workspace() -> Workspace:
    """Return the workspace: inside a transaction the row to change, else what is kept of it.

    Raises Conflict before the first run is done.
    """
    found = _find()
    if found is None:
        raise Conflict(
            "This installation is not set up yet. The link that the server printed when it started does that."
        )
    return found


def is_set_up() -> bool:
    """Whether the first run is done."""
    return _find() is not None


def is_sample() -> bool:
    """Whether everything here is the sample company, so that nothing may leave."""
    found = _find()
    return found is not None and found.is_sample


def working_hours() -> WorkingHours:
    """Return when the company works, for review windows and deadlines."""
    return hours_of(workspace())


def hours_of(company: Workspace) -> WorkingHours:
    """Read a workspace's hours."""
    days = frozenset(company.working_days)
    return WorkingHours(ZoneInfo(company.zone), days, company.opens_at, company.closes_at)


def change(company: Workspace, changes: dict[str, Any], *, actor: User | None) -> None:
    """Change settings of the workspace, all or none.

    Records workspace.changed once, with the names of what changed. Raises Invalid for values that cannot be.
    """
    _check({name: changes.get(name, getattr(company, name)) for name in CHANGEABLE}, set(changes))
    changed = {name: value for name, value in changes.items() if getattr(company, name) != value}
    if not changed:
        return
    for name, value in changed.items():
        setattr(company, name, value)
    db.session.flush()
    events.record(EventKind.WORKSPACE_CHANGED, actor=actor, settings=sorted(changed))


@kept
def _find() -> Workspace | None:
    with apart() as session:
        return session.get(Workspace, 1)


def _check(after: dict[str, Any], names: set[str]) -> None:
    unknown = names - CHANGEABLE
    if unknown:
        raise Invalid(f"There is no setting {', '.join(sorted(unknown))}.")
    if not after["name"]:
        raise Invalid("Give it a name.", "name")
    if not is_zone(after["zone"]):
        raise Invalid(f"There is no time zone named {after['zone']}.", "zone")
    if not after["languages"] or not set(after["languages"]) <= set(LANGUAGES):
        raise Invalid("Choose at least one language.", "languages")
    if after["language"] not in after["languages"]:
        raise Invalid("The first language has to be one of the languages customers are written to in.", "language")
    if not after["working_days"] or not set(after["working_days"]) <= set(range(7)):
        raise Invalid("Choose at least one working day.", "working_days")
    if after["opens_at"] >= after["closes_at"]:
        raise Invalid("The day has to end after it begins.", "closes_at")
    minutes = after["review_minutes"]
    if minutes is not None and not 0 <= minutes <= LONGEST_REVIEW:
        raise Invalid(f"The review window is 0 to {LONGEST_REVIEW} working minutes.", "review_minutes")
    months = after["retention_months"]
    if months is not None and not 1 <= months <= LONGEST_RETENTION:
        raise Invalid(f"Data is kept for 1 to {LONGEST_RETENTION} months.", "retention_months")
    owner_id = after["fallback_owner_id"]
    if owner_id is not None and "fallback_owner_id" in names:
        owner = db.session.get(User, owner_id)
        if owner is None or not owner.is_active:
            raise Invalid("Choose somebody who works here.", "fallback_owner_id")
