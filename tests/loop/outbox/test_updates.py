"""What is told on the way: that we have a report, a way round, a correction. Nobody is settled by it."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Conflict
from bugintake.intake import reports, waiting
from bugintake.intake.models import Bug, Status
from bugintake.loop import announcements, attempts, envelopes, messages, outbox, queries, releases, replies, updates
from bugintake.loop.models import Announcement, HeldBecause, Message
from bugintake.team import workspace as company
from bugintake.triage import editing, merging
from tests.factories import bring_to, make_bug, make_customer, make_report, merge
from tests.faults.rig import message_states, work
from tests.loop.outbox.asking import MINUTE, body, sent
from tests.loop.reading import first_report
from tests.loop.rows import announcement_of, kinds, last_event, owed, waiting_for

pytestmark = pytest.mark.long_on("postgres")

WAY = "Choose Print, then Save as PDF."


@pytest.fixture
def confirming(mira):
    """The company writes to customers that it has their report."""
    with transaction():
        company.change(company.workspace(), {"confirms_reports": True}, actor=mira)


def with_way_round(bug, mira, **ways):
    with transaction():
        editing.set_workarounds(db.session.get_one(Bug, bug.id), ways or {"en": WAY}, actor=mira)


def tell(bug, mira):
    with transaction():
        return updates.tell_way_round(db.session.get_one(Bug, bug.id), actor=mira)


def told_kinds():
    found = sa.select(Announcement.kind, Message.state).join(Announcement).order_by(Message.id)
    return [(kind.value, state.value) for kind, state in db.session.execute(found)]


# --- We have your report ------------------------------------------------------------------------------------------


def test_whoever_tells_us_reads_a_minute_later_that_we_have_it(confirming, sink, clock, mira):
    hana = make_customer("Hana Kos", email="hana@example.com")
    bug = make_bug(waiting=[hana], actual="The VAT line is missing. Only the total is there.")
    with_way_round(bug, mira)

    work()
    assert sent(sink) == []
    clock.advance(MINUTE)
    assert [work(), work()] == [1, 0]

    assert sent(sink) == [("hana@example.com", "We have your report about “The VAT line is missing”")]
    assert f"we will write to you how it ends. Until then: {WAY}" in body(sink)
    assert (waiting_for(bug), message_states()) == (1, {"sent": 1})
    assert first_report(bug).settled_at is None


def test_the_link_leads_to_their_page(confirming, app, sink, clock):
    make_bug(waiting=[make_customer(email="hana@example.com")])
    clock.advance(MINUTE)
    work()
    path = re.findall(r"https://bugs.example.com(/s/\S+?/r/[\w-]+)", body(sink))[0]
    page = app.test_client().get(path, base_url="https://bugs.example.com", follow_redirects=True)
    assert page.status_code == 200 and "We have your report" in page.text


@pytest.mark.parametrize(
    ("language", "subject"), [("de", "Ihre Meldung zu „X“ ist bei uns"), ("es", "Tenemos su aviso sobre «X»")]
)
def test_it_is_written_in_the_language_of_its_reader(confirming, sink, clock, language, subject):
    make_bug(waiting=[make_customer(email="hana@example.com", language=language)], actual="X")
    clock.advance(MINUTE)
    work()
    assert sent(sink) == [("hana@example.com", subject)]


def test_who_cannot_be_written_to_is_no_work_for_anybody(confirming, app, clock, mira):
    nowhere, gone = make_customer("No Address", email=""), make_customer(email="gone@example.com")
    with transaction():
        gone.suppressed_at = clock.now()
    make_bug(waiting=[nowhere, gone])
    assert told_kinds() == []
    assert queries.to_do_count(mira) == 0


def test_an_outcome_or_taking_back_ends_it_before_it_leaves(confirming, sink, clock, mira):
    declined, taken = make_bug(waiting=[make_customer(email="a@example.com")]), make_bug(waiting=[make_customer()])
    bring_to(declined, Status.DECLINED, actor=mira)
    with transaction():
        reports.withdraw(first_report(taken), actor=mira)
    assert told_kinds() == [("received", "cancelled"), ("received", "cancelled"), ("declined", "pending")]
    clock.advance(MINUTE)
    work()
    assert len(sent(sink)) == 1 and sent(sink)[0][1].startswith("About")


def test_a_part_of_another_bug_is_confirmed_all_the_same(confirming, sink, clock, mira):
    part, whole = make_bug(waiting=[make_customer(email="hana@example.com")]), make_bug(waiting=[])
    merge(part, whole, actor=mira)
    clock.advance(MINUTE)
    work()
    assert [address for address, _ in sent(sink)] == ["hana@example.com"]


# --- A way round --------------------------------------------------------------------------------------------------


def test_everybody_who_waits_is_told_a_way_round_once_its_review_is_over(sink, clock, mira):
    bug = make_bug(
        waiting=[make_customer(email="en@example.com"), make_customer(email="de@example.com", language="de")],
        actual="X",
    )
    with_way_round(bug, mira)
    announcement = tell(bug, mira)
    assert (last_event(), announcement.due_at) == ("announcement.opened", clock.now())
    assert owed(bug) == [("en@example.com", "pending", None), ("de@example.com", "held", HeldBecause.NO_NOTE)]
    assert queries.to_do_count(mira) == 2

    work()
    assert sent(sink) == [("en@example.com", "A way round “X”")]
    assert f"there is a way round it: > {WAY}" in body(sink)
    assert (waiting_for(bug), message_states()) == (2, {"sent": 1, "held": 1})

    with_way_round(bug, mira, en=WAY, de="Drucken wählen.")
    work()
    assert sent(sink)[1:] == [("de@example.com", "Ein Ausweg bei „X“")]


def test_who_is_attached_later_is_told_at_once_and_who_unsubscribed_is_not(sink, mira):
    bug = make_bug(waiting=[make_customer(email="a@example.com"), make_customer(email="b@example.com")])
    with transaction():
        replies.unsubscribe(first_report(bug))
    with_way_round(bug, mira)
    tell(bug, mira)
    work()
    make_report(make_customer(email="late@example.com"), bug=bug)
    work()
    assert [address for address, _ in sent(sink)] == ["b@example.com", "late@example.com"]
    assert waiting_for(bug) == 3


def test_what_nobody_needs_is_refused_in_words(mira):
    bug, fixed = make_bug(waiting=[make_customer()]), make_bug(Status.LIVE)
    with pytest.raises(Conflict, match=r"There is no workaround yet\. Write it first\."):
        tell(bug, mira)
    with_way_round(bug, mira)
    with transaction():
        announcements.hold(tell(bug, mira), actor=mira)
    with pytest.raises(Conflict, match="It is to be told already"):
        tell(bug, mira)
    with_way_round(fixed, mira)
    with pytest.raises(Conflict, match="It is known how BUG-2 ended"):
        tell(fixed, mira)
    nobody = make_bug(waiting=[None])
    with_way_round(nobody, mira)
    with pytest.raises(Conflict, match="Nobody waits for BUG-3"):
        tell(nobody, mira)
    merge(bug, nobody)
    with pytest.raises(Conflict, match="BUG-1 is part of BUG-3 now"):
        tell(bug, mira)


@pytest.mark.parametrize("end", ["live", "merged", "emptied"])
def test_what_did_not_leave_in_time_does_not_leave(sink, mira, end):
    bug = make_bug(Status.FIXED, waiting=[make_customer(email="hana@example.com")])
    with_way_round(bug, mira)
    tell(bug, mira)
    if end == "live":
        with transaction():
            releases.release_live(db.session.get_one(Bug, bug.id).release, actor=mira)
    elif end == "merged":
        merge(bug, make_bug(waiting=[]))
    else:
        with_way_round(bug, mira, en="")
    work()
    assert [subject for _, subject in sent(sink) if subject.startswith("A way round")] == []
    assert told_kinds()[0] == ("workaround", "held" if end == "emptied" else "cancelled")


# --- A correction -------------------------------------------------------------------------------------------------


def test_who_was_told_of_a_release_that_is_withdrawn_reads_why_and_waits_again(sink, clock, mira):
    told = make_customer(email="told@example.com")
    bug = make_bug(Status.LIVE, waiting=[told], actual="X")
    work()
    make_report(make_customer(email="late@example.com"), bug=bug)
    with transaction():
        releases.withdraw_release(db.session.get_one(Bug, bug.id).release, actor=mira)
    assert owed(bug)[2:] == [("told@example.com", "held", HeldBecause.NO_NOTE)]
    correction = announcement_of(bug)
    assert (correction.kind, queries.to_do_count(mira)) == ("correction", 2)

    with transaction():
        announcements.edit_notes(correction, {"en": "The new version was taken back."}, {}, actor=mira)
    work()
    assert sent(sink)[1:] == [("told@example.com", "A correction about “X”")]
    assert "this was not right, and I am sorry. The new version was taken back." in body(sink)
    assert waiting_for(bug) == 2

    with transaction():
        releases.release_live(db.session.get_one(Bug, bug.id).release, actor=mira)
    work()
    assert sorted(address for address, _ in sent(sink)[2:]) == ["late@example.com", "told@example.com"]
    assert waiting_for(bug) == 0


def test_who_was_told_of_another_problem_is_owed_a_correction(sink, mira):
    hana = make_customer(email="hana@example.com")
    part, whole = make_bug(waiting=[hana]), make_bug(Status.FIXED, waiting=[make_customer(email="other@example.com")])
    merge(part, whole)
    with transaction():
        releases.release_live(db.session.get_one(Bug, whole.id).release, actor=mira)
    work()
    assert len(sent(sink)) == 2
    with transaction():
        merging.unmerge(db.session.get_one(Bug, part.id), actor=mira)

    assert owed(part) == [("hana@example.com", "held", HeldBecause.NO_NOTE)]
    assert announcement_of(part).kind == "correction"
    assert "announcement.opened" in kinds(part)
    assert waiting_for(part) == 1


def test_whoever_was_told_nothing_wrong_gets_no_correction(mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    with transaction():
        releases.withdraw_release(db.session.get_one(Bug, bug.id).release, actor=mira)
    assert told_kinds() == [("live", "held")]


def test_told_by_hand_ends_a_correction_and_not_the_waiting(mira):
    bug = make_bug(Status.LIVE, waiting=[make_customer(email="hana@example.com")])
    work()
    with transaction():
        releases.withdraw_release(db.session.get_one(Bug, bug.id).release, actor=mira)
    with transaction():
        messages.tell_by_hand(db.session.scalars(sa.select(Message).order_by(Message.id.desc())).first(), actor=mira)
    assert told_kinds()[-1] == ("correction", "told_by_hand")
    assert waiting_for(bug) == 1


# --- What changes between writing and sending, seen without any event --------------------------------------------


@pytest.mark.parametrize("is_claimed", [False, True])
@pytest.mark.parametrize(
    ("kind", "change", "leaves"),
    [
        ("workaround", "ended", False),
        ("workaround", "merged", False),
        ("received", "ended", False),
        ("received", "merged", True),
        ("received", "merged into what has ended", False),
    ],
)
def test_what_is_of_no_use_any_more_is_stopped_right_before_it_leaves(mira, clock, kind, change, leaves, is_claimed):
    bug, whole = make_bug(waiting=[make_customer(email="hana@example.com")]), make_bug(waiting=[])
    with_way_round(bug, mira)
    with transaction():
        if kind == "workaround":
            updates.tell_way_round(bug, actor=mira)
        else:
            updates.confirm(first_report(bug), actor=mira)
    clock.advance(MINUTE)
    with transaction():
        envelopes.open_due()
    claimed = outbox.claim() if is_claimed else []
    assert len(claimed) == is_claimed
    with transaction():
        if change.startswith("merged"):
            bug.merged_into_id = bug.canonical_id = whole.id
            waiting.recount([bug.id, whole.id])
        if change != "merged":
            ended = whole if change.startswith("merged") else bug
            ended.status = Status.LIVE

    if is_claimed:
        assert [attempts.begin_sending(each) for each in claimed] == [leaves]
        attempts.give_back(claimed[0])
    else:
        assert [each.letter.recipient for each in outbox.claim()] == ["hana@example.com"] * leaves
    with transaction():
        bug.status = whole.status = Status.NEW  # nothing has really ended, so nobody is owed an outcome
