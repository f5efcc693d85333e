"""What webhooks are told, when, and what never."""

import json
from datetime import date, time

import pytest
import sqlalchemy as sa

from bugintake.core import clock, events
from bugintake.core.db import db, transaction
from bugintake.core.event_kinds import EventKind
from bugintake.duty import overrides, roster
from bugintake.intake import reports
from bugintake.intake.models import OptionList, Report, Status
from bugintake.loop import attempts, messages, releases, replies
from bugintake.loop.models import Delivery, DeliveryState
from bugintake.loop.telling import note_told
from bugintake.loop.webhooks import outgoing
from bugintake.loop.webhooks.models import OffBecause, Topic
from bugintake.team.models import Role
from bugintake.triage import transitions
from tests.counting import asked
from tests.factories import make_bug, make_customer, make_option, make_user, make_version, make_workspace
from tests.loop.rows import announcement_of, live, message_to, release
from tests.loop.webhooks.receiver import deliveries

pytestmark = pytest.mark.long_on("postgres")


def queued(*topics):
    """What is owed, of some topics where they are named."""
    return [(each.topic.value, each.facts) for each in deliveries() if not topics or each.topic in topics]


def of_bug(bug, status, waiting, **more):
    named = {"ref": bug.ref, "url": f"http://127.0.0.1:8000/bugs/{bug.ref}", "status": status}
    return {"bug": {**named, "version": more.pop("version", None), "people_waiting": waiting}, **more}


@pytest.fixture
def webhook(make_webhook):
    return make_webhook()


def test_a_bug_is_told_of_from_filing_to_the_last_person(webhook, petra):
    bug = make_bug(waiting=[make_customer("Hana", email="hana@example.com")], actor=petra)
    version = make_version("4.13.0")
    with transaction():
        transitions.fix(bug, {"en": "The VAT line is back."}, version, actor=petra)
    with transaction():
        releases.release_live(version, actor=petra)
    release()
    envelope = db.session.scalars(sa.select(Delivery)).one()
    with transaction():
        envelope.state, envelope.sent_at = DeliveryState.ACCEPTED, clock.now()
    note_told([envelope.id])

    announced = announcement_of(bug)
    about = {"id": announced.id, "kind": "live", "url": f"http://127.0.0.1:8000/loop/{announced.id}", "people": 1}
    live_now = {"version": "4.13.0"}
    assert queued() == [
        ("bug.filed", of_bug(bug, "new", 1)),
        ("bug.status_changed", of_bug(bug, "fixed", 1, version="4.13.0", before="new", after="fixed")),
        ("announcement.waiting", of_bug(bug, "live", 1, version="4.13.0", announcement=about)),
        ("bug.status_changed", of_bug(bug, "live", 1, version="4.13.0", before="fixed", after="live")),
        ("bug.live", of_bug(bug, "live", 1, **live_now)),
        ("bug.everybody_told", of_bug(bug, "live", 0, **live_now)),
    ]


def test_a_decline_and_a_return_are_told_of(webhook, petra):
    declined, back = make_bug(Status.DECLINED, waiting=[]), make_bug(Status.LIVE, waiting=[])
    with transaction():
        transitions.come_back(back, actor=petra)

    assert queued(Topic.BUG_DECLINED, Topic.BUG_CAME_BACK) == [
        ("bug.declined", of_bug(declined, "declined", 0)),
        ("bug.came_back", of_bug(back, "accepted", 0, version="4.13.0")),
    ]


@pytest.mark.parametrize("how", ["by hand", "not at all", "works now", "taken back"])
def test_everybody_was_told_also_where_no_mail_told_the_last_one(make_webhook, petra, how):
    make_webhook("bug.everybody_told")
    bug = live("hana@example.com", "sam@example.com")
    release()
    with transaction():
        messages.tell_by_hand(message_to("hana@example.com"), actor=petra)
    before = queued()
    with transaction():
        last = message_to("sam@example.com")
        if how == "by hand":
            messages.tell_by_hand(last, actor=petra)
        elif how == "not at all":
            messages.do_not_tell(last, "They left.", actor=petra)
        elif how == "taken back":
            reports.withdraw(db.session.get_one(Report, last.report_id), actor=petra)
        else:
            replies.works_now(db.session.get_one(Report, last.report_id))

    assert before == []
    assert queued() == [("bug.everybody_told", of_bug(bug, "live", 0, version="4.13.0"))]


