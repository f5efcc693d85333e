"""When what is to be told leaves: by itself, when somebody says so, or not yet."""

from datetime import UTC, datetime, timedelta

import pytest

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake.models import Status
from bugintake.loop import announcements
from bugintake.loop.models import Delivery, DeliveryState
from tests.factories import make_bug, make_customer, make_user, make_workspace
from tests.loop.rows import TUESDAY_9, announcement_of, envelope_states, kinds, message_to, release


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira")


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
    assert release() == 0

    clock.advance(timedelta(seconds=1))

    assert release() == 1
    assert announcement_of(bug).released_at == TUESDAY_9 + timedelta(minutes=30)
    assert kinds(bug)[-1] == "announcement.released"
    assert release() == 0


def test_it_waits_for_ever_where_somebody_has_to_send(clock, mira):
    make_workspace(review_minutes=None)
    bug = make_bug(Status.LIVE)
    clock.advance(timedelta(days=60))
    assert release() == 0

    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(seconds=60))

    assert release() == 1


def test_sending_waits_a_minute_in_which_it_can_be_undone(clock, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(seconds=59))
    assert release() == 0

    with transaction():
        announcements.undo_send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=28))

    assert release() == 0
    clock.advance(timedelta(minutes=2))
    assert release() == 1


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

    assert release() == 0
    assert announcement_of(bug).due_at is None


def test_sending_twice_or_too_late_is_refused(clock, mira):
    bug = make_bug(Status.LIVE)
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=1))
    release()

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
    assert release() == 0

    with transaction():
        announcements.resume(announcement_of(bug), actor=mira)

    assert announcement_of(bug).due_at == TUESDAY_9 + timedelta(days=1, minutes=30)
    clock.advance(timedelta(minutes=30))
    assert release() == 1


def test_holding_takes_out_of_the_envelopes_what_has_not_been_handed_over(clock, mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com"), make_customer(email="sam@x.test")])
    clock.advance(timedelta(minutes=30))
    release()
    with transaction():
        leaving = db.session.get_one(Delivery, message_to("sam@x.test").delivery_id)
        leaving.state = DeliveryState.SENDING

    with transaction():
        announcements.hold(announcement_of(bug), actor=mira)

    assert message_to("hana@example.com").delivery_id is None
    assert message_to("sam@x.test").delivery_id == leaving.id
    assert envelope_states() == ["cancelled", "sending"]
    assert release() == 0
    with transaction():
        announcements.send(announcement_of(bug), actor=mira)
    clock.advance(timedelta(minutes=1))
    assert release() == 1
    assert message_to("hana@example.com").delivery_id is not None


def test_holding_or_resuming_twice_is_refused(mira):
    bug = make_bug(Status.LIVE)
    with pytest.raises(Conflict, match="It is not held"), transaction():
        announcements.resume(announcement_of(bug), actor=mira)
    with transaction():
        announcements.hold(announcement_of(bug), actor=mira)
    with pytest.raises(Conflict, match="held or cancelled already"), transaction():
        announcements.hold(announcement_of(bug), actor=mira)
