"""What a feed says: the shifts as the resolver gives them, each under one UID whatever happens to it."""

import json
import random
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest
import sqlalchemy as sa
import vobject

from bugintake.core import clock as house_clock
from bugintake.core.db import db, transaction
from bugintake.duty import absences, feed_slots, feeds, overrides, queries, roster
from bugintake.duty.feed_calendar import calendar
from bugintake.duty.feed_models import FeedKind
from bugintake.duty.models import Override
from bugintake.team import people
from bugintake.team.models import Role
from tests.duty.calendars import by_icalendar, entries
from tests.duty.conftest import make_rotation
from tests.duty.test_agreement import CHANGES, a_random_rotation, lay_overrides, note_absences
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.long_on("postgres")

TODAY = datetime(2026, 3, 10, 8, tzinfo=UTC)  # Tin's turn, which ends at 16:00 UTC
TOMORROW = TODAY + timedelta(days=1)  # Ana's


@pytest.fixture
def feed_of(app):
    """Make a feed, and read it as a calendar does, through both libraries unless one is named."""

    def make(person, kind=FeedKind.MINE, rotation=None, read=entries):
        with transaction():
            address = feeds.make_feed(kind, rotation, actor=person)
        path = address.removeprefix("http://127.0.0.1:8000")
        return lambda: read(app.test_client().get(path).text)

    return make


def on(found, day):
    """The entries that begin on a day, as (sequence, status, summary)."""
    return [(sequence, status, summary) for _, sequence, status, start, _, summary in found if start.date() == day]


def test_a_feed_holds_90_days_and_a_year_and_names_alone(rotation, mira, petra, feed_of, clock):
    clock.advance(timedelta(days=120))
    found = feed_of(petra, FeedKind.ROTATION, rotation)()

    since, to = feed_slots.span(house_clock.now())
    assert (since, to) == (datetime(2026, 4, 9, tzinfo=UTC), datetime(2027, 7, 9, tzinfo=UTC))
    assert [(start, summary) for _, _, _, start, _, summary in found] == [
        (each.shift.start, f"Bug duty: {each.person.name}") for each in queries.planned_shifts(since, to)
    ]
    with transaction():
        text = calendar(feeds.feeds_of(petra)[0], house_clock.now())
    assert "example.com" not in text


def test_somebody_else_on_a_shift_changes_the_entry_and_makes_no_second(rotation, tin, ana, petra, feed_of):
    ours, anas, tins = feed_of(petra, FeedKind.ROTATION, rotation), feed_of(ana), feed_of(tin)
    before = ours()
    assert on(before, TOMORROW.date()) == [(0, "CONFIRMED", "Bug duty: Ana Lončar")]

    with transaction():
        layer = overrides.stand_in(rotation, tin, TOMORROW, TOMORROW + timedelta(hours=8), actor=petra)
    after = ours()
    assert on(after, TOMORROW.date()) == [(1, "CONFIRMED", "Bug duty: Tin Horvat")]
    assert [uid for uid, *_ in after] == [uid for uid, *_ in before]
    assert on(anas(), TOMORROW.date()) == [(1, "CANCELLED", "Bug duty")]
    assert on(tins(), TOMORROW.date()) == [(1, "CONFIRMED", "Bug duty")]

    with transaction():
        overrides.take_back(layer, actor=petra)
    assert on(ours(), TOMORROW.date()) == [(2, "CONFIRMED", "Bug duty: Ana Lončar")]
    assert on(anas(), TOMORROW.date()) == [(2, "CONFIRMED", "Bug duty")]
    assert on(tins(), TOMORROW.date()) == [(2, "CANCELLED", "Bug duty")]


def test_only_what_a_change_touches_counts_up(rotation, tin, petra, feed_of):
    ours = feed_of(petra, FeedKind.ROTATION, rotation)
    with transaction():
        overrides.stand_in(rotation, tin, TOMORROW, TOMORROW + timedelta(hours=8), actor=petra)

    assert [start.date() for _, sequence, _, start, _, _ in ours() if sequence] == [TOMORROW.date()]


def test_taking_over_in_the_middle_splits_the_entry_and_taking_back_cancels_the_second(
    rotation, mira, tin, petra, feed_of, clock
):
    ours, miras = feed_of(petra, FeedKind.ROTATION, rotation), feed_of(mira)
    with transaction():
        layer = overrides.take_over(rotation, actor=mira)
    assert on(ours(), TODAY.date()) == [
        (1, "CONFIRMED", "Bug duty: Tin Horvat"),
        (0, "CONFIRMED", "Bug duty: Mira Kovač"),
    ]
    ends = [end for *_, start, end, _ in ours() if start.date() == TODAY.date()]
    assert ends == [house_clock.now(), TODAY + timedelta(hours=8)]

    with transaction():
        overrides.take_back(layer, actor=mira)
    assert on(ours(), TODAY.date()) == [(2, "CONFIRMED", "Bug duty: Tin Horvat"), (1, "CANCELLED", "Bug duty")]
    assert on(miras(), TODAY.date()) == [(1, "CANCELLED", "Bug duty")]


