"""What every command has in common: the app, exit status 1 with a sentence, and tables or JSON."""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import update_wrapper
from typing import Any, TypeVar

import click
from flask import current_app
from flask.cli import ScriptInfo
from sqlalchemy.exc import SQLAlchemyError

from bugintake.core import migrating
from bugintake.core.backup import CannotBackUp, CannotRestore
from bugintake.core.config import BadSetting
from bugintake.core.errors import Refusal
from bugintake.core.migrating import CannotMigrate
from bugintake.core.serving import CannotServe

F = TypeVar("F", bound=Callable[..., Any])


class Command(click.Command):
    """A command whose refusals end it with status 1 and a sentence on stderr; wrong usage ends it with 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            raise click.ClickException(refusal.sentence) from refusal
        except (BadSetting, CannotMigrate, CannotServe, CannotBackUp, CannotRestore) as reason:
            raise click.ClickException(str(reason)) from reason
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise click.ClickException(f"The database does not answer: {str(cause).strip()}") from error


class Group(click.Group):
    """A group of such commands."""

    command_class = Command
    group_class = type


def in_app(*, migrate: bool = False, any_shape: bool = False) -> Callable[[F], F]:
    """Run a command inside the app, on a database that has the shape the code expects.

    With `migrate` it is brought there first; else a database that is behind is refused, unless `any_shape` will do.
    """

    def decorate(function: F) -> F:
        @click.pass_context
        def run(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
            app = ctx.ensure_object(ScriptInfo).load_app()
            ctx.with_resource(app.app_context())
            if migrate:
                migrating.upgrade()
            elif not any_shape:
                refuse_old()
            return ctx.invoke(function, *args, **kwargs)

        return update_wrapper(run, function)  # type: ignore[return-value]  # the same options

    return decorate


def refuse_old() -> None:
    """Raise CannotMigrate where the database is not at the migration this code brings."""
    migrating.refuse_newer()
    if not migrating.is_current():
        raise CannotMigrate("The database is not up to date. `bugintake serve` sees to that when it starts.")


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def show(found: Any, as_json: bool, line: str | None = None) -> None:
    """Print a mapping as JSON, or as the line given."""
    click.echo(json.dumps(found, default=_plain, ensure_ascii=False, indent=2) if as_json else line)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], as_json: bool) -> None:
    """Print rows as a list of JSON objects, or as a table."""
    if as_json:
        show([dict(zip(columns, row, strict=True)) for row in rows], True)
        return
    cells = [[name.replace("_", " ") for name in columns], *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    return ", ".join(value) if isinstance(value, list) else str(value)


def read_stdin_line(what: str) -> str:
    """Read a secret from standard input. Raises UsageError where there is none."""
    text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise click.UsageError(f"There is no {what} on standard input.")
    return text


def the_app() -> Any:
    """Return the app itself, not the proxy that stands for it."""
    return current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy hides it
