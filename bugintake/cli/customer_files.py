"""Customers from a file, from the command line."""

from pathlib import Path

import click

from bugintake.cli.commands import Command, as_json, in_app, show, show_table
from bugintake.core.errors import Conflict
from bugintake.intake.customers import files


@click.command("customers", cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Say what would become of each line, and change nothing.")
@as_json
@in_app()
def import_customers(file: Path, dry_run: bool, as_json: bool) -> None:
    """Add and change customers and companies as a CSV file says; people are found by external id or address.

    Every line is tried first, and where one is refused nothing is taken in.
    """
    outcome = files.take_in(file.read_text("utf-8-sig", errors="replace"), dry_run=dry_run, actor=None, most=None)
    facts = [{"line": each.number, "refused": each.is_refused, "sentence": each.sentence} for each in outcome.lines]
    if as_json:
        show({"kept": outcome.is_kept, "left_out": list(outcome.left_out), "lines": facts}, True)
    else:
        show_table(["line", "outcome"], [[each.number, each.sentence] for each in outcome.lines], False)
        if outcome.left_out:
            click.echo(f"Left out, because nothing here is called so: {', '.join(outcome.left_out)}")
    if outcome.refused:
        count = len(outcome.refused)
        if outcome.is_kept:
            raise Conflict(f"{count} lines cannot be taken in. All the others are.")
        raise Conflict(f"Nothing is taken in: {count} lines cannot be.")
    if not as_json:
        click.echo("Nothing is changed: this was a dry run." if dry_run else "Done.")
