"""``wombat-ari apply``: the configuration from a file."""

from pathlib import Path

import click

from wombat_ari.app.commands.opened import opened


@click.command()
@click.argument("plan", type=click.Path(path_type=Path))
@click.pass_context
def apply(ctx: click.Context, plan: Path) -> None:
    """Take servers, trunks, end points, lists and campaigns from the TOML file PLAN (see docs/plan.md).

    What is named in it is made or changed, the rest stays. Nothing is written if anything in it is wrong. A running
    dialer takes it into use when a run is started.
    """
    from wombat_ari.app.plan import apply_plan, read_plan

    tables = read_plan(plan)
    caller, database = opened(ctx)
    for done in apply_plan(caller, database, tables):
        click.echo(f"{done.kind} {done.name}: {done.what}")
        for warning in done.warnings:
            click.echo(f"  warning: {warning}", err=True)
