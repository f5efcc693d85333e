"""What a mail that came in does: once, in one transaction, and only to whom its address names."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.intake.customers import erasing
from bugintake.intake.models import Bug, Question, Remark, Report, SettledBy, Status
from bugintake.loop import messages, replies
from bugintake.loop.inbound.reading import read
from bugintake.loop.inbound.taking_in import MOST_ANSWERS, NotYet, take_in
from bugintake.loop.inbound_models import Did, InboundKind, InboundMail
from bugintake.loop.models import LEAVING, DeliveryState, MessageState
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.factories import make_bug, make_customer, make_user, merge
from tests.faults.rig import message_states, states, the_delivery, the_message, work
from tests.loop.inbound.mails import answered, returned
from tests.loop.inbound.sending import comes_back, grace, questioned, told
from tests.loop.reading import first_report
from tests.loop.rows import kinds, waiting_for

pytestmark = [pytest.mark.usefixtures("holds"), pytest.mark.long_on("postgres")]


def remarks() -> list[str]:
    return list(db.session.scalars(sa.select(Remark.text).order_by(Remark.id)))


def noted() -> list[tuple[InboundKind, Did]]:
    rows = db.session.execute(sa.select(InboundMail.kind, InboundMail.did).order_by(InboundMail.id))
    return [tuple(row) for row in rows]


# --- What could not be delivered -------------------------------------------------------------------------------------


def test_a_hard_bounce_ends_the_address_and_shows_that_somebody_was_not_told(sink):
    sent = told(sink)

    assert comes_back(returned(sent.bounces)) is Did.SUPPRESSED

    reason = "The address does not exist (5.1.1): needs another way."
    assert (grace().suppressed_at is not None, grace().suppressed_because) == (True, reason)
    assert (the_message().state, the_message().reason) == (MessageState.SUPPRESSED, reason)
    assert first_report(sent.bug).settled_by is SettledBy.SUPPRESSED
    assert {EventKind.ADDRESS_SUPPRESSED, EventKind.MESSAGE_SUPPRESSED} <= set(
        db.session.scalars(sa.select(sa.text("kind")).select_from(sa.text("events")))
    )
    assert noted() == [(InboundKind.HARD_BOUNCE, Did.SUPPRESSED)]


def test_nobody_is_mailed_at_an_address_that_came_back(sink):
    comes_back(returned(told(sink).bounces))

    make_bug(Status.LIVE, waiting=[grace()])
    work()

    assert len(sink.accepted) == 1
    assert message_states() == {"suppressed": 2}


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        ("5.2.2", "552 5.2.2 Mailbox full", "the mailbox is full or closed (5.2.2)"),
        ("5.7.1", "550 5.7.1 rejected as spam", "their mail server refused it (5.7.1)"),
        ("5.4.4", "Host not found", "the part after the @ takes no mail (5.4.4)"),
        ("4.4.7", "451 4.4.7 timed out", "their mail server did not take it in time (4.4.7)"),
        ("4.1.1", "450 4.1.1 User unknown", "the address does not exist (4.1.1)"),
    ],
)
def test_what_came_back_for_another_reason_waits_for_a_person_and_ends_no_address(sink, status, said, why):
    sent = told(sink)

    assert comes_back(returned(sent.bounces, status=status, said=said)) is Did.FAILED

    assert grace().suppressed_at is None
    assert (the_message().state, the_message().reason) == (MessageState.FAILED, f"It came back: {why}.")
    assert waiting_for(sent.bug) == 1
    message, actor = the_message(), make_user()
    with transaction():
        messages.send_again(message, actor=actor)
    assert states() == {"pending": 1}
    sink.accepted.clear()
    work()
    assert (message_states(), waiting_for(sent.bug)) == ({"sent": 1}, 0)


def test_a_delay_is_noted_and_changes_nothing(sink):
    sent = told(sink)

    assert comes_back(returned(sent.bounces, status="4.4.7", said="try later", action="delayed")) is Did.NOTHING
    assert (message_states(), grace().suppressed_at) == ({"sent": 1}, None)
    assert noted() == [(InboundKind.SOFT_BOUNCE, Did.NOTHING)]


@pytest.mark.parametrize("to", ["support@fakturo.example", "support+b1.aaaaaaaaaaaaaaaaaaaaaaaa@fakturo.example"])
@pytest.mark.fault("F-I1")
def test_a_bounce_without_an_address_of_ours_ends_nobodys(sink, to):
    told(sink)

    assert comes_back(returned(to)) is None
    assert (grace().suppressed_at, noted()) == (None, [])


def test_an_address_for_answers_takes_no_bounces_and_one_for_bounces_no_answers(sink):
    sent = told(sink)

    assert comes_back(returned(sent.answers)) is Did.NOTHING
    assert comes_back(answered("It works.", sent.bounces)) is Did.NOTHING
    assert (grace().suppressed_at, remarks(), message_states()) == (None, [], {"sent": 1})


def test_a_bounce_of_another_address_ends_not_this_one(sink):
    sent = told(sink)

    assert comes_back(returned(sent.bounces, recipient="somebody@passed-on.example")) is Did.FAILED
    assert grace().suppressed_at is None


def test_a_bounce_that_comes_again_does_nothing_again(sink):
    sent = told(sink)
    raw = returned(sent.bounces)
    comes_back(raw)
    with transaction():
        customer = grace()
        customer.suppressed_at, customer.suppressed_because = None, ""

    assert comes_back(raw) is Did.NOTHING
    assert (grace().suppressed_at, len(noted())) == (None, 1)


@pytest.mark.parametrize("envelope", LEAVING)
def test_a_bounce_that_is_faster_than_our_own_note_comes_again_later(sink, envelope):
    sent = told(sink)
    delivery = the_delivery()
    with transaction():
        delivery.state = envelope

    with pytest.raises(NotYet):
        take_in(read(returned(sent.bounces)))
    with transaction():
        delivery.state = DeliveryState.SENT
    assert comes_back(returned(sent.bounces)) is Did.SUPPRESSED


def test_a_bounce_settles_nobody_anew_who_said_that_it_works(sink):
    sent = told(sink)
    with transaction():
        report = first_report(sent.bug)
        report.settled_by = SettledBy.WORKS_NOW

    comes_back(returned(sent.bounces, status="5.2.2", said="full"))
    assert (first_report(sent.bug).settled_by, waiting_for(sent.bug)) == (SettledBy.WORKS_NOW, 0)


def test_a_bounce_of_an_outcome_taken_back_meanwhile_leaves_who_waits(sink):
    sent = told(sink)
    with transaction():
        replies.still_happening(first_report(sent.bug))
    before = waiting_for(sent.bug)

    comes_back(returned(sent.bounces))
    assert (waiting_for(sent.bug), message_states()) == (before, {"suppressed": 1})


# --- What machines and people answer ---------------------------------------------------------------------------------


@pytest.mark.fault("F-I1")
def test_a_machine_that_answers_is_noted_and_gets_no_answer(sink):
    sent = told(sink)

    assert comes_back(answered("I am away.", sent.answers, headers="Auto-Submitted: auto-replied")) is Did.NOTHING
    work()
    assert (remarks(), len(sink.accepted)) == ([], 1)
    assert noted() == [(InboundKind.AUTOMATIC, Did.NOTHING)]


def test_an_answer_to_a_question_ends_the_waiting_for_it(sink, clock, mira):
    sent = questioned(sink, clock, mira)

    text = "Firefox 140.\n\nOn 10 March, Fakturo <support@fakturo.example> wrote:\n> Which browser?"
    assert comes_back(answered(text, sent.answers)) is Did.ANSWERED

    question = db.session.scalars(sa.select(Question)).one()
    assert (question.answer, question.answered_at is not None) == ("Firefox 140.", True)
    assert db.session.get_one(Bug, sent.bug.id).status is Status.NEW
    assert kinds(sent.bug)[-1] is EventKind.BUG_ANSWERED


def test_a_second_answer_becomes_a_remark_so_that_no_words_are_lost(sink, clock, mira):
    sent = questioned(sink, clock, mira)
    comes_back(answered("Firefox.", sent.answers))

    assert comes_back(answered("No, Safari.", sent.answers, number="2")) is Did.REMARKED
    assert remarks() == ["No, Safari."]


def test_an_answer_to_an_outcome_is_a_remark_and_guesses_nothing(sink):
    sent = told(sink)

    assert comes_back(answered("It still happens!", sent.answers)) is Did.REMARKED

    assert remarks() == ["It still happens!"]
    assert db.session.get_one(Bug, sent.bug.id).status is Status.LIVE
    assert first_report(sent.bug).settled_by is SettledBy.TOLD
    assert EventKind.REPORT_REMARKED in kinds(sent.bug)


@pytest.mark.fault("F-I1")
def test_a_sender_proves_nothing(sink):
    told(sink)

    assert comes_back(answered("Cancel everything.", "support@fakturo.example", sender="grace@example.org")) is None
    assert remarks() == []


def test_whoever_answers_from_another_mailbox_is_heard(sink):
    assert comes_back(answered("It works.", told(sink).answers, sender="g.hopper@home.example")) is Did.REMARKED


def test_the_same_answer_again_says_nothing_again(sink):
    sent = told(sink)

    assert [comes_back(answered("It works.", sent.answers)) for _ in range(3)] == [
        Did.REMARKED,
        Did.NOTHING,
        Did.NOTHING,
    ]
    assert remarks() == ["It works."]


def test_an_answer_longer_than_the_page_takes_is_kept_whole(sink):
    text = "word " * 2000

    comes_back(answered(text, told(sink).answers))
    assert "".join(remarks()).replace(" ", "") == text.replace(" ", "")
    assert max(map(len, remarks())) <= replies.REMARK_LENGTH


def test_an_answer_without_words_says_nothing(sink):
    assert comes_back(answered("> It has been fixed.", told(sink).answers)) is Did.NOTHING
    assert remarks() == []


def test_an_answer_about_a_merged_bug_acts_on_the_one_that_stands_for_it(sink, clock, mira):
    sent = questioned(sink, clock, mira)
    whole = make_bug()
    merge(sent.bug, whole, actor=mira)

    assert comes_back(answered("Firefox.", sent.answers)) is Did.ANSWERED
    assert EventKind.REPORT_ANSWERED in kinds(whole) or EventKind.BUG_ANSWERED in kinds(whole)


def test_whoever_wants_no_mail_may_still_answer(sink):
    sent = told(sink)
    with transaction():
        replies.unsubscribe(first_report(sent.bug))

    assert comes_back(answered("It works.", sent.answers)) is Did.REMARKED


def test_nothing_is_kept_of_what_an_erased_person_writes_or_what_comes_back_of_theirs(sink):
    sent = told(sink)
    with transaction():
        erasing.erase(grace(), actor=None)

    assert comes_back(answered("It is Grace.", sent.answers)) is Did.NOTHING
    assert comes_back(returned(sent.bounces)) is Did.NOTHING
    assert remarks() == []


def test_an_answer_about_a_report_taken_back_opens_nothing(sink):
    sent = told(sink)
    with transaction():
        first_report(sent.bug).settled_by = SettledBy.WITHDRAWN

    assert comes_back(answered("Hello?", sent.answers)) is Did.NOTHING


def test_an_answer_to_a_mail_about_several_bugs_is_about_each(sink):
    hana = make_customer("Grace", email="grace@example.org")
    bugs = [make_bug(Status.LIVE, waiting=[hana]) for _ in range(2)]
    work()

    comes_back(answered("The second does not work.", str(sink.accepted[0][1]["Reply-To"])))
    found = db.session.scalars(sa.select(Report.bug_id).join(Remark, Remark.report_id == Report.id).order_by(Report.id))
    assert list(found) == [bug.id for bug in bugs]


def test_what_may_be_said_of_a_restricted_bug_is_kept_there_alone(sink):
    hana = make_customer("Grace", email="grace@example.org")
    bugs = [make_bug(Status.LIVE, waiting=[hana]) for _ in range(2)]
    with transaction():
        editing.restrict(bugs[1], True, actor=make_user(Role.LEAD))
    work()

    comes_back(answered("My password is gone.", str(sink.accepted[0][1]["Reply-To"])))
    found = db.session.scalars(sa.select(Report.bug_id).join(Remark, Remark.report_id == Report.id))
    assert list(found) == [bugs[1].id]


def test_a_loop_of_answers_ends(sink, clock):
    sent = told(sink)

    for number in range(MOST_ANSWERS + 5):
        comes_back(answered("Again.", sent.answers, number=str(number)))
    assert len(remarks()) == MOST_ANSWERS
    clock.advance(timedelta(hours=2))
    comes_back(answered("Later.", sent.answers, number="later"))
    assert remarks()[-1] == "Later."


def test_two_who_read_the_same_mail_at_once_do_it_once(sink, together):
    sent = told(sink)
    raw = answered("It works.", sent.answers)

    done = together(lambda _: take_in(read(raw)))

    assert sorted(str(did) for did in done).count(Did.REMARKED) == 1
    assert remarks() == ["It works."]


def test_a_mail_that_fails_half_way_leaves_nothing(sink, monkeypatch):
    sent = told(sink)

    def fail(*_args):
        raise RuntimeError

    monkeypatch.setattr(replies, "add_remark", fail)
    with pytest.raises(RuntimeError):
        take_in(read(answered("It works.", sent.answers)))
    monkeypatch.undo()
    assert (remarks(), noted()) == ([], [])
    assert comes_back(answered("It works.", sent.answers)) is Did.REMARKED


@pytest.mark.parametrize("text", ["\ud800 words", "a\0b", "\x07\x1b[31mred", "\u202eevil"])
def test_no_letter_keeps_an_answer_out(sink, text):
    comes_back(answered(text, told(sink).answers))

    [kept] = remarks()
    assert kept.encode() and "\0" not in kept and "\x1b" not in kept
