"""The people who work here, from the command line."""

import click

from bugintake.cli.commands import Group, as_json, in_app, show
from bugintake.core.db import transaction
from bugintake.core.errors import NotFound
from bugintake.team import people
from bugintake.team.models import Role, User

user = Group("user", help="Add people, keep them out, and let them in again.")


def known(email: str) -> User:
    """Find somebody by address. Raises NotFound."""
    found = people.user_by_email(email)
    if found is None:
        raise NotFound(f"Nobody here has the address {email}.")
    return found


@user.command()
@click.option("--email", required=True, metavar="E", help="The address to sign in with.")
@click.option("--name", required=True, metavar="N", help="The name colleagues and customers read.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What they may do.")
@click.option("--zone", default="UTC", metavar="Z", show_default=True, help="Their time zone, such as Europe/Berlin.")
@as_json
@in_app()
def add(email: str, name: str, role: str, zone: str, as_json: bool) -> None:
    """Add somebody and print the link by which they choose a password."""
    with transaction():
        added, link = people.invite(email, name, Role(role), actor=None, zone=zone)
    found = {"id": added.id, "email": added.email, "name": added.name, "role": added.role, "link": link}
    show(found, as_json, f"{added.name} is here as {added.role}. They choose a password within 7 days at\n{link}")


@user.command()
@click.argument("email", metavar="E")
@in_app()
def disable(email: str) -> None:
    """Keep somebody out from now on; what they did stays."""
    with transaction():
        found = known(email)
        people.disable(found, actor=None)
    click.echo(f"{found.name} is disabled and signed out.")


@user.command()
@click.argument("email", metavar="E")
@as_json
@in_app()
def reset(email: str, as_json: bool) -> None:
    """Print a link by which somebody chooses a new password."""
    with transaction():
        found = known(email)
        link = people.new_reset_link(found)
    show(
        {"email": found.email, "link": link}, as_json, f"{found.name} chooses a new password within 2 hours at\n{link}"
    )
