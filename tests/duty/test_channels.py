"""A team's channel hears each thing once, at its time, as it is true when it leaves; and the address stays a secret."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from bugintake.core import clock as house_clock
from bugintake.core import outside, resting
from bugintake.core.db import db, transaction
from bugintake.core.errors import Invalid
from bugintake.core.events import Event
from bugintake.core.outside import Receipt, Refused, Unreachable
from bugintake.duty import absences, channels
from bugintake.duty.channel_models import ChannelPost, PostState, TeamChannel
from bugintake.duty.models import Rotation
from bugintake.team.models import User
from tests.duty.conftest import make_rotation
from tests.visitors import text_of

pytestmark = pytest.mark.long_on("postgres")

URL = "https://hooks.example.com/services/T0/secret-part"


class Chat:
    """A chat that answers as it is told to, and keeps what it was asked."""

    def __init__(self):
        self.answers, self.heard, self.otherwise = [], [], Receipt(200, "")

    def tell(self, url, headers, body):
        assert headers == {"Content-Type": "application/json"}
        self.heard.append((url, json.loads(body)["blocks"][0]["text"]["text"]))
        answer = self.answers.pop(0) if self.answers else self.otherwise
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def chat(monkeypatch):
    chat = Chat()
    monkeypatch.setattr(outside, "tell", chat.tell)
    monkeypatch.setattr(resting, "jittered", lambda span: span)
    return chat


@pytest.fixture
def connected(rotation, petra):
    with transaction():
        channels.connect(rotation, URL, actor=petra)
    return rotation


def step():
    """What the worker does about channels."""
    queued = channels.queue_posts(house_clock.now())
    while channels.post_one():
        pass
    db.session.expire_all()
    return queued


def posts():
    return [(post.state, post.trouble) for post in db.session.scalars(sa.select(ChannelPost).order_by(ChannelPost.id))]


def test_the_channel_hears_whose_turn_comes_once_when_its_mail_goes_out(connected, chat, clock):
    """Ana's Wednesday: four in the afternoon in New York is 20:00 UTC on Tuesday."""
    for minutes in range(0, 180, 30):
        clock.set(datetime(2026, 3, 10, 18, 30, tzinfo=UTC) + timedelta(minutes=minutes))
        step()

    assert chat.heard == [(URL, "Ana Lončar is on duty on Wed 11 Mar, 09:00–17:00 Europe/Berlin (Bug duty).")]
    assert posts() == [(PostState.SENT, "")]


def test_on_mondays_at_eight_in_the_rotations_zone_it_hears_the_week(connected, chat, clock):
    clock.set(datetime(2026, 3, 16, 6, 59, tzinfo=UTC))
    step()
    before = [text for _, text in chat.heard if "this week" in text]
    clock.set(datetime(2026, 3, 16, 7, tzinfo=UTC))
    step()
    step()

    assert before == []
    [week] = [text for _, text in chat.heard if "this week" in text]
    assert week.splitlines()[:2] == ["Bug duty this week (Europe/Berlin):", "Mon 16 Mar: Ana"]


def test_it_hears_where_nobody_is_there(mira, petra, chat, clock):
    rotation = make_rotation([mira], actor=petra)
    with transaction():
        channels.connect(rotation, URL, actor=petra)
        absences.note_absence(mira, date(2026, 3, 12), date(2026, 3, 13), actor=mira)
    step()

    assert (
        "Nobody is on duty on Thu 12 Mar, 09:00–17:00 Europe/Berlin and 1 more times (Bug duty): "
        "nobody of the rotation is there."
    ) in [text for _, text in chat.heard]


def test_without_a_channel_nothing_is_owed(rotation, chat, clock):
    clock.set(datetime(2026, 3, 10, 21, tzinfo=UTC))

    assert (step(), chat.heard) == (0, [])


def test_workers_at_once_owe_and_post_once(connected, chat, clock, together):
    now = datetime(2026, 3, 10, 21, tzinfo=UTC)
    clock.set(now)
    queued = together(lambda _: channels.queue_posts(now))
    together(lambda _: channels.post_one())

    assert sorted(queued)[-1] == 1
    assert sum(queued) == 1
    assert len(chat.heard) == 1


def test_what_is_no_longer_true_when_it_leaves_is_not_posted(connected, chat, clock, ana):
    clock.set(datetime(2026, 3, 10, 21, tzinfo=UTC))
    channels.queue_posts(house_clock.now())
    with transaction():
        absences.note_absence(ana, date(2026, 3, 11), date(2026, 3, 11), actor=ana)
    channels.post_one()
    db.session.expire_all()

    assert (chat.heard, posts()) == ([], [(PostState.DROPPED, "")])


def test_a_busy_or_unreachable_chat_is_asked_again_later_and_given_up_in_the_end(connected, chat, clock, petra):
    with transaction():
        channels.queue_test(connected)
    busy = [Receipt(503, ""), Receipt(429, ""), Unreachable("hooks.example.com does not answer."), Receipt(500, "")]
    chat.answers = [*busy, Receipt(500, "")]
    for wait in (timedelta(0), *resting.PAUSES):
        clock.advance(wait - timedelta(seconds=1) if wait else wait)
        step()
        clock.advance(timedelta(seconds=1))
        step()

    assert len(chat.heard) == 5
    assert posts() == [(PostState.FAILED, "hooks.example.com answers 500.")]