def test_nobody_is_told_of_an_open_bug_that_works_for_its_only_customer(make_webhook):
    make_webhook("bug.everybody_told")
    bug = make_bug()
    with transaction():
        replies.works_now(db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one())

    assert queued() == []


def test_a_message_that_failed_and_one_that_came_back_are_told_of(make_webhook):
    make_webhook("message.failed")
    bug, other = live("hana@example.com"), live("sam@example.com")
    release()
    first, second = db.session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
    with transaction():
        attempts.fail(first, "The server said no.")
    with transaction():
        events.record(EventKind.ADDRESS_SUPPRESSED, actor=None, customer_id=1, delivery_id=second.id)

    assert queued() == [
        ("message.failed", of_bug(bug, "live", 1, version="4.13.0", state="failed")),
        ("message.failed", of_bug(other, "live", 1, version="4.13.0", state="bounced")),
    ]


def test_duty_that_is_taken_over_is_told_of_with_whom_and_when(make_webhook, petra):
    make_webhook("duty.handed_over")
    mira, tin = make_user(Role.ENGINEER, "Mira Kos"), make_user(Role.ENGINEER, "Tin Horvat")
    terms = {"zone": "UTC", "start_on": date(2026, 3, 9), "handoff": time(9), "days": [0, 1, 2, 3, 4]}
    with transaction():
        rotation = roster.create_rotation(name="Bug duty", **terms, people=[mira, tin], actor=petra)
    for person in (mira, tin):  # the second one's own hours
        with transaction():
            overrides.take_over(rotation, actor=person)

    hours = {"from": "2026-03-10T09:00:00Z", "until": "2026-03-10T17:00:00Z"}
    assert queued() == [
        ("duty.handed_over", {"turns": [{"rotation": "Bug duty", "person": person, **hours}]})
        for person in ("Mira Kos", "Tin Horvat")
    ]


def test_only_what_was_chosen_is_told_and_each_webhook_is_told_once(make_webhook):
    first, second = make_webhook("bug.filed"), make_webhook("bug.live", "bug.filed")
    make_webhook("duty.handed_over")
    make_bug()

    assert [each.webhook_id for each in deliveries()] == [first.id, second.id]


def test_what_did_not_happen_after_all_is_not_told(webhook, petra):
    bug = make_bug()
    before = len(queued())
    with pytest.raises(ZeroDivisionError), transaction():
        transitions.accept(bug, actor=petra)
        raise ZeroDivisionError

    assert len(queued()) == before


def test_a_webhook_that_is_off_is_owed_nothing(webhook, petra):
    with transaction():
        outgoing.switch_off(webhook, OffBecause.BY_HAND, actor=petra)
    make_bug()

    assert queued() == []


def test_no_name_address_or_word_of_anybody_is_told(webhook, petra):
    """Every event of a life, with words that stand nowhere else."""
    make_workspace(name="zephyr workspace")
    hana = make_customer("zephyr name", email="zephyr@example.com", company="zephyr company")
    words = {name: f"zephyr {name}" for name in ("steps", "actual", "expected")}
    bug = make_bug(waiting=[hana], actor=petra, **words)
    with transaction():
        report = db.session.scalars(sa.select(Report).where(Report.bug_id == bug.id)).one()
        question = transitions.ask(bug, report, "zephyr question", actor=petra)
        transitions.answer(question, "zephyr answer", actor=petra)
        reason = make_option(OptionList.DECLINE_REASON, "zephyr reason")
        transitions.decline(bug, reason, {"en": "zephyr note"}, {"en": "zephyr way"}, actor=petra)
    release()
    with transaction():
        messages.do_not_tell(message_to("zephyr@example.com"), "zephyr reason", actor=petra)

    assert len(queued()) >= 7
    assert "zephyr" not in json.dumps(queued())


def test_a_release_of_many_bugs_asks_for_the_webhooks_once(petra):
    version, bugs = make_version("4.13.0"), [make_bug(waiting=[]) for _ in range(5)]
    with transaction():
        for bug in bugs:
            transitions.fix(bug, {"en": "Back."}, version, actor=petra)
    with asked() as statements, transaction():
        releases.release_live(version, actor=petra)

    assert len([each for each in statements if "FROM webhooks" in each]) == 1
