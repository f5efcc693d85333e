"""The command line: each command reads its options, calls one verb of a room, and prints what came of it."""

import importlib

from flask import Flask
from flask.cli import ScriptInfo

from bugintake.cli import (
    checks,
    company,
    customer_files,
    duty,
    github_forms,
    keeping,
    people,
    releases,
    sample,
    serving,
    tokens,
)
from bugintake.cli.commands import Group
from bugintake.team import setup

cli = Group("bugintake", help="From a customer's bug to a truthful answer.")
for _command in (
    serving.serve,
    serving.worker,
    company.init,
    company.demo,
    checks.doctor,
    checks.openapi,
    people.user,
    duty.rotation,
    tokens.token,
    duty.duty,
    releases.release,
    keeping.backup,
    keeping.restore,
    github_forms.import_,
    github_forms.export_form,
):
    cli.add_command(_command)
github_forms.import_.add_command(customer_files.import_customers)


def main() -> None:
    """Run the console script."""
    cli.main(prog_name="bugintake", obj=ScriptInfo(create_app=_create_app))


def attach(app: Flask) -> None:
    """Offer the same commands as `flask --app wsgi …`, and the sample company to the first run."""
    setup.register_sample(sample.fill, sample.remove)
    for name, command in cli.commands.items():
        app.cli.add_command(command, name)


def _create_app() -> Flask:
    app: Flask = importlib.import_module("bugintake.app").create_app()
    return app
