"""Small things that happen by themselves: a lead reads each as a sentence, and sees first what it would have done."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from bugintake.core import clock, events
from bugintake.core.db import db, hold, rows
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event, Subscriber
from bugintake.core.kept import once
from bugintake.intake.models import OPEN, Bug, OptionList, Report
from bugintake.intake.queries import visible_to
from bugintake.team.models import User
from bugintake.triage import editing
from bugintake.triage.owners import effective_owner
from bugintake.triage.rule_models import RuleKind, TriageRule

LATELY = timedelta(days=30)
SHOWN = 20
MOST = 1000


def make(rule: TriageRule, *, actor: User) -> TriageRule:
    """Let a rule act from now on. Records rule.made.

    Raises Invalid for a rule without its parts, Conflict where there is one for the same area or number of people.
    """
    check(rule)
    for each in in_force():
        if (each.kind, each.area_id, each.people) == (rule.kind, rule.area_id, rule.people):
            raise Conflict(f"There is one already: {each.sentence} End that one first.")
    rule.made_by_id = actor.id
    db.session.add(rule)
    db.session.flush()
    events.record(EventKind.RULE_MADE, actor=actor, rule=rule.id)
    return rule


def check(rule: TriageRule) -> None:
    """Refuse a rule that lacks something, or could do nothing. Raises Invalid with the field."""
    if rule.kind is RuleKind.WORSE:
        return
    if rule.kind is RuleKind.OWNER:
        if rule.area is None or rule.area.list != OptionList.AREA:
            raise Invalid("Choose the area.", "area")
        if rule.owner is None or not rule.owner.is_active:
            raise Invalid("Choose who owns its bugs.", "owner")
        return
    if rule.people is None or not 2 <= rule.people <= MOST:
        raise Invalid(f"Give a number of people from 2 to {MOST:,}.", "people")
    if rule.impact is None or rule.impact.list != OptionList.IMPACT:
        raise Invalid("Choose how bad the bug is then.", "impact")


def end(rule: TriageRule, *, actor: User) -> None:
    """Let a rule act no more; what it did stays. Records rule.ended. Raises Conflict where it was ended before."""
    hold(rule)
    if rule.ended_at is not None:
        raise Conflict("Somebody ended this rule already.")
    rule.ended_at = clock.now()
    events.record(EventKind.RULE_ENDED, actor=actor, rule=rule.id)


def in_force() -> Sequence[TriageRule]:
    """List the rules that act now, the oldest first."""
    return db.session.scalars(_IN_FORCE).all()


_PARTS = (TriageRule.area, TriageRule.owner, TriageRule.impact, TriageRule.made_by)
_IN_FORCE = sa.select(TriageRule).where(TriageRule.ended_at.is_(None)).order_by(TriageRule.id)
_IN_FORCE = _IN_FORCE.options(*(joinedload(each) for each in _PARTS))


def acted_lately() -> dict[int, int]:
    """Count how often each rule acted in the last 30 days."""
    number = Event.details["rule"].as_integer()
    by_rule = sa.select(number, sa.func.count()).where(Event.kind.in_(ACTS), Event.at > clock.now() - LATELY)
    return dict(db.session.execute(by_rule.where(number.is_not(None)).group_by(number)).all())


def dry_run(rule: TriageRule, actor: User) -> tuple[Sequence[Bug], int]:
    """Name the bugs on which a rule would have acted in the last 30 days, as far as this person sees them, and count.

    For an owner these are the bugs that were filed in the area; for an impact those open now, milder, and waited for
    by so many, of whom somebody came lately; for worse duplicates those that took one in.
    """
    since = clock.now() - LATELY
    stands = (Bug.merged_into_id.is_(None), Bug.withdrawn_at.is_(None), visible_to(actor))
    if rule.kind is RuleKind.OWNER:
        found = sa.select(Bug).where(Bug.area_id == rule.area.id if rule.area else sa.false(), Bug.filed_at > since)
    elif rule.kind is RuleKind.WORSE:
        part = sa.orm.aliased(Bug)
        worse = sa.exists().where(part.merged_into_id == Bug.id, part.impact_rank < Bug.impact_rank)
        lately = sa.exists().where(Event.bug_id == Bug.id, Event.kind == EventKind.BUG_TOOK_IN, Event.at > since)
        found = sa.select(Bug).where(worse, lately)
    else:
        part = sa.orm.aliased(Bug)
        lately = sa.exists().where(Report.bug_id == part.id, part.canonical_id == Bug.id, Report.filed_at > since)
        rank = rule.impact.position if rule.impact is not None else 0
        milder = (Bug.waiting_count >= rule.people, Bug.impact_rank > rank, Bug.status.in_(OPEN))
        found = sa.select(Bug).where(*milder, lately)
    found = found.where(*stands)
    count = db.session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0
    return db.session.scalars(found.order_by(Bug.id.desc()).limit(SHOWN)).all(), count


BEGINNINGS = (EventKind.REPORT_FILED, EventKind.BUG_SPLIT_OFF)
ACTS = (EventKind.BUG_ASSIGNED, EventKind.BUG_EDITED, EventKind.BUG_OWNER_TOLD)
_ANY = sa.select(TriageRule.id).where(TriageRule.ended_at.is_(None)).limit(1)


@once
def _acting() -> Sequence[TriageRule]:
    """Read the rules with their parts where there are any; forty people attached at once ask for them once."""
    return in_force() if rows(_ANY) else ()


def follow(event: Event) -> None:
    """Do what the rules say of a bug that was filed, or that more people wait for. Each changes a bug once.

    So what a person decides after it stays. Of each worse duplicate its owner is told.
    """
    for rule in _acting():
        bug = db.session.get_one(Bug, event.bug_id)
        if rule.kind is RuleKind.WORSE:
            _tell_of_a_worse_one(rule, bug, event)
        elif _applies(rule, bug, event.kind) and not _has_acted(rule, bug):
            _act(rule, bug)


def _tell_of_a_worse_one(rule: TriageRule, bug: Bug, event: Event) -> None:
    """Tell whoever has a bug now that a duplicate is worse, unless they made it one. Records bug.owner_told."""
    if event.kind != EventKind.BUG_TOOK_IN:
        return
    part, owner = db.session.get_one(Bug, event.details["part"]), effective_owner(bug)
    if part.impact_rank < bug.impact_rank and owner is not None and owner.id != event.actor_id:
        told = EventKind.BUG_OWNER_TOLD
        events.record(told, actor=None, bug=bug, user=owner, after=part.ref, part=part.id, rule=rule.id)


def _applies(rule: TriageRule, bug: Bug, kind: EventKind) -> bool:
    if rule.owner is not None:
        is_new = kind in BEGINNINGS and bug.owner_id is None and bug.area_id == rule.area_id
        return is_new and rule.owner.is_active
    assert rule.impact is not None and rule.people is not None
    return bug.status.is_open and bug.waiting_count >= rule.people and bug.impact_rank > rule.impact.position


def _has_acted(rule: TriageRule, bug: Bug) -> bool:
    acts = sa.select(Event.id).where(Event.bug_id == bug.id, Event.kind.in_(ACTS))
    return db.session.scalar(acts.where(Event.details["rule"].as_integer() == rule.id).limit(1)) is not None


def _act(rule: TriageRule, bug: Bug) -> None:
    if rule.owner is not None:
        editing.assign(bug, rule.owner, actor=None, rule=rule.id)
    else:
        assert rule.impact is not None
        editing.choose(bug, rule.impact, actor=None, rule=rule.id)


SUBSCRIPTIONS: list[tuple[EventKind, Subscriber]] = [
    (EventKind.REPORT_FILED, follow),
    (EventKind.REPORT_ATTACHED, follow),
    (EventKind.BUG_TOOK_IN, follow),
    (EventKind.BUG_SPLIT_OFF, follow),
]


def listen() -> None:
    """Follow what is filed, attached, merged and split."""
    for kind, subscriber in SUBSCRIPTIONS:
        events.subscribe(kind, subscriber)
