"""``wombat-ari init``: the database and the administrator."""

import os
import time

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.config import ADMIN_PASSWORD_ENV


@click.command()
@click.option("--login", default="admin", show_default=True, help="Login of the administrator.")
@click.option(
    "--password", help=f"Their password; else that of {ADMIN_PASSWORD_ENV}, else one is made and printed once."
)
@click.option("--reset", is_flag=True, help="Give an administrator that exists a new password.")
@click.pass_context
def init(ctx: click.Context, login: str, password: str | None, reset: bool) -> None:
    """Make the state folder, the database, the key file for stored passwords, and the administrator.

    Can be run again: the database is brought up to date, an administrator that exists stays as it is.
    """
    from wombat_ari.app.stage import open_stage
    from wombat_ari.store import users

    settings = settings_of(ctx)
    database = open_stage(settings)
    click.echo(f"database {database.name} is up to date")
    if not reset and any(user.master for user in users.list_users(database)):
        click.echo("an administrator exists; --reset gives a new password")
        return
    given = password or os.environ.get(ADMIN_PASSWORD_ENV)
    made = users.create_admin(database, given, now=time.time(), login=login)
    if given:
        click.echo(f"administrator {login} has the password you gave")
    else:
        click.echo(f"administrator {login} has the password {made}  (shown this once)")
