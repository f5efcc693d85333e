"""The plan of a rotation: its rows, read at once, ready to be asked who is on duty when."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from bugintake.core.db import UtcDateTime, db, rows
from bugintake.core.forms import zone_or_utc
from bugintake.duty import rotation as resolver
from bugintake.duty.models import Absence, Holiday, Member, Override, Rotation, RotationRule
from bugintake.duty.rotation import Away, Schedule, Shift
from bugintake.duty.turns import Rule
from bugintake.team.models import User

AROUND = timedelta(days=62)


@dataclass(frozen=True)
class PlannedShift:
    """A shift with the people it names; without a person it is a gap in the plan. Its rotation has holidays."""

    rotation: Rotation
    shift: Shift
    zone: ZoneInfo
    person: User | None
    instead_of: User | None
    holidays: Mapping[date, str] = field(default_factory=dict)

    @property
    def start(self) -> datetime:
        """When it begins, in the rotation's zone."""
        return self.shift.start.astimezone(self.zone)

    @property
    def end(self) -> datetime:
        """When it ends, in the rotation's zone."""
        return self.shift.end.astimezone(self.zone)

    @property
    def on(self) -> date:
        """The day it begins on, in the rotation's zone."""
        return self.start.date()

    @property
    def is_gap(self) -> bool:
        """Whether nobody is there although somebody should be."""
        return self.person is None


@dataclass(frozen=True)
class Plan:
    """What a rotation's rows say, ready to be asked; overrides are known for a while around the time asked for."""

    rotation: Rotation
    schedule: Schedule
    people: Mapping[int, User]
    holidays: Mapping[date, str] = field(default_factory=dict)

    def at(self, moment: datetime) -> PlannedShift | None:
        """Return the shift or gap at an instant; None outside duty hours."""
        shift = resolver.shift_at(self.schedule, moment)
        return self._named(shift) if shift else None

    def between(self, since: datetime, to: datetime) -> list[PlannedShift]:
        """List the shifts and gaps that overlap [since, to)."""
        return [self._named(shift) for shift in resolver.shifts(self.schedule, since, to)]

    def rule_at(self, moment: datetime) -> Rule:
        """Return the rule in force, before the first one that one."""
        started = [rule for rule in self.schedule.rules if rule.begins_at <= moment]
        return started[-1] if started else self.schedule.rules[0]

    def rule_on(self, day: date) -> Rule | None:
        """Return the rule whose day this is, or None before the first."""
        started = [rule for rule in self.schedule.rules if rule.start_on <= day]
        return started[-1] if started else None

    def zone_at(self, moment: datetime) -> ZoneInfo:
        """Return the zone the rotation speaks in."""
        return self.rule_at(moment).zone

    def _named(self, shift: Shift) -> PlannedShift:
        person = self.people.get(shift.person_id) if shift.person_id is not None else None
        is_stand_in = shift.instead_of_id not in (None, shift.person_id)
        instead_of = self.people.get(shift.instead_of_id or 0) if is_stand_in else None
        return PlannedShift(self.rotation, shift, self.zone_at(shift.start), person, instead_of, self.holidays)


