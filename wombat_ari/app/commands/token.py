"""``wombat-ari token``: tokens with which programs log on."""

from datetime import datetime
from zoneinfo import ZoneInfo

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.opened import opened
from wombat_ari.model.tokens import Scope

DAY_S = 86400.0


@click.group()
def token() -> None:
    """Show, make and revoke the tokens of programs."""


@token.command(short_help="Make a token for a program.")
@click.argument("login")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, required=True, type=click.Choice([str(scope) for scope in Scope]),
    help="What it may be used for; several are allowed.",
)  # fmt: skip
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="It expires after so long; else never.")
@click.pass_context
def add(ctx: click.Context, login: str, name: str, scopes: tuple[str, ...], days: float | None) -> None:
    """Make a token with which a program acts as the user LOGIN (who must hold the key API). NAME says what it is for.

    The token is printed this once, alone on standard output; only its hash is stored.
    """
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    expires_at = None if days is None else caller.at + days * DAY_S
    made, text = users.make_token(
        caller, database, name=name, login=login, scopes=[Scope(scope) for scope in scopes], expires_at=expires_at
    )
    click.echo(f"token {made.id} of {login}: keep it, it is not shown again", err=True)
    click.echo(text)


@token.command(name="list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Show all tokens, the latest first."""
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    zone = ZoneInfo(settings_of(ctx).time_zone)

    def day(at: float | None) -> str:
        return "never" if at is None else f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M}"

    for each in users.list_tokens(caller, database):
        state = "revoked" if each.revoked_at is not None else "good" if each.holds_at(caller.at) else "expired"
        click.echo(
            f"{each.id}  {state:8}{each.login}  {each.name}  {' '.join(sorted(each.scopes))}"
            f"  expires {day(each.expires_at)}, last used {day(each.last_used_at)}"
        )


@token.command()
@click.argument("token_id", metavar="ID", type=int)
@click.pass_context
def revoke(ctx: click.Context, token_id: int) -> None:
    """Refuse the token ID from now on."""
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    revoked = users.revoke_token(caller, database, token_id)
    click.echo(f"token {revoked.id} ({revoked.name}) of {revoked.login} is revoked")
