"""Saying that a release is live, from the command line or a deployment script."""

import click

from bugintake.cli.commands import Group, as_json, in_app, show
from bugintake.core.db import transaction
from bugintake.loop.releases import release_live

release = Group("release", help="Say what is live.")


@release.command()
@click.argument("version", metavar="VERSION")
@as_json
@in_app()
def live(version: str, as_json: bool) -> None:
    """Say that VERSION is live: the bugs fixed in it are too, and their people will be told."""
    with transaction():
        bugs = release_live(version, actor=None)
    people = sum(bug.waiting_count for bug in bugs)
    named = ", ".join(bug.ref for bug in bugs) or "no bug was waiting for it"
    show(
        {"version": version, "bugs": [bug.ref for bug in bugs], "people": people},
        as_json,
        f"{version} is live: {named}." + (f" {people} people will be told." if people else ""),
    )
