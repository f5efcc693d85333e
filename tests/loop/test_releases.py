"""A release goes live, and what was fixed in it with it."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict, Invalid
from bugintake.core.events import Event
from bugintake.intake.models import Bug, Option, OptionList, Status
from bugintake.loop import releases
from bugintake.loop.models import Announcement, Message, MessageState
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.factories import make_bug, make_customer, make_option, make_user, make_version, make_workspace

NOTE = {"en": "The VAT line is back."}


@pytest.fixture(autouse=True)
def _company(app, clock):
    make_workspace()


@pytest.fixture
def mira(app):
    return make_user(name="Mira")


def live(version, actor, **values):
    with transaction():
        return [bug.id for bug in releases.release_live(version, actor=actor, **values)]


def fixed_in(label, actor, **values):
    bug = make_bug(**values)
    with transaction():
        transitions.fix(bug, NOTE, make_version(label), actor=actor)
    return bug


def status_of(bug):
    return db.session.get_one(Bug, bug.id).status


def kinds():
    return list(db.session.scalars(sa.select(Event.kind).order_by(Event.id)))


def test_every_bug_fixed_in_a_release_becomes_live_with_it(mira):
    first, second, other = (fixed_in(v, mira) for v in ("4.13.0", "4.13.0", "4.14.0"))

    assert live("4.13.0", mira) == [first.id, second.id]
    assert [status_of(bug) for bug in (first, second, other)] == ["live", "live", "fixed"]
    assert db.session.scalar(sa.select(sa.func.count(Announcement.id))) == 2
    assert "release.live" in kinds()


def test_a_version_nobody_knows_is_made_on_the_spot(clock, mira):
    assert live(" 5.0 ", mira) == []

    made = db.session.scalars(sa.select(Option).where(Option.label == "5.0")).one()
    assert (made.list, made.live_since_at) == (OptionList.VERSION, clock.now())


def test_a_version_made_of_digits_is_a_label_and_no_number_of_a_choice(mira):
    make_version("4.13.0")

    live("1", mira)

    assert db.session.scalars(sa.select(Option.label).where(Option.live_since_at.is_not(None))).all() == ["1"]


@pytest.mark.parametrize(
    ("listed", "said", "live_one"),
    [("4.13.0", "v4.13.0", "4.13.0"), ("v4.13.0", "v4.13.0", "v4.13.0"), ("4", "V5", "5"), ("4", "vista", "vista")],
)
def test_a_tag_means_the_version_it_is_named_after(mira, listed, said, live_one):
    make_version(listed)

    live(said, mira)

    assert db.session.scalars(sa.select(Option.label).where(Option.live_since_at.is_not(None))).all() == [live_one]


def test_a_version_is_found_by_another_name_it_has(mira):
    version = make_option(OptionList.VERSION, "4.13.0", aliases=["september"])

    live("September", mira)

    assert db.session.get_one(Option, version.id).live_since_at is not None


def test_saying_it_twice_changes_nothing_the_second_time(clock, mira):
    fixed_in("4.13.0", mira)
    live("4.13.0", mira)
    since = clock.now()
    clock.advance(timedelta(hours=1))

    assert live("4.13.0", mira) == []
    assert db.session.scalars(sa.select(Option.live_since_at).where(Option.label == "4.13.0")).one() == since
    assert kinds().count("release.live") == 1


def test_a_bug_fixed_in_a_live_release_is_live_at_once(mira):
    live("4.13.0", mira)
    version, bug = make_option(OptionList.VERSION, "4.13.0"), make_bug()

    with transaction():
        transitions.fix(bug, NOTE, version, actor=mira)

    assert status_of(bug) == "live"


def test_it_may_have_been_live_for_a_while(clock, mira):
    since = clock.now() - timedelta(days=1)
    live("4.13.0", mira, live_at=since)

    assert db.session.scalars(sa.select(Option.live_since_at).where(Option.label == "4.13.0")).one() == since


@pytest.mark.parametrize("version", ["", "  ", "x" * 121])
def test_a_version_without_a_name_is_refused(mira, version):
    with pytest.raises(Invalid):
        live(version, mira)


def test_a_time_to_come_is_refused(mira):
    with pytest.raises(Invalid, match="give a time that is past") as refused:
        live("4.13.0", mira, live_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert refused.value.field == "live_at"


def test_a_retired_version_an_unsure_one_and_no_version_are_refused(clock, mira):
    retired, unsure = make_version("3.0"), make_version("Not sure")
    with transaction():
        retired.retired_at, unsure.is_unsure = clock.now(), True

    for given in ("3.0", unsure, make_option(OptionList.AREA)):
        with pytest.raises(Invalid):
            live(given, mira)


def test_a_withdrawn_release_makes_its_bugs_fixed_again_and_the_told_wait_again(mira):
    bug = fixed_in("4.13.0", mira, waiting=[make_customer(email="told@x.test"), make_customer(email="untold@x.test")])
    live("4.13.0", mira)
    with transaction():
        told = db.session.scalars(sa.select(Message).order_by(Message.id)).first()
        told.state = MessageState.SENT
        told.report.settled_at, told.report.settled_by = told.state_at, "told"
    version = make_version("4.13.0", live_since=db.session.get_one(Bug, bug.id).release.live_since_at)

    with transaction():
        assert [b.id for b in releases.withdraw_release(version, actor=mira)] == [bug.id]

    again = db.session.get_one(Bug, bug.id)
    assert (again.status, again.generation, again.waiting_count) == ("fixed", 2, 2)
    assert states_of_all() == [("live", "sent"), ("live", "held"), ("correction", "held")]
    live("4.13.0", mira)
    assert states_of_all() == [
        ("live", "sent"),
        ("live", "cancelled"),
        ("correction", "cancelled"),
        ("live", "pending"),
        ("live", "pending"),
    ]


def states_of_all():
    found = sa.select(Announcement.kind, Message.state).join(Announcement).order_by(Message.id)
    return [tuple(row) for row in db.session.execute(found)]


def test_only_a_live_release_can_be_withdrawn(mira):
    with pytest.raises(Conflict, match=r"4\.13\.0 is not live"), transaction():
        releases.withdraw_release(make_version("4.13.0"), actor=mira)


def test_a_withdrawn_release_cannot_be_undone_on_the_bug(mira):
    bug = fixed_in("4.13.0", mira)
    live("4.13.0", mira)
    with transaction():
        releases.withdraw_release(db.session.get_one(Bug, bug.id).release, actor=mira)

    with pytest.raises(Conflict, match="nothing to undo"), transaction():
        transitions.undo(bug, actor=mira)


def test_the_list_counts_only_what_this_person_may_see(mira):
    fixed_in("4.13.0", mira, waiting=[make_customer(), make_customer()])
    hidden = fixed_in("4.13.0", make_user(Role.LEAD))
    with transaction():
        hidden.is_restricted = True

    def seen_by(user):
        found = releases.page_of_releases(user, start=0, size=10)
        return [(r.version.label, r.bug_count, r.people_waiting) for r in found]

    # The version of the reports stands in the list too.
    assert seen_by(mira) == [("4.13.0", 1, 2), ("4.12.1", 0, 0)]
    assert seen_by(make_user(Role.LEAD)) == [("4.13.0", 2, 3), ("4.12.1", 0, 0)]


def test_a_bug_that_is_not_fixed_stays_where_it_is(mira):
    bug = make_bug(Status.FIXED)
    with transaction():
        transitions.start(bug, actor=mira)

    assert live("4.13.0", mira) == []
    assert status_of(bug) == "in_progress"
