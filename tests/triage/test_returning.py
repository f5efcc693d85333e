"""A live bug comes back with a customer who has the fix, and is live as before once that attaching is taken back."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake import attaching, crowds, reports
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, News, OptionList, Report, Status
from bugintake.loop import announcements, releases, replies
from bugintake.loop.messages import tell_by_hand
from bugintake.loop.models import Announcement, Message
from bugintake.team.models import Role
from bugintake.triage import looking, queue, snoozing, transitions
from tests.factories import (
    make_bug,
    make_customer,
    make_option,
    make_telling,
    make_user,
    make_version,
    make_workspace,
)


@pytest.fixture
def live(company):
    make_version("4.11.0")
    make_version("4.12.1")
    return make_bug(Status.LIVE, waiting=[make_customer(email="first@example.com")], version="4.11.0")


def attach(bug, version, customer=None):
    make_option(OptionList.VERSION, version, is_unsure=version == "Not sure")
    agent = make_user(Role.AGENT, "Lea Agent")
    telling = make_telling(customer or make_customer(), version=version)
    with transaction():
        attaching.attach(bug, telling, actor=agent)
    return db.session.get_one(Bug, bug.id, populate_existing=True)


def events_of(bug):
    return db.session.scalars(sa.select(Event).where(Event.bug_id == bug.id).order_by(Event.id)).all()


def messages():
    return [(m.customer.email, m.state, m.held_because) for m in db.session.scalars(sa.select(Message).order_by("id"))]


def test_who_has_an_older_version_is_told_that_it_is_fixed(live):
    bug = attach(live, "4.12.1", make_customer(email="late@example.com"))

    assert (bug.status, bug.generation, bug.came_back_at) == (Status.LIVE, 1, None)
    assert messages() == [("first@example.com", "pending", None), ("late@example.com", "pending", None)]


@pytest.mark.parametrize("version", ["4.13.0", "4.14.0", "Not sure"])
def test_it_comes_back_with_who_has_the_release_or_one_that_nobody_can_say(live, version, clock):
    bug = attach(live, version)

    assert (bug.status, bug.generation, bug.came_back_at) == (Status.ACCEPTED, 2, clock.now())
    assert (bug.news, bug.waiting_count) == (News.CAME_BACK, 2)
    assert messages() == [("first@example.com", "held", "reopened")]
    assert [event.kind for event in events_of(bug)][-2:] == ["report.attached", "bug.came_back"]


def test_a_word_whose_place_among_the_versions_nobody_decided_counts_as_not_known(live):
    with transaction():
        word = make_option(OptionList.VERSION, "nightly")
        word.proposed_at = word.retired_at = live.filed_at
        word.position = 0

    assert attach(live, "nightly").status == Status.ACCEPTED


def test_the_order_of_the_list_is_the_order_of_the_versions(live):
    with transaction():
        make_version("4.9.0").position = 0  # added late, and put where it belongs

    assert attach(live, "4.9.0").status == Status.LIVE


def test_it_comes_back_with_somebody_who_was_told_already(live):
    first = db.session.scalars(sa.select(Message)).one().customer

    bug = attach(live, "4.13.0", first)

    assert (bug.status, bug.waiting_count) == (Status.ACCEPTED, 1)


def test_without_releases_it_comes_back_with_everybody(company):
    make_workspace(goes_live_at_once=True)
    bug = make_bug()
    with transaction():
        transitions.fix(bug, {"en": "Back."}, None, actor=make_user())
    assert bug.status == Status.LIVE

    assert attach(bug, "4.12.1").status == Status.ACCEPTED


def test_open_and_declined_bugs_stay_as_they_are(company):
    for status in (Status.ACCEPTED, Status.FIXED, Status.DECLINED):
        assert attach(make_bug(status), "4.14.0").status == status


# --- Taking the attaching back ---


def take_back(bug, event_id=None):
    """Take an attaching back: the last one, where none is named."""
    told = sa.select(Event).where(Event.bug_id == bug.id, Event.kind == "report.attached").order_by(Event.id.desc())
    event = db.session.scalars(told).first() if event_id is None else db.session.get_one(Event, event_id)
    with transaction():
        attaching.take_back(event, actor=make_user(Role.AGENT, "Lea Agent"))
    return db.session.get_one(Bug, bug.id, populate_existing=True)


def stands(bug):
    """Everything that an attaching may change: the bug, who waits, what is to be told, and what is in the queue."""
    db.session.rollback()
    columns = [column for column in Bug.__table__.columns if column.name != "changed_at"]
    told = (Report.customer_id, Report.settled_at, Report.settled_by)
    when = (Announcement.due_at, Announcement.held_at, Announcement.released_at, Announcement.cancelled_at)
    owed = (Message.customer_id, Message.state, Message.held_because, Message.reason, Message.delivery_id)
    return [
        db.session.execute(sa.select(*columns).where(Bug.id == bug.id)).one(),
        db.session.execute(sa.select(*told).where(Report.settled_by.is_distinct_from("withdrawn"))).all(),
        db.session.execute(sa.select(*when, Announcement.generation).order_by(Announcement.id)).all(),
        db.session.execute(sa.select(*owed).order_by(Message.id)).all(),
        [item.card.id for item in queue.queue(make_user())[0]],
    ]


@pytest.fixture
def announced(live, clock):
    """The live bug, some time later, owed in many ways."""
    quiet = make_customer(email="quiet@example.com")
    for customer in (make_customer("Urs", email=""), quiet, make_customer(email="told@example.com")):
        attach(live, "4.12.1", customer)
    by_email = {message.customer.email: message for message in db.session.scalars(sa.select(Message))}
    with transaction():
        quiet.quiet_until_on = (clock.now() + timedelta(days=30)).date()
        by_email["quiet@example.com"].state, by_email["quiet@example.com"].held_because = "held", "quiet"
        tell_by_hand(by_email["told@example.com"], actor=make_user())
    clock.advance(timedelta(minutes=5))
    return db.session.get_one(Bug, live.id)


@pytest.mark.parametrize("who", ["somebody new", "first@example.com", "told@example.com"])
def test_a_bug_that_came_back_with_an_attaching_is_live_as_before_once_it_is_taken_back(announced, clock, who):
    customer = db.session.scalar(sa.select(Customer).where(Customer.email == who))
    before = stands(announced)
    assert attach(announced, "4.13.0", customer).status == Status.ACCEPTED
    clock.advance(timedelta(minutes=9))

    take_back(announced)

    assert stands(announced) == before
    told = [(event.kind, event.actor_id is not None, event.after) for event in events_of(announced)][-2:]
    assert told == [("report.withdrawn", True, None), ("bug.undone", True, "live")]


def test_a_live_bug_that_was_put_off_before_it_was_released_is_put_off_as_before(company, clock):
    bug = make_bug(Status.FIXED, waiting=[make_customer()])
    with transaction():
        snoozing.snooze(bug, looking.today_of(make_user()) + timedelta(days=5), actor=make_user())
        bug.release.live_since_at = clock.now()
        transitions.go_live(bug, actor=None)
    clock.advance(timedelta(minutes=1))
    before = stands(bug)
    assert attach(bug, "4.13.0").snoozed_until is None

    take_back(bug)

    assert stands(bug) == before


def test_what_somebody_had_held_before_stays_held(announced, clock):
    with transaction():
        announcement = announcements.current(announced)
        announcements.hold(announcement, actor=make_user())
    clock.advance(timedelta(minutes=1))
    before = stands(announced)
    attach(announced, "4.13.0")

    take_back(announced)

    assert stands(announced) == before


def test_a_crowd_that_a_bug_came_back_with_is_taken_back_with_that(announced, company):
    for kind in (OptionList.FREQUENCY, OptionList.PLATFORM, OptionList.VERSION):
        make_option(kind, "Not sure", is_unsure=True)
    before, agent = stands(announced), make_user(Role.AGENT)
    with transaction():
        crowd = crowds.meant(announced, "a@b.com, c@d.com, told@example.com", "")
        sent = {"words": "Down.", "languages": {}, "actor": agent, "key": "k", "version": str(announced.release.id)}
        batch = crowds.attach_all(announced, crowd, **sent)
    assert db.session.get_one(Bug, announced.id).status == Status.ACCEPTED

    with transaction():
        crowds.take_back(announced, batch, actor=agent)

    assert stands(announced) == before


def attached_by_another(bug, clock):
    attach(bug, "4.13.0")


def says_so_too(bug, clock):
    report = db.session.scalars(sa.select(Report).order_by(Report.id)).first()
    with transaction():
        replies.still_happening(report)


def moved(bug, clock):
    with transaction():
        transitions.start(bug, actor=make_user())


def ten_minutes_later(bug, clock):
    clock.advance(looking.UNDO_WITHIN + timedelta(seconds=1))


def release_withdrawn(bug, clock):
    with transaction():
        releases.withdraw_release(bug.release, actor=make_user())


MEANWHILE = [attached_by_another, says_so_too, moved, ten_minutes_later, release_withdrawn]


@pytest.mark.parametrize("meanwhile", MEANWHILE)
def test_it_stays_open_where_more_than_the_attaching_speaks_for_that(announced, clock, meanwhile):
    attach(announced, "4.13.0")
    event = events_of(announced)[-2]
    meanwhile(announced, clock)

    bug = take_back(announced, event.id)

    assert (bug.status.is_open, bug.generation) == (True, 2)


def test_it_is_live_again_once_the_last_who_spoke_for_that_is_taken_back(announced):
    before = stands(announced)
    attach(announced, "4.13.0")
    first = events_of(announced)[-2].id
    attach(announced, "4.13.0")
    second = events_of(announced)[-1].id

    assert take_back(announced, first).status == Status.ACCEPTED
    assert take_back(announced, second).status == Status.LIVE
    assert stands(announced) == before


def test_a_report_that_is_withdrawn_later_leaves_it_open(announced):
    attach(announced, "4.13.0")
    report = db.session.get_one(Report, events_of(announced)[-2].report_id)
    with transaction():
        reports.withdraw(report, actor=make_user())

    assert db.session.get_one(Bug, announced.id).status == Status.ACCEPTED
