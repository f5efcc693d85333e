"""The links to calendar feeds: who makes them, what they open, and when they end."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import NotFound
from bugintake.core.event_kinds import EventKind
from bugintake.core.events import Event
from bugintake.duty import feeds, overrides, queries
from bugintake.duty.feed_models import Feed, FeedKind
from bugintake.team import people
from bugintake.team.models import User
from tests.counting import asked
from tests.duty.calendars import entries
from tests.duty.conftest import make_rotation

pytestmark = pytest.mark.long_on("postgres")


def link(person, kind=FeedKind.MINE, rotation=None):
    with transaction():
        return feeds.make_feed(kind, rotation, actor=person).removeprefix("http://127.0.0.1:8000")


def test_only_a_fingerprint_of_a_link_is_kept(rotation, mira):
    address = link(mira)
    secret = re.fullmatch(r"/cal/([\w-]{43})\.ics", address)[1]

    feed = feeds.feed_behind(secret)
    assert (feed.user_id, feed.kind, feed.rotation_id, feed.revoked_at) == (mira.id, FeedKind.MINE, None, None)
    kept = db.session.execute(sa.select(Feed.__table__)).one()
    assert secret not in str(kept)


def test_making_a_link_again_renews_it_and_leaves_the_others_alone(rotation, mira, tin):
    first, of_rotation, others = link(mira), link(mira, FeedKind.ROTATION, rotation), link(tin)
    second = link(mira)

    assert opens(first) is False
    assert [opens(each) for each in (second, of_rotation, others)] == [True, True, True]


def test_made_twice_at_once_a_link_works_once(rotation, mira, together):
    person_id = mira.id
    addresses = together(lambda _number: link(db.session.get_one(User, person_id)))

    assert [opens(each.removeprefix("http://127.0.0.1:8000")) for each in addresses].count(True) == 1
    assert len(feeds.feeds_of(mira)) == 1


def opens(address):
    try:
        feeds.feed_behind(address.removeprefix("/cal/").removesuffix(".ics"))
    except NotFound:
        return False
    return True


def test_making_and_revoking_are_events(rotation, mira):
    link(mira, FeedKind.ROTATION, rotation)
    (feed,) = feeds.feeds_of(mira)
    with transaction():
        feeds.revoke(feed, actor=mira)
        feeds.revoke(feed, actor=mira)

    happened = db.session.scalars(sa.select(Event).where(Event.kind.in_(["feed.made", "feed.revoked"])))
    details = {"feed_id": feed.id, "of": "rotation", "rotation_id": rotation.id}
    assert [(each.kind, each.actor_id, each.user_id, each.details) for each in happened] == [
        (EventKind.FEED_MADE, mira.id, mira.id, details),
        (EventKind.FEED_REVOKED, mira.id, mira.id, {"feed_id": feed.id}),
    ]


def test_a_link_opens_nothing_once_it_is_revoked(rotation, mira, as_user):
    address, browser = link(mira), as_user(mira)
    assert browser.get(address).status_code == 200
    assert 'Revoke<span class="vh"> My shifts, in every rotation</span>' in browser.get("/duty/feeds").text
    (feed,) = feeds.feeds_of(mira)

    assert browser.post(f"/duty/feeds/{feed.id}/removal").location == "/duty/feeds"

    assert browser.get(address).status_code == 404


def test_a_link_dies_with_the_account_and_lives_again_with_it(rotation, mira, petra, client):
    address = link(mira)
    with transaction():
        people.disable(mira, actor=petra)
    assert client.get(address).status_code == 404

    with transaction():
        people.enable(mira, actor=petra)
    assert client.get(address).status_code == 200


def test_nobody_ends_the_link_of_another(rotation, mira, petra, as_user):
    address = link(mira)
    (feed,) = feeds.feeds_of(mira)

    assert as_user(petra).post(f"/duty/feeds/{feed.id}/removal").status_code == 404
    assert opens(address)


def test_an_answer_is_a_calendar_without_cookies_that_nobody_else_keeps(rotation, mira, as_user):
    answer = as_user(mira).get(link(mira))

    assert answer.content_type == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Content-Disposition"] == 'inline; filename="duty.ics"'
    assert "Set-Cookie" not in answer.headers


def test_a_feed_is_read_again_only_when_something_changed(rotation, mira, tin, petra, client, clock):
    address = link(mira)
    tag = client.get(address).headers["ETag"]
    clock.advance(timedelta(hours=3))
    unchanged = client.get(address, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")

    shift = queries.upcoming_shifts(mira)[0]
    with transaction():
        overrides.stand_in(rotation, tin, shift.start, shift.end, actor=petra)

    assert client.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_feed_asks_as_much_of_the_database_for_much_as_for_little(rotation, mira, tin, petra, client):
    address = link(mira, FeedKind.ALL)
    with asked() as few:
        client.get(address)
    make_rotation([tin, petra], name="Second", actor=petra)
    for shift in queries.upcoming_shifts(mira)[:3]:
        with transaction():
            overrides.stand_in(rotation, petra, shift.start, shift.end, actor=petra)
    with asked() as many:
        client.get(address)

    assert len(few) == len(many) == 3


def test_an_alarm_is_in_a_feed_where_the_address_asks_for_it(rotation, mira, client):
    address = link(mira)
    text = client.get(f"{address}?alarm=30&alarm=5&alarm=x&alarm=-1&alarm=999999").text

    shifts = text.count("BEGIN:VEVENT")
    assert text.count("TRIGGER:-PT30M\r\n") == text.count("TRIGGER:-PT5M\r\n") == shifts > 50
    assert text.count("BEGIN:VALARM") == 2 * shifts
    assert "VALARM" not in client.get(address).text


def test_the_page_shows_a_new_link_once(rotation, mira, as_user):
    browser = as_user(mira)
    made = browser.post("/duty/feeds", {"kind": "rotation", "rotation": str(rotation.id)})
    address = re.search(r'<pre id="address"[^>]*>http://127\.0\.0\.1:8000(/cal/[\w-]{43}\.ics)</pre>', made.text)[1]

    assert len(entries(browser.get(address).text)) > 250
    again = browser.get("/duty/feeds").text
    assert address not in again
    assert again.count(">Renew<") == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [({}, 422), ({"kind": "yours"}, 422), ({"kind": "rotation"}, 404), ({"kind": "rotation", "rotation": "99"}, 404)],
)
def test_a_feed_that_there_is_not_gets_no_link(rotation, mira, as_user, sent, status):
    assert as_user(mira).post("/duty/feeds", sent).status_code == status
    assert feeds.feeds_of(mira) == []


def test_everybodys_feed_is_offered_where_there_are_several_rotations(rotation, mira, tin, petra, as_user):
    browser = as_user(mira)
    assert "Everybody, in every rotation" not in browser.get("/duty/feeds").text

    make_rotation([tin], name="Second", actor=petra)

    page = browser.get("/duty/feeds").text
    assert re.findall(r'<th scope="row">(.*?)</th>', page) == [
        "My shifts, in every rotation",
        "Everybody in Bug duty",
        "Everybody in Second",
        "Everybody, in every rotation",
    ]


def test_duty_pages_lead_to_the_links(rotation, mira, as_user):
    browser = as_user(mira)

    for page in ("/duty/me", "/duty/schedule"):
        assert 'href="/duty/feeds">Calendar link</a>' in browser.get(page).text


def test_many_who_ask_too_often_are_asked_to_wait(rotation, mira, client):
    address = link(mira)
    answers = {client.get(address).status_code for _ in range(121)}

    assert answers == {200, 429}
