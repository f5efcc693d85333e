"""Page, owner, mail, feed, API and command name the same person, whatever rotation, layers and clocks do."""

import json
import random
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bugintake.core.db import db, transaction
from bugintake.core.errors import Refusal
from bugintake.duty import absences, feeds, overrides, queries, roster, swaps, trades
from bugintake.duty.feed_models import FeedKind
from bugintake.duty.models import Override
from bugintake.duty.reminders import coming_reminders
from bugintake.duty.roster import Terms
from bugintake.duty.turns import TurnUnit
from bugintake.team import tokens
from bugintake.team.models import Role, User
from bugintake.triage.owners import stand_in
from tests.duty.calendars import entries
from tests.duty.test_views import pill_of
from tests.factories import make_user, make_workspace
from tests.visitors import visit

pytestmark = pytest.mark.long_on("postgres")

CHANGES = {
    "Europe/Berlin": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "America/Chicago": datetime(2026, 3, 8, 8, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 10, 3, 15, 30, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 6, 1, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 30, 10, tzinfo=UTC),  # where the 30th was left out
}

COUNTRIES = dict(zip(CHANGES, ("DE", "US", "AU", "NP", "WS"), strict=True))


def a_random_rotation(dice, zone, start_on):
    people = [make_user(Role.ENGINEER, f"Person{number} Surname", zone=zone) for number in range(4)]
    round_the_clock = dice.random() < 0.5
    handoff = time(dice.randrange(24), dice.choice([0, 15, 30]))
    terms = Terms(
        zone=zone,
        start_on=start_on,
        handoff=handoff,
        until=handoff if round_the_clock else time(dice.randrange(24), 45),
        days=tuple(range(7)) if round_the_clock else tuple(dice.sample(range(7), 5)),
        people=people,
        turn_length=dice.randint(1, 3),
        turn_unit=dice.choice(list(TurnUnit)),
        runs_overnight=True,
        country=COUNTRIES[zone],
    )
    with transaction():
        rotation = roster.add_rotation("Bug duty", terms, actor=None)
    return rotation, people, terms


def lay_overrides(dice, rotation, people, around):
    for _ in range(6):
        start = around + timedelta(hours=dice.randrange(-60, 60))
        try:
            with transaction():
                end = start + timedelta(hours=dice.randint(1, 9))
                overrides.stand_in(rotation, dice.choice(people), start, end, actor=people[0])
        except Refusal:
            continue


def swap_shifts(dice, rotation, people):
    """Let people ask for swaps of coming hours, take, trade, and take some of it back; tell how many moved."""
    moved = 0
    for _ in range(10):
        now = queries.clock.now()
        coming = [each for each in queries.planned_shifts(now, now + timedelta(days=9), rotation) if each.person]
        planned, taker = dice.choice(coming), dice.choice(people)
        hours = planned.shift.start, min(planned.shift.end, planned.shift.start + timedelta(hours=dice.randint(1, 9)))
        try:
            with transaction():
                asked = {"actor": planned.person, "seen_id": planned.person.id}
                swap = swaps.ask(rotation, *hours, [taker], **asked)
            own = [each for each in queries.upcoming_shifts(taker) if each.shift.start > now]
            if own and dice.random() < 0.4:
                with transaction():
                    offered = dice.choice(own).shift
                    trades.offer_trade(swap, rotation, offered.start, offered.end, actor=taker)
                with transaction():
                    trades.accept_trade(swap.asked[0], actor=planned.person, seen=offered.start)
            else:
                with transaction():
                    swaps.take(swap, actor=taker)
            moved += 1
            if dice.random() < 0.3:
                with transaction():
                    laid = db.session.scalars(sa.select(Override).where(Override.swap_id == swap.id)).first()
                    overrides.take_back(laid, actor=laid.made_by)
        except Refusal:
            continue
    return moved


def note_absences(dice, people, around):
    """Let people be away, some of them noted in the middle of a shift and some taken back; tell who is when."""
    for _ in range(7):
        first = (around + timedelta(days=dice.randint(-4, 4))).date()
        try:
            with transaction():
                person = dice.choice(people)
                absence = absences.note_absence(person, first, first + timedelta(days=dice.randint(0, 3)), actor=person)
            if dice.random() < 0.25:
                with transaction():
                    absences.take_back(absence, actor=person)
        except Refusal:
            continue
    return [(each.user.email, each.starts_at, each.ends_at) for each in queries.coming_absences()]


