"""Questions: mailed once in the words of their reader, and taken back while they have not left."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.core.event_kinds import EventKind
from bugintake.intake.models import Bug, News, Question, Status
from bugintake.intake.queries import reports_of
from bugintake.loop import duplicates, messages, queries, replies
from bugintake.loop.models import AnnouncementKind, HeldBecause, Message, MessageState
from bugintake.triage import merging, transitions
from tests.factories import make_bug, make_customer, make_report, make_version, merge
from tests.faults.rig import message_states, work
from tests.loop.outbox.asking import MINUTE, asked, body, bug_of, pass_on, sent
from tests.loop.reading import first_report
from tests.loop.rows import announcement_of, kinds, owed, release, waiting_for

pytestmark = pytest.mark.long_on("postgres")

FRIDAY_5_PM = datetime(2026, 3, 13, 17, 0, tzinfo=UTC)


def test_a_question_is_mailed_after_its_minute_and_everybody_waits_on(sink, clock, mira):
    bug = bug_of("hana@example.com", actual="The VAT line is missing. Only the total is there.")
    asked(bug, mira)

    work()
    assert sent(sink) == []
    clock.advance(MINUTE)
    assert [work(), work()] == [1, 0]

    assert sent(sink) == [("hana@example.com", "One question about “The VAT line is missing”")]
    assert "need one thing from you: > Which browser?" in body(sink)
    assert "If we do not hear from you by 17 March, we pause it" in body(sink)
    assert (waiting_for(bug), message_states()) == (1, {"sent": 1})
    assert first_report(bug).settled_at is None


def test_the_link_of_the_mail_leads_to_where_it_is_answered(app, sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    clock.advance(MINUTE)
    work()
    path = re.findall(r"https://bugs.example.com(/s/\S+?/r/[\w-]+)", body(sink))[0]

    customer = app.test_client()
    page = customer.get(path, base_url="https://bugs.example.com", follow_redirects=True)

    assert "Which browser?" in page.text and "Your answer" in page.text


def test_it_is_written_in_the_language_of_its_reader(sink, clock, mira):
    asked(bug_of("hana@example.com", language="de"), mira, language="de")
    clock.advance(MINUTE)
    work()

    assert sent(sink)[0][1].startswith("Eine Frage zu „")
    assert "halten wir es an" in body(sink)


def test_who_reads_another_language_is_asked_once_somebody_has_said_how(sink, clock, mira):
    bug = bug_of("hana@example.com", language="de")
    asked(bug, mira)
    clock.advance(MINUTE)
    work()
    assert owed(bug) == [("hana@example.com", MessageState.HELD, HeldBecause.NO_NOTE)]

    with transaction():
        messages.release_held(db.session.scalars(sa.select(Message)).one(), actor=mira, language="en")
    work()

    assert sent(sink)[0][1].startswith("One question about")


def test_an_answer_within_the_minute_leaves_nothing_to_send(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    with transaction():
        replies.answer(first_report(bug), "Firefox")

    clock.advance(MINUTE)
    work()

    assert (sent(sink), message_states()) == ([], {"cancelled": 1})
    assert db.session.get_one(Bug, bug.id).status == Status.NEW


@pytest.mark.parametrize("verb", ["accept", "start"])
def test_what_moves_a_bug_on_takes_the_question_back_even_after_it_was_let_go(sink, clock, mira, verb):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    clock.advance(MINUTE)
    release()
    with transaction():
        getattr(transitions, verb)(bug, actor=mira)

    work()

    assert (sent(sink), message_states()) == ([], {"cancelled": 1})


def test_whoever_was_not_asked_because_of_a_move_is_asked_when_it_is_undone(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    with transaction():
        transitions.accept(bug, actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)
    clock.advance(MINUTE)

    assert [work(), work()] == [1, 0]


def test_a_question_is_undone_while_it_has_not_left_and_not_after(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    with transaction():
        transitions.undo(bug, actor=mira)
    clock.advance(MINUTE)
    work()
    assert (sent(sink), bug.status, db.session.scalar(sa.select(Question.id))) == ([], Status.NEW, None)

    asked(bug, mira)
    clock.advance(MINUTE)
    work()
    with pytest.raises(Conflict, match="has been sent already"), transaction():
        transitions.undo(bug, actor=mira)

    db.session.rollback()
    assert len(sent(sink)) == 1
    assert db.session.scalars(sa.select(Question.text)).all() == ["Which browser?"]


def test_one_question_to_everybody_is_one_mail_each_and_the_first_answer_is_enough(sink, clock, mira):
    bug = bug_of("hana@example.com", "sam@example.com", "ole@example.com")
    with transaction():
        first, *also = reports_of(bug)
        transitions.ask(bug, first, "Which browser?", actor=mira, is_for_customer=True, also=also)
    clock.advance(MINUTE)
    work()
    assert sorted(recipient for recipient, _ in sent(sink)) == [
        "hana@example.com",
        "ole@example.com",
        "sam@example.com",
    ]

    with transaction():
        replies.answer(also[0], "Firefox")
    pass_on(clock, FRIDAY_5_PM)

    assert (len(sent(sink)), db.session.get_one(Bug, bug.id).status) == (3, Status.NEW)


def test_who_has_no_address_is_asked_by_hand_and_waits_on(sink, clock, mira):
    bug = make_bug(waiting=[make_customer("Otto", email="")])
    asked(bug, mira)
    clock.advance(MINUTE)
    work()
    assert owed(bug) == [(None, MessageState.HELD, HeldBecause.NO_ADDRESS)]

    with transaction():
        messages.tell_by_hand(db.session.scalars(sa.select(Message)).one(), actor=mira)

    assert (waiting_for(bug), message_states()) == (1, {"told_by_hand": 1})


def test_who_wants_no_mail_about_it_gets_no_question_and_waits_on(sink, clock, mira):
    bug = bug_of("hana@example.com")
    with transaction():
        replies.unsubscribe(first_report(bug))
    asked(bug, mira)
    clock.advance(MINUTE)
    work()

    assert (sent(sink), waiting_for(bug), message_states()) == ([], 1, {"suppressed": 1})


def test_unsubscribing_before_a_question_leaves_stops_it_and_nobody_settles(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    with transaction():
        replies.unsubscribe(first_report(bug))
    clock.advance(MINUTE)
    work()

    assert (sent(sink), waiting_for(bug)) == ([], 1)


def test_a_question_and_an_outcome_leave_in_mails_of_their_own(sink, clock, mira):
    hana = make_customer("Hana", email="hana@example.com")
    asked(make_bug(waiting=[hana]), mira)
    clock.advance(MINUTE)
    make_bug(Status.LIVE, waiting=[hana])
    work()

    assert sorted(subject.split()[0] for _, subject in sent(sink)) == ["Fixed:", "One"]


def test_who_was_asked_is_told_the_outcome_too(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    clock.advance(MINUTE)
    work()
    with transaction():
        transitions.fix(bug, {"en": "It is back."}, make_version(live_since=clock.now()), actor=mira)
    work()

    assert [subject.split()[0] for _, subject in sent(sink)] == ["One", "Fixed:"]
    assert (waiting_for(bug), announcement_of(bug).kind) == (0, AnnouncementKind.LIVE)


# --- A bug that becomes part of another one meanwhile ---


def of_two(*, whole=Status.NEW, **values):
    """A bug whose customer is asked, and another one."""
    return bug_of("hana@example.com", **values), make_bug(whole, waiting=[make_customer(email="")])


def statuses(*bugs):
    return [db.session.get_one(Bug, bug.id, populate_existing=True).status for bug in bugs]


@pytest.mark.parametrize("whole", [Status.NEW, Status.ACCEPTED, Status.NEEDS_INFO])
def test_whoever_is_asked_about_a_part_is_asked_all_the_same(sink, clock, mira, whole):
    part, into = of_two(whole=whole)
    asked(part, mira)
    merge(part, into, actor=mira)
    clock.advance(MINUTE)
    work()

    assert sent(sink) == [("hana@example.com", "One question about “The VAT line is missing”")]
    assert rows_told(into) == [("hana@example.com", MessageState.SENT, "")]


@pytest.mark.parametrize("whole", [Status.FIXED, Status.LIVE, Status.DECLINED])
def test_a_question_is_taken_back_and_that_is_said_where_nothing_is_to_be_found_out(sink, clock, mira, whole):
    part, into = of_two(whole=whole)
    asked(part, mira)
    merge(part, into, actor=mira)
    clock.advance(MINUTE)
    work()

    assert "One question" not in str(sent(sink))
    reason = f"{part.ref} became part of {into.ref}, which needs no answer."
    assert ("hana@example.com", MessageState.CANCELLED, reason) in rows_told(into)


def end(into, mira):
    transitions.fix(into, {"en": "Back."}, make_version(), actor=mira)


def answer_it(into, mira):
    question = db.session.scalars(sa.select(Question)).one()
    transitions.answer(question, "Firefox", actor=mira)


@pytest.mark.parametrize("verb", [end, answer_it])
@pytest.mark.parametrize("is_let_go", [False, True])
def test_a_question_about_a_part_is_not_mailed_once_the_whole_needs_no_answer(sink, clock, mira, verb, is_let_go):
    part, into = of_two()
    asked(part, mira)
    merge(part, into, actor=mira)
    if is_let_go:
        clock.advance(MINUTE)
        release()
    with transaction():
        verb(into, mira)
    clock.advance(MINUTE)
    work()

    assert sent(sink) == []
    assert [state for _, state, _ in rows_told(into)] == [MessageState.CANCELLED]


def test_whoever_was_not_asked_because_of_a_merge_is_asked_when_it_is_undone(sink, clock, mira):
    part, into = of_two(whole=Status.DECLINED)
    asked(part, mira)
    merge(part, into, actor=mira)
    with transaction():
        merging.unmerge(part, actor=mira)
    clock.advance(MINUTE)
    work()

    assert sent(sink) == [("hana@example.com", "One question about “The VAT line is missing”")]


def test_a_question_that_nobody_worded_yet_goes_with_the_end_of_the_whole_and_comes_back_with_its_undo(clock, mira):
    part, into = of_two(language="de")
    asked(part, mira)
    merge(part, into, actor=mira)
    states = []
    with transaction():
        end(into, mira)
        states += rows_told(into)
    with transaction():
        transitions.undo(into, actor=mira)

    assert states == [("hana@example.com", MessageState.CANCELLED, "")]
    assert [(state, reason) for _, state, reason in rows_told(into)] == [
        (MessageState.HELD, ""),
        (MessageState.CANCELLED, ""),
    ]
    assert statuses(part, into) == [Status.NEEDS_INFO, Status.NEW]


def test_an_earlier_question_that_was_never_mailed_is_not_asked_because_of_another_undo(sink, clock, mira):
    bug = bug_of("hana@example.com")
    asked(bug, mira)
    with transaction():
        transitions.accept(bug, actor=mira)
    with transaction():
        transitions.start(bug, actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert rows_told(bug) == [("hana@example.com", MessageState.CANCELLED, "")]
    clock.advance(MINUTE)
    work()
    assert sent(sink) == []


def test_an_answer_about_a_part_leaves_the_whole_waiting_for_its_own(clock, mira):
    part, into = of_two()
    first = asked(part, mira)
    make_report(make_customer(), bug=into)
    with transaction():
        transitions.accept(into, actor=mira)
        own = transitions.ask(into, reports_of(into)[-1], "Which version?", actor=mira, is_for_customer=True)
    merge(part, into, actor=mira)
    with transaction():
        replies.answer(first.report, "Firefox")

    assert statuses(part, into) == [Status.NEEDS_INFO, Status.NEEDS_INFO]
    assert kinds(into)[-1] == EventKind.REPORT_ANSWERED
    with transaction():
        replies.answer(own.report, "4.2")
    assert statuses(part, into) == [Status.NEEDS_INFO, Status.ACCEPTED]


def test_an_answer_to_an_earlier_question_leaves_a_bug_waiting_for_the_later_one(clock, mira):
    bug = bug_of("hana@example.com", "urs@example.com")
    first = asked(bug, mira)
    with transaction():
        transitions.accept(bug, actor=mira)
        transitions.ask(bug, reports_of(bug)[-1], "Which version?", actor=mira, is_for_customer=True)
        replies.answer(first.report, "Firefox")

    assert statuses(bug) == [Status.NEEDS_INFO]


def test_a_part_that_was_answered_meanwhile_waits_no_longer_when_it_stands_for_itself_again(sink, clock, mira):
    part, into = of_two()
    question = asked(part, mira)
    merge(part, into, actor=mira)
    with transaction():
        replies.answer(question.report, "Firefox")
    with transaction():
        merging.unmerge(part, actor=mira)

    assert statuses(part, into) == [Status.NEW, Status.NEW]
    assert db.session.get_one(Bug, part.id).news is News.ANSWERED
    clock.advance(MINUTE)
    work()
    assert sent(sink) == []


def test_the_preview_of_a_merge_takes_no_question_back_that_is_asked_all_the_same(clock, mira):
    part, into = of_two()
    asked(part, mira)
    closed = make_bug(Status.FIXED)

    assert duplicates.effects([part], into) == []
    assert duplicates.effects([part], closed) == [f"What 1 person would have been told of {part.ref} is taken back."]


def rows_told(bug):
    return [(row.message.customer.email, row.message.state, row.message.reason) for row in queries.told_about(bug)]
