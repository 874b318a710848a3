"""``wombat-ari addcall``: a call from outside, for the live run of a campaign."""

import sys

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.opened import Beside, with_dialer
from wombat_ari.model.errors import UserError


@click.command()
@click.argument("campaign")
@click.argument("number")
@click.option("--attr", "attributes", metavar="NAME=VALUE", multiple=True, help="An input attribute; may be repeated.")
@click.option("--at", metavar="'YYYY-MM-DD HH:MM:SS'", help="Not before this, by the clock of the campaign's zone.")
@click.option("--in", "seconds", metavar="SECONDS", help="Not before so many seconds from now.")
@click.pass_context
def addcall(
    ctx: click.Context, campaign: str, number: str, attributes: tuple[str, ...], at: str | None, seconds: str | None
) -> None:
    """Add a call to NUMBER to the live run of CAMPAIGN, and print its WOMBATID.

    It is durable when that is printed. More numbers of the same person are the attributes MULTINUM1 to MULTINUM9: the
    campaign's rules say when the next one is tried.
    """
    given = dict(_pair(text) for text in attributes)
    when, zone = _when(at, seconds), settings_of(ctx).time_zone

    async def work(beside: Beside) -> int:
        from wombat_ari.app.service import calls

        about = {"campaign": campaign, "number": number, "when": when, "zone": zone}
        click.echo(await beside.act(calls.add_call, attributes=given, **about))
        return 0

    sys.exit(with_dialer(ctx, work))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--attr {text!r}: it must be NAME=VALUE")
    return name.strip(), value


def _when(at: str | None, seconds: str | None) -> str:
    """As the service reads it: seconds from now, or a moment by the clock of the campaign."""
    if at and seconds:
        raise UserError("--at and --in exclude each other")
    if seconds and not seconds.strip().isdecimal():
        raise UserError(f"--in {seconds!r}: it must be a whole number of seconds")
    if at and at.strip().isdecimal():
        raise UserError(f"--at {at!r}: it must be YYYY-MM-DD HH:MM:SS; for seconds from now there is --in")
    return at or seconds or ""
