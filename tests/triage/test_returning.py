"""A live bug comes back with a customer who has the fix."""

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.intake import attaching
from bugintake.intake.models import Bug, News, OptionList, Status
from bugintake.loop.models import Message
from bugintake.team.models import Role
from bugintake.triage import transitions
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
