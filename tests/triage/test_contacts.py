"""The last contact with a customer, on every card."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import clock as now
from bugintake.core.db import db, transaction
from bugintake.intake import attaching, reports
from bugintake.intake.models import Question, Report, Status
from bugintake.loop import attempts, messages, outbox, replies
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Message
from bugintake.triage import comments, merging, queries, snoozing, splitting, transitions
from bugintake.triage.filters import Filters
from bugintake.triage.looking import today_of
from bugintake.triage.sorting import Sort
from tests.counting import asked, plans
from tests.factories import make_bug, make_customer, make_report, make_telling, make_workspace
from tests.loop.rows import arrive
from tests.visitors import visit


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace(review_minutes=0)


@pytest.fixture(name="settings")
def _settings(settings):
    return replace(settings, smtp_url="smtp://127.0.0.1:9")


def last_contact(bug, actor):
    """What the card of a bug says, on the board and in the list alike."""
    columns, _closed = queries.board(Filters(), actor)
    board = {card.id: card.contacted_at for column in columns for card in column.cards}
    for sort in (Sort.WORST, Sort.NEWEST):
        listed = {card.id: card.contacted_at for card in queries.listed(Filters(sort=sort), actor)}
        assert listed == board
    return board[bug.id]


def report_of(bug):
    return db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id).order_by(Report.id)).first()


def send():
    """Let the worker hand over what is due."""
    with transaction():
        open_due()
    for claimed in outbox.claim():
        assert attempts.begin_sending(claimed)
        arrive(claimed)


def ask(bug, actor):
    """Ask the customer of a bug by mail."""
    transitions.ask(bug, report_of(bug), "Which browser?", actor=actor, is_for_customer=True)


def answer(bug, actor):
    """Take down what a customer answered to an agent."""
    transitions.ask(bug, report_of(bug), "Which browser?", actor=actor)
    transitions.answer(db.session.scalars(sa.select(Question)).one(), "Firefox", actor=actor)


SAID = {
    "a customer tells us, too": lambda bug, who: attaching.attach(bug, make_telling(make_customer()), actor=who),
    "a customer writes more": lambda bug, _who: replies.add_remark(report_of(bug), "It happens on Mondays."),
    "it still happens": lambda bug, _who: replies.still_happening(report_of(bug)),
    "it works for one": lambda bug, _who: replies.works_now(report_of(bug)),
    "a question is answered": answer,
}


@pytest.mark.parametrize("what", SAID)
def test_whatever_a_customer_says_is_a_contact(mira, clock, what):
    bug = make_bug(waiting=[make_customer(), make_customer()])
    filed_at = last_contact(bug, mira)
    clock.advance(timedelta(hours=3))
    assert filed_at == now.now() - timedelta(hours=3)

    with transaction():
        SAID[what](bug, mira)

    assert last_contact(bug, mira) == now.now()


def test_a_question_is_a_contact_once_it_has_left_and_not_before(mira, clock):
    bug = make_bug(waiting=[make_customer()])
    filed_at = now.now()
    clock.advance(timedelta(hours=3))
    with transaction():
        ask(bug, mira)
    before = last_contact(bug, mira)
    clock.advance(timedelta(hours=2))
    send()

    assert (before, last_contact(bug, mira)) == (filed_at, now.now())


def test_what_was_told_by_hand_is_a_contact(mira, clock):
    bug = make_bug(waiting=[make_customer()])
    with transaction():
        ask(bug, mira)
    clock.advance(timedelta(hours=2))
    with transaction():
        messages.tell_by_hand(db.session.scalars(sa.select(Message)).one(), actor=mira)

    assert last_contact(bug, mira) == now.now()


def test_what_the_team_does_alone_is_none(mira, clock):
    bug, filed_at = make_bug(waiting=[make_customer()]), now.now()
    clock.advance(timedelta(hours=2))
    with transaction():
        transitions.accept(bug, actor=mira)
        comments.write(bug, "It is so here, too.", actor=mira)

    assert last_contact(bug, mira) == filed_at


def test_what_we_found_ourselves_or_took_back_is_none(mira, clock):
    ours, told = make_bug(waiting=[]), make_bug(waiting=[make_customer()])
    filed_at = now.now()
    clock.advance(timedelta(hours=2))
    spam = make_report(make_customer(), bug=told)
    before = last_contact(told, mira)
    with transaction():
        reports.withdraw(spam, actor=mira)

    assert (before, last_contact(told, mira)) == (now.now(), filed_at)
    assert last_contact(ours, mira) is None


def test_what_became_a_part_counts_until_it_is_separated(mira, clock):
    whole, filed_at = make_bug(waiting=[make_customer()]), now.now()
    clock.advance(timedelta(hours=2))
    part, told_at = make_bug(waiting=[make_customer()]), now.now()
    clock.advance(timedelta(hours=2))
    with transaction():
        merging.merge(part, whole, actor=mira)
    merged = last_contact(whole, mira)
    with transaction():
        merging.unmerge(part, actor=mira)

    assert (merged, last_contact(whole, mira), last_contact(part, mira)) == (told_at, filed_at, told_at)


def test_what_was_split_off_was_told_when_its_report_was(mira, clock):
    bug = make_bug(waiting=[make_customer()])
    clock.advance(timedelta(hours=2))
    report, told_at = make_report(make_customer(), bug=bug), now.now()
    clock.advance(timedelta(hours=2))
    with transaction():
        split = splitting.split(report, "Another problem", actor=mira)
        apart = splitting.file_apart(report_of(bug), "A third problem", actor=mira)

    assert (last_contact(split, mira), last_contact(apart, mira)) == (told_at, bug.filed_at)


def test_a_card_a_row_and_what_is_snoozed_say_how_long_ago_it_was(app, mira, clock):
    bug, ours = make_bug(waiting=[make_customer()]), make_bug(waiting=[])
    clock.advance(timedelta(hours=5))
    with transaction():
        for each in (bug, ours):
            snoozing.snooze(each, today_of(mira) + timedelta(days=3), actor=mira)
    visitor = visit(app, mira)

    board = visitor.get("/board").text
    assert re.findall(r'<span class="told" title="([^"]*)">', board) == ["Last contact with a customer: 5 h"]
    assert '<span class="vh">last contact with a customer </span>5 h' in board
    for page in ("/bugs", "/snoozed?of=everybody"):
        text = visitor.get(page).text
        assert '<th scope="col" class="hidesm-cell">Last contact</th>' in text
        assert sorted(re.findall(r'<td class="hidesm-cell">(5 h|–)</td>', text)) == ["5 h", "–"]


def test_the_board_asks_no_more_for_it_however_many_events_there_are(app, mira):
    visitor = visit(app, mira)

    def count():
        visitor.get("/board")
        with asked() as statements:
            assert "last contact with a customer" in visitor.get("/board").text
        return len(statements)

    bug = make_bug(waiting=[make_customer()])
    count()
    one = count()
    for _ in range(3):
        make_report(make_customer(), bug=bug)
        make_bug(Status.ACCEPTED, waiting=[make_customer()])

    assert count() == one


@pytest.mark.only_on("sqlite")
def test_of_each_card_the_latest_event_is_read_from_an_index_after_the_page_is_cut(app, mira):
    make_bug(waiting=[make_customer()])

    for address in ("/board", "/board?sort=changed", "/bugs", "/bugs?sort=worst", "/snoozed?of=everybody"):
        visitor = visit(app, mira)
        visitor.get(address)
        with plans("bugs") as found:
            visitor.get(address + ("&" if "?" in address else "?") + "again=1")
        [plan] = [plan for plan in found if any("ix_events_contacts" in step for step in plan)]
        reads = [step for step in plan if " events " in step]
        assert set(reads) == {"SEARCH events USING INDEX ix_events_contacts (bug_id=?)"}


def test_a_card_that_needs_an_answer_says_the_asking_once(app, mira, clock):
    bug = make_bug(waiting=[make_customer()])
    with transaction():
        ask(bug, mira)
    send()
    clock.advance(timedelta(hours=3))
    visitor = visit(app, mira)
    unanswered, card = visitor.get("/board").text, f'id="{bug.ref}"'
    with transaction():
        replies.add_remark(report_of(bug), "It happens on Mondays.")
    clock.advance(timedelta(hours=1))
    written = visitor.get("/board").text

    assert "asked 3 h ago" in unanswered.split(card)[1]
    assert ("Last contact" in unanswered, "Last contact with a customer: 1 h" in written) == (False, True)