def _near(table: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """Select the layers in force around the time asked for."""
    since, to = (sa.bindparam(name, type_=UtcDateTime()) for name in ("since", "to"))
    return table.taken_back_at.is_(None), table.starts_at < to, table.ends_at > since


def _row(**columns: Any) -> sa.Select[Any]:
    """Select one kind of layer in the shape of all of them."""
    shape: dict[str, Any] = {
        "rotation_id": sa.Integer(),
        "override_id": sa.Integer(),
        "rule_id": sa.Integer(),
        "user_id": sa.Integer(),
        "starts_at": UtcDateTime(),
        "ends_at": UtcDateTime(),
        "falls_on": sa.Date(),
        "name": sa.String(),
    }
    return sa.select(*(columns.get(name, sa.cast(sa.null(), kind)).label(name) for name, kind in shape.items()))


_OVERRIDES = _row(
    rotation_id=Override.rotation_id,
    override_id=Override.id,
    user_id=Override.user_id,
    starts_at=Override.starts_at,
    ends_at=Override.ends_at,
).where(*_near(Override))
_ABSENCES = _row(user_id=Absence.user_id, starts_at=Absence.starts_at, ends_at=Absence.ends_at).where(*_near(Absence))
# All holidays up to then, because turns are counted from a rule's first day on.
_HOLIDAYS = _row(rule_id=Holiday.rule_id, falls_on=Holiday.falls_on, name=Holiday.name).where(
    Holiday.is_struck.is_(False), Holiday.falls_on <= sa.bindparam("until", type_=sa.Date())
)
_LAYERS = sa.union_all(_OVERRIDES, _ABSENCES, _HOLIDAYS).subquery("layers")
_OTHER_RULE = aliased(RotationRule)
_LATEST = sa.select(sa.func.max(_OTHER_RULE.id)).where(_OTHER_RULE.rotation_id == Rotation.id).scalar_subquery()
_ON_LAYER = aliased(User)
_OF_THE_ROTATION = sa.and_(
    RotationRule.id == _LATEST,
    _LAYERS.c.rule_id.is_(None),
    sa.or_(_LAYERS.c.rotation_id == Rotation.id, _LAYERS.c.rotation_id.is_(None)),
)
# Every layer comes once, with the first member of its rule or of the latest one, so that no row is multiplied.
_PLAN = (
    sa.select(Rotation, RotationRule, User, _ON_LAYER, *list(_LAYERS.c)[-4:], _LAYERS.c.override_id)
    .join(RotationRule, RotationRule.rotation_id == Rotation.id)
    .join(Member, Member.rule_id == RotationRule.id)
    .join(User, User.id == Member.user_id)
    .outerjoin(_LAYERS, sa.and_(Member.position == 0, sa.or_(_OF_THE_ROTATION, _LAYERS.c.rule_id == RotationRule.id)))
    .outerjoin(_ON_LAYER, _ON_LAYER.id == _LAYERS.c.user_id)
    .order_by(
        Rotation.is_default.desc(),
        Rotation.name,
        *(RotationRule.start_on, RotationRule.id, Member.position, _LAYERS.c.starts_at),
    )
)
_AWAY = sa.select(Absence.user_id, Absence.starts_at, Absence.ends_at).where(*_near(Absence))
_DEFAULT_PLAN = _PLAN.where(Rotation.is_default)
_EVERY_PLAN = _PLAN.where(Rotation.retired_at.is_(None))


def load_plan(
    since: datetime, to: datetime, rotation: Rotation | None = None, *, session: Session | None = None
) -> Plan | None:
    """Read a rotation (by default the default one) with its layers around a time, in one query."""
    wanted = _DEFAULT_PLAN if rotation is None else _PLAN.where(Rotation.id == rotation.id)
    return next(_read(wanted, since, to, session or db.session()), None)


def load_plans(since: datetime, to: datetime, *, session: Session | None = None) -> list[Plan]:
    """Read every rotation in use with its layers around a time, in one query, the default one first."""
    return list(_read(_EVERY_PLAN, since, to, session or db.session()))


def _read(wanted: sa.Select[Any], since: datetime, to: datetime, session: Session) -> Iterator[Plan]:
    found = session.execute(
        wanted,
        {"since": since - AROUND, "to": to + AROUND, "until": (to + AROUND).date()},
        execution_options={"populate_existing": bool(session.info.get("is_writing"))},
    ).all()
    for rotation, its_rows in groupby(found, key=itemgetter(0)):
        yield _plan(rotation, its_rows)


def _plan(rotation: Rotation, found: Iterable[Any]) -> Plan:
    rules: dict[int, tuple[RotationRule, dict[int, None]]] = {}
    people: dict[int, User] = {}
    overrides: list[resolver.Override] = []
    away: list[Away] = []
    holidays: dict[date, str] = {}
    for _, rule, member, person, start, end, day, name, override_id in found:
        rules.setdefault(rule.id, (rule, {}))[1][member.id] = None
        people[member.id] = member
        if day is not None:
            holidays[day] = name
        elif override_id is not None:
            people[person.id] = person
            overrides.append(resolver.Override(start, end, person.id, id=override_id))
        elif person is not None:
            away.append(Away(person.id, start, end))
    away += [Away(person.id, person.disabled_at) for person in people.values() if person.disabled_at is not None]
    schedule = Schedule(
        rules=tuple(read_rule(rule, tuple(members), holidays) for rule, members in rules.values()),
        overrides=tuple(overrides),
        away=tuple(each for each in away if each.person_id in people),
        ends_at=rotation.retired_at,
    )
    return Plan(rotation, schedule, people, holidays)


def away_between(since: datetime, to: datetime) -> list[Away]:
    """Read everybody's absences that overlap [since, to)."""
    return [Away(*row) for row in rows(_AWAY, since=since, to=to)]


def read_rule(rule: RotationRule, person_ids: tuple[int, ...], holidays: Collection[date] = ()) -> Rule:
    """Read a rule's row. Holidays of other rules are before its first day, or after its last."""
    return Rule(
        zone=zone_or_utc(rule.zone),
        start_on=rule.start_on,
        person_ids=person_ids,
        handoff=rule.handoff,
        until=rule.until,
        days=frozenset(rule.days),
        turn_length=rule.turn_length,
        turn_unit=rule.turn_unit,
        counted_from=rule.counted_from,
        holidays=tuple(day for day in holidays if day >= rule.start_on),
    )
