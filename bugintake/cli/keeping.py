"""Backups, from the command line."""

from pathlib import Path

import click

from bugintake.cli.commands import Command, as_json, in_app, show
from bugintake.core import backup as backups
from bugintake.core import clock, restoring
from bugintake.core.db import db
from bugintake.intake.attachments.queries import damaged
from bugintake.loop.restoring import catch_up, distrust


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@as_json
@in_app()
def backup(file: Path, as_json: bool) -> None:
    """Write everything to FILE, as of now; bugintake goes on meanwhile."""
    made = backups.write(file)
    for lost in damaged():
        click.echo(f"{lost.name} ({lost.stored_as}) is missing or damaged here, and so in the backup.", err=True)
    attachments = len(made.attachments)
    show(
        {"file": str(file), "rows": made.row_count, "attachments": attachments, "migration": made.migration},
        as_json,
        f"{file} holds {made.row_count} rows and {attachments} attachments. Keep it as safe as the original.",
    )


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put it in the place of what is here; that is gone then.")
@as_json
@in_app(any_shape=True)
def restore(file: Path, replace: bool, as_json: bool) -> None:
    """Bring back what FILE holds. Stop bugintake before, and start it again afterwards.

    Mail that had not been sent when the backup was made, or was due since, is held until the Loop page lets it go.
    """
    db.session.remove()
    found = restoring.restore(file, replace=replace, then=distrust)
    catch_up(clock.now())
    show(
        {"file": str(file), "made_at": found.made_at, "rows": found.row_count, "attachments": len(found.attachments)},
        as_json,
        f"Everything is as it was on {found.made_at:%Y-%m-%d %H:%M} UTC. "
        "Mail that had not been sent by then, or was due since, is held: see the Loop page. Everybody signs in again.",
    )
