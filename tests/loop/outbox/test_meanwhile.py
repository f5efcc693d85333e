"""What changed while a mail waited, or after it was claimed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.intake import reports, waiting
from bugintake.intake.customers.models import Customer
from bugintake.intake.models import Bug, Report, Status
from bugintake.loop import announcements, attempts, envelopes, links, outbox, post, updates
from bugintake.loop.models import Announcement, LinkPurpose
from bugintake.loop.verdicts import Outcome, Phase, Verdict
from bugintake.team.models import Role
from bugintake.triage import editing, transitions
from tests.factories import make_bug, make_customer, make_user
from tests.factories import merge as make_part
from tests.faults.rig import message_states, work
from tests.faults.server import FaultServer
from tests.loop.reading import first_report
from tests.loop.rows import live


def undo_their_report(bug: Bug, hana: Customer) -> None:
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()
    reports.withdraw(report, actor=make_user(Role.AGENT))


def unsubscribe(bug: Bug, hana: Customer) -> None:
    report = db.session.scalars(sa.select(Report).where(Report.customer_id == hana.id)).one()
    report.unsubscribed_at = bug.filed_at


def erase(bug: Bug, hana: Customer) -> None:
    hana.erased_at, hana.email, hana.name = bug.filed_at, None, "erased"


def suppress(bug: Bug, hana: Customer) -> None:
    hana.suppressed_at = bug.filed_at


def lose_address(bug: Bug, hana: Customer) -> None:
    hana.email = None


def reopen(bug: Bug, hana: Customer) -> None:
    transitions.come_back(bug, actor=None)


def take_back(bug: Bug, hana: Customer) -> None:
    transitions.undo(bug, actor=make_user(Role.AGENT))


def merge(bug: Bug, hana: Customer) -> None:
    other = db.session.scalars(sa.select(Bug).where(Bug.id != bug.id)).one()
    bug.merged_into_id = bug.canonical_id = other.id
    waiting.recount([bug.id, other.id])


def hold(bug: Bug, hana: Customer) -> None:
    announcements.hold(db.session.scalars(sa.select(Announcement)).one(), actor=make_user(Role.AGENT))


def lose_note(bug: Bug, hana: Customer) -> None:
    announcement = db.session.scalars(sa.select(Announcement)).one()
    announcement.notes = {"de": "Wieder da."}


def be_quiet(bug: Bug, hana: Customer) -> None:
    hana.quiet_until_on = bug.filed_at.date() + timedelta(days=10)


CHANGES = [
    (be_quiet, "held"),
    (undo_their_report, "cancelled"),
    (unsubscribe, "suppressed"),
    (erase, "suppressed"),
    (suppress, "suppressed"),
    (lose_address, "held"),
    (reopen, "held"),
    (take_back, "cancelled"),
    (merge, "cancelled"),
    (hold, "pending"),
    (lose_note, "held"),
]


@pytest.mark.fault("F-W7")
@pytest.mark.parametrize(("change", "state"), CHANGES)
def test_what_changed_while_a_mail_waited_is_seen_when_it_is_claimed(
    sink: FaultServer, change: Any, state: str
) -> None:
    make_bug(waiting=[])
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()
    with transaction():
        change(bug, hana)

    work()

    assert sink.accepted == []
    assert message_states() == {state: 1}


@pytest.mark.fault("F-W7")
@pytest.mark.parametrize(("change", "state"), [each for each in CHANGES if each[0] is not lose_note])
def test_what_changed_after_a_mail_was_claimed_still_stops_it_before_data(
    sink: FaultServer, change: Any, state: str
) -> None:
    make_bug(waiting=[])
    hana = make_customer(email="hana@example.com")
    bug = make_bug(Status.LIVE, waiting=[hana])
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim()[0]
    with transaction():
        change(bug, hana)
    channel = post.open_channel()

    outcome = post._send(claimed, channel, post.sender())

    channel.close()
    assert outcome.verdict == "withdrawn"
    work()
    assert sink.accepted == []
    assert message_states() == {state: 1}


@pytest.mark.parametrize("is_claimed", [False, True])
def test_a_question_about_a_part_stays_here_once_the_whole_needs_no_answer(sink: FaultServer, is_claimed: bool) -> None:
    mira, hana = make_user(), make_customer(email="hana@example.com")
    part, whole = make_bug(waiting=[hana]), make_bug(waiting=[])
    with transaction():
        transitions.ask(part, first_report(part), "Which browser?", actor=mira, is_for_customer=True)
    make_part(part, whole)
    with transaction():
        db.session.scalars(sa.select(Announcement)).one().due_at = part.filed_at
        envelopes.open_due()
    claimed = outbox.claim() if is_claimed else []
    with transaction():
        whole.status = Status.FIXED

    assert [attempts.begin_sending(each) for each in claimed] == [False] * is_claimed
    for each in claimed:
        attempts.give_back(each)
    work()
    assert (sink.accepted, message_states()) == ([], {"cancelled": 1})


def test_a_changed_address_gets_the_mail_and_the_old_one_does_not(sink: FaultServer) -> None:
    live("old@example.com")
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim()[0]
    with transaction():
        db.session.scalars(sa.select(Customer)).one().email = "new@example.com"
    channel = post.open_channel()
    post._send(claimed, channel, post.sender())
    channel.close()

    work()

    assert [recipient for recipient, _ in sink.accepted] == ["new@example.com"]


def test_a_mail_written_with_a_link_that_was_renewed_since_is_written_anew(sink: FaultServer) -> None:
    report = db.session.scalars(sa.select(Report).where(Report.bug_id == live("hana@example.com").id)).one()
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim()[0]
    with transaction():
        links.renew_link(report, actor=make_user(Role.AGENT))
    assert attempts.begin_sending(claimed) is False

    attempts.finish(claimed, Outcome(Verdict.WITHDRAWN, Phase.RCPT))
    work()

    ((_, mail),) = sink.accepted
    secret = re.search(r"/s/en/r/([\w-]{43})", mail.get_body(("plain",)).get_content())[1]
    assert links.report_behind(secret, LinkPurpose.REPORT).id == report.id


def test_a_second_way_round_takes_the_place_of_the_first_where_that_did_not_arrive(
    sink: FaultServer, clock: Any
) -> None:
    mira = make_user()
    bug = make_bug(waiting=[make_customer(email="rcpt450@example.com")])
    for way in ("Choose Print.", "Choose Export, then XPS."):
        with transaction():
            editing.set_workarounds(db.session.get_one(Bug, bug.id), {"en": way}, actor=mira)
            updates.tell_way_round(db.session.get_one(Bug, bug.id), actor=mira)
        work()

    assert message_states() == {"cancelled": 1, "pending": 1}