def test_one_that_is_busy_is_left_alone_as_long_as_it_says_and_what_waits_follows_in_order(connected, chat, clock):
    """Ten posts while it is down are few tries, and then each arrives once."""
    chat.answers = [Receipt(429, "1200"), Receipt(503, "")]
    counts = []
    for _ in range(10):
        with transaction():
            db.session.add(ChannelPost(key=f"test:{len(posts())}", rotation_id=connected.id))
        step()
        clock.advance(timedelta(minutes=2))
        counts.append(len(chat.heard))
    clock.advance(timedelta(minutes=30))
    step()

    assert counts == [1] * 10
    assert len(chat.heard) == 2
    clock.advance(timedelta(minutes=5))
    step()
    assert (len(chat.heard), {state for state, _ in posts()}) == (12, {PostState.SENT})
    sent = sa.select(ChannelPost.key).order_by(ChannelPost.not_before, ChannelPost.id)
    assert list(db.session.scalars(sent)) == [f"test:{number}" for number in range(10)]


def test_while_one_rests_another_is_told(connected, chat, clock, mira, petra):
    other = make_rotation([mira], actor=petra, name="Other duty")
    with transaction():
        channels.connect(other, f"{URL}-other", actor=petra)
        channels.queue_test(connected)
    chat.answers = [Receipt(500, "")]
    step()
    with transaction():
        db.session.add(ChannelPost(key="test:next", rotation_id=connected.id))
        channels.queue_test(other)
    step()

    assert [url for url, _ in chat.heard] == [URL, f"{URL}-other"]


def test_a_team_that_talks_in_teams_reads_a_card(rotation, petra, as_user, monkeypatch, clock):
    heard = []
    monkeypatch.setattr(
        outside, "tell", lambda _url, _headers, body: heard.append(json.loads(body)) or Receipt(202, "")
    )
    as_user(petra).post(f"/duty/rotations/{rotation.id}/channel", {"url": URL, "chat": "teams"})
    step()

    [card] = heard[0]["attachments"]
    [line] = card["content"]["body"]
    assert line["inlines"][0]["text"].startswith("This channel hears of Bug duty")


@pytest.mark.parametrize(
    ("answer", "state", "trouble"),
    [
        (Receipt(404, ""), PostState.FAILED, "hooks.example.com answers 404."),
        (Receipt(302, ""), PostState.FAILED, "hooks.example.com answers 302."),
        (Refused("It leads into this network."), PostState.FAILED, "It leads into this network."),
        (Unreachable("It was cut off.", was_asked=True), PostState.UNCERTAIN, "It was cut off."),
    ],
)
def test_what_cannot_help_is_not_repeated_and_what_may_have_arrived_neither(
    connected, chat, clock, answer, state, trouble
):
    with transaction():
        channels.queue_test(connected)
    chat.answers = [answer]
    for _ in range(3):
        step()
        clock.advance(timedelta(hours=3))

    assert (len(chat.heard), posts()) == (1, [(state, trouble)])


def test_a_post_whose_worker_died_is_uncertain_and_not_repeated(connected, chat, clock):
    with transaction():
        channels.queue_test(connected)
        db.session.execute(sa.update(ChannelPost).values(state=PostState.SENDING, not_before=house_clock.now()))
    step()
    still = posts()
    clock.advance(channels.LOST_AFTER + timedelta(seconds=1))
    step()

    assert still == [(PostState.SENDING, "")]
    assert (chat.heard, posts()) == ([], [(PostState.UNCERTAIN, "The worker was stopped meanwhile.")])


@pytest.mark.parametrize(
    "url",
    [
        *("", "http://hooks.example.com/x", "https://", "ftp://x", "https://a:b@c/", "no", "https://x/" + "y" * 1000),
        *("https://[", "https://x:99999/", "https://x:0/", "https://x/ö"),
    ],
)
def test_what_is_no_address_is_refused_in_words_and_nothing_is_saved(rotation, petra, url):
    with pytest.raises(Invalid, match=r"begins with https://"), transaction():
        channels.connect(rotation, url, actor=petra)

    assert channels.channel_of(rotation) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "[::1]", "169.254.169.254", "localhost", "a.localhost."])
def test_an_address_inside_is_refused_before_it_is_saved(rotation, petra, host):
    with pytest.raises(Invalid, match="leads into this network"), transaction():
        channels.connect(rotation, f"https://{host}/hook", actor=petra)

    assert channels.channel_of(rotation) is None


def test_a_lead_connects_tries_and_disconnects_it_and_nobody_reads_the_secret(rotation, petra, as_user, chat, clock):
    browser, address = as_user(petra), f"/duty/rotations/{rotation.id}/channel"
    assert browser.post(address, {"url": URL}).status_code == 302
    step()
    page = browser.get(address)
    assert "Connected to hooks.example.com" in text_of(page)
    assert "This channel hears of Bug duty" in text_of(page)
    assert "secret-part" not in page.text
    assert browser.post(f"{address}/test").status_code == 302
    assert browser.post(f"{address}/removal").status_code == 302
    step()

    assert len(chat.heard) == 1
    assert [state for state, _ in posts()] == [PostState.SENT, PostState.DROPPED]
    recorded = [str((event.before, event.after, event.details)) for event in db.session.scalars(sa.select(Event))]
    assert "secret-part" not in " ".join(recorded)
    assert db.session.scalars(sa.select(TeamChannel)).all() == []


def test_connected_twice_at_once_it_is_connected_once(rotation, petra, together):
    rotation_id, lead_id = rotation.id, petra.id

    def connect(number):
        with transaction():
            found, lead = (db.session.get_one(*row) for row in ((Rotation, rotation_id), (User, lead_id)))
            channels.connect(found, f"{URL}{number}", actor=lead)

    assert set(together(connect)) == {None}
    assert db.session.scalar(sa.select(sa.func.count(TeamChannel.id))) == 1


def test_a_refused_address_is_kept_in_the_form(rotation, petra, as_user):
    answer = as_user(petra).post(f"/duty/rotations/{rotation.id}/channel", {"url": "hooks.example.com/x"})

    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert 'value="hooks.example.com/x"' in answer.text
