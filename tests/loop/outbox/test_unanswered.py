"""Questions that nobody answers: reminded of once, then the bug is paused until an answer comes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.intake.models import Bug, News, Status
from bugintake.loop import asking, replies
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.factories import make_bug, make_customer, make_report, make_user, make_workspace
from tests.faults.rig import work
from tests.loop.outbox.asking import MINUTE, asked, body, bug_of, pass_on, sent
from tests.loop.reading import first_report
from tests.loop.rows import kinds, last_event, waiting_for

pytestmark = pytest.mark.long_on("postgres")

THURSDAY_9 = datetime(2026, 3, 12, 9, 0, tzinfo=UTC)
FRIDAY_5_PM = datetime(2026, 3, 13, 17, 0, tzinfo=UTC)
INSTANT = timedelta.resolution
NEXT_WEDNESDAY = datetime(2026, 3, 18, 17, 0, tzinfo=UTC)


def test_three_working_days_later_they_are_reminded_once_and_then_it_is_paused_until_they_answer(sink, clock, mira):
    bug = bug_of("hana@example.com", actual="The VAT line is missing.")
    asked(bug, mira)
    clock.advance(MINUTE)
    work()
    pass_on(clock, THURSDAY_9)
    assert len(sent(sink)) == 1

    pass_on(clock, FRIDAY_5_PM)
    pass_on(clock, FRIDAY_5_PM + MINUTE)
    assert [subject for _, subject in sent(sink)[1:]] == ["Still one question about “The VAT line is missing”"]
    assert db.session.get_one(Bug, bug.id).paused_at is None

    pass_on(clock, NEXT_WEDNESDAY + MINUTE)
    pass_on(clock, NEXT_WEDNESDAY + timedelta(days=30))
    assert sorted(sent(sink)[2:]) == sorted(
        [
            ("hana@example.com", "About “The VAT line is missing”: we have paused it"),
            (mira.email, f"{bug.ref} is paused: nobody answered"),
        ]
    )
    paused = db.session.get_one(Bug, bug.id)
    assert (paused.status, paused.paused_at, waiting_for(bug)) == (Status.NEEDS_INFO, NEXT_WEDNESDAY + MINUTE, 1)
    assert [kind for kind in kinds(bug) if kind in (EventKind.BUG_REMINDED, EventKind.BUG_PAUSED)] == [
        EventKind.BUG_REMINDED,
        EventKind.BUG_PAUSED,
    ]

    with transaction():
        replies.answer(first_report(bug), "Firefox")
    answered = db.session.get_one(Bug, bug.id, populate_existing=True)
    assert (answered.status, answered.paused_at, answered.news) == (Status.NEW, None, News.ANSWERED)


@pytest.mark.parametrize(
    ("zone", "asked_at", "reminded_at", "paused_at"),
    [
        ("UTC", "2026-03-10 09:00", "2026-03-12 17:00", "2026-03-17 17:00"),  # a Tuesday, nothing between
        ("UTC", "2026-03-12 14:00", "2026-03-17 14:00", "2026-03-20 14:00"),  # a Thursday: over the weekend
        ("UTC", "2026-03-13 17:00", "2026-03-18 17:00", "2026-03-23 17:00"),  # a Friday when work ends
        ("UTC", "2026-03-14 12:00", "2026-03-18 17:00", "2026-03-23 17:00"),  # a Saturday counts from Monday
        ("Europe/Berlin", "2026-03-26 15:00", "2026-03-31 14:00", "2026-04-03 14:00"),  # the clocks change on Sunday
        ("America/New_York", "2026-03-13 20:30", "2026-03-18 20:30", "2026-03-23 20:30"),  # still at work there
        ("Asia/Tokyo", "2026-03-13 08:30", "2026-03-18 08:00", "2026-03-23 08:00"),  # the weekend has begun there
    ],
)
def test_the_reminder_and_the_pause_come_after_three_working_days_where_the_company_is(
    clock, mira, zone, asked_at, reminded_at, paused_at
):
    hours = {"zone": zone, "opens_at": time(9), "closes_at": time(17), "working_days": [0, 1, 2, 3, 4]}
    make_workspace(**hours)
    asked_at, reminded_at, paused_at = (
        datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (asked_at, reminded_at, paused_at)
    )
    clock.set(asked_at)
    bug = bug_of("hana@example.com")
    with transaction():
        first_report(bug).customer.zone = "Pacific/Auckland"  # when they work is not what is asked
    asked(bug, mira)

    def has_happened(at):
        clock.set(at)
        count = asking.follow_up(at)
        found = [kind for kind in kinds(bug) if kind in (EventKind.BUG_REMINDED, EventKind.BUG_PAUSED)]
        return count, found

    assert has_happened(reminded_at) == (0, [])
    assert has_happened(reminded_at + INSTANT) == (1, [EventKind.BUG_REMINDED])
    assert has_happened(paused_at) == (0, [EventKind.BUG_REMINDED])
    assert has_happened(paused_at + 2 * INSTANT) == (1, [EventKind.BUG_REMINDED, EventKind.BUG_PAUSED])
    assert has_happened(paused_at + timedelta(days=30)) == (0, [EventKind.BUG_REMINDED, EventKind.BUG_PAUSED])


def test_whoever_asked_and_whoever_was_asked_hear_that_it_is_paused_while_it_is(sink, clock, mira):
    lea = make_user(Role.AGENT, "Lea Agent", email="lea@team.test")
    bug, hidden, answered = make_bug(actor=lea), make_bug(actor=lea), make_bug(actor=lea)
    with transaction():
        *_, late = [transitions.ask(each, first_report(each), "Which?", actor=mira) for each in (bug, hidden, answered)]
        editing.restrict(hidden, True, actor=lea)
    pass_on(clock, FRIDAY_5_PM)
    before = len(sent(sink))

    clock.set(NEXT_WEDNESDAY + MINUTE)
    asking.follow_up(clock.now())
    with transaction():
        transitions.answer(late, "Firefox", actor=lea)
    work()

    paused = {each: f"{each.ref} is paused: nobody answered" for each in (bug, hidden)}
    told = [(lea.email, paused[bug]), (mira.email, paused[bug]), (lea.email, paused[hidden])]
    assert sorted(sent(sink)[before:]) == sorted(told)
    assert sum("Which?" in body(sink, number) for number in range(before, len(sent(sink)))) == 2


def test_a_paused_bug_goes_on_when_somebody_else_tells_of_it(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    pass_on(clock, FRIDAY_5_PM)
    pass_on(clock, NEXT_WEDNESDAY + MINUTE)

    make_report(make_customer(), bug=bug)

    found = db.session.get_one(Bug, bug.id, populate_existing=True)
    assert (found.paused_at, found.news) == (None, News.WOKEN)


def test_whoever_filed_it_is_asked_reminded_and_left_in_peace_once_it_is_answered(sink, clock, mira):
    lea = make_user(Role.AGENT, "Lea Agent", email="lea@team.test")
    bug = make_bug(actor=lea)
    with transaction():
        question = transitions.ask(bug, first_report(bug), "Which browser?", actor=mira)
    work()
    pass_on(clock, FRIDAY_5_PM)
    assert sent(sink) == [
        ("lea@team.test", f"One question about {bug.ref}"),
        ("lea@team.test", f"Still one question about {bug.ref}"),
    ]
    assert "Mira has a question about what" in body(sink) and "> Which browser?" in body(sink)

    with transaction():
        transitions.answer(question, "Firefox", actor=lea)
    pass_on(clock, NEXT_WEDNESDAY + MINUTE)

    assert len(sent(sink)) == 2
    assert last_event(EventKind.BUG_PAUSED) is None


def test_who_asks_about_their_own_report_is_not_mailed(sink, clock, mira):
    bug = make_bug(actor=mira)
    with transaction():
        transitions.ask(bug, first_report(bug), "Which browser?", actor=mira)
    work()

    assert sent(sink) == []


def test_of_a_restricted_bug_the_number_alone_leaves_the_house(sink, clock, mira):
    lea = make_user(Role.AGENT, "Lea Agent", email="lea@team.test")
    bug = make_bug(actor=lea)
    with transaction():
        bug.is_restricted, bug.title = True, "Canary"
        transitions.ask(bug, first_report(bug), "Which canary?", actor=mira)
    work()

    assert sent(sink) == [("lea@team.test", f"One question about {bug.ref}")]
    assert "anary" not in body(sink)
