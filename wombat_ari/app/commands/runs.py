"""``wombat-ari run``, ``pause``, ``resume``, ``remove``, ``status``: ask the dialer, and watch it in the terminal."""

import json
import shlex
import sys
import time
from typing import Any

import click

from wombat_ari.app.cli import EXIT_INTERRUPTED
from wombat_ari.app.commands.opened import Beside, with_dialer
from wombat_ari.model.errors import UserError
from wombat_ari.model.states import LIVE_RUN_STATES, RunState

LOOK_S = 0.5  #: how often a watched run is looked at
END_S = 30.0  #: the dialer has written down how a run ended by then
AWAY_S = 20.0  #: a dialer that has crashed is there again by then
EXIT_REMOVED = 3


@click.command()
@click.argument("campaign")
@click.option("--no-watch", is_flag=True, help="Start it and return at once.")
@click.option("--attach", is_flag=True, help="Watch a run that is live already; start nothing.")
@click.pass_context
def run(ctx: click.Context, campaign: str, no_watch: bool, attach: bool) -> None:
    """Start CAMPAIGN and watch it until it completes (or idles). The dialer must be running.

    Ctrl-C ends the watching, not the run. Exit status: 0 completed or idle, 3 removed meanwhile, 130 Ctrl-C.
    """
    live = attach

    async def work(beside: Beside) -> int:
        from wombat_ari.app.service import runs

        nonlocal live
        run_id = None
        if not attach:
            run_id = (await beside.act(runs.start, campaign=campaign))["id"]
            live = True
            click.echo(f"run {run_id} of {campaign} started")
        if no_watch:
            return 0
        run_id, idle = await _watch(beside, campaign, run_id=run_id)
        if idle:
            click.echo(f"{campaign} is IDLE: all numbers are done, it waits for more")
            return 0
        return _told(campaign, await _end_of(beside, run_id))

    try:
        sys.exit(with_dialer(ctx, work))
    except KeyboardInterrupt:
        if not live:
            raise
        again = f"wombat-ari run {shlex.quote(campaign)} --attach"
        click.echo(f"\nthe run of {campaign} goes on; to watch it again: {again}", err=True)
        sys.exit(EXIT_INTERRUPTED)


def _simple(name: str, text: str) -> click.Command:
    @click.command(name, help=text)
    @click.argument("campaign")
    @click.pass_context
    def command(ctx: click.Context, campaign: str) -> None:
        async def work(beside: Beside) -> int:
            from wombat_ari.app.service import runs

            about = await beside.act(getattr(runs, name), campaign=campaign)
            click.echo(f"run {about['id']} of {campaign} is {about['state']}")
            return 0

        sys.exit(with_dialer(ctx, work))

    return command


pause = _simple("pause", "Pause the live run of CAMPAIGN: no new calls, those in progress go on.")
resume = _simple("resume", "Resume the paused run of CAMPAIGN.")
remove = _simple("remove", "End the run of CAMPAIGN for good (it must be paused, idle or out of its hours).")


@click.command()
@click.argument("campaign", required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Every run, trunk, end point and queue, not the first 20 of each."
)
@click.option("--json", "as_json", is_flag=True, help="The whole picture as JSON, live calls included.")
@click.pass_context
def status(ctx: click.Context, campaign: str | None, everything: bool, as_json: bool) -> None:
    """Show what the dialer is doing now; with CAMPAIGN every figure of its live run and of its lists.

    Exit status 2 when the dialer is not running.
    """

    async def work(beside: Beside) -> int:
        snapshot = await beside.picture(calls=as_json)
        run = None
        if campaign is not None:
            run = next((one for one in snapshot["runs"] if one["campaign"] == campaign), None)
            if run is None:
                raise UserError(f"campaign {campaign!r} has no live run")
        if as_json:
            click.echo(json.dumps(run or snapshot, indent=2, ensure_ascii=False))
            return 0
        from wombat_ari.app.screen import run_figures, status_screen, terminal

        terminal().print(run_figures(snapshot, run) if run else status_screen(snapshot, everything=everything))
        return 0

    sys.exit(with_dialer(ctx, work))


async def _watch(beside: Beside, campaign: str, *, run_id: int | None) -> tuple[int, bool]:
    """Draw the run (None: the live one) until it is gone from the live ones, or idle. Answers its id, and if it is."""
    from rich.live import Live

    from wombat_ari.app.screen import plain_line, run_screen, terminal

    console = terminal()
    said = 0.0
    with Live(console=console, refresh_per_second=4, transient=False, auto_refresh=False) as live:
        while True:
            snapshot = await (_patiently(beside) if run_id else beside.picture())
            mine = next((one for one in snapshot["runs"] if one["campaign"] == campaign), None)
            if run_id is None and mine is None:
                raise UserError(f"campaign {campaign!r} has no live run")
            if mine is None or mine["id"] != (run_id or mine["id"]):
                assert run_id is not None
                return run_id, False
            run_id = mine["id"]
            if console.is_terminal:
                live.update(run_screen(snapshot, mine), refresh=True)
            elif time.monotonic() - said >= 5:
                said = time.monotonic()
                click.echo(plain_line(mine))
            if mine["state"] == "IDLE":
                return mine["id"], True
            await beside.wait(LOOK_S)


async def _patiently(beside: Beside) -> dict[str, Any]:
    """The picture; of a dialer that has crashed as soon as its supervisor has started it again."""
    until = 0.0
    while True:
        try:
            return await beside.picture()
        except UserError as error:
            now = time.monotonic()
            if error.code != "dialer-down" or 0 < until < now:
                raise
            if not until:
                until = now + AWAY_S
                click.echo("the dialer does not answer; waiting for it", err=True)
        await beside.wait(LOOK_S)


async def _end_of(beside: Beside, run_id: int) -> RunState:
    """How a run ended that is not live any more: the database is told within a moment."""
    from wombat_ari.app.service import runs

    until = time.monotonic() + END_S
    while True:
        state = (await beside.read(runs.find_run, run_id)).state
        if state not in LIVE_RUN_STATES:
            return state
        if time.monotonic() > until:
            raise UserError(f"run {run_id} has ended, but the database does not say how: see wombat-ari status")
        await beside.wait(0.1)


def _told(campaign: str, state: RunState) -> int:
    if state == RunState.REMOVED:
        click.echo(f"{campaign} was removed", err=True)
        return EXIT_REMOVED
    click.echo(f"{campaign} is {state}")
    return 0
