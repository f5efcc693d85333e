"""After 30 days everybody was told, or stands on a list with a sentence of why."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, Status
from bugintake.loop import announcements, asked_words, never_told, notice_letters, notices, releases
from bugintake.loop.models import (
    OF_THE_BUG,
    OUTCOMES,
    Announcement,
    AnnouncementKind,
    Delivery,
    DeliveryKind,
    HeldBecause,
    Message,
    MessageState,
)
from bugintake.team.models import Role
from bugintake.triage import editing
from tests.counting import fewest
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.reading import first_report, words_of
from tests.loop.rows import announcement_of, last_event, live, message_to, one_message, put
from tests.visitors import visit

A_MONTH = timedelta(days=31)
HEARD = {MessageState.SENT, MessageState.TOLD_BY_HAND, MessageState.CANCELLED}
ENDS = [(state, None) for state in MessageState if state is not MessageState.HELD]
ENDS += [(MessageState.HELD, because) for because in HeldBecause]
STATUS = {AnnouncementKind.LIVE: Status.LIVE, AnnouncementKind.DECLINED: Status.DECLINED}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def petra(app):
    return make_user(Role.LEAD, "Petra Lang")


def owe(kind):
    """Let one customer be owed something, whatever came before it; of one report only its customer is."""
    bug = make_bug(STATUS.get(kind, Status.NEW), waiting=[make_customer()])
    if kind in OUTCOMES:
        return one_message(bug)
    report = None if kind in OF_THE_BUG else first_report(bug).id
    with transaction():
        told = Announcement(kind=kind, bug_id=bug.id, report_id=report, generation=1, notes={"en": "Words."})
        db.session.add(told)
        db.session.flush()
        announcements.owe(told)
    return one_message(bug)


def listed(actor):
    """Whom the list names, and why."""
    return {row.message.id: never_told.why_untold(row) for row in never_told.page_of_untold(actor, start=0)}


def untold_of(bug, actor):
    return [why for number, why in listed(actor).items() if db.session.get(Message, number).announcement.bug == bug]


@pytest.mark.parametrize("kind", AnnouncementKind)
def test_however_a_message_ended_its_reader_was_told_or_the_list_says_why_not(petra, clock, kind):
    owed = {}
    for end in ENDS:
        message = owe(kind)
        put(message, end[0], held_because=end[1])
        owed[end] = message.id
    assert listed(petra) == {}
    clock.advance(A_MONTH)

    found = listed(petra)

    assert {end for end, number in owed.items() if number not in found} == {end for end in ENDS if end[0] in HEARD}
    assert [number for number, why in found.items() if not why.endswith(".")] == []


def test_whoever_is_owed_nothing_of_what_has_ended_stands_above_and_is_told_with_one_press(app, petra, clock):
    bug, other, third = live("ana@example.com"), live("sam@example.com"), live("kai@example.com")
    with transaction():
        db.session.execute(sa.delete(Message).where(Message.id == message_to("ana@example.com").id))
        announcement_of(third).cancelled_at = clock.now()
    put(message_to("sam@example.com"), MessageState.CANCELLED)
    assert never_told.missed(petra) == []
    clock.advance(A_MONTH)
    browser = visit(app, petra)

    assert [each.bug.id for each in never_told.missed(petra)] == [bug.id, other.id, third.id]
    assert never_told.count(petra) == 3
    assert "Nothing was ever written to them" in words_of(browser.get("/loop/never-told"))

    browser.post("/loop/never-told")
    assert (never_told.missed(petra), last_event()) == ([], "message.released")
    assert [one_message(each).state for each in (bug, other, third)] == ["pending"] * 3
    assert "Nothing was ever written" not in words_of(browser.get("/loop/never-told"))


def test_what_has_not_left_says_whom_it_waits_for(petra, clock):
    lea = make_user(Role.AGENT, "Lea Sommer")
    held, unworded, unsent, leaving = (live(f"p{number}@example.com") for number in range(4))
    with transaction():
        announcements.hold(announcement_of(held), actor=petra)
        asked_words.ask_to_word(announcement_of(unworded), lea.id, actor=petra)
        announcement_of(unsent).due_at = None
    clock.advance(A_MONTH)

    assert [untold_of(bug, petra) for bug in (held, unworded, unsent, leaving)] == [
        ["Somebody holds it."],
        ["It waits until Lea has worded it."],
        ["It waits until somebody sends it."],
        ["It waits for the mail server."],
    ]


def test_whoever_was_told_since_how_it_ended_is_not_on_the_list(petra, clock):
    bug = live("ana@example.com")
    put(one_message(bug), MessageState.FAILED, reason="The mailbox is full.")
    clock.advance(A_MONTH)
    assert untold_of(bug, petra) == ["The mailbox is full."]

    with transaction():
        releases.withdraw_release(db.session.get_one(Bug, bug.id).release, actor=petra)
        releases.release_live(db.session.get_one(Bug, bug.id).release, actor=petra)
    put(one_message(bug), MessageState.SENT)

    assert untold_of(bug, petra) == []


def test_only_what_waits_for_somebody_here_is_counted_and_it_comes_first(petra, clock):
    ends = [(MessageState.SUPPRESSED, None), (MessageState.HELD, HeldBecause.QUIET), (MessageState.FAILED, None)]
    for state, because in ends:
        put(owe(AnnouncementKind.LIVE), state, held_because=because)
    clock.advance(A_MONTH)

    found = never_told.page_of_untold(petra, start=0)
    assert [row.message.state for row in found] == ["held", "failed", "suppressed"]
    assert never_told.count(petra) == 1


def test_what_is_restricted_is_nobody_elses(petra, clock):
    bug = live("ana@example.com")
    with transaction():
        editing.restrict(db.session.get_one(Bug, bug.id), True, actor=petra)
    clock.advance(A_MONTH)
    mira = make_user()

    assert (len(listed(petra)), never_told.count(petra)) == (1, 1)
    assert (listed(mira), never_told.count(mira)) == ({}, 0)
    with transaction():
        db.session.execute(sa.delete(Message))
    assert (len(never_told.missed(petra)), never_told.missed(mira)) == (1, [])


def test_leads_are_mailed_the_count_also_where_no_bug_is_overlooked(petra, clock):
    live("ana@example.com", actor=petra)
    clock.advance(A_MONTH - timedelta(days=1))  # a Thursday, like the day before
    assert morning_mail(petra, clock) is None
    clock.advance(timedelta(days=1))

    letter = morning_mail(petra, clock)
    assert letter.subject == "Customers were never told"
    assert [(line.text, line.url) for line in letter.lines[1:]] == [
        (
            "Mails that customers should have had more than 30 days ago: 1.",
            "http://127.0.0.1:8000/loop/never-told",
        )
    ]


def morning_mail(petra, clock):
    """What leads are mailed this morning; nothing where there is nothing to say."""
    assert notices.queue_overlooked(clock.now()) == 1
    newest = sa.select(Delivery).where(Delivery.kind == DeliveryKind.OVERLOOKED).order_by(Delivery.id.desc())
    return notice_letters.letter_of(db.session.scalars(newest).first())


def test_the_page_costs_the_same_however_many_stand_on_it(app, petra, clock):
    browser = visit(app, petra)
    put(owe(AnnouncementKind.LIVE), MessageState.FAILED)
    clock.advance(A_MONTH)
    one = fewest(lambda: browser.get("/loop/never-told"))
    for _ in range(3):
        put(owe(AnnouncementKind.ASKED), MessageState.HELD, held_because=HeldBecause.NO_NOTE)
    clock.advance(A_MONTH)

    assert len(listed(petra)) == 4
    assert fewest(lambda: browser.get("/loop/never-told")) == one
