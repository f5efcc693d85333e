"""What customers write waits for the engineer on duty and for whoever filed it, whatever it means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import current_app

from bugintake.core.db import db, transaction
from bugintake.intake.models import Bug, News, Status
from bugintake.loop import mine, replies
from bugintake.team.models import Role
from bugintake.triage import handing_over, looking, snoozing
from bugintake.triage.queue import queue
from tests.counting import plans
from tests.factories import bring_to, make_bug, make_customer, make_user, merge
from tests.faults.rig import work
from tests.loop.inbound.mails import answered
from tests.loop.inbound.sending import comes_back, told
from tests.loop.reading import first_report
from tests.visitors import visit

pytestmark = [pytest.mark.usefixtures("holds"), pytest.mark.long_on("postgres")]


@pytest.fixture
def settings(settings):
    return replace(settings, base_url="http://localhost")


@pytest.fixture
def lea(company):
    return make_user(Role.AGENT, "Lea Sommer")


def page_of(actor, address):
    return visit(current_app._get_current_object(), actor).get(address).text


def in_queue(actor):
    db.session.rollback()
    db.session.expire_all()
    items, count = queue(actor)
    assert len(items) == count
    return [(item.card.id, item.why) for item in items]


def write(bug, text="It works, thank you."):
    with transaction():
        replies.add_remark(first_report(bug), text)


@pytest.mark.parametrize("status", [Status.LIVE, Status.DECLINED, Status.FIXED, Status.IN_PROGRESS])
def test_a_bug_that_a_customer_wrote_about_is_in_the_queue_until_somebody_has_looked(mira, status):
    bug = make_bug(status, actor=mira)
    assert in_queue(mira) == []

    write(bug)
    assert in_queue(mira) == [(bug.id, "A customer wrote")]
    assert db.session.get_one(Bug, bug.id).status is status
    with transaction():
        looking.look(db.session.get_one(Bug, bug.id), actor=mira)
    assert in_queue(mira) == []


def test_an_answer_by_mail_to_an_outcome_waits_in_the_queue(sink, mira):
    sent = told(sink)

    comes_back(answered("It still happens!", sent.answers))
    assert in_queue(mira) == [(sent.bug.id, "A customer wrote")]
    text = page_of(mira, "/duty/queue")
    assert "A customer wrote" in text


def test_it_is_said_on_the_bugs_page_and_looked_at_there(mira):
    bug = make_bug(Status.LIVE, actor=mira)
    write(bug, "All good.")

    page = page_of(mira, f"/bugs/{bug.ref}")
    assert "All good." in page and "I have looked" in page


def test_what_says_more_is_not_hidden_by_it(mira):
    bug = make_bug(Status.LIVE, actor=mira)
    with transaction():
        replies.still_happening(first_report(bug), "Still.")
    write(bug)

    assert db.session.get_one(Bug, bug.id).news is News.CAME_BACK


def test_it_ends_a_snooze(mira):
    bug = make_bug(Status.IN_PROGRESS, actor=mira)
    with transaction():
        snoozing.snooze(bug, date(2026, 4, 1), actor=mira)

    write(bug)
    assert in_queue(mira) == [(bug.id, "Woken by a customer")]


def test_whoever_filed_it_reads_it_until_somebody_has_looked(lea, mira):
    bug = make_bug(waiting=[make_customer("Hana Kovač")], actor=lea)
    bring_to(bug, Status.LIVE, actor=mira)
    work()
    write(bug, "First.")
    write(bug, "Then <b>more</b>.")
    others = make_user(Role.AGENT)

    assert [(row.bug_id, row.quote) for row in mine.written_back(lea)] == [(bug.id, "Then <b>more</b>.")]
    page = page_of(lea, "/mine")
    assert "Customers wrote" in page and "Then &lt;b&gt;more&lt;/b&gt;." in page
    assert mine.written_back(others) == []
    with transaction():
        looking.look(db.session.get_one(Bug, bug.id), actor=mira)
    assert mine.written_back(lea) == []


def test_an_old_remark_is_not_new_because_somebody_else_writes(lea, mira, clock):
    hana, sam = make_customer(), make_customer()
    bug = make_bug(waiting=[hana], actor=lea)
    write(bug, "Old.")
    with transaction():
        looking.look(db.session.get_one(Bug, bug.id), actor=mira)
    other = make_bug(waiting=[sam])
    merge(other, bug, actor=mira)
    with transaction():
        looking.look(db.session.get_one(Bug, bug.id), actor=mira)

    clock.advance(timedelta(minutes=1))
    write(other, "New.")
    assert mine.written_back(lea) == []
    assert in_queue(mira)[0][0] == bug.id


def test_the_handoff_note_names_it(mira):
    bug = make_bug(Status.LIVE, actor=mira)
    write(bug)
    [item], _ = queue(mira)

    line = handing_over._hot(item, item.card.filed_at, "UTC")
    assert line is not None and "word of a customer that nobody has looked at" in line.words


@pytest.mark.only_on("sqlite")
def test_the_closed_are_not_all_read_for_it(mira):
    make_bug(Status.LIVE, actor=mira)

    with plans("bugs") as found:
        queue(mira)
    assert found and not any("SCAN bugs" in step for plan in found for step in plan if "INDEX" not in step)
