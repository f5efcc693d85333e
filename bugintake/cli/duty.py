"""Rotations and who is on duty, from the command line."""

from datetime import date, datetime, time

import click

from bugintake.cli.commands import Group, as_json, in_app, show, show_table
from bugintake.cli.people import known
from bugintake.core import clock
from bugintake.core.db import transaction
from bugintake.core.errors import NotFound
from bugintake.core.forms import zone_or_utc
from bugintake.duty import public_holidays, queries, roster
from bugintake.duty.models import Rotation

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

rotation = Group("rotation", help="Plan who takes bug duty in turns.")
duty = Group("duty", help="Ask who is on bug duty.")


class Day(click.ParamType[date]):
    """A day such as 2026-09-14."""

    name = "day"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read it."""
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} is not a day such as 2026-09-14.", param, ctx)


class Weekdays(click.ParamType[list[int]]):
    """Days of the week such as mon,tue,fri."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> list[int]:
        """Read them."""
        names = [name.strip().lower()[:3] for name in str(value).split(",") if name.strip()]
        if not names or not set(names) <= set(DAYS):
            self.fail(f"{value} is not a list of days such as mon,tue,fri.", param, ctx)
        return sorted({DAYS.index(name) for name in names})


class HourAndMinute(click.ParamType[time]):
    """A time of day such as 09:00."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> time:
        """Read it."""
        try:
            return datetime.strptime(str(value), "%H:%M").time()  # noqa: DTZ007  # a time of day has no zone
        except ValueError:
            self.fail(f"{value} is not a time such as 09:00.", param, ctx)


class Instant(click.ParamType[datetime]):
    """An instant such as 2026-09-14T09:00Z; without a zone it means the rotation's."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        try:
            return datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value} is not a time such as 2026-09-14T09:00Z.", param, ctx)


class Country(click.ParamType[str]):
    """A country by its code, such as DE."""

    name = "country"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it."""
        code = str(value).strip().upper()
        if code not in dict(public_holidays.countries()):
            self.fail(f"{value} is not the code of a country whose public holidays are known, such as DE.", param, ctx)
        return code


@rotation.command()
@click.option("--name", required=True, metavar="N", help="What it is called.")
@click.option("--zone", required=True, metavar="Z", help="The time zone its hours are in, such as Europe/Berlin.")
@click.option("--start", required=True, type=Day(), metavar="D", help="The first day, such as 2026-09-14.")
@click.option("--handoff", required=True, type=HourAndMinute(), metavar="HH:MM", help="When duty changes hands.")
@click.option("--days", required=True, type=Weekdays(), metavar="mon,tue,…", help="The working days.")
@click.option("--turn", default=1, metavar="N", show_default=True, help="How many working days one turn lasts.")
@click.option("--people", required=True, metavar="E1,E2,…", help="Who takes turns, by address, in order.")
@click.option("--country", type=Country(), metavar="C", help="Whose public holidays are free, such as DE.")
@click.option("--region", default="", metavar="R", help="The region of that country, such as BY.")
@as_json
@in_app()
def add(
    name: str,
    zone: str,
    start: date,
    handoff: time,
    days: list[int],
    turn: int,
    people: str,
    country: str | None,
    region: str,
    as_json: bool,
) -> None:
    """Add a rotation; the first one is the one that bugs without an owner go to."""
    part = _region(country, region)
    with transaction():
        in_turn = [known(email.strip()) for email in people.split(",") if email.strip()]
        made = roster.create_rotation(
            name=name,
            zone=zone,
            start_on=start,
            handoff=handoff,
            days=days,
            people=in_turn,
            actor=None,
            turn_days=turn,
            country=country or "",
            region=part,
        )
    names = [person.name for person in in_turn]
    show({"id": made.id, "name": made.name, "people": names}, as_json, f"{made.name}: {', '.join(names)}.")


def _region(country: str | None, region: str) -> str:
    """Find a region of a country by its code."""
    if not region:
        return ""
    if not country:
        raise click.UsageError("Say which country the region is in, with --country.")
    known = [code for code, _ in public_holidays.regions(country)]
    found = next((code for code in known if code.lower() == region.strip().lower()), None)
    if found is None:
        there = dict(public_holidays.countries())[country]
        ways = f"choose {', '.join(known)}" if known else "it has none with holidays of their own"
        raise click.BadParameter(f"{region} is not a region of {there}: {ways}.", param_hint="--region")
    return found


rotation_option = click.option("--rotation", "name", metavar="NAME", help="Which rotation; without it the default one.")


def _named(name: str | None) -> Rotation | None:
    if name is None:
        found = queries.default_rotation()
    else:
        found = next((there for there in queries.rotations() if there.name.lower() == name.lower()), None)
    if found is None:
        raise NotFound(f"There is no rotation named {name}." if name else "There is no rotation yet.")
    return found


@duty.command()
@click.option("--at", type=Instant(), metavar="T", help="When; without it now.")
@rotation_option
@as_json
@in_app()
def who(at: datetime | None, name: str | None, as_json: bool) -> None:
    """Say who is on duty."""
    chosen = _named(name)
    moment = clock.now() if at is None else at
    if moment.tzinfo is None:
        plan = queries.current_plan()
        moment = moment.replace(tzinfo=plan.zone_at(clock.now()) if plan else zone_or_utc(None))
    found = queries.on_duty(moment, chosen)
    person = found.person if found else None
    show(
        {
            "person": {"name": person.name, "email": person.email} if person else None,
            "shift": {"start": found.start, "end": found.end} if found else None,
        },
        as_json,
        f"{person.name} <{person.email}>, until {found.end:%a %d %b %H:%M} ({found.zone})"
        if found and person
        else "Nobody is on duty then.",
    )


@duty.command()
@click.option("--from", "since", required=True, type=Day(), metavar="D", help="The first day.")
@click.option("--to", required=True, type=Day(), metavar="D", help="The day after the last one.")
@rotation_option
@as_json
@in_app()
def shifts(since: date, to: date, name: str | None, as_json: bool) -> None:
    """List who is on duty when."""
    chosen = _named(name)
    plan = queries.current_plan()
    zone = plan.zone_at(clock.now()) if plan else zone_or_utc(None)
    found = queries.planned_shifts(queries.day_start(since, zone), queries.day_start(to, zone), chosen)
    rows = [
        (shift.start, shift.end, *((shift.person.name, shift.person.email) if shift.person else (None, None)))
        for shift in found
    ]
    show_table(("start", "end", "person", "email"), rows, as_json)
