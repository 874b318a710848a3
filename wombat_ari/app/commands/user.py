"""``wombat-ari user``: who may log on."""

import secrets
from dataclasses import replace
from typing import Any

import click

from wombat_ari.app.commands.opened import opened
from wombat_ari.model.admin import User
from wombat_ari.model.errors import UserError

MIN_PASSWORD, MAX_PASSWORD = 8, 1000  #: as ``store/users`` has it; asked before anything is written


@click.group()
def user() -> None:
    """Show, add and change users."""


@user.command()
@click.argument("login")
@click.option("--class", "class_name", help="Class of the user: ADMIN, SUPERVISOR, AGENT, ROBOT or one of yours.")
@click.option("--key", "keys", multiple=True, help="A key besides those of the class; -KEY takes one of these away.")
@click.option("--name", "real_name", default="", help="Name for people.")
@click.option("--email", default="", help="Address.")
@click.option("--master", is_flag=True, help="Holds all keys.")
@click.option("--password", help="Else one is made and printed once.")
@click.pass_context
def add(
    ctx: click.Context, login: str, class_name: str | None, keys: tuple[str, ...], password: str | None, **fields: Any
) -> None:
    """Add the user LOGIN."""
    from wombat_ari.app.service import users

    if password is not None and not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UserError(f"password: it must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    caller, database = opened(ctx)
    class_id = _class_id(caller, database, class_name)
    wanted = User(None, login, class_id=class_id, own_keys=keys, **fields)
    made = users.save_user(caller, database, wanted)
    _set_password(caller, database, made, password)


@user.command(name="list")
@click.pass_context
def list_(ctx: click.Context) -> None:
    """Show all users."""
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    classes = {each.id: each.name for each in users.list_classes(caller, database)}
    for each in users.list_users(caller, database):
        words = ("master" if each.master else "", classes.get(each.class_id, ""), *each.own_keys)
        state = "enabled" if each.enabled else "disabled"
        click.echo(f"{each.login}  {state}  {' '.join(filter(None, words))}  {each.logons} log-ons".rstrip())


@user.command()
@click.argument("login")
@click.option("--password", help="Else one is made and printed once.")
@click.pass_context
def password(ctx: click.Context, login: str, password: str | None) -> None:
    """Give the user LOGIN a new password."""
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    _set_password(caller, database, users.find_user(caller, database, login), password)


@user.command()
@click.argument("login")
@click.option("--class", "class_name", help="Another class; an empty one takes the class away.")
@click.option("--key", "keys", multiple=True, help="All own keys, anew.")
@click.option("--no-keys", is_flag=True, help="Take all own keys away.")
@click.option("--master/--no-master", default=None, help="Holds all keys, or not any more.")
@click.option("--enable/--disable", "enabled", default=None, help="May log on, or not any more.")
@click.pass_context
def change(
    ctx: click.Context, login: str, class_name: str | None, keys: tuple[str, ...], no_keys: bool, **fields: bool | None
) -> None:
    """Change the user LOGIN. Programs and people who are logged on notice at once."""
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    changes: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    if class_name is not None:
        changes["class_id"] = _class_id(caller, database, class_name)
    if keys or no_keys:
        changes["own_keys"] = keys
    users.save_user(caller, database, replace(users.find_user(caller, database, login), **changes))
    click.echo(f"user {login} is changed")


@user.command()
@click.argument("login")
@click.pass_context
def remove(ctx: click.Context, login: str) -> None:
    """Remove the user LOGIN and its tokens. Who has left traces is not removed: disable it."""
    from wombat_ari.app.service import users

    caller, database = opened(ctx)
    users.delete_user(caller, database, users.find_user(caller, database, login).id or 0)
    click.echo(f"user {login} is removed")


def _class_id(caller: Any, database: Any, name: str | None) -> int | None:
    from wombat_ari.app.service import users

    if not name:
        return None
    known = {each.name: each.id for each in users.list_classes(caller, database)}
    if name not in known:
        raise UserError(f"there is no class {name!r}; known are {', '.join(known)}")
    return known[name]


def _set_password(caller: Any, database: Any, who: User, given: str | None) -> None:
    from wombat_ari.app.service import users

    chosen = given or secrets.token_urlsafe(12)
    users.set_password(caller, database, who.id or 0, password=chosen)
    said = "the password you gave" if given else f"the password {chosen}  (shown this once)"
    click.echo(f"user {who.login} has {said}")