def test_being_away_gives_the_entry_to_the_next_and_coming_back_returns_it(rotation, mira, ana, petra, feed_of):
    anas, miras = feed_of(ana), feed_of(mira)
    with transaction():
        absence = absences.note_absence(ana, TOMORROW.date(), TOMORROW.date(), actor=ana)
    assert on(anas(), TOMORROW.date())[0][1] == "CANCELLED"
    assert on(miras(), TOMORROW.date())[0][1] == "CONFIRMED"

    with transaction():
        absences.take_back(absence, actor=ana)
    assert on(anas(), TOMORROW.date()) == [(2, "CONFIRMED", "Bug duty")]
    assert on(miras(), TOMORROW.date()) == [(2, "CANCELLED", "Bug duty")]


def test_who_stands_in_is_said_in_words(rotation, tin, petra, feed_of):
    feed_of(petra, FeedKind.ROTATION, rotation)
    with transaction():
        overrides.stand_in(rotation, tin, TOMORROW, TOMORROW + timedelta(hours=8), actor=petra)

    text = calendar(feeds.feeds_of(petra)[0], house_clock.now())
    entry = next(each for each in icalendar.Calendar.from_ical(text).walk("VEVENT") if each["DTSTART"].dt == TOMORROW)
    assert str(entry["DESCRIPTION"]) == "09:00–17:00 Europe/Berlin\nInstead of Ana Lončar."
    assert str(entry["URL"]) == f"http://127.0.0.1:8000/duty/schedule?rotation={rotation.id}&from=2026-03-11"


def test_a_gap_is_nobody_in_feeds_of_everybody(rotation, mira, tin, ana, petra, feed_of):
    ours = feed_of(petra, FeedKind.ALL)
    for person in (mira, tin, ana):
        with transaction():
            absences.note_absence(person, TOMORROW.date(), TOMORROW.date(), actor=person)

    day = [summary for _, _, status, start, _, summary in ours() if start.date() == TOMORROW.date()]
    assert day[-1] == "Bug duty: Nobody"


def test_a_person_disabled_gives_their_entries_up(rotation, mira, tin, petra, feed_of):
    ours = feed_of(petra, FeedKind.ROTATION, rotation)
    before = [uid for uid, *_ in ours()]
    with transaction():
        people.disable(tin, actor=petra)

    to_come = [each for each in ours() if each[3] > TODAY]
    assert not [each for each in to_come if each[5] == "Bug duty: Tin Horvat"]
    assert set(before) <= {uid for uid, *_ in ours()}


def test_what_the_program_was_stopped_before_noting_is_caught_up(rotation, tin, petra, feed_of, monkeypatch):
    ours = feed_of(petra, FeedKind.ROTATION, rotation)
    with monkeypatch.context() as stopped:
        stopped.setattr(feed_slots, "keep_up", lambda now: None)
        with transaction():
            overrides.stand_in(rotation, tin, TOMORROW, TOMORROW + timedelta(hours=8), actor=petra)
    shown = ours()
    assert on(shown, TOMORROW.date()) == [(1, "CONFIRMED", "Bug duty: Tin Horvat")]

    feed_slots.keep_up(house_clock.now())

    assert ours() == shown


def test_days_that_come_into_view_are_noted_before_anybody_sees_them(rotation, tin, petra, feed_of, clock):
    ours = feed_of(petra, FeedKind.ROTATION, rotation)
    last = ours()[-1][3]
    clock.advance(timedelta(days=40))
    feed_slots.keep_up(house_clock.now())
    assert ours()[-1][3] > last + timedelta(days=30)

    shift = queries.planned_shifts(last + timedelta(days=7), last + timedelta(days=8))[0]
    taker = next(each for each in (tin, petra) if each.id != shift.person.id)
    with transaction():
        overrides.stand_in(rotation, taker, shift.start, shift.end, actor=petra)

    assert on(ours(), shift.start.date()) == [(1, "CONFIRMED", f"Bug duty: {taker.name}")]


def test_words_are_escaped_and_lines_folded_between_letters(company, petra, feed_of, app):
    name = 'Ünïcödé; "quoted", \\N back\\slash and 日本語のとても長い名前 ' + "é" * 70
    person = make_user(Role.ENGINEER, "Zoë, Bo; \\n " + "界" * 60)
    rotation = make_rotation([person], name=name)
    found = feed_of(petra, FeedKind.ROTATION, rotation)()

    assert {summary for *_, summary in found} == {f"{name.strip()}: {person.name}"}
    text = calendar(feeds.feeds_of(petra)[0], house_clock.now())
    escaped = name.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    assert f"\r\nX-WR-CALNAME:{escaped}\r\n" in text.replace("\r\n ", "")
    lines = text.encode().split(b"\r\n")
    assert max(len(line) for line in lines) == 75
    assert lines[-1] == b""
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    for line in lines:
        line.decode()


