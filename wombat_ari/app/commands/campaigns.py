"""``wombat-ari campaigns``: which campaigns there are, and what is missing before one can start."""

import json
from typing import Any

import click

from wombat_ari.app.commands.opened import opened
from wombat_ari.model.entities import Campaign
from wombat_ari.model.states import CampaignStatus, ListUse


@click.command()
@click.option("--hidden", is_flag=True, help="Those with the status HIDDEN too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def campaigns(ctx: click.Context, hidden: bool, as_json: bool) -> None:
    """List the campaigns, the live run of each, and what is missing before it can start.

    Works with or without a running dialer. Live figures are shown by status.
    """
    from wombat_ari.app.service import campaigns as service
    from wombat_ari.app.service import runs

    caller, database = opened(ctx)
    every = service.list_campaigns(caller, database)
    live = {run.campaign_id: str(run.state) for run in runs.page_of_runs(caller, database, live=True, limit=len(every))}
    rows = [
        _row(each, live.get(each.id or 0, ""))
        for each in every
        if hidden or each.status != CampaignStatus.HIDDEN or each.id in live
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not every:
        click.echo(f"no campaigns in {database.name} yet: make them in the console or by wombat-ari apply", err=True)
        return
    _draw(rows)
    left_out = len(every) - len(rows)
    if left_out:
        click.echo(f"and {left_out} hidden: --hidden shows them", err=True)


def _row(campaign: Campaign, run: str) -> dict[str, Any]:
    """A hidden one with a live run is shown: it dials."""
    links = {"trunk": campaign.trunk_ids, "end point": campaign.end_point_ids}
    return {
        "campaign": campaign.name,
        "status": str(campaign.status),
        "run": run,
        "priority": campaign.priority,
        "trunks": len(campaign.trunk_ids),
        "end_points": len(campaign.end_point_ids),
        "lists": [entry.name for entry in campaign.lists if entry.use == ListUse.NORMAL],
        "missing": [name for name, ids in links.items() if not ids],
    }


def _draw(rows: list[dict[str, Any]]) -> None:
    from wombat_ari.app.screen import campaign_table, terminal

    terminal().print(campaign_table(rows))
