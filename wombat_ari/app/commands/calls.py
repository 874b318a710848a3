"""``wombat-ari addcall``: a call from outside, for the live run of a campaign."""

import sys
import time
from typing import Any

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.runs import with_dialer
from wombat_ari.app.config import Settings
from wombat_ari.app.control import ControlClient
from wombat_ari.core.moments import moment_of
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
    if at and seconds:
        raise UserError("--at and --in exclude each other")
    due = None
    if at or seconds:
        due = _due(settings_of(ctx), campaign, at=at, seconds=seconds)

    async def work(client: ControlClient, reactor: Any) -> int:
        click.echo(await client.add_call(campaign, number, attributes=given, due=due))
        return 0

    sys.exit(with_dialer(ctx, work))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--attr {text!r}: it must be NAME=VALUE")
    return name.strip(), value


def _due(settings: Settings, campaign: str, *, at: str | None, seconds: str | None) -> float:
    if seconds:
        if not seconds.strip().isdecimal():
            raise UserError(f"--in {seconds!r}: it must be a whole number of seconds")
        return moment_of(seconds, now=time.time(), zone="UTC")
    assert at is not None
    if at.strip().isdecimal():
        raise UserError(f"--at {at!r}: it must be YYYY-MM-DD HH:MM:SS; for seconds from now there is --in")
    return moment_of(at, now=time.time(), zone=_zone_of(settings, campaign))


def _zone_of(settings: Settings, campaign: str) -> str:
    from wombat_ari.app.stage import open_stage
    from wombat_ari.store import campaigns

    found = campaigns.load_campaign(open_stage(settings), campaign)
    return found.active_period.zone or settings.time_zone