def test_hours_stay_those_of_the_rotation_across_clock_changes(rotation, petra, feed_of):
    starts = [start for _, _, _, start, _, _ in feed_of(petra, FeedKind.ROTATION, rotation)()]
    summer, winter = date(2026, 3, 29), date(2026, 10, 25)

    assert {start.time() for start in starts if start.date() < summer} == {time(8)}
    assert {start.time() for start in starts if summer < start.date() < winter} == {time(7)}


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_feeds_say_what_the_resolver_says(app, clock, feed_of, zone, seed):
    dice = random.Random(f"{zone} {seed}")
    around = CHANGES[zone]
    clock.set(around - timedelta(days=5))
    make_workspace(zone=zone)
    rotation, team, _ = a_random_rotation(dice, zone, (around - timedelta(days=30)).date())
    of_rotation = feed_of(team[0], FeedKind.ROTATION, rotation)
    of_each = [(one, feed_of(one, read=by_icalendar)) for one in team]
    lay_overrides(dice, rotation, team, around)
    note_absences(dice, team, around)
    for layer in db.session.scalars(sa.select(Override).limit(2)).all():
        with transaction():
            overrides.take_back(layer, actor=team[0])

    planned = queries.planned_shifts(*feed_slots.span(house_clock.now()), rotation)
    said = [(s.shift.start, s.shift.end, f"Bug duty: {s.person.name if s.person else 'Nobody'}") for s in planned]
    assert [each[3:] for each in by_time(of_rotation())] == said
    for person, read in of_each:
        own = [(s.shift.start, s.shift.end, "Bug duty") for s in planned if s.person and s.person.id == person.id]
        assert [each[3:] for each in by_time(read())] == own


def by_time(found):
    return sorted((each for each in found if each[2] == "CONFIRMED"), key=lambda each: each[3])


def test_every_item_of_the_checklist(shared, app, clock):
    asked = json.loads((shared / "data" / "rotation" / "ical_checklist.json").read_text())
    clock.set(datetime(2020, 1, 1, 5, tzinfo=UTC))
    company = make_workspace(zone="UTC")
    one, others = make_user(Role.ENGINEER, "u1"), make_user(Role.ENGINEER, "Others")
    with transaction():
        rotation = roster.create_rotation(
            name="Bug duty",
            people=[others],
            actor=None,
            zone=company.zone,
            start_on=house_clock.now().date(),
            handoff=time(8),
            until=time(16),
            days=range(7),
        )
        for shift in asked["shifts"]:
            hours = [datetime.fromisoformat(shift[name]) for name in ("start", "end")]
            overrides.stand_in(rotation, one, *hours, actor=others)
        address = feeds.make_feed(FeedKind.MINE, actor=one)
    alarms = "&".join(f"alarm={minutes}" for minutes in asked["reminder_minutes"])
    text = app.test_client().get(f"{address.removeprefix('http://127.0.0.1:8000')}?{alarms}").get_data().decode()
    lines = text.split("\r\n")
    for_each = [f"TRIGGER:-PT{minutes}M" for minutes in asked["reminder_minutes"]]

    checks = {
        "BEGIN:VCALENDAR first line": lines[0] == "BEGIN:VCALENDAR",
        "PRODID": sum(line.startswith("PRODID:") for line in lines) == 1,
        "VERSION:2.0": lines.count("VERSION:2.0") == 1,
        "CALSCALE:GREGORIAN": lines.count("CALSCALE:GREGORIAN") == 1,
        "METHOD:PUBLISH": lines.count("METHOD:PUBLISH") == 1,
        "VEVENT x2": lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 2,
        "DTSTART:20200101T080000Z": lines.count("DTSTART:20200101T080000Z") == 1,
        "DTEND:20200115T080000Z": lines.count("DTEND:20200115T080000Z") == 1,
        "DTSTAMP:20200101T050000Z (generation time)": lines.count("DTSTAMP:20200101T050000Z") == 2,
        "VALARM x2 per event TRIGGER:-PT5M and -PT10M": [each for each in lines if each.startswith("TRIGGER")]
        == for_each * 2,
        "all lines end CRLF, file ends CRLF": lines[-1] == "" and not [each for each in lines if "\n" in each],
    }
    assert list(checks) == asked["expected_properties"]
    assert [name for name, holds in checks.items() if not holds] == []
    spoken = [(start.isoformat(), end.isoformat()) for _, _, _, start, end, _ in entries(text)]
    assert spoken == [tuple(each[name].replace("Z", "+00:00") for name in ("start", "end")) for each in asked["shifts"]]
    assert len(list(vobject.readOne(text).vevent.contents["valarm"])) == 2
