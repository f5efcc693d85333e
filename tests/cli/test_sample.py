"""The sample company: believable, in every state, silent, and gone in one step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bugintake.cli import sample
from bugintake.core import clock as house_clock
from bugintake.core.config import Settings
from bugintake.core.db import db, transaction
from bugintake.core.events import Event
from bugintake.core.migrating import metadata
from bugintake.duty import fairness, public_holidays, queries, swap_queries
from bugintake.duty.swap_models import Swap
from bugintake.intake.models import Bug
from bugintake.loop import outbox
from bugintake.loop.models import Message, MessageState
from bugintake.loop.worker import sweep
from bugintake.team.workspace import is_sample
from tests.factories import make_bug, make_user, make_workspace

pytestmark = pytest.mark.long_on("postgres")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation that could send mail."""
    return replace(settings, smtp_url="smtp://127.0.0.1:1", mail_from="support@fakturo.example")


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 9, 14, 5, 30, tzinfo=UTC),  # before work on a Monday
        datetime(2026, 11, 1, 23, 59, tzinfo=UTC),  # a Sunday, the clocks have just changed
        datetime(2026, 12, 24, 13, 0, tzinfo=UTC),  # nobody has duty tomorrow
        datetime(2027, 1, 1, 0, 1, tzinfo=UTC),  # the first minute of a year
        datetime(2028, 2, 29, 16, 45, tzinfo=UTC),
    ],
)
def test_its_history_is_in_order_and_its_duty_shows_something_whenever_it_is_brought(
    app: Flask, clock: Any, now: datetime
) -> None:
    house_clock.freeze(now)
    with transaction():
        sample.fill()

    times = list(db.session.scalars(sa.select(Event.at).order_by(Event.id)))
    assert times == sorted(times)
    assert now - timedelta(weeks=7) < times[0] and times[-1] <= now
    assert MessageState.PENDING in set(db.session.scalars(sa.select(Message.state)))
    duty_shows_days_away_holidays_and_an_open_swap(now)


def duty_shows_days_away_holidays_and_an_open_swap(now: datetime) -> None:
    [plan] = queries.plans_ahead()
    coming = plan.between(now, now + timedelta(weeks=12))
    assert [each for each in coming if each.is_gap or each.on in plan.holidays] == []
    soon = (now + timedelta(weeks=26)).date()
    assert [each for each in public_holidays.coming_holidays(plan.rotation) if now.date() < each.falls_on < soon] != []
    away = [(each.user.first_name, each.word) for each in queries.coming_absences()]
    assert away == [("Ana", "Hiking"), ("Jonas", "Conference")]
    assert "Ana" in {each.instead_of.first_name for each in coming if each.instead_of and not each.shift.override_id}
    [swap] = db.session.scalars(sa.select(Swap)).all()
    assert (swap.user.first_name, swap_queries.ending(swap), len(swap.asked) > 0) == ("Mira", "", True)
    [taken] = [each for each in coming if each.shift.override_id is not None]
    assert taken.person is not None and taken.instead_of is not None
    assert taken.person.first_name == "Jonas"
    spread = fairness.lately(plan, now)
    assert spread is not None
    assert [each.person.first_name for each in spread.standings if not each.total] == []


@pytest.mark.only_on("sqlite")
def test_it_is_the_same_company_each_time(app: Flask, clock: Any) -> None:
    def brought() -> list[Any]:
        house_clock.freeze(now)
        with transaction():
            sample.fill()
        [plan] = queries.plans_ahead()
        planned = plan.between(now - timedelta(weeks=6), now + timedelta(weeks=12))
        shifts = [(each.start, each.person.name if each.person else "") for each in planned]
        happened = [tuple(row) for row in db.session.execute(sa.select(Event.at, Event.kind).order_by(Event.id))]
        with transaction():
            sample.remove()
        return [*shifts, *happened]

    now = datetime(2026, 12, 24, 13, 0, tzinfo=UTC)
    assert brought() == brought()


def test_it_never_sends_mail_and_all_of_it_goes_away_and_no_number_is_used_again(app: Flask, clock: Any) -> None:
    clock.set(datetime(2026, 9, 16, 11, 0, tzinfo=UTC))
    with transaction():
        sample.fill()
    db.session.remove()

    clock.advance(timedelta(days=3))
    for _ in range(3):
        sweep(app)
    assert is_sample()
    assert not outbox.may_send()
    assert outbox.claim() == []

    last = db.session.scalar(sa.select(sa.func.max(Bug.id))) or 0

    with transaction():
        sample.remove()

    left = {
        table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table))
        for table in metadata().tables.values()
    }
    assert {name: count for name, count in left.items() if count} == {"worker_pulses": 1}
    make_workspace()
    assert make_bug().id == last + 1


def test_the_command_prints_who_can_sign_in_as_what_and_time_runs_again(
    run_json: Callable[..., Any], run: Callable[..., Any]
) -> None:
    found = run_json("demo")
    assert abs(datetime.now(UTC) - house_clock.now()) < timedelta(minutes=1)
    again = run("demo")
    removed = run_json("demo", "--remove")
    twice = run("demo", "--remove")

    assert {"name": "Lea Sommer", "role": "agent", "email": "lea@fakturo.example"} in found["people"]
    assert found["sign_in"] == "http://127.0.0.1:8000/login"
    assert "/s/" in found["customer_page"]
    assert (again.exit_code, removed, twice.exit_code) == (1, {"removed": True}, 1)


def test_it_is_refused_where_there_is_work(run: Callable[..., Any]) -> None:
    make_workspace()
    make_user()

    result = run("demo")

    assert (result.exit_code, "needs an empty one" in result.stderr) == (1, True)
    assert db.session.scalars(sa.select(Bug)).all() == []
