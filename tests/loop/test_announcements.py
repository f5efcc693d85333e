"""Who is owed what when a bug becomes live or declined, and when it leaves."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event, EventKind
from bugintake.intake import reports
from bugintake.intake.models import Bug, Customer, OptionList, Report, Status
from bugintake.loop import announcements
from bugintake.loop.envelopes import open_due
from bugintake.loop.models import Announcement, Delivery, DeliveryState, Message, MessageState
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import (
    bring_to,
    make_bug,
    make_customer,
    make_option,
    make_report,
    make_user,
    make_version,
    make_workspace,
)

TUESDAY_9 = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira")


def owed(bug):
    """What each customer is owed, in order: address, state and why it is held."""
    found = sa.select(Customer.email, Message.state, Message.held_because).join(
        Customer, Customer.id == Message.customer_id
    )
    about = found.join(Announcement, Announcement.id == Message.announcement_id).where(Announcement.bug_id == bug.id)
    return [tuple(row) for row in db.session.execute(about.order_by(Message.id))]


def announcement_of(bug):
    found = sa.select(Announcement).where(Announcement.bug_id == bug.id).order_by(Announcement.id.desc())
    return db.session.scalars(found).first()


def message_to(email):
    return db.session.scalars(
        sa.select(Message).join(Customer, Customer.id == Message.customer_id).where(Customer.email == email)
    ).one()


def kinds(bug):
    return list(db.session.scalars(sa.select(Event.kind).where(Event.bug_id == bug.id).order_by(Event.id)))


def waiting(bug):
    return db.session.get_one(Bug, bug.id).waiting_count


def release_everything():
    with transaction():
        return open_due()


# --- Opening -----------------------------------------------------------------------------------------------------


def test_a_live_bug_owes_a_message_to_everybody_who_waits():
    people = [make_customer(email="hana@example.com"), make_customer(email="urs@example.com", language="de")]
    bug = make_bug(Status.LIVE, waiting=people)

    assert owed(bug) == [("hana@example.com", "pending", None), ("urs@example.com", "pending", None)]
    announcement = announcement_of(bug)
    assert (announcement.kind, announcement.generation) == ("live", 1)
    assert announcement.notes["de"] == "Die Steuerzeile ist wieder da."
    assert kinds(bug)[-2:] == ["bug.live", "announcement.opened"]


def test_a_declined_bug_owes_a_message_too():
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")])

    assert owed(bug) == [("hana@example.com", "pending", None)]
    assert announcement_of(bug).kind == "declined"


def test_nobody_else_hears_of_it():
    make_bug(waiting=[make_customer(email="other@example.com")])
    bug = make_bug(Status.LIVE, waiting=[])

    assert owed(bug) == []
    assert announcement_of(bug) is not None


def test_a_restricted_bug_tells_its_customers_like_any_other(mira):
    bug = make_bug(waiting=[make_customer(email="hana@example.com")])
    with transaction():
        bug.is_restricted = True
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None)]


def test_people_under_a_merged_bug_hear_once_of_the_canonical_one(mira):
    hana = make_customer(email="hana@example.com")
    bug, other = make_bug(waiting=[hana]), make_bug(waiting=[hana, make_customer(email="sam@example.com")])
    with transaction():
        other.merged_into_id = other.canonical_id = bug.id
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), ("sam@example.com", "pending", None)]


def test_a_missing_language_holds_only_those_who_read_it(mira):
    people = [make_customer(email="hana@example.com"), make_customer(email="urs@example.com", language="de")]
    bug = make_bug(waiting=people)
    with transaction():
        transitions.fix(bug, {"en": "It is back.", "de": "  "}, make_version(live_since=TUESDAY_9), actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), ("urs@example.com", "held", "no_note")]


def test_a_decline_needs_its_way_round_in_the_same_languages(mira):
    people = [make_customer(email="hana@example.com"), make_customer(email="urs@example.com", language="de")]
    bug = make_bug(waiting=people)
    reason = make_option(OptionList.DECLINE_REASON)
    with transaction():
        notes = {"en": "It must show CHF.", "de": "Es muss CHF zeigen."}
        transitions.decline(bug, reason, notes, {"en": "Print it."}, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), ("urs@example.com", "held", "no_note")]


def test_a_customer_without_an_address_is_held_for_a_person():
    bug = make_bug(Status.LIVE, waiting=[make_customer("Hana", email="")])

    assert owed(bug) == [(None, "held", "no_address")]
    assert waiting(bug) == 1


def test_an_address_that_bounced_is_suppressed_and_waits_no_longer(mira):
    hana, sam = make_customer(email="hana@example.com"), make_customer(email="sam@example.com")
    bug = make_bug(waiting=[hana, sam])
    with transaction():
        hana.suppressed_at = TUESDAY_9
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "suppressed", None), ("sam@example.com", "pending", None)]
    assert waiting(bug) == 1
    assert message_to("hana@example.com").reason == "Mail to this address comes back."
    settled = db.session.scalars(sa.select(Report).where(Report.settled_at.is_not(None))).one()
    assert (settled.customer_id, settled.settled_by) == (hana.id, "suppressed")
    assert "report.settled" in kinds(bug)


def test_an_unsubscribed_report_is_suppressed(mira):
    bug = make_bug(waiting=[make_customer(email="hana@example.com")])
    with transaction():
        db.session.scalars(sa.select(Report)).one().unsubscribed_at = TUESDAY_9
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("hana@example.com", "suppressed", None)]
    assert waiting(bug) == 0


def test_the_settled_are_owed_nothing(mira):
    hana = make_customer(email="hana@example.com")
    bug = make_bug(waiting=[hana, make_customer(email="sam@example.com")])
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one(), actor=mira)
    bring_to(bug, Status.LIVE, actor=mira)

    assert owed(bug) == [("sam@example.com", "pending", None)]


def test_two_thousand_people_take_as_many_questions_as_one(mira):
    few, many = make_bug(waiting=[make_customer()]), make_bug(waiting=[make_customer()])
    wait_in_bulk(many, 2000)
    release = make_version(live_since=TUESDAY_9)

    def live(bug):
        with asked() as opening, transaction():
            transitions.fix(bug, {"en": "It is back."}, release, actor=mira)
        with asked() as sending, transaction():
            announcement_of(bug).due_at = TUESDAY_9
            made = open_due(at_most=5000)
        return made, len(opening), len(sending)

    (one, *first), (two_thousand, *second) = live(few), live(many)

    assert (one, two_thousand) == (1, 2001)
    assert first == second
    assert waiting(many) == 2001


def wait_in_bulk(bug, number):
    """Let a number of customers more wait for a bug, without the verbs, which would take a minute."""
    pattern = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).first()
    columns = [c.name for c in Report.__table__.columns if c.name not in ("id", "customer_id")]
    first = (db.session.scalar(sa.select(sa.func.max(Customer.id))) or 0) + 1
    with transaction():
        people = [
            {"id": i, "email": f"many{i}@example.com", "name": f"Person {i}", "language": "en"}
            for i in range(first, first + number)
        ]
        db.session.execute(sa.insert(Customer), people)
        same = {name: getattr(pattern, name) for name in columns}
        db.session.execute(sa.insert(Report), [{**same, "customer_id": person["id"]} for person in people])
        bug.waiting_count += number


# --- The review window -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "now", "due"),
    [
        (30, datetime(2026, 3, 10, 9, tzinfo=UTC), datetime(2026, 3, 10, 9, 30, tzinfo=UTC)),
        (30, datetime(2026, 3, 10, 16, 50, tzinfo=UTC), datetime(2026, 3, 11, 9, 20, tzinfo=UTC)),
        (30, datetime(2026, 3, 13, 18, tzinfo=UTC), datetime(2026, 3, 16, 9, 30, tzinfo=UTC)),
        (0, datetime(2026, 3, 14, 3, tzinfo=UTC), datetime(2026, 3, 14, 3, tzinfo=UTC)),
        (None, datetime(2026, 3, 10, 9, tzinfo=UTC), None),
    ],
)
def test_the_review_window_is_in_working_minutes(clock, minutes, now, due):
    make_workspace(review_minutes=minutes)
    clock.set(now)

    assert announcement_of(make_bug(Status.LIVE)).due_at == due


def test_it_leaves_by_itself_when_the_window_has_passed(clock):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    clock.advance(timedelta(minutes=29, seconds=59))
    assert release_everything() == 0

    clock.advance(timedelta(seconds=1))

    assert release_everything() == 1
    assert announcement_of(bug).released_at == TUESDAY_9 + timedelta(minutes=30)
    assert kinds(bug)[-1] == "announcement.released"
    assert release_everything() == 0


def test_it_waits_for_ever_where_somebody_has_to_send(clock, mira):
    make_workspace(review_minutes=None)
    bug = make_bug(Status.LIVE)
    clock.advance(timedelta(days=60))
    assert release_everything() == 0

    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(seconds=60))

    assert release_everything() == 1


def test_sending_waits_a_minute_in_which_it_can_be_undone(clock, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(seconds=59))
    assert release_everything() == 0

    with transaction():
        announcements.undo_send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=28))

    assert release_everything() == 0
    clock.advance(timedelta(minutes=2))
    assert release_everything() == 1


def test_an_undone_sending_after_the_window_waits_for_a_person(clock, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        announcements.hold(announcement_of(bug), actor=mira)
    clock.advance(timedelta(days=2))
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    with transaction():
        announcements.undo_send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(days=2))

    assert release_everything() == 0
    assert announcement_of(bug).due_at is None


def test_sending_twice_or_too_late_is_refused(clock, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=1))
    release_everything()

    with pytest.raises(Conflict, match="The minute is over"), transaction():
        announcements.undo_send(announcement_of(bug), actor=mira)
    with pytest.raises(Conflict, match="It has been sent already"), transaction():
        announcements.send(announcement_of(bug), actor=mira)


def test_nobody_undoes_what_nobody_sent(mira):
    bug = make_bug(Status.LIVE)

    with pytest.raises(Conflict, match="Nobody has sent it"), transaction():
        announcements.undo_send(announcement_of(bug), actor=mira)


def test_a_held_announcement_stays_until_it_is_resumed(clock, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        announcements.hold(announcement_of(bug), actor=mira)
    clock.advance(timedelta(days=1))
    assert release_everything() == 0

    with transaction():
        announcements.resume(announcement_of(bug), actor=mira)

    assert announcement_of(bug).due_at == TUESDAY_9 + timedelta(days=1, minutes=30)
    clock.advance(timedelta(minutes=30))
    assert release_everything() == 1


def test_holding_takes_out_of_the_envelopes_what_has_not_been_handed_over(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com"), make_customer(email="sam@x.test")])
    clock.advance(timedelta(minutes=30))
    release_everything()
    with transaction():
        leaving = db.session.get_one(Delivery, message_to("sam@x.test").delivery_id)
        leaving.state = DeliveryState.SENDING

    with transaction():
        announcements.hold(announcement_of(bug), actor=mira)

    assert message_to("hana@example.com").delivery_id is None
    assert message_to("sam@x.test").delivery_id == leaving.id
    assert states_of_envelopes() == ["cancelled", "sending"]
    assert release_everything() == 0
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=1))
    assert release_everything() == 1
    assert message_to("hana@example.com").delivery_id is not None


def states_of_envelopes():
    return list(db.session.scalars(sa.select(Delivery.state).order_by(Delivery.customer_id, Delivery.id)))


def test_holding_or_resuming_twice_is_refused(mira):
    bug = make_bug(Status.LIVE)
    with pytest.raises(Conflict, match="It is not held"), transaction():
        announcements.resume(announcement_of(bug), actor=mira)
    with transaction():
        announcements.hold(announcement_of(bug), actor=mira)
    with pytest.raises(Conflict, match="held or cancelled already"), transaction():
        announcements.hold(announcement_of(bug), actor=mira)


# --- Envelopes ---------------------------------------------------------------------------------------------------


def test_several_bugs_that_go_live_together_make_one_envelope_for_each_person(clock):
    hana, sam = make_customer(email="hana@example.com"), make_customer(email="sam@example.com")
    for _ in range(5):
        make_bug(Status.LIVE, waiting=[hana])
    make_bug(Status.LIVE, waiting=[hana, sam])
    clock.advance(timedelta(minutes=30))

    assert release_everything() == 2
    counts = db.session.execute(
        sa.select(Message.customer_id, sa.func.count()).group_by(Message.customer_id, Message.delivery_id)
    ).all()
    assert sorted(counts) == [(hana.id, 6), (sam.id, 1)]


def test_an_envelope_has_a_key_and_an_identifier_of_its_own(clock):
    make_bug(Status.LIVE, waiting=[make_customer()])
    clock.advance(timedelta(minutes=30))
    release_everything()

    envelope = db.session.scalars(sa.select(Delivery)).one()
    message = db.session.scalars(sa.select(Message)).one()
    assert envelope.key == f"outcome:{message.id}:0"
    assert envelope.message_id.endswith(f".{message.id}@127.0.0.1>")
    assert (envelope.state, envelope.attempts, envelope.not_before) == ("pending", 0, clock.now())


def test_held_messages_stay_out_of_envelopes(clock):
    make_bug(Status.LIVE, waiting=[make_customer(email="")])
    clock.advance(timedelta(minutes=30))

    assert release_everything() == 0


def test_envelopes_are_filled_some_at_a_time(clock):
    make_bug(Status.LIVE, waiting=[make_customer() for _ in range(5)])
    clock.advance(timedelta(minutes=30))

    made = []
    for _ in range(4):
        with transaction():
            made.append(open_due(at_most=2))
    assert made == [2, 2, 1, 0]


# --- Who comes later, who goes ------------------------------------------------------------------------------------


def test_somebody_attached_after_the_fix_is_told_at_once(clock):
    bug = make_bug(Status.LIVE)
    clock.advance(timedelta(minutes=30))
    release_everything()

    make_report(make_customer(email="late@example.com"), bug=bug)

    assert message_to("late@example.com").state == "pending"
    assert release_everything() == 1


def test_somebody_attached_during_the_review_leaves_with_the_others(clock):
    bug = make_bug(Status.LIVE)
    make_report(make_customer(email="late@example.com"), bug=bug)

    assert release_everything() == 0
    clock.advance(timedelta(minutes=30))
    assert release_everything() == 2


def test_somebody_attached_to_an_open_bug_is_owed_nothing_yet():
    bug = make_bug()
    make_report(make_customer(), bug=bug)

    assert owed(bug) == []


def test_somebody_who_tells_again_after_being_told_is_held(clock):
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        message_to("hana@example.com").state = MessageState.SENT

    make_report(hana, bug=bug)

    assert owed(bug) == [("hana@example.com", "held", "reopened")]
    assert waiting(bug) == 1


def test_a_report_taken_back_is_owed_nothing(mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report)).one(), actor=mira)

    assert owed(bug) == [("hana@example.com", "cancelled", None)]


def test_a_report_taken_back_leaves_the_others_in_the_envelope(clock, mira):
    hana = make_customer(email="hana@example.com")
    first, second = make_bug(Status.LIVE, waiting=[hana]), make_bug(Status.LIVE, waiting=[hana])
    clock.advance(timedelta(minutes=30))
    release_everything()
    with transaction():
        reports.withdraw(db.session.scalars(sa.select(Report).where(Report.bug_id == first.id)).one(), actor=mira)

    assert (owed(first)[0][1], owed(second)[0][1]) == ("cancelled", "pending")
    assert states_of_envelopes() == ["pending"]


# --- Undoing and reopening ----------------------------------------------------------------------------------------


def test_undoing_takes_the_announcement_back(clock, mira):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")], actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert owed(bug) == [("hana@example.com", "cancelled", None)]
    assert announcement_of(bug).cancelled_at == clock.now()
    assert kinds(bug)[-1] == "announcement.cancelled"


def test_undoing_lets_the_suppressed_wait_again(mira):
    hana = make_customer(email="hana@example.com")
    bug = make_bug(waiting=[hana])
    with transaction():
        hana.suppressed_at = TUESDAY_9
    bring_to(bug, Status.DECLINED, actor=mira)
    assert waiting(bug) == 0

    with transaction():
        transitions.undo(bug, actor=mira)

    assert waiting(bug) == 1


@pytest.mark.parametrize("state", [MessageState.SENT, MessageState.TOLD_BY_HAND, MessageState.UNCERTAIN])
def test_undoing_is_refused_once_somebody_was_told(mira, state):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(), make_customer()], actor=mira)
    with transaction():
        db.session.scalars(sa.select(Message)).first().state = state

    with pytest.raises(Conflict, match="1 person has been told already"), transaction():
        transitions.undo(bug, actor=mira)
    assert db.session.get_one(Bug, bug.id).status == "declined"
    assert sorted(row[1] for row in owed(bug)) == sorted([state, "pending"])


def test_undoing_is_refused_while_a_mail_is_being_handed_over(mira):
    make_workspace(review_minutes=0)
    bug = make_bug(Status.DECLINED, actor=mira)
    release_everything()
    with transaction():
        db.session.scalars(sa.select(Delivery)).one().state = DeliveryState.SENDING

    with pytest.raises(Conflict, match="been told already"), transaction():
        transitions.undo(bug, actor=mira)


def test_declining_again_after_an_undo_opens_a_new_announcement(mira):
    bug = make_bug(Status.DECLINED, waiting=[make_customer(email="hana@example.com")], actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)
    bring_to(bug, Status.DECLINED, actor=mira)

    assert [row[1] for row in owed(bug)] == ["cancelled", "pending"]


def test_what_a_reopened_bug_still_owed_is_held(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com"), make_customer("Urs", email="")])
    clock.advance(timedelta(minutes=30))
    release_everything()
    with transaction():
        transitions.come_back(bug, actor=None)

    assert owed(bug) == [("hana@example.com", "held", "reopened"), (None, "held", "reopened")]
    assert states_of_envelopes() == ["cancelled"]
    with pytest.raises(Conflict, match="opened again"), transaction():
        announcements.send(announcement_of(bug), actor=mira)
    with pytest.raises(Conflict, match="opened again"), transaction():
        announcements.resume(announcement_of(bug), actor=mira)


def test_the_next_generation_takes_over_what_the_last_still_owed(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    with transaction():
        transitions.come_back(bug, actor=None)
    bring_to(bug, Status.LIVE, actor=mira)

    assert [row[1:] for row in owed(bug)] == [("cancelled", None), ("pending", None)]
    assert [a.generation for a in db.session.scalars(sa.select(Announcement).order_by(Announcement.id))] == [1, 2]


def test_undoing_a_change_of_mind_takes_the_decline_up_again(clock, mira):
    people = [make_customer(email="hana@example.com"), make_customer("Urs", email="")]
    bug = make_bug(Status.DECLINED, waiting=people, actor=mira)
    with transaction():
        transitions.reconsider(bug, actor=mira)
    with transaction():
        transitions.undo(bug, actor=mira)

    assert owed(bug) == [("hana@example.com", "pending", None), (None, "held", "no_address")]
    clock.advance(timedelta(minutes=30))
    assert release_everything() == 1


# --- Words -------------------------------------------------------------------------------------------------------


def test_writing_the_missing_note_frees_those_who_waited_for_it(mira):
    bug = make_bug(waiting=[make_customer(email="urs@example.com", language="de")])
    with transaction():
        transitions.fix(bug, {"en": "It is back."}, make_version(live_since=TUESDAY_9), actor=mira)
    with transaction():
        announcements.edit_notes(announcement_of(bug), {"de": "Sie ist wieder da."}, {}, actor=mira)

    assert owed(bug) == [("urs@example.com", "pending", None)]
    assert announcement_of(bug).notes == {"en": "It is back.", "de": "Sie ist wieder da."}
    last = db.session.scalars(sa.select(Event).order_by(Event.id.desc())).first()
    assert (last.kind, last.details["languages"]) == (EventKind.ANNOUNCEMENT_EDITED, ["de"])


def test_taking_a_note_away_holds_those_who_read_it(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="urs@example.com", language="de")])
    clock.advance(timedelta(minutes=30))
    release_everything()
    with transaction():
        announcements.edit_notes(announcement_of(bug), {"de": ""}, {}, actor=mira)

    assert owed(bug) == [("urs@example.com", "held", "no_note")]
    assert states_of_envelopes() == ["cancelled"]


def test_the_same_words_again_are_no_event(mira):
    bug = make_bug(Status.LIVE)
    announcement = announcement_of(bug)
    with transaction():
        announcements.edit_notes(announcement, dict(announcement.notes), {}, actor=mira)

    assert "announcement.edited" not in kinds(bug)


@pytest.mark.parametrize(("notes", "field"), [({"en": "x" * 4001}, "note"), ({"xx": "words"}, "language")])
def test_words_that_cannot_be_are_refused(mira, notes, field):
    bug = make_bug(Status.LIVE)
    with pytest.raises(Invalid) as refused, transaction():
        announcements.edit_notes(announcement_of(bug), notes, {}, actor=mira)

    assert refused.value.field == field


# --- Several workers at once ---------------------------------------------------------------------------------------


def test_several_workers_make_one_envelope_for_each_person(app, clock):
    for _ in range(3):
        make_bug(Status.LIVE, waiting=[make_customer() for _ in range(4)])
    clock.advance(timedelta(minutes=30))
    db.session.rollback()
    made = []

    def work():
        with app.app_context():
            while True:
                with transaction():
                    count = open_due(at_most=3)
                if not count:
                    return
                made.append(count)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(made) == 12
    envelopes = db.session.scalars(sa.select(Message.delivery_id)).all()
    assert len(set(envelopes)) == 12
    assert None not in envelopes
    assert kinds(db.session.get_one(Bug, 1)).count("announcement.released") == 1
