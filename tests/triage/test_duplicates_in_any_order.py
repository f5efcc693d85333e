"""Filing, attaching, merging, separating, splitting, moving and telling, by two people in any order."""

from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import waiting
from bugintake.intake.models import OPEN, Bug, Report, Status
from bugintake.loop import announcements, attempts, messages, outbox, replies
from bugintake.loop.duplicates import UNSENT
from bugintake.loop.envelopes import OWED, open_due
from bugintake.loop.models import Announcement, Message, MessageState
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.triage import merging, queries, splitting, transitions
from bugintake.triage.queries import Filters
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace, merge

PLACES = st.integers(0, 5)
WHO = st.integers(0, 1)
SOME = st.integers(0, 3)


@pytest.fixture(name="settings")
def _settings(settings):
    return replace(settings, smtp_url="smtp://127.0.0.1:9")


class Duplicates(RuleBasedStateMachine):
    """Some bugs and four customers; every rule is one verb, which may refuse."""

    @initialize()
    def begin(self):
        self.actors = [make_user(), make_user()]
        self.people = [make_customer() for _ in range(4)]
        self.bugs, self.sent = [], Counter()
        for bug in db.session.scalars(sa.select(Bug).where(Bug.withdrawn_at.is_(None))).all():
            with transaction():
                bug.withdrawn_at = bug.filed_at  # of another example
        for number in range(3):
            waiting_for_it = [self.people[number], self.people[number + 1]]
            self.bugs.append(make_bug(waiting=waiting_for_it, actor=self.actors[0]).id)
        self.merged, self.splits = 0, 0

    def bug(self, place):
        return db.session.get_one(Bug, self.bugs[place % len(self.bugs)], populate_existing=True)

    def report(self, place, who):
        found = db.session.scalars(waiting.reports_under(self.bug(place).canonical_id).order_by(Report.id)).all()
        return found[who % len(found)] if found else None

    def verb(self, call):
        """Do one thing, if the rules allow it."""
        try:
            with transaction():
                return call()
        except Conflict:
            return None

    @rule(who=WHO, some=SOME)
    def file(self, who, some):
        if len(self.bugs) < 5:
            self.bugs.append(make_bug(waiting=[self.people[some]], actor=self.actors[who]).id)

    @rule(place=PLACES, who=WHO, some=SOME)
    def attach(self, place, who, some):
        self.verb(lambda: make_report(self.people[some], bug=self.bug(place), actor=self.actors[who]))

    @rule(place=PLACES, further=SOME, who=WHO)
    def merge(self, place, further, who):
        into = place % len(self.bugs) + 1 + further % (len(self.bugs) - 1)
        merged = self.verb(lambda: merging.merge(self.bug(place), self.bug(into), actor=self.actors[who]))
        self.merged += merged is not None

    @precondition(lambda self: self.merged)
    @rule(place=PLACES, who=WHO)
    def separate(self, place, who):
        parts = [number for number in range(len(self.bugs)) if self.bug(number).merged_into_id is not None]
        chosen = parts[place % len(parts)] if parts else place
        self.verb(lambda: merging.unmerge(self.bug(chosen), actor=self.actors[who]))

    @rule(place=PLACES, which=SOME, who=WHO)
    def split(self, place, which, who):
        report = self.report(place, which)
        if report is not None and len(self.bugs) < 6:
            new = self.verb(lambda: splitting.split(report, "Another problem", actor=self.actors[who]))
            self.bugs += [new.id] if new is not None else []
            self.splits += new is not None

    @precondition(lambda self: self.splits)
    @rule(place=PLACES, who=WHO)
    def rejoin(self, place, who):
        self.verb(lambda: splitting.rejoin(self.bug(place), actor=self.actors[who]))

    @rule(
        place=PLACES,
        who=WHO,
        to=st.sampled_from([Status.LIVE, Status.DECLINED, Status.FIXED, Status.ACCEPTED]),
    )
    def move(self, place, who, to):
        self.verb(lambda: bring_to(self.bug(place), to, actor=self.actors[who]))

    @rule(
        place=PLACES, who=WHO, verb=st.sampled_from([transitions.come_back, transitions.reconsider, transitions.undo])
    )
    def go_back(self, place, who, verb):
        self.verb(lambda: verb(self.bug(place), actor=self.actors[who]))

    @rule(place=PLACES, which=SOME, verb=st.sampled_from([replies.works_now, replies.still_happening]))
    def say(self, place, which, verb):
        report = self.report(place, which)
        if report is not None:
            self.verb(lambda: verb(report))

    @rule(which=SOME, who=WHO)
    def tell_by_hand(self, which, who):
        of_mine = Announcement.bug_id.in_(self.bugs)
        found = sa.select(Message).join(Message.announcement).where(of_mine, Message.state.in_(UNSENT))
        owed = db.session.scalars(found.order_by(Message.id)).all()
        if owed:
            self.verb(lambda: messages.tell_by_hand(owed[which % len(owed)], actor=self.actors[who]))

    @rule()
    def send(self):
        self.verb(open_due)
        for claimed in outbox.claim():
            inside = sa.select(Message.announcement_id, Message.customer_id).where(Message.delivery_id == claimed.id)
            if attempts.begin_sending(claimed):
                self.sent.update(tuple(row) for row in db.session.execute(inside))
                attempts.finish(claimed, Outcome(Verdict.SENT, Phase.DATA, 250))

    @invariant()
    def everything_holds(self):
        db.session.rollback()
        db.session.expire_all()
        bugs = [self.bug(place) for place in range(len(self.bugs))]
        for bug in bugs:
            self.stands_for_the_last_one(bug)
            unsettled = self.unsettled(bug)
            assert bug.waiting_count == len(unsettled)
            owed = self.owed(bug)
            if bug.merged_into_id is None and bug.status in (Status.LIVE, Status.DECLINED):
                assert sorted(owed) == sorted(unsettled)
            else:
                assert owed == []
        self.columns_add_up(bugs)
        assert {key: times for key, times in self.sent.items() if times > 1} == {}

    def stands_for_the_last_one(self, bug):
        steps = [bug]
        while steps[-1].merged_into_id is not None:
            steps.append(db.session.get_one(Bug, steps[-1].merged_into_id))
            assert len(steps) <= len(self.bugs)
        assert bug.canonical_id == steps[-1].id

    def unsettled(self, bug):
        wait = waiting.unsettled_under(bug.id).with_only_columns(Report.customer_id).distinct()
        return list(db.session.scalars(wait))

    def owed(self, bug):
        """Whom the present outcome of a bug is still owed."""
        announcement = announcements.current(bug)
        if announcement is None:
            return []
        about = sa.select(Message.customer_id).where(Message.announcement_id == announcement.id)
        return list(db.session.scalars(about.where(Message.state.in_(OWED))))

    def columns_add_up(self, bugs):
        columns, _closed = queries.board(Filters(), self.actors[0])
        shown = [b for b in bugs if b.status in OPEN and b.merged_into_id is None and b.withdrawn_at is None]
        assert sum(column.bug_count for column in columns) == len(shown)
        assert sum(column.people_count for column in columns) == sum(bug.waiting_count for bug in shown)