@pytest.mark.fault("F-C2")
@pytest.mark.parametrize("zone", CHANGES)
def test_every_surface_names_the_same_person(app, clock, zone):
    dice = random.Random(zone)
    around = CHANGES[zone]
    clock.set(around - timedelta(days=5))
    make_workspace(zone=zone)
    rotation, people, terms = a_random_rotation(dice, zone, (around - timedelta(days=30)).date())
    lay_overrides(dice, rotation, people, around)
    away = note_absences(dice, people, around)
    assert swap_shifts(random.Random(f"swaps in {zone}"), rotation, people)
    with transaction():
        db.session.get_one(User, people[2].id).disabled_at = around
        later = Terms(
            **{
                **terms.__dict__,
                "start_on": (around + timedelta(days=1)).date(),
                "people": people[:2],
                "moves_published": True,
            }
        )
        roster.change_rotation(rotation, later, actor=None)
        _, secret = tokens.create_token(people[0], ["read"], actor=None)
        address = feeds.make_feed(FeedKind.ROTATION, rotation, actor=people[0]).removeprefix("http://127.0.0.1:8000")
    listed = queries.planned_shifts(around - timedelta(days=4), around + timedelta(days=4))
    assert all(one.shift.end <= other.shift.start for one, other in pairwise(listed))
    by_mail = {r.shift.shift.start: r.person.email for r in coming_reminders(clock.now())}
    browser, runner = visit(app, people[0]), app.test_cli_runner()
    by_feed = [each for each in entries(browser.get(address).text) if each[2] == "CONFIRMED"]
    assert away
    assert [shift for shift in listed if shift.instead_of and shift.shift.override_id is None]

    moments = [around + timedelta(minutes=dice.randrange(-4300, 4300)) for _ in range(4)]
    moments += [around, around - timedelta(minutes=1), around + timedelta(minutes=31)]
    for moment in moments:
        clock.set(moment)
        current = next((s for s in listed if s.shift.start <= moment < s.shift.end), None)
        email = current.person.email if current and current.person else None
        assert not [who for who, start, end in away if who == email and start <= moment < end]
        asked = {"headers": {"Authorization": f"Bearer {secret}"}, "query_string": {"at": moment.isoformat()}}
        api = browser.client.get("/api/v1/duty", **asked).json
        command = json.loads(runner.invoke(args=["duty", "who", "--at", moment.isoformat(), "--json"]).stdout)
        page = pill_of(browser.get("/duty/me"))
        now, owner = queries.on_duty_now(), stand_in()

        named = current.person.name if email else "Nobody"
        fed = [summary for *_, start, end, summary in by_feed if start <= moment < end]

        assert fed == ([f"Bug duty: {named}"] if current else [])
        assert (api["person"] or {}).get("email") == email
        assert command["person"] == api["person"]
        assert command["shift"] == api["shift"]
        assert (now.person.email if now else None) == email
        assert (owner.email if owner else None) == email
        assert page.startswith(f"PS On duty: {current.person.first_name} " if email else "– Nobody ")
        if current and current.shift.start in by_mail and current.shift.start > around - timedelta(days=5):
            assert by_mail[current.shift.start] == email


def test_a_handoff_at_the_doubled_hour_happens_once_on_every_surface(app, clock):
    make_workspace(zone="Europe/Berlin")
    mira, tin = make_user(Role.ENGINEER, "Mira"), make_user(Role.ENGINEER, "Tin")
    half_past_two, berlin = time(2, 30), ZoneInfo("Europe/Berlin")
    terms = Terms("Europe/Berlin", date(2026, 10, 24), half_past_two, half_past_two, range(7), [mira, tin])
    with transaction():
        night = Terms(**{**terms.__dict__, "runs_overnight": True})
        roster.add_rotation("Night", night, actor=None)

    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold) for fold in (0, 1))
    assert queries.on_duty(first - timedelta(minutes=1)).person == mira
    assert queries.on_duty(first).person == queries.on_duty(second).person == tin
