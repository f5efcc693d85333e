"""Everything two people can do to some bugs, in any order, one of them sometimes from a page that is old by now."""

import operator
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bugintake.core import clock
from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, NotFound
from bugintake.intake import attaching, reports
from bugintake.intake.models import OPEN, Bug, Option, OptionList, Question, Report, SettledBy, Status
from bugintake.intake.queries import VISIBLE_TO_READER, bug_or_404
from bugintake.loop import attempts, messages, outbox, releases, replies
from bugintake.loop.duplicates import UNSENT
from bugintake.loop.envelopes import OWED, open_due
from bugintake.loop.models import OUTCOMES, Announcement, Message
from bugintake.team.models import Role, User
from bugintake.triage import editing, looking, merging, pinning, queries, snoozing, splitting, transitions
from bugintake.triage.queries import Filters
from tests.factories import (
    make_bug,
    make_customer,
    make_option,
    make_telling,
    make_user,
    make_version,
    make_workspace,
)
from tests.loop.rows import arrive
from tests.triage.standing import Standing, check_events, waits_after_separation

NOTE = {"en": "The VAT line is back."}
NOT_FIXED = (Status.NEEDS_INFO, Status.NEW, Status.ACCEPTED, Status.IN_PROGRESS)
STARTS = (Status.NEW, Status.ACCEPTED, Status.FIXED)
TOLD = (SettledBy.TOLD, SettledBy.TOLD_BY_HAND)
MOST = 7  # bugs of one example
LEAST = 3  # how often each verb must have happened in a run, or the machine tries nothing
VERBS = ["file", "file again", "attach", "withdraw", "merge", "unmerge", "split", "rejoin", "accept", "start", "stop"]
VERBS += ["ask", "answer", "fix", "go live", "withdraw release", "decline", "reconsider", "come back", "undo", "snooze"]
VERBS += ["pin", "restrict", "tell", "stale", "impossible", "take back"]
IDS = sa.bindparam("ids", expanding=True)
EXISTING = sa.select(Bug.id).where(Bug.id.in_(IDS), VISIBLE_TO_READER)
OWED_NOW = (  # whom the present outcome of each bug is still owed
    sa.select(Bug.id, Message.customer_id)
    .join(Announcement, sa.and_(Announcement.bug_id == Bug.id, Announcement.generation == Bug.generation))
    .join(Message, Message.announcement_id == Announcement.id)
    .where(Bug.id.in_(IDS), Announcement.cancelled_at.is_(None), Announcement.kind.in_(OUTCOMES))
    .where(Message.state.in_(OWED))
)
CHOSEN = st.integers(0, 5)
IMPOSSIBLE = ["itself", "a loop", "separate", "merge", "move", "restrict"]
FLIP = st.booleans()


@pytest.fixture(name="settings")
def _settings(settings):
    return replace(settings, smtp_url="smtp://127.0.0.1:9")


class Step(NamedTuple):
    """One thing that can be done: when, and what may be chosen."""

    is_possible: Callable
    given: dict
    call: Callable

    def __repr__(self):
        return self.call.__name__


STEPS = []


def step(is_possible, **given):
    """Let the machine choose this step."""

    def add(call):
        STEPS.append(Step(is_possible, given, call))
        return call

    return add


def standing(*statuses):
    """Tell whether a bug stands for itself in one of some statuses."""
    return lambda machine: bool(machine.now.roots(*statuses))


def always(_machine):
    """Tell that it is always possible."""
    return True


