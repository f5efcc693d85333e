"""Every command does its work, says in words why it cannot, and ends with 0, 1 or 2."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from bugintake.cli import cli
from bugintake.core.db import db
from bugintake.duty.models import RotationRule
from bugintake.intake.models import Status
from bugintake.team.models import Role, User
from bugintake.team.passwords import matches
from tests.factories import make_bug, make_customer, make_user, make_workspace

pytestmark = pytest.mark.long_on("postgres")

Run = Callable[..., Result]
COMMANDS = (
    "backup",
    "doctor",
    "duty shifts",
    "duty who",
    "export-form",
    "import customers",
    "import form",
    "init",
    "openapi",
    "release live",
    "restore",
    "rotation add",
    "serve",
    "token create",
    "token list",
    "token revoke",
    "user add",
    "user disable",
    "user reset",
    "worker",
)


def names(group: click.Group, before: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        found += names(command, f"{before}{name} ") if isinstance(command, click.Group) else [f"{before}{name}"]
    return sorted(found)


def test_the_commands_are_the_ones_people_rely_on() -> None:
    assert tuple(name for name in names(cli) if name != "demo") == COMMANDS


@pytest.mark.parametrize("name", names(cli))
def test_every_command_explains_itself(run: Run, name: str) -> None:
    result = run(*name.split(), "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert len(result.stdout.splitlines()) > 4


def test_wrong_usage_ends_with_2_and_a_refusal_with_1_and_a_sentence(run: Run) -> None:
    wrong = run("user", "add", "--role", "boss")
    refused = run("user", "disable", "nobody@example.com")

    assert wrong.exit_code == 2
    assert (refused.exit_code, refused.stderr) == (1, "Error: Nobody here has the address nobody@example.com.\n")


def test_init_makes_the_first_admin_with_a_password_from_standard_input(run: Run) -> None:
    result = run("init", "--email", "Ada@Example.com", "--name", "Ada", "--password-stdin", stdin="correct horse 71\n")

    admin = db.session.scalars(sa.select(User)).one()
    assert result.exit_code == 0, result.output
    assert (admin.email, admin.role, matches("correct horse 71", admin.password_hash)) == (
        "ada@example.com",
        Role.ADMIN,
        True,
    )


def test_init_without_a_password_prints_a_link_to_choose_one(run_json: Callable[..., Any]) -> None:
    found = run_json("init", "--email", "ada@example.com", "--name", "Ada", "--pack", "web")

    assert re.fullmatch(r"http://127\.0\.0\.1:8000/passes/\S+", found["link"])


def test_init_refuses_an_installation_that_is_set_up(run: Run) -> None:
    make_workspace()

    result = run("init", "--email", "ada@example.com", "--name", "Ada")

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: This installation is set up already. Sign in instead.\n",
    )


def test_init_refuses_an_empty_password(run: Run) -> None:
    assert run("init", "--email", "a@example.com", "--name", "Ada", "--password-stdin", stdin="").exit_code == 2


def test_people_are_added_disabled_and_given_a_new_password(run: Run, run_json: Callable[..., Any]) -> None:
    make_workspace()
    make_user(Role.ADMIN)

    added = run_json("user", "add", "--email", "mira@example.com", "--name", "Mira", "--role", "engineer")
    reset = run_json("user", "reset", "mira@example.com")
    disabled = run("user", "disable", "mira@example.com")

    mira = db.session.scalars(sa.select(User).where(User.email == "mira@example.com")).one()
    assert (added["name"], added["role"]) == ("Mira", "engineer")
    assert "/passes/" in added["link"] and "/passes/" in reset["link"] and added["link"] != reset["link"]
    assert disabled.exit_code == 0
    assert not mira.is_active


def test_the_only_admin_cannot_be_disabled(run: Run) -> None:
    admin = make_user(Role.ADMIN, "Petra")

    result = run("user", "disable", admin.email)

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: Petra is the only admin. Make somebody else admin first.\n",
    )


def test_a_token_is_made_shown_once_listed_and_revoked(run: Run, run_json: Callable[..., Any]) -> None:
    user = make_user(Role.ENGINEER)

    made = run_json("token", "create", "--email", user.email, "--scope", "read", "--scope", "bugs:write")
    listed = run_json("token", "list")
    revoked = run("token", "revoke", str(made["id"]))

    assert made["scopes"] == ["read", "bugs:write"]
    assert made["secret"].startswith(listed[0]["begins_with"])
    assert made["secret"] not in json.dumps(listed)
    assert revoked.exit_code == 0
    assert run_json("token", "list")[0]["revoked_at"] is not None


def test_a_token_needs_a_scope_that_exists(run: Run) -> None:
    user = make_user(Role.ENGINEER)

    result = run("token", "create", "--email", user.email, "--scope", "everything")

    assert (result.exit_code, result.stderr[:6]) == (1, "Error:")


def test_a_rotation_is_added_and_says_who_is_on_duty(run: Run, run_json: Callable[..., Any]) -> None:
    make_workspace(zone="Europe/Berlin")
    mira, tin = make_user(Role.ENGINEER, "Mira"), make_user(Role.ENGINEER, "Tin")
    terms = ("--zone", "Europe/Berlin", "--start", "2026-09-14", "--handoff", "09:00", "--days", "mon,tue,wed,thu,fri")

    run_json("rotation", "add", "--name", "Bug duty", *terms, "--people", f"{mira.email},{tin.email}")

    monday = run_json("duty", "who", "--at", "2026-09-14T08:00Z")
    assert monday == {
        "person": {"name": "Mira", "email": mira.email},
        "shift": {"start": "2026-09-14T07:00:00Z", "end": "2026-09-14T15:00:00Z"},
    }
    assert run_json("duty", "who", "--at", "2026-09-15T09:00")["person"]["name"] == "Tin"
    assert run_json("duty", "who", "--at", "2026-09-19T09:00Z") == {"person": None, "shift": None}
    days = run_json("duty", "shifts", "--from", "2026-09-14", "--to", "2026-09-17")
    assert [(row["start"], row["person"]) for row in days] == [
        ("2026-09-14T07:00:00Z", "Mira"),
        ("2026-09-15T07:00:00Z", "Tin"),
        ("2026-09-16T07:00:00Z", "Mira"),
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--start", "14.9.2026"),
        ("--handoff", "9 o'clock"),
        ("--days", "mon,someday"),
        ("--turn", "x"),
        ("--country", "Bavaria"),
        ("--region", "BY"),
    ],
)
def test_a_rotation_that_cannot_be_read_is_wrong_usage(run: Run, option: str, value: str) -> None:
    terms = {"--name": "N", "--zone": "UTC", "--start": "2026-09-14", "--handoff": "09:00", "--days": "mon"}
    chosen = {**terms, "--people": "a@b.test", option: value}

    result = run("rotation", "add", *[part for pair in chosen.items() for part in pair])

    assert result.exit_code == 2


def test_a_rotation_has_the_public_holidays_of_its_country_and_region(run: Run, run_json: Callable[..., Any]) -> None:
    """Epiphany, on Wednesday 6 January 2027, is a holiday in Bavaria; nobody has duty, and no turn is used up."""
    make_workspace(zone="Europe/Berlin")
    mira, tin = make_user(Role.ENGINEER, "Mira"), make_user(Role.ENGINEER, "Tin")
    terms = ("--zone", "Europe/Berlin", "--start", "2027-01-04", "--handoff", "09:00", "--days", "mon,tue,wed,thu,fri")
    people = ("--people", f"{mira.email},{tin.email}")

    run_json("rotation", "add", "--name", "Bug duty", *terms, *people, "--country", "de", "--region", "by")

    days = run_json("duty", "shifts", "--from", "2027-01-04", "--to", "2027-01-08")
    assert [(row["start"][:10], row["person"]) for row in days] == [
        ("2027-01-04", "Mira"),
        ("2027-01-05", "Tin"),
        ("2027-01-07", "Mira"),
    ]
    rule = db.session.scalars(sa.select(RotationRule)).one()
    assert (rule.country, rule.region) == ("DE", "BY")


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("--country", "XX"), "XX is not the code of a country whose public holidays are known, such as DE."),
        (("--country", "AT", "--region", "BY"), "BY is not a region of Austria: choose 1, 2, 3, 4, 5, 6, 7, 8, 9."),
        (("--country", "HR", "--region", "Z"), "Z is not a region of Croatia: it has none with holidays of their own."),
        (("--region", "BY"), "Say which country the region is in, with --country."),
    ],
)
def test_a_country_or_region_that_nobody_knows_is_refused_in_words(
    run: Run, place: tuple[str, ...], words: str
) -> None:
    terms = ("--zone", "UTC", "--start", "2027-01-04", "--handoff", "09:00", "--days", "mon", "--people", "a@b.test")

    result = run("rotation", "add", "--name", "Bug duty", *terms, *place)

    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(RotationRule)) == 0


def test_asking_who_is_on_duty_without_a_rotation_is_refused_in_words(run: Run) -> None:
    result = run("duty", "who")

    assert (result.exit_code, result.stderr) == (1, "Error: There is no rotation yet.\n")


def test_a_release_goes_live_with_the_bugs_fixed_in_it(run_json: Callable[..., Any]) -> None:
    make_workspace()
    bug = make_bug(waiting=[make_customer(), make_customer()], status=Status.FIXED)

    assert run_json("release", "live", "4.13.0") == {"version": "4.13.0", "bugs": [bug.ref], "people": 2}
    assert run_json("release", "live", "4.13.0") == {"version": "4.13.0", "bugs": [], "people": 0}


def test_doctor_finds_a_sound_installation_sound(run_json: Callable[..., Any]) -> None:
    found = {row["subject"]: row["verdict"] for row in run_json("doctor")}

    assert found["database"] == found["migration"] == found["data folder"] == "ok"
    assert "broken" not in found.values()


def test_doctor_says_what_is_broken_and_ends_with_1(app: Flask, run: Run) -> None:
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    result = run("doctor")

    assert result.exit_code == 1
    assert "9999 is newer than this version of bugintake knows" in result.stdout


def test_a_command_on_an_older_database_is_refused_in_words(app: Flask, run: Run) -> None:
    with db.engine.connect().execution_options(is_writing=True) as connection, connection.begin():
        connection.execute(sa.text("DELETE FROM alembic_version"))

    result = run("token", "list")

    assert (result.exit_code, result.stderr) == (
        1,
        "Error: The database is not up to date. `bugintake serve` sees to that when it starts.\n",
    )


def test_openapi_prints_the_document(run: Run) -> None:
    document = json.loads(run("openapi").stdout)

    assert document["openapi"] == "3.1.0"
    assert "/api/v1/reports" in document["paths"]


def test_times_in_json_are_utc(run_json: Callable[..., Any], clock: Any) -> None:
    clock.set(datetime(2026, 9, 14, 10, tzinfo=UTC))
    user = make_user(Role.ENGINEER)
    run_json("token", "create", "--email", user.email, "--scope", "read")

    assert run_json("token", "list")[0]["created_at"] == "2026-09-14T10:00:00Z"
