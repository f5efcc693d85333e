"""Who a bug is with right now."""

from datetime import datetime

from bugintake.core.db import db
from bugintake.duty.queries import is_away, on_duty
from bugintake.intake.models import Bug
from bugintake.team.models import User
from bugintake.team.workspace import workspace


def effective_owner(bug: Bug) -> User | None:
    """Tell whose a bug is now: whoever took it and is there, else who is on duty, else the named fallback.

    Asked each time and never stored, so that a handoff, and coming back, need no rewriting.
    """
    if bug.owner is not None and bug.owner.is_active and not is_away(bug.owner):
        return bug.owner
    return stand_in()


def who_may_fix(bug: Bug, me: User) -> list[User]:
    """List who is asked for first where a bug is nobody's yet: oneself, who is on duty, and the owner of its area."""
    planned = on_duty()
    duty = db.session.get(User, planned.person.id) if planned is not None and planned.person is not None else None
    area = db.session.get(User, bug.area.owner_id) if bug.area.owner_id is not None else None
    found = {each.id: each for each in (me, duty, area) if each is not None and each.is_active}
    return list(found.values())


def is_on_duty(person: User) -> bool:
    """Whether somebody is on duty now, and not only the fallback for when nobody is."""
    planned = on_duty()
    return planned is not None and planned.person is not None and planned.person.id == person.id


def stand_in(at: datetime | None = None) -> User | None:
    """Tell who has the bugs that nobody took, now or then: the person on duty, else the workspace's fallback."""
    planned = on_duty(at)
    if planned is not None and planned.person is not None:
        return planned.person
    fallback = workspace().fallback_owner_id
    person = db.session.get(User, fallback) if fallback else None
    return person if person is not None and person.is_active else None
