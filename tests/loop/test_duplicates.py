"""What people are owed when bugs are merged and separated: everybody who waits has one message, nobody gets two."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake.models import Report, Status
from bugintake.loop import announcements, duplicates, messages, releases
from bugintake.loop.models import LEAVING, Delivery, Message, MessageState
from bugintake.triage import merging, splitting, transitions
from tests.factories import bring_to, make_bug, make_customer, make_report, make_user, make_workspace, merge
from tests.loop.rows import announcement_of, envelope_states, owed, put, release, waiting_for


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira")


def separate(bug, actor):
    with transaction():
        return merging.unmerge(bug, actor=actor)


def customer(name):
    return make_customer(name, email=f"{name.lower()}@example.com")


def message_about(bug, who):
    of_it = sa.select(Message).where(Message.customer_id == who.id, Message.announcement_id == announcement_of(bug).id)
    return db.session.scalars(of_it).one()


@pytest.mark.parametrize("outcome", [Status.LIVE, Status.DECLINED])
def test_the_people_of_a_duplicate_are_owed_an_outcome_that_is_known_already(outcome):
    hana, sam, ole = customer("Hana"), customer("Sam"), customer("Ole")
    part, whole = make_bug(waiting=[hana, sam]), make_bug(outcome, waiting=[sam, ole])

    merge(part, whole)

    assert [row[:2] for row in owed(whole)] == [
        ("sam@example.com", "pending"),
        ("ole@example.com", "pending"),
        ("hana@example.com", "pending"),
    ]
    assert waiting_for(whole) == 3


def test_they_are_told_at_once_where_the_others_were(clock):
    hana = customer("Hana")
    part, whole = make_bug(waiting=[hana]), make_bug(Status.LIVE)
    clock.advance(timedelta(minutes=30))
    assert release() == 1

    merge(part, whole)

    assert release() == 1


def test_who_was_told_of_the_other_one_already_waits_no_longer_and_gets_no_second_mail(mira):
    hana, sam = customer("Hana"), customer("Sam")
    part, whole = make_bug(waiting=[hana, sam]), make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        messages.tell_by_hand(message_about(whole, hana), actor=mira)

    merge(part, whole)
    assert owed(whole) == [("hana@example.com", "told_by_hand", None), ("sam@example.com", "pending", None)]
    assert waiting_for(whole) == 1

    separate(part, mira)
    assert owed(whole) == [("hana@example.com", "told_by_hand", None), ("sam@example.com", "cancelled", None)]
    assert (waiting_for(part), waiting_for(whole)) == (2, 0)


def test_a_duplicates_own_messages_that_have_not_left_are_taken_back(clock):
    part, whole = make_bug(Status.LIVE, waiting=[customer("Hana")]), make_bug()
    clock.advance(timedelta(minutes=30))
    release()

    merge(part, whole)

    assert owed(part) == [("hana@example.com", "cancelled", None)]
    assert envelope_states() == ["cancelled"]
    assert (waiting_for(whole), release()) == (2, 0)


def test_when_the_other_one_goes_live_everybody_has_one_message(mira):
    hana, sam = customer("Hana"), customer("Sam")
    part, whole = make_bug(Status.DECLINED, waiting=[hana, sam]), make_bug(waiting=[sam])
    merge(part, whole)

    bring_to(whole, Status.LIVE, actor=mira)

    assert [row[:2] for row in owed(whole)] == [("hana@example.com", "pending"), ("sam@example.com", "pending")]
    assert [row[1] for row in owed(part)] == ["cancelled", "cancelled"]


def test_what_is_owed_of_a_duplicate_is_owed_again_once_it_stands_for_itself(clock, mira):
    part, whole = make_bug(Status.LIVE, waiting=[customer("Hana")]), make_bug()
    merge(part, whole)
    clock.advance(timedelta(hours=1))
    assert release() == 0

    separate(part, mira)

    assert owed(part) == [("hana@example.com", "pending", None)]
    assert (announcement_of(part).held_at, release()) == (None, 0)
    clock.advance(timedelta(minutes=30))
    assert release() == 1


def test_a_bug_whose_release_went_live_without_it_is_live_once_it_stands_for_itself(mira):
    part, whole = make_bug(Status.FIXED, waiting=[customer("Hana")]), make_bug()
    merge(part, whole)
    with transaction():
        releases.release_live(part.release, actor=mira)
    assert part.status == Status.FIXED

    separate(part, mira)

    assert (part.status, owed(part)) == (Status.LIVE, [("hana@example.com", "pending", None)])


def test_a_bug_whose_release_was_withdrawn_without_it_is_fixed_once_it_stands_for_itself(mira):
    hana = customer("Hana")
    part, whole = make_bug(Status.LIVE, waiting=[hana, customer("Sam")]), make_bug()
    with transaction():
        messages.tell_by_hand(message_about(part, hana), actor=mira)
    merge(part, whole)
    with transaction():
        releases.withdraw_release(part.release, actor=mira)

    separate(part, mira)

    assert (part.status, part.generation, waiting_for(part)) == (Status.FIXED, 2, 2)
    assert [state for _, state, _ in owed(part)] == ["told_by_hand", "cancelled", "held"]
    assert announcement_of(part).kind == "correction"


def test_what_somebody_held_before_stays_held(clock, mira):
    part, whole = make_bug(Status.LIVE), make_bug()
    with transaction():
        announcements.hold(announcement_of(part), actor=mira)
    held_at = announcement_of(part).held_at
    clock.advance(timedelta(minutes=1))
    merge(part, whole)

    with pytest.raises(Conflict, match=f"{part.ref} is part of {whole.ref} now."), transaction():
        announcements.resume(announcement_of(part), actor=mira)
    separate(part, mira)

    assert announcement_of(part).held_at == held_at


def test_who_was_told_of_the_other_one_meanwhile_is_held_for_a_person(mira):
    hana, sam = customer("Hana"), customer("Sam")
    part, whole = make_bug(Status.LIVE, waiting=[hana, sam]), make_bug()
    merge(part, whole)
    bring_to(whole, Status.DECLINED, actor=mira)
    with transaction():
        messages.tell_by_hand(message_about(whole, hana), actor=mira)

    separate(part, mira)

    assert owed(part) == [("hana@example.com", "held", "reopened"), ("sam@example.com", "pending", None)]
    reason = f"They were told what became of {whole.ref}, which is another problem."
    assert message_about(part, hana).reason == reason


def test_who_told_us_again_after_being_told_gets_no_second_mail_by_merging_and_separating(mira):
    hana = customer("Hana")
    part, whole = make_bug(Status.LIVE, waiting=[hana]), make_bug()
    with transaction():
        messages.tell_by_hand(message_about(part, hana), actor=mira)
    make_report(hana, bug=part)
    assert owed(part) == [("hana@example.com", "held", "reopened")]

    merge(part, whole)
    assert owed(part) == [("hana@example.com", "cancelled", None)]
    separate(part, mira)

    assert owed(part) == [("hana@example.com", "held", "reopened")]


@pytest.mark.parametrize("envelope", LEAVING)
@pytest.mark.parametrize("state", [MessageState.UNCERTAIN, MessageState.PENDING])
def test_whom_a_mail_about_the_duplicate_may_have_reached_is_held(state, clock, envelope):
    hana = customer("Hana")
    part, whole = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.LIVE, waiting=[])
    clock.advance(timedelta(minutes=30))
    release()
    put(message_about(part, hana), state)
    with transaction():
        db.session.scalars(sa.select(Delivery)).one().state = envelope

    merge(part, whole)

    assert (owed(part)[0][1], owed(whole)) == (state, [("hana@example.com", "held", "reopened")])


def test_a_mail_in_both_names_speaks_of_the_report_that_stays(clock, mira):
    sam = customer("Sam")
    part, whole = make_bug(waiting=[sam]), make_bug(waiting=[sam])
    merge(part, whole)
    bring_to(whole, Status.LIVE, actor=mira)
    clock.advance(timedelta(minutes=30))
    release()
    assert message_about(whole, sam).report.bug_id == part.id

    separate(part, mira)

    assert (message_about(whole, sam).report.bug_id, owed(whole)) == (whole.id, [("sam@example.com", "pending", None)])


def test_the_merged_are_told_again_after_the_outcome_was_undone(mira):
    part, whole = make_bug(waiting=[customer("Hana")]), make_bug(Status.DECLINED, waiting=[], actor=mira)
    merge(part, whole)
    with transaction():
        transitions.undo(whole, actor=mira)
    assert owed(whole) == [("hana@example.com", "cancelled", None)]

    bring_to(whole, Status.LIVE, actor=mira)

    assert owed(whole)[-1] == ("hana@example.com", "pending", None)


def test_the_page_says_before_whom_it_tells_what(clock, mira):
    hana, sam = customer("Hana"), customer("Sam")
    part, whole = make_bug(waiting=[hana, sam]), make_bug(Status.LIVE, waiting=[sam, customer("Ole")])
    assert duplicates.effects([part], whole) == [
        "1 person will be told that it is live in 4.13.0 when its review is over."
    ]
    with transaction():
        messages.tell_by_hand(message_about(whole, sam), actor=mira)
    clock.advance(timedelta(minutes=30))
    release()

    assert duplicates.effects([part], whole) == [
        "1 person will be told at once that it is live in 4.13.0.",
        "1 person was told already and waits no longer.",
    ]
    assert duplicates.effects([whole], part) == [
        "What 1 person would have been told of " + whole.ref + " is taken back."
    ]
    with transaction():
        announcements.hold(announcement_of(whole), actor=mira)
    assert duplicates.effects([part], whole)[0] == (
        "1 person will be told that it is live in 4.13.0 once somebody resumes the mail about it."
    )
    declined = make_bug(Status.DECLINED)
    assert duplicates.effects([part], declined) == [
        "2 people will be told why it stays as it is when its review is over."
    ]


def test_a_report_that_is_split_off_is_owed_nothing_of_the_old_bug_and_everything_again_once_it_is_back(mira):
    hana, sam = customer("Hana"), customer("Sam")
    bug = make_bug(Status.LIVE, waiting=[hana, sam])
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == sam.id)).one()

    with transaction():
        new = splitting.split(report, "Another problem", actor=mira)
    assert owed(bug) == [("hana@example.com", "pending", None), ("sam@example.com", "cancelled", None)]
    assert (waiting_for(bug), waiting_for(new), owed(new)) == (1, 1, [])

    with transaction():
        splitting.rejoin(new, actor=mira)
    assert owed(bug) == [("hana@example.com", "pending", None), ("sam@example.com", "pending", None)]
    assert (waiting_for(bug), waiting_for(new)) == (2, 0)


def test_who_was_told_before_the_split_waits_again_and_not_after_it_was_undone(mira):
    hana, sam = customer("Hana"), customer("Sam")
    bug = make_bug(Status.LIVE, waiting=[hana, sam])
    with transaction():
        messages.tell_by_hand(message_about(bug, sam), actor=mira)
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == sam.id)).one()

    with transaction():
        new = splitting.split(report, "Another problem", actor=mira)
    assert (waiting_for(new), report.settled_by) == (1, None)
    with transaction():
        splitting.rejoin(new, actor=mira)

    assert (waiting_for(bug), report.settled_by) == (1, "told_by_hand")
    assert owed(bug) == [("hana@example.com", "pending", None), ("sam@example.com", "told_by_hand", None)]
