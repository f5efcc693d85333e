"""What duty costs: ten years of shifts worked out, who is on duty now, a calendar of a year, and a rota brought in.

    python -m bench.duty

The rules of duty are measured alone and on each database (BENCH_DATABASES). Every figure is the median and the best of
its rounds; on a machine with other work the best is the one to read.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.__main__ import DATABASES, database
from bugintake.app import create_app
from bugintake.core import clock, migrating
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.duty import feeds, overrides, queries, rota_import
from bugintake.duty.feed_calendar import calendar
from bugintake.duty.feed_models import FeedKind
from bugintake.duty.roster import Terms, add_rotation
from bugintake.duty.rotation import Away, Override, Schedule, shift_at, shifts
from bugintake.duty.turns import Rule
from bugintake.team import people, setup
from bugintake.team.models import Role

ROUNDS = 30
TEN_YEARS = timedelta(days=3652)
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def main() -> int:
    """Measure, print a table, and exit with 1 where a goal is missed."""
    print(f"{'':<58}{'median':>9}{'best':>9}   goal")
    missed = rules()
    for kind in DATABASES:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bugintake-duty-")))
            url = stack.enter_context(database(kind, folder))
            settings = Settings(data=folder, database_url=url, queue_url="sqlite://", secret_key="b" * 40)
            stack.enter_context(create_app(settings).app_context())
            stack.callback(db.engine.dispose)
            stack.enter_context(clock.travel())
            migrating.upgrade()
            missed |= surfaces(kind)
    return int(missed)


def rules() -> bool:
    """Measure the resolver alone: 50 people, ten years by day, 500 overrides and 500 absences."""
    rule = Rule(ZoneInfo(BERLIN), START.date(), tuple(range(50)))
    layers, away = [], []
    for number in range(500):
        begin = START + timedelta(days=7 * number, hours=1)
        layers.append(Override(begin, begin + timedelta(hours=3), (number * 7) % 50, id=number))
        away.append(Away((number * 11) % 50, begin + timedelta(days=2), begin + timedelta(days=5)))
    schedule = Schedule([rule], overrides=layers, away=away)
    moments = [START + timedelta(hours=number * 97) for number in range(ROUNDS)]
    asked = iter(moments * 2)
    missed = line(
        "ten years of shifts, 500 overrides, 50 people", lambda: shifts(schedule, START, START + TEN_YEARS), 50
    )
    return line("who is on duty at an instant of it", lambda: shift_at(schedule, next(asked)), 1) | missed


def surfaces(kind: str) -> bool:
    """Measure what people and calendars ask: the pill of every page, a feed with 90 days behind it, and an import."""
    clock.freeze(START)
    with transaction():
        lead = setup.found_company("Bench", admin_name="Petra", admin_email="petra@bench.example", password_hash=None)
        team = [
            people.add_user(f"p{n}@bench.example", f"Person{n} Bench", Role.ENGINEER, actor=lead) for n in range(50)
        ]
        every_day = Terms(BERLIN, START.date(), clock_time(9), clock_time(17), range(7), team)
        rotation = add_rotation("Every day", every_day, actor=lead)
        address = feeds.make_feed(FeedKind.ROTATION, rotation, actor=lead)
    clock.freeze(START + timedelta(days=100, hours=2))
    with transaction():
        for number, person in enumerate(team):
            begin = START + timedelta(days=110 + 5 * number)
            overrides.stand_in(rotation, person, begin, begin + timedelta(hours=2), actor=lead)
    secret = address.rpartition("/")[2].removesuffix(".ics")

    def feed() -> str:
        return calendar(feeds.feed_behind(secret), clock.now())

    rota = "\n".join(f"{team[(n * 3) % 50].name};{START.date() + timedelta(days=101 + n)}" for n in range(360))
    missed = line(f"{kind}: the pill of a page", anew(queries.plan_to_show), 1)
    entries = feed().count("BEGIN:VEVENT")
    missed |= line(f"{kind}: the feed of a year, {entries} entries", anew(feed), 30)
    brought = anew(lambda: rota_import.propose(queries.rotations()[0], rota_import.entries_of(rota), {}))
    return line(f"{kind}: what a rota of 360 days would change", brought, None) | missed


def anew(call: Callable[[], object]) -> Callable[[], object]:
    """Let each call begin with nothing read, as a request does."""

    def run() -> object:
        db.session.rollback()
        db.session.expunge_all()
        return call()

    return run


def line(name: str, call: Callable[[], object], goal: float | None) -> bool:
    """Print what a call costs, and tell whether that is over its goal in ms."""
    took: list[float] = []
    call()
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        call()
        took.append(1000 * (time.perf_counter() - begin))
    median = statistics.median(took)
    verdict = "" if goal is None else f"< {goal:g} ms, {'reached' if median < goal else 'missed'}"
    print(f"{name:<58}{median:>7.2f} ms{min(took):>7.2f} ms  {verdict}")
    return goal is not None and median >= goal


if __name__ == "__main__":
    sys.exit(main())
