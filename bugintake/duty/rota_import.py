"""Bringing in a rota from elsewhere: what each of its lines would change is said first, then all of it, or nothing."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from bugintake.core import clock
from bugintake.core.errors import Conflict
from bugintake.core.forms import fingerprint
from bugintake.core.templating import say, short_day
from bugintake.duty import overrides, planning, queries
from bugintake.duty.handing_over import Stretch, hold_people
from bugintake.duty.models import Rotation
from bugintake.duty.planning import FARTHEST
from bugintake.duty.plans import Plan, PlannedShift, load_plans
from bugintake.duty.rota_reading import Entry, Names, read
from bugintake.duty.rotation import Override as Layer
from bugintake.duty.turns import Rule
from bugintake.duty.wall_clock import instant
from bugintake.team.models import User


@dataclass(frozen=True)
class Move:
    """Hours of one shift or gap, and who is to have them instead."""

    planned: PlannedShift
    start: datetime
    end: datetime
    to: User


@dataclass(frozen=True)
class Refused:
    """A line that cannot be brought in, and why."""

    entry: Entry
    sentence: str


@dataclass
class Proposal:
    """What a rota would do: the hours that change hands, how much stays as it is, and the lines that cannot be."""

    plan: Plan
    until: datetime
    moves: list[Move] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    same: int = 0
    over: int = 0
    left_out: int = 0

    @property
    def seen(self) -> str:
        """What a page shows of it: it is other moves when somebody changed the rotation, or time has passed."""
        return fingerprint([(each.start, each.end, each.planned.shift.person_id, each.to.id) for each in self.moves])

    def with_moves(self) -> Plan:
        """Return the plan as it would be."""
        laid = [Layer(each.start, each.end, each.to.id) for each in self.moves]
        schedule = replace(self.plan.schedule, overrides=[*self.plan.schedule.overrides, *laid])
        return replace(self.plan, schedule=schedule, people={**self.plan.people, **{m.to.id: m.to for m in self.moves}})


def entries_of(text: str) -> list[Entry]:
    """Read the lines of a rota that concern the year to come. Raises Invalid for what cannot be read."""
    now = clock.now()
    return read(text, now.date() - timedelta(days=1), (now + FARTHEST).date())


def propose(rotation: Rotation, entries: Sequence[Entry], given: Mapping[str, User | None]) -> Proposal:
    """Say what each line of a rota would change of the hours to come, within a year.

    `given` says whom a rota means by a name that cannot be told, None where it is to be left out. Whoever is away
    then or on duty in another rotation cannot have the hours, and no two can have the same. Asks the database as
    often for one line as for a thousand.
    """
    now = clock.now()
    until = now + FARTHEST
    plans = load_plans(now, until)
    plan = next(each for each in plans if each.rotation.id == rotation.id)
    busy = planning.busy_hours([each for each in plans if each is not plan], now, until)
    reading = _Reading(Proposal(plan, until), Names(queries.candidates(), given), busy, now)
    for entry in entries:
        reading.take(entry)
    reading.proposal.moves.sort(key=lambda move: move.start)
    return reading.proposal


def bring_in(
    rotation: Rotation,
    entries: Sequence[Entry],
    given: Mapping[str, User | None],
    *,
    seen: str,
    leaves_out: bool,
    actor: User,
) -> int:
    """Let a rota hold, and tell how many shifts changed hands; all, or none. Done twice, it changes nothing.

    `seen` is the proposal that the actor saw. With `leaves_out` the lines that cannot be are left out. Records what
    handing hours over records. Raises Conflict where lines cannot be, or where what would happen is no longer what was
    seen.
    """
    overrides.lock(rotation)
    names = Names(queries.candidates(), given)
    hold_people(person.id for entry in entries if (person := names.find(entry.who)) is not None)
    proposal = propose(rotation, entries, given)
    if proposal.seen != seen:
        raise Conflict(say("The schedule or the lines have changed since you looked. This is what would happen now."))
    if proposal.refused and not leaves_out:
        raise Conflict(say("Some lines cannot be brought in, so nothing was."))
    for move in proposal.moves:
        planning.settle(Stretch(rotation, move.start, move.end, (move.planned,)), move.to, actor=actor)
    return len(proposal.moves)


class _Reading:
    """What has been read of a rota so far."""

    def __init__(self, proposal: Proposal, names: Names, busy: planning.Busy, now: datetime) -> None:
        self.proposal, self.names, self.busy, self.now = proposal, names, busy, now
        self.shifts = proposal.plan.between(now, proposal.until)
        self.ends = [planned.shift.end for planned in self.shifts]
        self.taken: list[tuple[datetime, datetime, User, int]] = []

    def take(self, entry: Entry) -> None:
        """Add what one line would change, or why it cannot."""
        if entry.trouble:
            self._refuse(entry, entry.trouble)
            return
        start, end = self._hours(entry)
        if end <= self.now:
            self.proposal.over += 1
            return
        person = self.names.find(entry.who)
        if person is None:
            self._without_person(entry)
            return
        parts = self._parts(start, end)
        if sentence := self._why_not(parts, end, person):
            self._refuse(entry, sentence)
            return
        for planned, since, to in parts:
            if (since, to, person) in ((each[0], each[1], each[2]) for each in self.taken):
                continue
            self.taken.append((since, to, person, entry.number))
            if planned.shift.person_id == person.id:
                self.proposal.same += 1
            else:
                self.proposal.moves.append(Move(planned, since, to, person))

    def _hours(self, entry: Entry) -> tuple[datetime, datetime]:
        """Return the instants of a line: of whole days the hours of duty."""
        if isinstance(entry.first, datetime) and isinstance(entry.last, datetime):
            return self._instant(entry.first), self._instant(entry.last)
        rule, last = self._rule(entry.first), self._rule(entry.last)
        ends = datetime.combine(entry.last, last.handoff) + timedelta(minutes=last.minutes)
        return instant(datetime.combine(entry.first, rule.handoff), rule.zone), instant(ends, last.zone)

    def _rule(self, day: date) -> Rule:
        return self.proposal.plan.rule_on(day) or self.proposal.plan.schedule.rules[0]

    def _instant(self, at: datetime) -> datetime:
        return at.astimezone(UTC) if at.tzinfo else instant(at, self._rule(at.date()).zone)

    def _parts(self, start: datetime, end: datetime) -> list[tuple[PlannedShift, datetime, datetime]]:
        """List the shifts and gaps to come between two instants, with what of each lies in there."""
        since, found = max(start, self.now), []
        for planned in self.shifts[bisect_right(self.ends, since) :]:
            if planned.shift.start >= end:
                break
            found.append((planned, max(planned.shift.start, since), min(planned.shift.end, end)))
        return found

    def _why_not(self, parts: Sequence[tuple[PlannedShift, datetime, datetime]], end: datetime, person: User) -> str:
        if end > self.proposal.until:
            return say("Plan at most a year ahead.")
        if not parts:
            return say("There is no duty in that time.")
        for planned, since, to in parts:
            for begun, ended, other, number in self.taken:
                if begun < to and ended > since and other.id != person.id:
                    return say("Line %(number)s gives these hours to %(name)s.", number=number, name=other.name)
            if planned.shift.person_id != person.id and not planning.is_free(person, since, to, self.busy):
                day = short_day(since.astimezone(planned.zone).date())
                return say("%(day)s: %(name)s is not free then.", day=day, name=person.name)
        return ""

    def _without_person(self, entry: Entry) -> None:
        if self.names.is_given(entry.who):
            self.proposal.left_out += 1
            return
        if entry.who not in self.proposal.unknown:
            self.proposal.unknown.append(entry.who)
        self._refuse(entry, say("Nobody who takes duty is called that, or more than one."))

    def _refuse(self, entry: Entry, sentence: str) -> None:
        self.proposal.refused.append(Refused(entry, sentence))
