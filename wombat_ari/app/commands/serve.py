"""``wombat-ari serve``, ``dialer``, ``web``: the long-running processes."""

import sys

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.config import Settings


@click.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Run console and dialer, and watch over the dialer: a crash is logged and the dialer started again.

    Stop with Ctrl-C or SIGTERM: no new calls, everything written down; live calls go on in the PBX and are taken up
    again at the next start.
    """
    from wombat_ari.app import serve as supervisor

    sys.exit(supervisor.run(_logged(settings_of(ctx))))


@click.command()
@click.option("--supervised", is_flag=True, hidden=True, help="Stop when standard input ends: the supervisor has died.")
@click.pass_context
def dialer(ctx: click.Context, supervised: bool) -> None:
    """Run the dialer alone, without console and without a watchdog (systemd may be one)."""
    from wombat_ari.app import dialer as process
    from wombat_ari.app.signals import stop_with_parent

    if supervised:
        stop_with_parent()
    sys.exit(process.run(_logged(settings_of(ctx))))


@click.command()
@click.pass_context
def web(ctx: click.Context) -> None:
    """Run the console alone; the dialer runs elsewhere on this machine, on the same state folder."""
    from wombat_ari.app import serve as supervisor

    sys.exit(supervisor.run(_logged(settings_of(ctx)), dialer=False))


def _logged(settings: Settings) -> Settings:
    from wombat_ari.app.logs import start_logging

    start_logging(settings["log.level"], settings["log.format"])
    return settings
