"""GitHub's issue forms, from the command line."""

from pathlib import Path
from typing import Any

import click

from bugintake.cli.commands import Command, Group, as_json, in_app, show, show_table
from bugintake.core.db import transaction
from bugintake.intake import adopting, github_forms
from bugintake.intake.adopting import TARGETS, Proposal

import_ = Group("import", help="Take over what another tool has.")


@import_.command("form")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Say what would become of it, and change nothing.")
@click.option("--as", "wanted", metavar="NUMBER=TARGET", multiple=True, help=f"One of {', '.join(TARGETS)}.")
@as_json
@in_app()
def import_form(file: Path, dry_run: bool, wanted: tuple[str, ...], as_json: bool) -> None:
    """Take a GitHub issue form over: its dropdowns, checkboxes and short inputs become lists."""
    targets = dict(_wanted(each) for each in wanted)
    form = github_forms.read(github_forms.decoded(file.read_bytes()))
    with transaction():
        found = adopting.proposals(form, targets)
        if not dry_run:
            adopting.adopt(found, actor=None)
    if as_json:
        show({"name": form.name, "dry_run": dry_run, "fields": [_facts(each) for each in found]}, True)
        return
    rows = [[each.number, each.field.type, each.label, each.outcome] for each in found]
    show_table(["number", "type", "field", "outcome"], rows, False)
    click.echo(
        "Nothing is changed: this was a dry run." if dry_run else "Done. What was there already stays as it was."
    )


@click.command("export-form", cls=Command)
@in_app()
def export_form() -> None:
    """Print what the form asks as a GitHub issue form: each list takes one choice, also where it once took several."""
    click.echo(github_forms.write(adopting.our_form()), nl=False)


def _wanted(given: str) -> tuple[int, str]:
    number, _, target = given.partition("=")
    if not number.isdecimal() or target not in TARGETS:
        raise click.UsageError(f"--as {given[:60]} is no NUMBER=TARGET. Targets are {', '.join(TARGETS)}.")
    return int(number), target


def _facts(each: Proposal) -> dict[str, Any]:
    names = ("type", "id", "label", "required", "options", "required_options", "multiple", "default", "line")
    facts = {name: getattr(each.field, name) for name in names}
    return {"number": each.number, **facts, "target": each.target, "outcome": each.outcome, "new": each.new_options}
