"""The company this installation is for: the first admin, or the sample company."""

import click

from bugintake.cli import sample
from bugintake.cli.commands import Command, as_json, in_app, read_stdin_line, show
from bugintake.core import config
from bugintake.core.db import transaction
from bugintake.core.errors import Conflict
from bugintake.team import people, setup
from bugintake.team.passwords import hash_password
from bugintake.team.workspace import is_sample, is_set_up


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


@click.command(cls=Command)
@click.option("--remove", is_flag=True, help="Take the sample company away again.")
@as_json
@in_app(migrate=True)
def demo(remove: bool, as_json: bool) -> None:
    """Bring a sample company into an empty installation, to look around. Nothing leaves it."""
    if remove:
        if not is_sample():
            raise Conflict("There is no sample company here.")
        with transaction():
            sample.remove()
        show({"removed": True}, as_json, "The sample company is gone. Its bugs' numbers are not used again.")
        return
    if is_set_up():
        raise Conflict("There is work in this installation already; the sample company needs an empty one.")
    with transaction():
        sample.fill()
        page = sample.private_page()
    setup.forget_link()
    address = config.settings().base_url
    cast = [{"name": user.name, "role": user.role, "email": user.email} for user in people.everybody()]
    lines = [f"Fakturo is here. Sign in at {address}/login as anybody, without a password:"]
    lines += [f"  {person['name']:<14} {person['role']}" for person in cast]
    lines += [f"What a customer sees: {page}"] if page else []
    lines += ["`bugintake demo --remove` takes it away again, and so does a button on every page."]
    show({"sign_in": f"{address}/login", "people": cast, "customer_page": page}, as_json, "\n".join(lines))
