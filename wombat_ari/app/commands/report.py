"""``wombat-ari report``: what came of the runs of a campaign, as a table, JSON or CSV."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from wombat_ari.app.cli import settings_of
from wombat_ari.app.commands.opened import opened
from wombat_ari.model.calls import RunRow
from wombat_ari.model.errors import UserError
from wombat_ari.model.reports import AttemptFilter, LoggedCall, RunStatistics

ATTEMPT_COLUMNS = (
    "number", "attempted at", "wait pre", "wait after", "talk", "outcome", "status", "list", "trunk", "end point",
    "retry", "next retry",
)  # fmt: skip


@click.command()
@click.argument("campaign")
@click.option("--run", "run_id", type=int, help="Only this run (its id), not all runs of the campaign.")
@click.option("--last", is_flag=True, help="Only the last run.")
@click.option("--attempts", is_flag=True, help="List every attempt too.")
@click.option("--number", default="", help="Only attempts whose number holds this (with --attempts, --csv, --json).")
@click.option("--json", "as_json", is_flag=True, help="Statistics and attempts as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Attempts as CSV.")
@click.pass_context
def report(
    ctx: click.Context, campaign: str, run_id: int | None, last: bool, attempts: bool, number: str, as_json: bool,
    as_csv: bool,
) -> None:  # fmt: skip
    """Report on the runs of CAMPAIGN: outcomes, times, trunks, end points, and on request every attempt."""
    from wombat_ari.app.service import campaigns, reports

    caller, database = opened(ctx)
    found = campaigns.find_campaign(caller, database, campaign)
    chosen = _chosen(reports.find_runs(caller, database, campaign_id=found.id), campaign, run_id, last)
    ids = [row.id for row in chosen]
    taken = reports.export_attempts if as_csv or as_json else reports.attempts
    calls = taken(caller, database, ids, AttemptFilter(number=number))
    if as_csv:
        _write_csv(calls)
        return
    statistics = reports.statistics(caller, database, ids)
    if as_json:
        _write_json(chosen, statistics, calls)
        return
    _draw(chosen, statistics, calls if attempts else None, ZoneInfo(settings_of(ctx).time_zone))


def _chosen(rows: list[RunRow], campaign: str, run_id: int | None, last: bool) -> list[RunRow]:
    """The runs to report on, oldest first."""
    if not rows:
        raise UserError(f"campaign {campaign!r} has not run yet")
    if run_id is not None:
        rows = [row for row in rows if row.id == run_id]
        if not rows:
            raise UserError(f"campaign {campaign!r} has no run {run_id}")
    return rows[:1] if last else rows[::-1]


def _write_csv(calls: Iterable[LoggedCall]) -> None:
    writer = csv.writer(sys.stdout)
    names = [field.name for field in fields(LoggedCall)]
    writer.writerow(names)
    for call in calls:
        row = asdict(call)
        writer.writerow([_cell(row[name]) for name in names])


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _write_json(chosen: list[RunRow], statistics: RunStatistics, calls: Iterable[LoggedCall]) -> None:
    """Streamed: an attempt a line, so that a million of them need no memory."""
    head = {"runs": [asdict(row) for row in chosen], "statistics": asdict(statistics)}
    sys.stdout.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "attempts": [')
    separator = "\n"
    for call in calls:
        sys.stdout.write(separator + json.dumps({**asdict(call), "retry": call.retry}, ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("\n]}\n")


def _draw(chosen: list[RunRow], statistics: RunStatistics, calls: Iterable[LoggedCall] | None, zone: ZoneInfo) -> None:
    from rich.columns import Columns

    from wombat_ari.app.screen import terminal

    console = terminal()
    for row in chosen:
        began = f"{datetime.fromtimestamp(row.started_at, zone):%Y-%m-%d %H:%M:%S}"
        console.print(f"[bold]{row.campaign_name}[/bold], run {row.id}, started {began}: {row.state}", highlight=False)
    console.print()
    console.print(Columns([_figures(statistics), _outcomes(statistics), _trunks(statistics)], padding=(0, 4)))
    if calls is not None:
        console.print(_attempts(calls, zone))


def _table(title: str, *columns: str, right: tuple[int, ...] = ()) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place in right else "left", no_wrap=True)
    return table


def _figures(statistics: RunStatistics) -> Any:
    table = _table("Selected calls", "", "", right=(1,))
    lines = (
        ("Number of calls", f"{statistics.calls:,}"),
        ("Total talk length", _seconds(statistics.talk_ms)),
        ("Total wait pre", _seconds(statistics.wait_pre_ms)),
        ("Total wait after", _seconds(statistics.wait_after_ms)),
        ("Total used time", _seconds(statistics.used_ms)),
    )
    for line in lines:
        table.add_row(*line)
    return table


def _outcomes(statistics: RunStatistics) -> Any:
    table = _table("Call outcomes", "outcome", "status", "calls", "share", right=(2, 3))
    for part in statistics.outcomes:
        table.add_row(part.outcome, part.extended_status, f"{part.calls:,}", f"{part.share:.1%}")
    return table


def _trunks(statistics: RunStatistics) -> Any:
    table = _table("Trunks, end points", "", "calls", "share", right=(1, 2))
    for part in (*statistics.trunks, *statistics.end_points):
        table.add_row(part.name, f"{part.calls:,}", f"{part.share:.1%}")
    return table


def _attempts(calls: Iterable[LoggedCall], zone: ZoneInfo) -> Any:
    table = _table("Attempts", *ATTEMPT_COLUMNS, right=(2, 3, 4, 10, 11))
    for row in _rows(calls, zone):
        table.add_row(*row)
    return table


def _rows(calls: Iterable[LoggedCall], zone: ZoneInfo) -> Iterator[tuple[str, ...]]:
    for call in calls:
        yield (
            call.number,
            f"{datetime.fromtimestamp(call.attempted_at, zone):%m-%d %H:%M:%S}",
            *(f"{length / 1000:.1f}" for length in (call.wait_pre_ms, call.wait_after_ms, call.talk_ms)),
            call.outcome, call.extended_status, call.list_name, call.trunk_name, call.end_point_name,
            str(call.retry), str(call.retry_in_s or ""),
        )  # fmt: skip


def _seconds(ms: int) -> str:
    return f"{ms / 1000:,.1f} s"
