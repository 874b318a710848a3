"""``wombat-ari run-lists``, ``boost``, ``reload``: steer a run while it is live."""

import sys

import click

from wombat_ari.app.commands.opened import Beside, with_dialer


@click.command("run-lists")
@click.argument("campaign")
@click.option("--add", metavar="LIST", help="Append this list.")
@click.option("--pause", metavar="LIST", help="Take nothing new from this list; its retries go on.")
@click.option("--resume", metavar="LIST", help="Take from this list again.")
@click.option(
    "--order", metavar="LIST,LIST,...", multiple=True,
    help="All lists in their new order; names with a comma by an --order for each list.",
)  # fmt: skip
@click.pass_context
def run_lists(
    ctx: click.Context, campaign: str, add: str | None, pause: str | None, resume: str | None, order: tuple[str, ...]
) -> None:
    """Show the lists of the live run of CAMPAIGN and how far they are; with an option, change them first.

    A run whose lists are all paused is out of numbers: it completes, or idles if the campaign says so.
    """

    async def work(beside: Beside) -> int:
        from wombat_ari.app.service import runs

        lists = await beside.act(runs.run_lists, campaign=campaign)
        if add:
            lists = await beside.act(runs.add_list, campaign=campaign, name=add)
        if pause:
            lists = await beside.act(runs.pause_list, campaign=campaign, name=pause, paused=True)
        if resume:
            lists = await beside.act(runs.pause_list, campaign=campaign, name=resume, paused=False)
        if order:
            names = order if len(order) > 1 else order[0].split(",")
            lists = await beside.act(runs.order_lists, campaign=campaign, names=[name.strip() for name in names])
        for each in lists:
            last = f" up to record {each['high_water']}" if each["high_water"] else ""
            paused = ", paused" if each["paused"] else ""
            click.echo(f"{each['name']}: {each['taken']:,} taken{last}, {each['remaining']:,} to go{paused}")
        return 0

    sys.exit(with_dialer(ctx, work))


@click.command(context_settings={"ignore_unknown_options": True})  # -1 is a factor, if not a good one
@click.argument("campaign")
@click.argument("factor", type=float)
@click.pass_context
def boost(ctx: click.Context, campaign: str, factor: float) -> None:
    """Multiply the boost of the queues of CAMPAIGN's live run by FACTOR.

    1.5 calls half as many again, 1 is as configured.
    """

    async def work(beside: Beside) -> int:
        from wombat_ari.app.service import runs

        about = await beside.act(runs.boost, campaign=campaign, factor=factor)
        click.echo(f"run {about['id']} of {campaign} has the boost factor {factor:g}")
        return 0

    sys.exit(with_dialer(ctx, work))


@click.command()
@click.argument("campaign")
@click.pass_context
def reload(ctx: click.Context, campaign: str) -> None:
    """Take CAMPAIGN as it is configured now into its live run: priority, hours, rules, trunks, end points, texts.

    Its own lists are not taken: run-lists changes those of a live run. What counts from when: docs/runs.md.
    """

    async def work(beside: Beside) -> int:
        from wombat_ari.app.service import runs

        about = await beside.act(runs.reload, campaign=campaign)
        click.echo(f"run {about['id']} of {campaign} works with the campaign as it is now")
        return 0

    sys.exit(with_dialer(ctx, work))
