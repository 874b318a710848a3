"""``wombat-ari flow``: the site's flows, listed and tried without a PBX."""

import asyncio
import sys
from pathlib import Path

import click

from wombat_ari.app.cli import settings_of


@click.group()
def flow() -> None:
    """List the flows of the site, or go through one at the terminal."""


@flow.command("list")
@click.pass_context
def list_flows(ctx: click.Context) -> None:
    """Name, file and first line of each. Exit status 1 when a file has a mistake."""
    from wombat_ari.app.flow_files import flow_files

    settings = settings_of(ctx)
    found = flow_files(settings)
    for each in found.flows:
        click.echo(f"{each['name']:24} {each['file']:24} {each['about']}".rstrip())
    if not found.flows:
        click.echo(f"no flows in {settings.flows_folder}")
    for mistake in found.mistakes:
        click.echo(f"mistake in {mistake}", err=True)
    sys.exit(bool(found.mistakes))


@flow.command("try", short_help="Go through a flow at the terminal.")
@click.argument("name")
@click.option("--attribute", "-a", "attributes", multiple=True, metavar="NAME=VALUE", help="An input attribute.")
@click.option("--number", default="5551000", show_default=True, help="The callee's number.")
@click.pass_context
def try_flow(ctx: click.Context, name: str, attributes: tuple[str, ...], number: str) -> None:
    """Go through a flow at the terminal: sounds are written, keys are typed (empty: none; h: hang up)."""
    from wombat_ari.flows.folder import Folder
    from wombat_ari.flows.line import CallFacts
    from wombat_ari.flows.terminal import TerminalCaller

    given = dict(_pair(each) for each in attributes)
    found = Folder(Path(settings_of(ctx).flows_folder)).find(name)
    facts = CallFacts(1, number, "a campaign", 1, given)

    async def play() -> None:
        caller = TerminalCaller(facts, say=click.echo, ask=input)
        await caller.go_through(found)

    asyncio.run(play())


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r}: it must be NAME=VALUE", param_hint="--attribute")
    return name, value
