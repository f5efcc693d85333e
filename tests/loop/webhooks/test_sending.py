"""Telling webhooks: signed, at least once under one number, never twice at once, and for how long."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook as Reference
from standardwebhooks import WebhookVerificationError

from bugintake.core import clock as house_clock
from bugintake.core import resting
from bugintake.core.db import db, transaction
from bugintake.core.outside import Receipt, Refused, Unreachable
from bugintake.loop import notice_letters, restoring
from bugintake.loop.models import Delivery, DeliveryKind
from bugintake.loop.webhooks import outgoing, sending
from bugintake.loop.webhooks.happenings import in_utc
from bugintake.loop.webhooks.models import OffBecause, SendingState, Webhook, WebhookDelivery
from bugintake.team import people
from bugintake.team.models import Role
from bugintake.triage import editing, merging
from tests.factories import make_bug, make_user
from tests.loop.webhooks.receiver import ADDRESS, deliveries, states, work

BUSY, BROKEN, GONE = Receipt(429, ""), Receipt(500, ""), Receipt(410, "")
MINUTES = [0, 1, 5, 15, 60, 60]


@pytest.fixture
def webhook(make_webhook):
    return make_webhook()


@pytest.fixture
def bug(webhook):
    return make_bug()


@pytest.fixture
def _no_jitter(monkeypatch):
    monkeypatch.setattr(resting, "jittered", lambda span: span)


def the_webhook():
    return db.session.scalars(sa.select(Webhook).execution_options(populate_existing=True)).one()


def notices():
    found = sa.select(Delivery).where(Delivery.kind == DeliveryKind.WEBHOOK_OFF).order_by(Delivery.id)
    return db.session.scalars(found).all()


# --- What arrives ------------------------------------------------------------------------------------------------


def test_the_published_library_finds_what_is_sent_right(webhook, receiver, clock):
    clock.set(datetime.now(UTC))  # the library asks a clock of its own
    bug = make_bug()
    work()

    [(url, headers, body)] = receiver.got
    assert url == ADDRESS
    assert headers["Content-Type"] == "application/json"
    read = Reference(webhook.secret).verify(body, headers)
    assert read == {
        "type": "bug.filed",
        "timestamp": in_utc(house_clock.now()),
        "data": {
            "bug": {
                "ref": bug.ref,
                "url": f"http://127.0.0.1:8000/bugs/{bug.ref}",
                "status": "new",
                "version": None,
                "people_waiting": 1,
            }
        },
    }
    assert states() == [("sent", 204, "")]


def test_a_renewed_secret_counts_at_once_and_the_one_before_for_a_day(webhook, petra, receiver, clock):
    clock.set(datetime.now(UTC))
    old = webhook.secret
    with transaction():
        outgoing.renew_secret(webhook, actor=petra)
    new = the_webhook().secret
    make_bug()
    work()
    [(_, headers, body)] = receiver.got
    fits = [Reference(secret).verify(body, headers)["type"] for secret in (old, new)]
    with transaction():
        the_webhook().previous_until = house_clock.now() - timedelta(seconds=1)
    make_bug()
    work()

    assert fits == ["bug.filed", "bug.filed"]
    _, headers, body = receiver.got[1]
    assert Reference(new).verify(body, headers)["type"] == "bug.filed"
    with pytest.raises(WebhookVerificationError):
        Reference(old).verify(body, headers)
    assert (old == new, len(headers["webhook-signature"].split())) == (False, 1)


def test_the_one_before_counts_for_24_hours(webhook, petra):
    with transaction():
        outgoing.renew_secret(webhook, actor=petra)

    assert the_webhook().previous_until == house_clock.now() + timedelta(hours=24)


# --- Again and again ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_no_jitter")
@pytest.mark.parametrize("answer", [BROKEN, BUSY, Receipt(302, ""), Receipt(404, ""), Unreachable("x"), Refused("x")])
def test_what_is_not_taken_is_sent_again_under_the_same_number_after_1_5_15_and_60_minutes(
    bug, receiver, clock, answer
):
    receiver.answers = [answer] * (len(MINUTES) - 1)
    counts = []
    for minutes in MINUTES:
        clock.advance(timedelta(minutes=minutes) - timedelta(seconds=1 if minutes else 0))
        work()
        early = len(receiver.got)
        clock.advance(timedelta(seconds=1 if minutes else 0))
        work()
        counts.append((early if minutes else 0, len(receiver.got)))

    assert counts == [(number, number + 1) for number in range(len(MINUTES))]
    assert len(set(receiver.numbers)) == 1
    assert len({body for _, _, body in receiver.got}) == 1
    assert [each[0] for each in states()] == ["sent"]
    assert the_webhook().failing_since_at is None


@pytest.mark.usefixtures("_no_jitter")
def test_after_three_days_it_is_given_up(bug, receiver, clock):
    receiver.answers = [BROKEN] * 200
    started = house_clock.now()
    while states()[0][0] == "pending":
        clock.set(deliveries()[0].not_before)
        work()

    spent = house_clock.now() - started
    assert timedelta(hours=70) < spent <= timedelta(hours=72)
    assert states() == [("failed", 500, "")]
    assert len(receiver.got) == 4 + 71
    assert the_webhook().off_at is None


@pytest.mark.usefixtures("_no_jitter")
@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("code", [429, 503])
def test_a_receiver_that_says_when_is_asked_then_and_about_nothing_before(webhook, receiver, clock, code, as_date):
    later = house_clock.now() + timedelta(minutes=20)
    receiver.answers = [Receipt(code, format_datetime(later, usegmt=True) if as_date else "1200")]
    make_bug()
    make_bug()
    work()
    clock.advance(timedelta(minutes=19, seconds=59))
    work()
    before = len(receiver.got)
    clock.advance(timedelta(seconds=1))
    work()

    assert (before, len(receiver.got)) == (1, 3)
    assert [each[0] for each in states()] == ["sent", "sent"]


@pytest.mark.usefixtures("_no_jitter")
@pytest.mark.parametrize(
    ("wanted", "minutes"),
    [("", 1), ("soon", 1), ("-5", 1), ("0", 1), ("9" * 400, 24 * 60), ("Tue, 10 Mar 2026 08:00:00 GMT", 1), ("²", 1)],
)
def test_a_nonsensical_wish_is_none_and_no_wish_is_longer_than_a_day(bug, receiver, wanted, minutes):
    receiver.answers = [Receipt(429, wanted)]
    work()

    assert [each.not_before - house_clock.now() for each in deliveries()] == [timedelta(minutes=minutes)]


# --- Off ---------------------------------------------------------------------------------------------------------


def test_one_that_is_gone_is_switched_off_with_all_it_is_owed_and_each_admin_is_told_once(webhook, petra, receiver):
    other = make_user(Role.ADMIN, "Other Admin", language="de")
    make_user(Role.LEAD)
    make_bug()
    make_bug()
    receiver.answers = [GONE, GONE]
    work()
    work()

    assert len(receiver.got) == 1
    assert states() == [("failed", 410, ""), ("dropped", None, "The webhook was switched off.")]
    assert [each.user_id for each in notices()] == [petra.id, other.id]
    letter = notice_letters.letter_of(notices()[0])
    assert letter is not None
    assert letter.subject == "A webhook was switched off: hooks.example.com"
    assert [line.text for line in letter.lines][1:] == [
        "it is told nothing any more. hooks.example.com says that it is gone for good (410).",
        "See what failed, and switch it on again:",
    ]
    assert "secret-part" not in repr(letter)
    in_german = notice_letters.letter_of(notices()[1])
    assert in_german is not None
    assert in_german.subject == "Ein Webhook wurde ausgeschaltet: hooks.example.com"
    with transaction():
        outgoing.switch_on(the_webhook(), actor=petra)
    assert notice_letters.letter_of(notices()[1]) is None


def test_one_that_fails_for_five_days_straight_is_switched_off_and_the_admins_are_told_once(
    webhook, petra, receiver, clock
):
    receiver.answers = [BROKEN] * 500
    started = house_clock.now()
    while the_webhook().off_at is None:
        make_bug(waiting=[])
        work()
        clock.advance(timedelta(hours=2))
        assert house_clock.now() - started < timedelta(days=6)
    asked = len(receiver.got)
    make_bug()
    work()

    assert the_webhook().off_at - started >= timedelta(days=5)
    assert the_webhook().off_at - started < timedelta(days=5, hours=4)
    assert (len(receiver.got), len(notices())) == (asked, 1)
    assert {state for state, *_ in states()} == {"failed", "dropped"}


def test_one_answer_in_five_days_is_enough_to_stay_on(webhook, receiver, clock):
    for day in range(12):
        receiver.answers = [BROKEN] if day % 4 else []
        make_bug(waiting=[])
        clock.advance(timedelta(days=1))
        sending.send_one()

    assert the_webhook().off_at is None


# --- With whose rights: A-45 -------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after it was queued", "by what it is part of"])
def test_a_45_of_a_restricted_bug_nothing_is_sent_whoever_owns_the_webhook(webhook, petra, receiver, when):
    bug = make_bug()
    other = make_bug()
    with transaction():
        db.session.execute(sa.delete(WebhookDelivery).where(WebhookDelivery.bug_id == other.id))
        if when == "by what it is part of":
            editing.restrict(other, True, actor=petra)
            merging.merge(bug, other, actor=petra)
        else:
            editing.restrict(bug, True, actor=petra)
    if when == "before":
        with transaction():
            outgoing.send_again(_sent_before(bug))
    work()

    assert receiver.got == []
    assert states() == [("dropped", None, "The bug is restricted.")]


def _sent_before(bug):
    delivery = db.session.scalars(sa.select(WebhookDelivery).where(WebhookDelivery.bug_id == bug.id)).one()
    delivery.state = SendingState.SENT
    return delivery


@pytest.mark.parametrize("how", ["disabled", "no lead"])
def test_a_45_a_webhook_whose_owner_is_no_lead_any_more_says_nothing_until_one_saves_it(webhook, petra, receiver, how):
    other = make_user(Role.ADMIN, "Other Admin")
    make_bug()
    with transaction():
        if how == "disabled":
            people.disable(petra, actor=other)
        else:
            people.change_role(petra, Role.ENGINEER, actor=other)
    work()
    silent = len(receiver.got)
    [dropped] = deliveries()
    with transaction():
        outgoing.choose(the_webhook(), ["bug.filed"], actor=other)
        outgoing.send_again(dropped)
    work()

    assert (silent, len(receiver.got)) == (0, 1)


def test_what_a_restored_backup_owed_is_not_sent(bug, receiver):
    class Backup:
        made_at, version = house_clock.now(), "0.1.0"

    with transaction():
        restoring.distrust(Backup(), db.session.connection())
    work()

    assert (receiver.got, states()) == ([], [("dropped", None, "A backup was restored.")])


# --- Several workers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7])
def test_six_workers_send_each_once(webhook, receiver, together, count):
    for _ in range(count):
        make_bug(waiting=[])

    def work_here(_number):
        while sending.send_one():
            pass

    together(work_here)

    assert sorted(receiver.numbers) == sorted(each.number for each in deliveries())
    assert {state for state, *_ in states()} == {"sent"}


def test_what_is_being_sent_is_nobody_elses_while_its_lease_lasts(bug, receiver, clock):
    def meanwhile():
        clock.advance(sending.LEASE - timedelta(seconds=1))
        assert sending.send_one() is False
        return Receipt(200, "")

    receiver.answers = [meanwhile]
    work()

    assert len(receiver.got) == 1


def test_what_a_dead_worker_had_is_sent_by_another_under_the_same_number(bug, receiver, clock):
    class Killed(BaseException):
        pass

    def die():
        raise Killed

    receiver.answers = [die]
    with pytest.raises(Killed):
        sending.send_one()
    db.session.rollback()
    clock.advance(sending.LEASE)
    work()
    early = len(receiver.got)
    clock.advance(timedelta(seconds=1))
    work()

    assert (early, len(receiver.got), len(set(receiver.numbers))) == (1, 2, 1)
    assert states() == [("sent", 204, "")]


@pytest.mark.parametrize("ending", [BROKEN, GONE])
def test_one_that_is_only_slow_writes_nothing_over_what_another_did(bug, receiver, clock, ending):
    def slow():
        clock.advance(sending.LEASE + timedelta(seconds=1))
        assert sending.send_one() is True
        return ending

    receiver.answers = [slow]
    work()

    assert states() == [("sent", 204, "")]
    assert (the_webhook().failing_since_at, the_webhook().off_at) == (None, None)


def test_one_that_is_taken_away_while_it_is_told_is_no_failure(webhook, bug, petra, receiver):
    def take_away():
        with transaction():
            outgoing.remove(the_webhook(), actor=petra)
        return BROKEN

    receiver.answers = [take_away]
    work()

    assert deliveries() == []


def test_one_that_is_switched_off_while_it_is_told_is_not_told_again(webhook, bug, petra, receiver, clock):
    def switch_off():
        with transaction():
            outgoing.switch_off(the_webhook(), OffBecause.BY_HAND, actor=petra)
        return BROKEN

    receiver.answers = [switch_off]
    work()
    clock.advance(timedelta(hours=2))
    work()

    assert (len(receiver.got), states(), notices()) == (1, [("failed", 500, "")], [])


def test_what_keeps_killing_its_workers_is_given_up_after_three_days(bug, receiver, clock):
    with transaction():
        values = {"state": SendingState.SENDING, "attempts": 9, "lease_until": house_clock.now()}
        db.session.execute(sa.update(WebhookDelivery).values(**values))
    clock.advance(timedelta(hours=73))
    work()

    assert (receiver.got, states()) == ([], [("dropped", None, "Its workers kept stopping for three days.")])


# --- The log -----------------------------------------------------------------------------------------------------


def test_the_log_says_when_what_and_how_it_went_and_nothing_of_the_answer(bug, receiver):
    receiver.answers = [Unreachable("hooks.example.com does not answer in time.")]
    work()

    [each] = deliveries()
    assert (each.asked_at, each.topic, each.attempts) == (house_clock.now(), "bug.filed", 1)
    assert (each.code, each.trouble) == (None, "hooks.example.com does not answer in time.")
    assert 0 <= each.took_ms < 5000


def test_of_each_log_the_last_two_hundred_are_kept_and_what_is_on_its_way(make_webhook, receiver, monkeypatch):
    monkeypatch.setattr(outgoing, "SHOWN", 3)
    make_webhook("bug.filed")
    make_bug(waiting=[])
    with transaction():
        the_webhook().rests_until = house_clock.now() + timedelta(days=1)
    for _ in range(5):
        make_bug(waiting=[])
    kept = [each.id for each in deliveries()]
    with transaction():
        later = sa.update(WebhookDelivery).where(WebhookDelivery.id > kept[0])
        db.session.execute(later.values(state=SendingState.SENT))
    outgoing.forget_old()

    assert [each.id for each in deliveries()] == [kept[0], *kept[3:]]


def test_json_is_what_was_signed_byte_for_byte(bug, receiver):
    work()

    [(_, _, body)] = receiver.got
    assert json.loads(body)["type"] == "bug.filed"
    assert body == json.dumps(json.loads(body), separators=(",", ":")).encode()
