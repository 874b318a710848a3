"""``wombat-ari init``: the database, the administrator, and a recipe to begin with."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.opened import operator
from wombat_ari.app.config import ADMIN_PASSWORD_ENV, AMI_ADDRESS_ENV, AMI_LOGIN_ENV, AMI_SECRET_ENV, Settings

if TYPE_CHECKING:
    from wombat_ari.app.recipes import Cooked, Pbx, Recipe


@click.command()
@click.option("--login", default="admin", show_default=True, help="Login of the administrator.")
@click.option(
    "--password", help=f"Their password; else that of {ADMIN_PASSWORD_ENV}, else one is made and printed once."
)
@click.option("--reset", is_flag=True, help="Give an administrator that exists a new password.")
@click.option("--recipe", metavar="NAME", help="Make a whole campaign of the cookbook; `list` names them.")
@click.option("--ami-address", metavar="HOST[:PORT]", envvar=AMI_ADDRESS_ENV, default="",
              help="Where the recipe's PBX is.  [default: 127.0.0.1:5038]")  # fmt: skip
@click.option("--ami-login", envvar=AMI_LOGIN_ENV, default="", help="The dialer's login there.  [default: wombat]")
@click.option("--ami-secret", envvar=AMI_SECRET_ENV, default="", help=f"Its secret, better given by {AMI_SECRET_ENV}.")
@click.option("--dial-string", default="", help="What the recipe dials on, with ${num}.  [default: simulated numbers]")
@click.pass_context
def init(
    ctx: click.Context, login: str, password: str | None, reset: bool, recipe: str | None, ami_address: str,
    ami_login: str, ami_secret: str, dial_string: str,
) -> None:  # fmt: skip
    """Make the state folder, the database, the key file for stored passwords, and the administrator.

    Can be run again: the database is brought up to date, an administrator that exists stays as it is. With --recipe
    it makes one of the campaigns of docs/cookbook, too: server, trunk, end point, list and rules.
    """
    from wombat_ari.app.recipes import every_recipe, find_recipe, pbx_of
    from wombat_ari.app.stage import open_stage

    if recipe == "list":
        for each in every_recipe():
            click.echo(f"{each.name:<12} {each.title}")
        return
    wanted = find_recipe(recipe) if recipe is not None else None
    pbx = pbx_of(ami_address, ami_login, ami_secret, dial_string)
    database = open_stage(settings_of(ctx), migrate=True)
    click.echo(f"database {database.name} is up to date")
    _administrator(database, login, password, reset)
    if wanted is not None:
        _cook(ctx, database, wanted, pbx=pbx)
    _offer_open_to(ctx, database)
    then = wanted.then if wanted is not None else ("wombat-ari serve", f"log on at {_console(settings_of(ctx))}")
    click.echo("\n  ".join(["Next:", *then]))


def _console(settings: Settings) -> str:
    scheme = "https" if settings["console.certificate"] else "http"
    return f"{scheme}://{settings['console.address']}:{settings['console.port']}/, which leads you through the set-up"


def _offer_open_to(ctx: click.Context, database: Any) -> None:
    """PBXs whose dialplans could not call the API as those of the original do."""
    from wombat_ari.app.service.allow_list import suggested_open_to

    settings = settings_of(ctx)
    found = suggested_open_to(operator(), database, settings)
    if found.missing:
        who = ", ".join(found.missing)
        click.echo(f"If the dialplan of {who} calls the API, write into [api] of {settings.source}:")
        click.echo(f"  {found.line}")
        click.echo(f"or set {found.variable}")


def _administrator(database: Any, login: str, password: str | None, reset: bool) -> None:
    from wombat_ari.store import users

    if not reset and any(user.master for user in users.list_users(database)):
        click.echo("an administrator exists; --reset gives a new password")
        return
    given = password or os.environ.get(ADMIN_PASSWORD_ENV)
    made = users.create_admin(database, given, now=time.time(), login=login)
    if given:
        click.echo(f"administrator {login} has the password you gave")
    else:
        click.echo(f"administrator {login} has the password {made}  (shown this once)")


def _cook(ctx: click.Context, database: Any, recipe: Recipe, *, pbx: Pbx) -> None:
    from wombat_ari.app.recipes import SAMPLE_SECRET, cook
    from wombat_ari.app.shipped import shipped

    cooked = cook(operator(), database, recipe, pbx=pbx, flows_folder=settings_of(ctx).flows_folder)
    click.echo(f"recipe {recipe.name}: {recipe.title}")
    _tell(cooked, recipe, pbx)
    for path in cooked.flows:
        click.echo(f"  flow {path}: made")
    if not cooked.found and pbx.secret == SAMPLE_SECRET:
        click.echo(
            f"  warning: the secret is that of the sample; --ami-secret or {AMI_SECRET_ENV} gives yours", err=True
        )
    click.echo(
        f"The PBX needs asterisk_conf/extensions.d/recipe-{recipe.name}.conf: see docs/cookbook/{recipe.name}.md;"
        f" both are in {shipped('asterisk_conf').parent}"
    )


def _tell(cooked: Cooked, recipe: Recipe, pbx: Pbx) -> None:
    if cooked.found:
        click.echo(f"  server {cooked.server} at {pbx.where} was there, and is used as it is")
    for done in cooked.done:
        more = f" ({pbx.where}, login {pbx.login})" if done.kind == "server" else ""
        if done.kind == "list" and done.name in recipe.numbers:
            count = cooked.added.get(done.name, 0)
            more = f" with {count} simulated numbers" if count else ", empty: import numbers"
        click.echo(f"  {done.kind} {done.name}{more}: {done.what}")
        for warning in done.warnings:
            click.echo(f"  warning: {warning}", err=True)
