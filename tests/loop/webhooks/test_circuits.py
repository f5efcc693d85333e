"""A webhook that fails is left alone, longer each time; what it is owed waits in order, and others notice nothing."""

from datetime import timedelta

import pytest

from bugintake.core import clock as house_clock
from bugintake.core import resting
from bugintake.core.db import db, transaction
from bugintake.core.outside import Receipt, Unreachable
from bugintake.loop.webhooks import happenings, outgoing, sending
from bugintake.loop.webhooks.models import Topic, Webhook
from tests.factories import make_bug
from tests.loop.webhooks.receiver import deliveries, states, work

BROKEN, DOWN = Receipt(500, ""), Unreachable("hooks.example.com does not answer in time.")


@pytest.fixture
def webhook(make_webhook):
    return make_webhook()


@pytest.fixture
def _no_jitter(monkeypatch):
    monkeypatch.setattr(resting, "jittered", lambda span: span)


def happen(webhook, count=1):
    """Let things happen, each told apart by its number."""
    number, known = webhook.id, len(deliveries())
    for n in range(known, known + count):
        with transaction():
            happenings.owe([number], Topic.BUG_FILED, facts={"n": n})


def order(receiver):
    return [told["data"]["n"] for told in receiver.told]


def the(webhook):
    return db.session.get_one(Webhook, webhook.id, populate_existing=True)


def test_a_hundred_things_while_it_is_down_for_an_hour_are_few_tries_and_then_arrive_in_order_each_once(
    webhook, receiver, clock
):
    back_at = house_clock.now() + timedelta(hours=1)
    receiver.otherwise = lambda: DOWN if house_clock.now() < back_at else Receipt(204, "")
    for _ in range(100):
        happen(webhook)
        work()
        clock.advance(timedelta(seconds=36))
    tries = len(receiver.got)
    while house_clock.now() < back_at + timedelta(hours=1):
        work()
        clock.advance(timedelta(seconds=30))

    assert tries <= 8
    assert order(receiver)[tries:] == list(range(100))
    assert set(states()) == {("sent", 204, "")}


def test_pauses_grow_and_vary_so_that_those_that_failed_together_do_not_return_together(make_webhook, receiver, clock):
    several = [make_webhook(url=f"https://hooks{number}.example.com/") for number in range(8)]
    receiver.otherwise = lambda: DOWN
    for least, most in ((48, 72), (240, 360), (720, 1080), (2880, 4320), (2880, 4320)):
        for webhook in several:
            happen(webhook)
        work()
        rests = [the(webhook).rests_until - house_clock.now() for webhook in several]
        assert len(set(rests)) > 4
        assert all(timedelta(seconds=least) <= rest <= timedelta(seconds=most) for rest in rests)
        clock.advance(max(rests))


@pytest.mark.usefixtures("_no_jitter")
def test_when_its_rest_is_over_the_oldest_is_tried_and_one_more_thing_before_it_rests_again(webhook, receiver, clock):
    happen(webhook, 5)
    receiver.otherwise = lambda: DOWN
    for _ in range(3):
        work()
        clock.set(the(webhook).rests_until)

    assert order(receiver) == [0, 1] * 3
    assert the(webhook).failures == 3


@pytest.mark.usefixtures("_no_jitter")
def test_one_thing_that_it_cannot_read_holds_up_nothing_and_is_tried_as_often_as_anything_else(
    webhook, receiver, clock
):
    happen(webhook, 4)
    receiver.otherwise = lambda: BROKEN if order(receiver)[-1] == 1 else Receipt(204, "")
    work()
    at_once = order(receiver)
    for minutes in (1, 5, 15, 60):
        clock.advance(timedelta(minutes=minutes))
        happen(webhook)
        work()

    assert at_once == [0, 1, 2, 3]
    assert order(receiver) == [0, 1, 2, 3, 1, 4, 1, 5, 1, 6, 1, 7]
    assert (the(webhook).failing_since_at, the(webhook).failures) == (None, 0)


def test_one_that_rests_keeps_nothing_from_another(make_webhook, receiver, clock):
    down, other = make_webhook("bug.filed"), make_webhook("bug.filed", url="https://other.example.com/")
    receiver.otherwise = lambda: DOWN if receiver.got[-1][0] == down.url else Receipt(204, "")
    for _ in range(5):
        make_bug(waiting=[])
        work()

    assert [each.state.value for each in deliveries() if each.webhook_id == other.id] == ["sent"] * 5
    assert {each.state.value for each in deliveries() if each.webhook_id == down.id} == {"pending"}


def test_a_sample_is_tried_at_once_though_it_rests_and_where_it_arrives_so_does_all_that_waits(
    webhook, receiver, clock
):
    happen(webhook, 3)
    receiver.answers = [DOWN, DOWN]
    work()
    clock.advance(timedelta(seconds=1))
    with transaction():
        outgoing.queue_test(the(webhook))
    work()

    assert {state for state, *_ in states()} == {"sent"}
    assert len(receiver.got) == 2 + 4


def test_what_waited_for_three_days_and_was_never_tried_is_not_told_any_more(webhook, receiver, clock):
    happen(webhook)
    clock.advance(happenings.TRIED_FOR + sending.LEASE + timedelta(seconds=1))
    work()

    assert (receiver.got, states()) == ([], [("dropped", None, "It waited for three days.")])


def test_several_workers_tell_one_webhook_one_thing_at_a_time(webhook, receiver, clock):
    def meanwhile():
        assert sending.send_one() is False
        return Receipt(204, "")

    happen(webhook, 3)
    receiver.answers = [meanwhile] * 3
    work()

    assert order(receiver) == [0, 1, 2]