def test_whatever_two_people_do_with_duplicates_everybody_who_waits_is_counted_and_told_once(app, clock):
    make_workspace(review_minutes=0)
    chosen = settings(max_examples=30, stateful_step_count=20, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Duplicates, settings=chosen)


MEANWHILE = st.lists(
    st.sampled_from(["live", "decline", "reopen", "come back", "undo", "attach", "tell", "send", "merge", "separate"]),
    max_size=8,
)


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(steps=MEANWHILE)
def test_separating_gives_back_exactly_its_own_people_whatever_happened_meanwhile(app, clock, steps):
    make_workspace(review_minutes=0)
    actor, hana, sam, ole = make_user(), make_customer(), make_customer(), make_customer()
    part, whole, other = make_bug(waiting=[hana, sam]), make_bug(waiting=[sam]), make_bug(waiting=[ole])
    merge(part, whole)
    for step in steps:
        try:
            with transaction():
                meanwhile(step, whole, other, actor)
        except Conflict:
            db.session.rollback()

    with transaction():
        merging.unmerge(part, actor=actor)

    wait = waiting.unsettled_under(part.id).with_only_columns(Report.customer_id)
    assert sorted(db.session.scalars(wait)) == sorted([hana.id, sam.id])
    filed = sa.select(Report.customer_id).where(Report.bug_id == part.id)
    assert sorted(db.session.scalars(filed)) == sorted([hana.id, sam.id])
    assert (part.canonical_id, part.waiting_count, part.status) == (part.id, 2, Status.NEW)


def meanwhile(step, whole, other, actor):
    """Do one thing to the bug that another one is a part of."""
    message = sa.select(Message).join(Message.announcement).where(Announcement.bug_id == whole.id)
    owed = db.session.scalars(message.where(Message.state == MessageState.PENDING).order_by(Message.id)).first()
    change = {
        "live": lambda: bring_to(whole, Status.LIVE, actor=actor),
        "decline": lambda: bring_to(whole, Status.DECLINED, actor=actor),
        "reopen": lambda: transitions.reconsider(whole, actor=actor),
        "come back": lambda: transitions.come_back(whole, actor=actor),
        "undo": lambda: transitions.undo(whole, actor=actor),
        "attach": lambda: make_report(make_customer(), bug=whole, actor=actor),
        "tell": lambda: messages.tell_by_hand(owed, actor=actor) if owed else None,
        "send": open_due,
        "merge": lambda: merging.merge(whole, other, actor=actor),
        "separate": lambda: merging.unmerge(whole, actor=actor),
    }[step]
    change()
