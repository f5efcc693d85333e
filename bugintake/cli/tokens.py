"""API tokens, from the command line."""

import click

from bugintake.cli.commands import Group, as_json, in_app, show, show_table
from bugintake.cli.people import known
from bugintake.core.db import transaction
from bugintake.team import tokens

token = Group("token", help="Let programs act through the API.")


@token.command()
@click.option("--email", required=True, metavar="E", help="Whom the token acts as.")
@click.option(
    "--scope", "scopes", required=True, multiple=True, metavar="S", help=f"What it may do: {', '.join(tokens.SCOPES)}."
)
@as_json
@in_app()
def create(email: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make a token and print its secret, which is shown this once."""
    with transaction():
        made, secret = tokens.create_token(known(email), list(scopes), actor=None)
    show({"id": made.id, "scopes": made.scopes, "secret": secret}, as_json, secret)


@token.command("list")
@as_json
@in_app()
def list_tokens(as_json: bool) -> None:
    """List the tokens, the working ones first."""
    columns = ("id", "begins_with", "acts_as", "scopes", "created_at", "revoked_at")
    rows = [
        (found.id, found.prefix, found.user.email, found.scopes, found.created_at, found.revoked_at)
        for found in tokens.all_tokens()
    ]
    show_table(columns, rows, as_json)


@token.command()
@click.argument("token_id", metavar="ID", type=int)
@in_app()
def revoke(token_id: int) -> None:
    """End a token at once."""
    with transaction():
        found = tokens.token_or_404(token_id)
        tokens.revoke(found, actor=None)
    click.echo(f"Token {found.id} ({found.prefix}…) opens nothing any more.")