class TwoPeople(RuleBasedStateMachine):
    """Some bugs, four customers, two engineers. A rule chooses among what can be done, so most of it happens."""

    counts: Counter

    @initialize()
    def begin(self):
        self.actors = [make_user(), make_user()]
        self.lead, self.stranger = make_user(Role.LEAD), make_user(Role.AGENT)
        self.people = [make_customer() for _ in range(4)]
        self.fixed_in = [make_version("4.13.0"), make_version("4.14.0")]
        self.reason = make_option(OptionList.DECLINE_REASON)
        with transaction():
            db.session.execute(
                sa.update(Bug).where(Bug.withdrawn_at.is_(None)).values(withdrawn_at=clock.now(), is_pinned=False)
            )
        begun = enumerate((Status.NEW, Status.NEW, Status.FIXED))
        self.bugs = [make_bug(s, waiting=self.people[n : n + 2], actor=self.actors[n % 2]).id for n, s in begun]
        self.sent, self.sendings = Counter(), 0
        self.past = {}  # the statuses a bug had: what an old page still shows
        self.verdicts, self.merged_at, self.filed = {}, {}, []
        self.split_off, self.done, self.asked = set(), Counter(), {}  # what was asked last of each bug
        self.now = Standing.of(self.bugs)

    # --- One step ---

    def act(self, verb, call, actor=None, *, made=None, is_refused=False):
        """Do one thing that may be refused, and check what it left behind; tell whether it happened."""
        clock.freeze(clock.now() + timedelta(seconds=1))
        before = self.now
        try:
            with transaction():
                done = call()
        except Conflict:
            done, happened = None, False
        else:
            happened = True
            self.bugs += [made(done)] if made is not None else []
        self.now = Standing.of(self.bugs)
        name = verb if happened else f"{verb} refused"
        self.counts[name] += 1
        event(name)
        if is_refused:
            assert not happened
        if not happened:
            assert self.now == before, "What was refused left something behind"
            return None
        check_events(before, self.now, actor.id if actor is not None else None, clock.now())
        for number, bug in before.bugs.items():
            if self.now.bugs[number].status != bug.status:
                self.past.setdefault(number, []).append(bug.status)
        return done if done is not None else True

    def bug(self, number, reader=None):
        """Load a bug as a page does, which finds what its reader may see."""
        if reader is None:
            return db.session.get_one(Bug, number)
        return bug_or_404(f"BUG-{number}", db.session.get_one(User, reader.id))

    def seen(self, number, *, is_old):
        """Say which status somebody decided on: as it is, or from a page that is old."""
        old = [status for status in self.past.get(number, []) if status != self.now.bugs[number].status]
        return (old[-1], True) if is_old and old else (self.now.bugs[number].status, False)

    def visible(self, actor, numbers):
        return [number for number in numbers if self.now.is_visible(number, actor.id, actor.can(Role.LEAD))]

    def decide(self, verb, who, chosen, statuses, call, *, is_old=False, needs_report=False):
        """Move one bug of some statuses; a decision on an old page is refused. Remember what undo must give back."""
        actor = self.actors[who]
        able = self.visible(actor, self.now.roots(*statuses))
        if needs_report:  # once its only one is withdrawn, there is nobody to ask
            able = [number for number in able if self.now.people(number)]
        if not able:
            return
        number = able[chosen % len(able)]
        seen, is_stale = self.seen(number, is_old=is_old)
        before = self.now
        name = "stale" if is_stale else verb
        done = self.act(name, lambda: call(self.bug(number, actor), actor=actor, seen=seen), actor, is_refused=is_stale)
        if is_stale:
            self.counts["stale"] += 1
        if done is not None:
            people = (before.people(number), self.now.people(number))
            self.verdicts[number] = (before.verdict(number), self.now.verdict(number), people)
        elif not is_stale:
            raise AssertionError(f"A bug that is {before.bugs[number].status} refused to {verb}")

    @rule(data=st.data())
    def do_something(self, data):
        """Choose among what can be done and was done least, so that an example gets everywhere."""
        able = sorted((each for each in STEPS if each.is_possible(self)), key=lambda each: self.done[each.call])
        chosen = data.draw(st.sampled_from(able[: max(3, len(able) // 3)]))
        given = {name: data.draw(strategy) for name, strategy in chosen.given.items()}
        self.done[chosen.call] += 1
        chosen.call(self, **given)

    # --- Reports ---

    @step(lambda self: len(self.bugs) < MOST, who=FLIP, some=CHOSEN)
    def file(self, who, some):
        actor, person, key = self.actors[who], self.people[some % 4], f"form {len(self.filed)} of {self.bugs[0]}"
        filed = self.act(
            "file",
            lambda: reports.file_report(make_telling(person), actor=actor, key=key),
            actor,
            made=lambda report: report.bug_id,
        )
        self.filed.append((person, actor, key, filed.id))

    @step(lambda self: self.filed, chosen=CHOSEN, is_other=FLIP)
    def file_again(self, chosen, is_other):
        person, actor, key, number = self.filed[chosen % len(self.filed)]
        before = self.now
        words = {"actual": "Something else."} if is_other else {}
        again = self.act(
            "file again",
            lambda: reports.file_report(make_telling(person, **words), actor=actor, key=key),
            actor,
            is_refused=is_other,
        )
        assert is_other or again.id == number
        assert self.now == before

    @step(always, who=FLIP, chosen=CHOSEN, some=CHOSEN)
    def attach(self, who, chosen, some):
        actor, person = self.actors[who], self.people[some % 4]
        able = self.visible(actor, [n for n in self.bugs if self.now.bugs[self.now.root(n)].withdrawn_at is None])
        if able:
            number = able[chosen % len(able)]
            telling = make_telling(person)
            done = self.act("attach", lambda: attaching.attach(self.bug(number, actor), telling, actor=actor), actor)
            root = self.now.root(number)
            report = db.session.get_one(Report, done.id)
            is_left_alone = report.settled_by == SettledBy.SUPPRESSED and report.unsubscribed_at is not None
            assert is_left_alone or person.id in self.now.waiting(root)
            assert self.now.bugs[root].snoozed_until is None

    @step(always, who=FLIP, chosen=CHOSEN, some=CHOSEN, is_newest=FLIP)
    def attach_and_take_back(self, who, chosen, some, is_newest):
        """Whatever attaching somebody changed stands as before once it is taken back."""
        actor, person = self.actors[who], self.people[some % 4]
        able = self.visible(actor, [n for n in self.bugs if self.now.bugs[self.now.root(n)].withdrawn_at is None])
        if not able:
            return
        number = able[chosen % len(able)]
        root, before, owed = self.now.root(number), self.now, self.owed_under(number)
        telling = make_telling(person, **({"version": self.fixed_in[1]} if is_newest else {}))

        def both():
            report = attaching.attach(self.bug(number, actor), telling, actor=actor)
            attaching.take_back(attaching.last_telling(report), actor=actor)
            return report

        done = self.act("take back", both, actor)
        if done is None:  # it cannot be where they want no mail: attaching settled them
            return
        stands, stood = ({**each.bugs[root]._mapping, "changed_at": None} for each in (self.now, before))
        assert stands == stood
        people = self.now.people(root)
        assert {number: row for number, row in people.items() if number in before.reports} == before.people(root)
        assert [row.settled_by for number, row in people.items() if number not in before.reports] in ([], ["withdrawn"])
        new = [row for row in self.owed_under(number) if row not in owed]
        assert [(row.customer_id, row.state) for row in new] in ([], [(person.id, "cancelled")])
        assert len(owed) + len(new) == len(self.owed_under(number))

    def owed_under(self, number):
        """Read what is owed of a bug and its parts, and when it leaves."""
        owed = (Message.id, Message.customer_id, Message.state, Message.held_because, Message.reason, Message.report_id)
        when = (Announcement.due_at, Announcement.held_at, Announcement.released_at, Announcement.cancelled_at)
        under = Announcement.bug_id.in_(self.now.branch(self.now.root(number)))
        found = sa.select(*owed, *when).join(Message.announcement).where(under).order_by(Message.id)
        return db.session.execute(found).all()

    def reports_that(self, wanted):
        return [report for report in self.now.reports.values() if wanted(report, self.now.root(report.bug_id))]

    @step(always, who=FLIP, chosen=CHOSEN)
    def withdraw(self, who, chosen):
        able = self.reports_that(lambda report, root: report.settled_at is None)
        if able:
            number, actor = able[chosen % len(able)].id, self.actors[who]
            self.act("withdraw", lambda: reports.withdraw(db.session.get_one(Report, number), actor=actor), actor)

    @step(always, chosen=CHOSEN, verb=st.sampled_from([replies.unsubscribe, replies.resubscribe]))
    def want_mail_or_not(self, chosen, verb):
        self.say(chosen, verb)

    @step(always, chosen=CHOSEN, verb=st.sampled_from([replies.works_now, replies.still_happening]))
    def say(self, chosen, verb):
        able = self.reports_that(lambda report, root: self.now.bugs[root].withdrawn_at is None)
        if able:
            number = able[chosen % len(able)].id
            came_back = self.now.bugs[self.now.root(able[chosen % len(able)].bug_id)].status == Status.LIVE
            self.act(verb.__name__, lambda: verb(db.session.get_one(Report, number)))
            if came_back and verb is replies.still_happening:
                self.counts["come back"] += 1

    # --- One bug of two, and two of one ---

    @step(lambda self: len(self.now.roots()) > 1, who=FLIP, chosen=CHOSEN, further=CHOSEN, through=CHOSEN, is_old=FLIP)
    def merge(self, who, chosen, further, through, is_old):
        actor = self.actors[who]
        able = self.visible(actor, self.now.roots())
        if len(able) < 2:
            return
        number = able[chosen % len(able)]
        root = [n for n in able if n != number][further % (len(able) - 1)]
        into = self.visible(actor, sorted(self.now.branch(root)))
        into = into[through % len(into)]
        before, (seen, is_stale) = self.now, self.seen(number, is_old=is_old)
        done = self.act(
            "stale" if is_stale else "merge",
            lambda: merging.merge(self.bug(number, actor), self.bug(into, actor), actor=actor, seen=seen),
            actor,
            is_refused=is_stale,
        )
        if is_stale:
            self.counts["stale"] += 1
            return
        assert done is not None
        self.merged_at[number] = clock.now()
        assert self.now.root(number) == root
        assert self.now.bugs[root].is_restricted == (
            before.bugs[number].is_restricted or before.bugs[root].is_restricted
        )
        assert self.now.bugs[number].status == before.bugs[number].status
        if self.now.bugs[root].status in OPEN:
            assert self.now.waiting(root) == before.waiting(number) | before.waiting(root)

    def told_parts(self):
        """Name the parts whose people were told what became of the whole: there is most to give back."""
        told = [report.bug_id for report in self.now.reports.values() if report.settled_by in TOLD]
        return [number for number in self.now.parts() if self.now.branch(number) & set(told)]

    @step(lambda self: len(self.now.parts()) > 1 or self.told_parts(), who=FLIP, chosen=CHOSEN)
    def unmerge(self, who, chosen):
        actor = self.actors[who]
        able = self.visible(actor, self.told_parts()) or self.visible(actor, self.now.parts())
        if not able:
            return
        number = able[chosen % len(able)]
        before, root = self.now, self.now.root(number)
        wait = waits_after_separation(before, number, self.merged_at[number])
        assert self.act("unmerge", lambda: merging.unmerge(self.bug(number, actor), actor=actor), actor) is not None
        assert self.now.root(number) == number
        assert self.now.branch(number) == before.branch(number)
        assert set(self.now.people(number)) == set(before.people(number))
        if before.bugs[number].status == Status.LIVE and self.now.bugs[number].status == Status.FIXED:
            told = {who.customer_id for who in before.people(number).values() if who.settled_by in TOLD}
            assert wait <= self.now.waiting(number) <= wait | told  # its release was withdrawn meanwhile
        else:
            assert self.now.waiting(number) == wait
        assert set(self.now.people(root)) == set(before.people(root)) - set(before.people(number))
        if before.bugs[number].status == Status.NEEDS_INFO and self.is_answered(number, before):
            assert self.now.bugs[number].status != Status.NEEDS_INFO
        else:
            assert self.now.bugs[number].status in (before.bugs[number].status, self.as_released(number))

    def is_answered(self, number, at):
        """Tell whether what was asked last about a bug was answered by then."""
        return number in self.asked and not set(self.asked[number]) & set(at.questions)

    def as_released(self, number):
        """Tell where a bug stands that follows its release."""
        bug = self.now.bugs[number]
        release = next((version for version in self.fixed_in if version.id == bug.release_id), None)
        if bug.status not in (Status.FIXED, Status.LIVE) or release is None:
            return bug.status
        return Status.LIVE if self.is_live(release) else Status.FIXED

    def is_live(self, version):
        live = sa.select(Option.live_since_at).where(Option.id == version.id)
        return db.session.scalar(live) is not None

    def splittable(self):
        def wanted(report, root):
            others = [r for r in self.now.people(root).values() if r.id != report.id and r.settled_by != "withdrawn"]
            is_asked = report.id in self.now.questions.values()
            stands = self.now.bugs[root].withdrawn_at is None and report.settled_by not in ("withdrawn", "merged")
            return others and not is_asked and stands

        return self.reports_that(wanted)

    @step(lambda self: len(self.bugs) < MOST + 1 and self.splittable(), who=FLIP, chosen=CHOSEN)
    def split(self, who, chosen):
        able, actor = self.splittable(), self.actors[who]
        report = able[chosen % len(able)]
        before, root = self.now, self.now.root(report.bug_id)
        new = self.act(
            "split",
            lambda: splitting.split(db.session.get_one(Report, report.id), "Another problem", actor=actor),
            actor,
            made=lambda bug: bug.id,
        )
        self.split_off.add(new.id)
        assert set(self.now.people(new.id)) == {report.id}
        assert set(self.now.people(root)) == set(before.people(root)) - {report.id}
        assert new.is_restricted == before.bugs[root].is_restricted

    @step(lambda self: self.split_off & set(self.now.roots(Status.NEW)), who=FLIP, chosen=CHOSEN)
    def rejoin(self, who, chosen):
        able = sorted(self.split_off & set(self.now.roots(Status.NEW)))
        number, actor = able[chosen % len(able)], self.actors[who]
        before = self.now
        if self.act("rejoin", lambda: splitting.rejoin(self.bug(number), actor=actor), actor) is not None:
            [report] = before.people(number)
            assert self.now.people(number) == {}
            assert report in self.now.people(self.now.root(self.now.reports[report].bug_id))
            assert self.now.bugs[number].withdrawn_at is not None

    # --- Verdicts ---

    @step(standing(*NOT_FIXED[:2]), who=FLIP, chosen=CHOSEN, is_old=FLIP)
    def accept(self, who, chosen, is_old):
        self.decide("accept", who, chosen, NOT_FIXED[:2], transitions.accept, is_old=is_old)

    @step(standing(*STARTS), who=FLIP, chosen=CHOSEN, is_old=FLIP)
    def start(self, who, chosen, is_old):
        self.decide("start", who, chosen, STARTS, transitions.start, is_old=is_old)

    @step(standing(Status.IN_PROGRESS), who=FLIP, chosen=CHOSEN, is_old=FLIP)
    def stop(self, who, chosen, is_old):
        self.decide("stop", who, chosen, (Status.IN_PROGRESS,), transitions.stop, is_old=is_old)

    @step(standing(*NOT_FIXED[1:]), who=FLIP, chosen=CHOSEN, for_customer=FLIP)
    def ask(self, who, chosen, for_customer):
        def ask_one(bug, **who):
            report = db.session.get_one(Report, min(self.now.people(bug.id)))
            asked = transitions.ask(bug, report, "Which?", is_for_customer=for_customer and report.is_waiting, **who)
            self.asked[bug.id] = [asked.id]

        self.decide("ask", who, chosen, NOT_FIXED[1:], ask_one, needs_report=True)

    @step(lambda self: self.now.questions, who=FLIP, chosen=CHOSEN)
    def answer(self, who, chosen):
        open_ones = sorted(self.now.questions)
        number, actor = open_ones[chosen % len(open_ones)], self.actors[who]
        report, before = self.now.reports[self.now.questions[number]], self.now
        root = before.root(report.bug_id)
        if before.bugs[root].withdrawn_at is not None:
            return
        back_to = db.session.get_one(Question, number).status_before
        done = self.act(
            "answer", lambda: transitions.answer(db.session.get_one(Question, number), "4.2", actor=actor), actor
        )
        assert done is not None
        waits_for_it = before.bugs[root].status == Status.NEEDS_INFO and number in self.asked[root]
        assert self.now.bugs[root].status == (back_to if waits_for_it else before.bugs[root].status)
        assert self.now.bugs[root].snoozed_until is None
        assert self.now.last_event > before.last_event

    @step(standing(*NOT_FIXED), who=FLIP, chosen=CHOSEN, which=FLIP, is_old=FLIP)
    def fix(self, who, chosen, which, is_old):
        def fix_it(bug, **who):
            transitions.fix(bug, NOTE, db.session.get_one(Option, self.fixed_in[which].id), **who)

        self.decide("fix", who, chosen, NOT_FIXED, fix_it, is_old=is_old)

    @step(standing(*NOT_FIXED), who=FLIP, chosen=CHOSEN, is_old=FLIP)
    def decline(self, who, chosen, is_old):
        def decline_it(bug, **who):
            transitions.decline(bug, self.reason, NOTE, {}, **who)

        self.decide("decline", who, chosen, NOT_FIXED, decline_it, is_old=is_old)

    @step(standing(Status.DECLINED), who=FLIP, chosen=CHOSEN, is_old=FLIP)
    def reconsider(self, who, chosen, is_old):
        self.decide("reconsider", who, chosen, (Status.DECLINED,), transitions.reconsider, is_old=is_old)

    @step(standing(Status.LIVE), who=FLIP, chosen=CHOSEN)
    def come_back(self, who, chosen):
        able, actor = self.visible(self.actors[who], self.now.roots(Status.LIVE)), self.actors[who]
        if able:
            number = able[chosen % len(able)]
            self.act("come back", lambda: transitions.come_back(self.bug(number), actor=actor), actor)
            self.verdicts.pop(number, None)
            assert self.now.bugs[number].status == Status.ACCEPTED

    @step(standing(Status.FIXED), who=FLIP, which=FLIP)
    def go_live(self, who, which):
        fixed = [self.now.bugs[n].release_id for n in self.now.roots(Status.FIXED)]
        able, actor = [v for v in self.fixed_in if v.id in fixed], self.actors[who]
        version = able[which % len(able)]
        self.act("go live", lambda: releases.release_live(db.session.get_one(Option, version.id), actor=actor), actor)
        assert [n for n in self.now.roots(Status.FIXED) if self.now.bugs[n].release_id == version.id] == []

    @step(lambda self: any(map(self.is_live, self.fixed_in)), who=FLIP)
    def withdraw_release(self, who):
        version, actor = next(filter(self.is_live, self.fixed_in)), self.actors[who]
        self.act(
            "withdraw release",
            lambda: releases.withdraw_release(db.session.get_one(Option, version.id), actor=actor),
            actor,
        )
        for number in [n for n in self.bugs if self.now.bugs[n].release_id == version.id]:
            self.verdicts.pop(number, None)
            assert self.now.bugs[number].status != Status.LIVE or self.now.bugs[number].merged_into_id is not None

    @step(lambda self: set(self.verdicts) & set(self.now.roots()), who=FLIP, chosen=CHOSEN)
    def undo(self, who, chosen):
        actor = self.actors[who]
        able = self.visible(actor, sorted(set(self.verdicts) & set(self.now.roots())))
        if not able:
            return
        settling = [number for number in able if operator.ne(*self.verdicts[number][2])]
        number = (settling or able)[chosen % len(settling or able)]
        was, left, (people, left_people) = self.verdicts[number]
        before = self.now
        if self.act("undo", lambda: transitions.undo(self.bug(number, actor), actor=actor), actor) is None:
            return
        del self.verdicts[number]
        now = self.now.verdict(number)
        if was["status"] == Status.NEEDS_INFO and self.is_answered(number, before):
            assert now["status"] != Status.NEEDS_INFO
            return
        goes_live = was["status"] == Status.FIXED and self.as_released(number) == Status.LIVE
        assert now["status"] == (Status.LIVE if goes_live else was["status"])
        if before.verdict(number) == left:
            assert now | {"status": was["status"]} == was
        if before.people(number) == left_people:
            now_people = self.now.people(number)
            if goes_live:  # whoever wants no mail is settled by that as soon as it is live
                unsettled = [each for each, report in people.items() if report.settled_at is None]
                suppressed = [each for each in unsettled if now_people[each].settled_by == SettledBy.SUPPRESSED]
                people = people | {each: now_people[each] for each in suppressed}
            assert now_people == people

    # --- Beside the status ---

    @step(standing(*OPEN), who=FLIP, chosen=CHOSEN)
    def snooze(self, who, chosen):
        actor = self.actors[who]
        able = self.visible(actor, self.now.roots(*OPEN))
        if able:
            number = able[chosen % len(able)]
            if self.now.bugs[number].snoozed_until is None:
                until = looking.today_of(actor) + timedelta(days=1 + chosen)
                self.act("snooze", lambda: snoozing.snooze(self.bug(number, actor), until, actor=actor), actor)
                assert self.now.bugs[number].snoozed_until == until
            else:
                self.act("wake", lambda: snoozing.wake(self.bug(number, actor), actor=actor), actor)
                assert self.now.bugs[number].snoozed_until is None

    @step(standing(*OPEN), chosen=CHOSEN)
    def pin(self, chosen):
        able = self.now.roots(*OPEN)
        number = able[chosen % len(able)]
        is_pinned = not self.now.bugs[number].is_pinned
        self.act("pin", lambda: pinning.pin(self.bug(number), is_pinned, actor=self.lead), self.lead)
        assert self.now.bugs[number].is_pinned == is_pinned

    @step(standing(), chosen=CHOSEN)
    def restrict(self, chosen):
        able = self.now.roots()
        number = able[chosen % len(able)]
        is_restricted = not self.now.bugs[number].is_restricted
        self.act("restrict", lambda: editing.restrict(self.bug(number), is_restricted, actor=self.lead), self.lead)
        assert self.now.bugs[number].is_restricted == is_restricted

    # --- What cannot be ---

    @step(always, who=FLIP, chosen=CHOSEN, what=st.sampled_from(IMPOSSIBLE))
    def try_what_cannot_be(self, who, chosen, what):
        parts, actor = self.now.parts(), self.actors[who]
        part = parts[chosen % len(parts)] if parts else self.bugs[chosen % 3]
        root = self.now.root(part)
        tries = {
            "itself": lambda: merging.merge(self.bug(root), self.bug(root), actor=actor),
            "a loop": lambda: merging.merge(self.bug(root), self.bug(part), actor=actor),
            "separate": lambda: merging.unmerge(self.bug(root), actor=actor),
        }
        of_a_part = {
            "merge": lambda: merging.merge(self.bug(part), self.bug(self.bugs[chosen % 3]), actor=actor),
            "move": lambda: transitions.accept(self.bug(part), actor=actor),
            "restrict": lambda: editing.restrict(self.bug(part), True, actor=self.lead),
        }
        tries |= of_a_part if parts else dict.fromkeys(of_a_part, tries["itself"])
        self.act("impossible", tries[what], actor, is_refused=True)
        self.counts["impossible"] += 1

    # --- Telling ---

    @step(always, who=FLIP, chosen=CHOSEN)
    def tell(self, who, chosen):
        of_mine = Announcement.bug_id.in_(self.bugs)
        found = sa.select(Message.id).join(Message.announcement).where(of_mine, Message.state.in_(UNSENT))
        owed = db.session.scalars(found.order_by(Message.id)).all()
        if owed:
            number, actor = owed[chosen % len(owed)], self.actors[who]
            self.act("tell", lambda: messages.tell_by_hand(db.session.get_one(Message, number), actor=actor), actor)

    @step(always)
    def send(self):
        clock.freeze(clock.now() + timedelta(minutes=2))
        with transaction():
            open_due()
        for claimed in outbox.claim():
            inside = sa.select(Message.announcement_id, Message.customer_id).where(Message.delivery_id == claimed.id)
            if attempts.begin_sending(claimed):
                self.sent.update(tuple(row) for row in db.session.execute(inside))
                arrive(claimed)
        self.now = Standing.of(self.bugs)

    # --- What must always hold ---

    @invariant()
    def everything_holds(self):
        db.session.rollback()
        db.session.expire_all()
        owed = defaultdict(list)
        for number, customer in db.session.execute(OWED_NOW, {"ids": self.bugs}):
            owed[number].append(customer)
        for number, bug in self.now.bugs.items():
            assert bug.canonical_id == self.now.root(number)
            unsettled = sorted(self.now.waiting(number)) if bug.merged_into_id is None else []
            assert bug.waiting_count == len(unsettled)
            is_told = bug.merged_into_id is None and bug.status in (Status.LIVE, Status.DECLINED)
            assert sorted(owed[number]) == (unsettled if is_told else [])
        assert {key: times for key, times in self.sent.items() if times > 1} == {}
        readers = (*self.actors, self.lead, self.stranger)
        self.sees_what_exists(readers[self.now.last_event % len(readers)])

    def sees_what_exists(self, reader):
        """The reader finds the bugs that exist for them, and the columns of their board add up to the open ones."""
        exist = self.visible(reader, self.bugs)
        if not reader.can(Role.LEAD):
            assert sorted(db.session.scalars(EXISTING, {"ids": self.bugs, "reader": reader.id})) == sorted(exist)
        columns, _closed = queries.board(Filters(), reader)
        shown = [number for number in self.now.roots(*OPEN) if number in exist]
        assert sum(column.bug_count for column in columns) == len(shown)
        assert sum(column.people_count for column in columns) == sum(len(self.now.waiting(n)) for n in shown)
        assert sorted(card.id for column in columns for card in column.cards) == sorted(shown)
        for column in columns:
            pinned = [self.now.bugs[card.id].is_pinned for card in column.cards]
            assert pinned == sorted(pinned, reverse=True)
        for number in [number for number in self.bugs if number not in exist][:1]:
            with pytest.raises(NotFound):
                self.bug(number, reader)


@pytest.mark.timeout(300)
def test_whatever_two_people_do_everybody_who_waits_is_counted_seen_and_told_once(app, clock):
    make_workspace(review_minutes=0)
    TwoPeople.counts = Counter()
    chosen = settings(stateful_step_count=40, suppress_health_check=list(HealthCheck))
    chosen = settings(chosen, phases=[Phase.explicit, Phase.reuse, Phase.generate])  # to shrink it takes minutes

    for more in (8, *[4] * 9):  # eight examples may see one verb too seldom by chance
        run_state_machine_as_test(TwoPeople, settings=settings(chosen, max_examples=more))
        seldom = {verb: TwoPeople.counts[verb] for verb in VERBS if TwoPeople.counts[verb] < LEAST}
        if not seldom:
            break

    assert seldom == {}
