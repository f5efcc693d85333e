"""Who a bug is with right now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bugintake.core.db import db
from bugintake.core.errors import Invalid
from bugintake.duty.plans import PlannedShift
from bugintake.duty.queries import is_away, on_duty, plan_to_show
from bugintake.intake.models import Bug
from bugintake.team.models import Role, User
from bugintake.team.workspace import workspace
from bugintake.triage import area_duty
from bugintake.triage.area_duty import on_duty_for


def effective_owner(bug: Bug) -> User | None:
    """Tell whose a bug is now: whoever took it and is there, else who is on duty, else the named fallback.

    On duty is who has it by the area's own rotation, else by the default one. Asked each time and never stored, so that
    a handoff, and coming back, need no rewriting.
    """
    if bug.owner is not None and bug.owner.is_active and not is_away(bug.owner):
        return bug.owner
    return _person_or_fallback(on_duty_for(bug.area_id))


def who_may_fix(bug: Bug, me: User) -> list[User]:
    """List who is asked for first where a bug is nobody's yet: oneself, who is on duty, and the owner of its area."""
    planned = on_duty_for(bug.area_id)
    duty = db.session.get(User, planned.person.id) if planned is not None and planned.person is not None else None
    area = db.session.get(User, bug.area.owner_id) if bug.area.owner_id is not None else None
    found = {each.id: each for each in (me, duty, area) if each is not None and each.is_active}
    return list(found.values())


def is_on_duty(person: User, bug: Bug) -> bool:
    """Whether somebody is on duty for a bug now, and not only the fallback for when nobody is."""
    planned = on_duty_for(bug.area_id)
    return planned is not None and planned.person is not None and planned.person.id == person.id


def decides_now(person: User, rotation_id: int | None = None) -> bool:
    """Whether somebody decides in the duty queue, or in that of a rotation.

    Whoever is on duty does; where nobody is, whoever is by the default rotation, and while nobody is, everybody who
    may triage.
    """
    there, plan = area_duty.people_there(), plan_to_show()
    by_default = there.get(plan.rotation.id) if plan is not None else None
    if rotation_id is None:
        is_theirs = by_default in (None, person.id) or person.id in area_duty.covered().values()
    else:
        is_theirs = there.get(rotation_id, by_default) in (None, person.id)
    return person.can(Role.ENGINEER) and is_theirs


def stand_in(at: datetime | None = None) -> User | None:
    """Tell who has the bugs that nobody took, now or then, where their area has no rotation of its own."""
    return _person_or_fallback(on_duty(at))


@dataclass(frozen=True)
class Answered:
    """The areas that somebody answers for: some by name, and perhaps the rest, which is all but some."""

    areas: tuple[int, ...]
    others: tuple[int, ...]
    has_rest: bool

    @property
    def values(self) -> dict[str, list[int]]:
        """The values of is_in_scope."""
        return {"areas": list(self.areas), "others": list(self.others)}


def answered_by(person: User) -> Answered | None:
    """Tell for which areas a person has the bugs that nobody took; None for somebody who has none of them."""
    covered, rest = area_duty.covered(), stand_in()
    has_rest = rest is not None and rest.id == person.id
    mine = tuple(area_id for area_id, person_id in covered.items() if person_id == person.id)
    return Answered(mine, tuple(covered), has_rest) if mine or has_rest else None


def answered_in(rotation_id: int) -> Answered:
    """Tell for which areas a rotation answers: its own; the default one for those where nobody is by another."""
    plan = plan_to_show()
    if plan is not None and plan.rotation.id == rotation_id:
        return Answered((), tuple(area_duty.covered()), has_rest=True)
    mine = tuple(area_id for area_id, own in area_duty.own_rotations().items() if own == rotation_id)
    return Answered(mine, (), has_rest=False)


def is_in_scope(has_rest: bool) -> sa.ColumnElement[bool]:
    """Select the bugs of the areas that somebody answers for; see Answered.values."""
    areas, others = (Bug.area_id.in_(sa.bindparam(name, expanding=True)) for name in ("areas", "others"))
    return sa.or_(areas, ~others) if has_rest else areas


def _person_or_fallback(planned: PlannedShift | None) -> User | None:
    if planned is not None and planned.person is not None:
        return planned.person
    fallback = workspace().fallback_owner_id
    person = db.session.get(User, fallback) if fallback else None
    return person if person is not None and person.is_active else None


def owner_from(given: str | None, me: User, people: Sequence[User]) -> User | None:
    """Read whose a bug becomes: `me`, somebody's id, or `duty`. Raises Invalid for a person who is not there."""
    if given in (None, "", "duty"):
        return None
    if given == "me":
        return me
    found = next((person for person in people if str(person.id) == given), None)
    if found is None:
        raise Invalid("That person does not work here any more.", "owner")
    return found
