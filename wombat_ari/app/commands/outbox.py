"""``wombat-ari outbox list|replay|drop``: what could not be told yet, or was given up."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.opened import Beside, opened, with_dialer
from wombat_ari.model.errands import ErrandState, OutboxRow
from wombat_ari.model.errors import UserError

Day = 86400.0


@click.group()
def outbox() -> None:
    """What is to be told outside (notifications, e-mails, what rules do) and could not be delivered yet.

    It is tried again by itself, from a second to an hour apart; after a day it is parked. Works with or without a
    running dialer.
    """


@outbox.command("list")
@click.option("--receiver", help="Only what is for this receiver (host of the URL, e-mail, a list, a campaign).")
@click.option("--parked", is_flag=True, help="Only what was given up.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="The oldest so many.")
@click.option("--json", "as_json", is_flag=True, help="JSON, with all that is sent.")
@click.pass_context
def list_(ctx: click.Context, receiver: str | None, parked: bool, limit: int, as_json: bool) -> None:
    """List what lies in the outbox, and how much for each receiver."""
    from wombat_ari.app.service import outbox as service

    caller, database = opened(ctx)
    counts = service.counts(caller, database)
    rows = service.page(caller, database, receiver=receiver or "", parked=parked, limit=limit)
    if as_json:
        told = {
            "receivers": [
                {"receiver": each.receiver, "waiting": each.waiting, "parked": each.parked} for each in counts
            ],
            "errands": [_as_json(row) for row in rows],
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _draw(counts, rows, ZoneInfo(settings_of(ctx).time_zone))


@outbox.command(short_help="Try again now.")
@click.argument("errand", type=int, required=False)
@click.option("--receiver", help="All that is parked or put off for this receiver.")
@click.option("--all", "everything", is_flag=True, help="All that is parked or put off.")
@click.pass_context
def replay(ctx: click.Context, errand: int | None, receiver: str | None, everything: bool) -> None:
    """Try again now: one ERRAND by its number, all of a receiver, or all. It keeps its message id."""
    from wombat_ari.app.service import outbox as service

    _one_of(errand, receiver, everything)
    _, database = opened(ctx)

    async def work(beside: Beside) -> service.Replayed:
        return await beside.act(service.replay, errand_id=errand, receiver=receiver or "")

    done = with_dialer(ctx, work, database=database)
    click.echo(f"{done.count:,} to be tried again" + ("" if done.told else ", once a dialer runs"))


@outbox.command(short_help="Delete for good.")
@click.argument("errand", type=int, required=False)
@click.option("--receiver", help="All that is parked for this receiver.")
@click.option("--all", "everything", is_flag=True, help="All that is parked.")
@click.option("--waiting", is_flag=True, help="Also what is still tried.")
@click.option("--older-than", metavar="DAYS", type=click.FloatRange(0), help="Only what was parked so long ago.")
@click.pass_context
def drop(
    ctx: click.Context, errand: int | None, receiver: str | None, everything: bool, waiting: bool,
    older_than: float | None,
) -> None:  # fmt: skip
    """Delete for good: one ERRAND by its number, or what is parked for a receiver or for all."""
    from wombat_ari.app.service import outbox as service

    _one_of(errand, receiver, everything)
    caller, database = opened(ctx)
    before = None if older_than is None else caller.at - older_than * Day
    count = service.drop(caller, database, errand_id=errand, receiver=receiver or "", waiting=waiting, before=before)
    click.echo(f"{count:,} deleted")


def _one_of(errand: int | None, receiver: str | None, everything: bool) -> None:
    if (errand is not None) + (receiver is not None) + everything != 1:
        raise UserError("say which: the number of one errand, --receiver NAME, or --all (see wombat-ari outbox list)")


def _as_json(row: OutboxRow) -> dict[str, Any]:
    errand = row.errand
    return {
        "errand": row.id,
        "message_id": row.message_id,
        "kind": errand.kind,
        "state": row.state,
        "receiver": errand.receiver,
        "campaign_id": errand.campaign_id,
        "run_id": errand.run_id,
        "wombatid": errand.wombatid,
        "created_at": errand.created_at,
        "due_at": errand.due_at,
        "tries": row.tries,
        "error": row.error,
        "payload": errand.payload,
    }


def _draw(counts: list[Any], rows: list[OutboxRow], zone: ZoneInfo) -> None:
    from rich.table import Table

    from wombat_ari.app.screen import terminal

    console = terminal(markup=False)
    if not counts:
        console.print("the outbox is empty")
        return
    table = Table("receiver", "waiting", "parked", box=None, pad_edge=False, header_style="dim")
    for each in counts:
        table.add_row(each.receiver, f"{each.waiting:,}", f"{each.parked:,}")
    console.print(table)
    titles = ("errand", "kind", "receiver", "about", "tries", "next", "what went wrong last")
    table = Table(*titles, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        at = datetime.fromtimestamp(row.errand.due_at, zone).strftime("%m-%d %H:%M:%S")
        table.add_row(
            str(row.id), row.errand.kind, row.errand.receiver, _about(row), str(row.tries),
            "parked" if row.state == ErrandState.PARKED else at, row.error,
        )  # fmt: skip
    console.print(table)


def _about(row: OutboxRow) -> str:
    """Whom it tells what, in a few words."""
    errand: Any = row.errand
    if "fields" in errand.payload:
        fields = errand.payload["fields"]
        return " ".join(filter(None, (fields.get("num"), fields.get("state"), fields.get("extstate"))))
    if "to" in errand.payload:
        return f"{', '.join(errand.payload['to'])}: {errand.payload['subject']}"
    return f"call {errand.wombatid}" if errand.wombatid else ""
