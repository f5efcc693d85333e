"""The mail to leads about what is overlooked: once on a working day, and only with something in it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import proposals
from bugintake.intake.models import OptionList
from bugintake.loop import notice_letters, notices
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.team.models import Role, User
from bugintake.triage import editing
from tests.factories import make_bug, make_user, make_workspace

MORNING = datetime(2026, 3, 10, 8, tzinfo=UTC)  # a Tuesday, 09:00 in Zagreb


@pytest.fixture
def petra(app, clock):
    make_workspace(zone="Europe/Zagreb")
    clock.set(MORNING)
    return make_user(Role.LEAD, "Petra Lang")


def sweep(clock, at):
    """Let the worker look at an instant."""
    clock.set(at)
    return notices.queue_overlooked(at)


def owed():
    """Every such mail that is owed, by day and person."""
    found = sa.select(Delivery.key).where(Delivery.kind == DeliveryKind.OVERLOOKED).order_by(Delivery.id)
    return list(db.session.scalars(found))


def letters():
    """What they say now; nothing where there is nothing to say."""
    found = db.session.scalars(
        sa.select(Delivery).where(Delivery.kind == DeliveryKind.OVERLOOKED).order_by(Delivery.id)
    )
    return [notice_letters.letter_of(delivery) for delivery in found]


def test_each_lead_is_owed_one_mail_on_a_working_day_however_often_the_worker_looks(app, petra, clock):
    make_user(Role.ENGINEER), make_user(Role.ADMIN), make_user(Role.LEAD, disabled_at=clock.now())

    counts = [sweep(clock, MORNING + timedelta(minutes=minutes)) for minutes in (-1, 0, 1, 400)]

    assert (counts, owed()) == ([0, 1, 0, 0], [f"overlooked:2026-03-10:{petra.id}"])
    assert sweep(clock, MORNING + timedelta(days=1)) == 1
    assert [sweep(clock, MORNING + timedelta(days=days)) for days in (4, 5)] == [0, 0]  # Saturday, Sunday


def test_where_nobody_is_a_lead_admins_read_it(app, clock):
    make_workspace(zone="Europe/Zagreb")
    admin = make_user(Role.ADMIN)

    assert (sweep(clock, MORNING), owed()) == (1, [f"overlooked:2026-03-10:{admin.id}"])


def test_several_workers_that_look_at_once_owe_it_once(app, petra, together):
    together(lambda _number: notices.queue_overlooked(MORNING))

    assert owed() == [f"overlooked:2026-03-10:{petra.id}"]


def test_it_names_the_bugs_by_their_number_alone_with_the_lists_they_are_on(app, petra, clock):
    bugs = [make_bug(actual="The canary sings.") for _ in range(7)]
    with transaction():
        editing.restrict(bugs[0], True, actor=petra)
    sweep(clock, MORNING)

    [letter] = letters()

    assert (letter.recipient, letter.subject) == (petra.email, "7 bugs are overlooked")
    [line] = [line for line in letter.lines if line.url]
    assert line.text == f"7 bugs that nobody has: {', '.join(bug.ref for bug in bugs[:5])}, 2 more"
    assert line.url.endswith("/overlooked?list=owner")
    assert "canary" not in repr(letter)


def test_nothing_leaves_when_nothing_is_overlooked_or_on_another_day_or_to_who_is_no_lead_by_now(app, petra, clock):
    sweep(clock, MORNING)
    empty = letters()
    make_bug()
    full = [letter is not None for letter in letters()]
    clock.advance(timedelta(days=1))
    late = letters()
    clock.set(MORNING)
    with transaction():
        db.session.get_one(User, petra.id).role = Role.AGENT

    assert (empty, full, late, letters()) == ([None], [True], [None], [None])


def test_before_the_first_run_is_done_nobody_is_owed_anything(app):
    assert notices.queue_overlooked(MORNING) == 0


def test_it_says_what_waits_for_a_lead_in_the_catalogue_also_where_no_bug_is_overlooked(app, petra, clock):
    with transaction():
        proposals.propose(OptionList.PLATFORM, "Toaster")
    sweep(clock, MORNING)
    (letter,) = letters()

    said = [(line.text, line.url) for line in letter.lines[1:]]
    assert letter.subject == "The form waits for you"
    assert said == [
        (
            "1 word that agents proposed waits for a decision:",
            "http://127.0.0.1:8000/admin/catalogue/proposals",
        )
    ]
