"""The company this installation is for: the first admin, or the sample company."""

import click

from bugintake.cli.commands import Command, as_json, in_app, read_stdin_line, show
from bugintake.core.db import transaction
from bugintake.team import people, setup
from bugintake.team.passwords import hash_password


@click.command(cls=Command)
@click.option("--email", required=True, metavar="E", help="The address the first admin signs in with.")
@click.option("--name", required=True, metavar="N", help="The first admin's name.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, so that no list shows it.")
@click.option("--pack", type=click.Choice(["web", "mobile", "api"]), help="Start with lists for this kind of product.")
@as_json
@in_app(migrate=True)
def init(email: str, name: str, password_stdin: bool, pack: str | None, as_json: bool) -> None:
    """Set an empty installation up: the first admin, and with a pack the lists to choose from."""
    password_hash = None
    if password_stdin:
        password_hash = hash_password(read_stdin_line("password"), known=(email, name))
    with transaction():
        admin = setup.found_company("", admin_name=name, admin_email=email, password_hash=password_hash, pack=pack)
        link = None if password_hash else people.invite_again(admin, actor=None)
    setup.forget_link()
    line = f"{admin.name} is the first admin."
    show({"email": admin.email, "link": link}, as_json, f"{line} Choose a password at\n{link}" if link else line)
