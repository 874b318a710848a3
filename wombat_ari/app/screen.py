"""What the terminal shows: the progress of a run, the state of the dialer. Rich draws; nothing is asked here."""

import os
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

STATE_STYLE = {
    "READY": "green", "RUNNING": "green", "IDLE": "yellow", "PAUSED": "cyan", "WRONG_TIME": "cyan", "DOWN": "red",
    "REQUESTED": "dim", "DIALLING": "yellow", "CONNECTED": "green", "SCHEDULED": "dim",
    "TALKING": "cyan", "RINGING": "yellow", "BUSY": "cyan", "WRAP_UP": "cyan", "ERROR": "red",
}  # fmt: skip
AGENT_STYLE = {**STATE_STYLE, "IDLE": "green", "PAUSED": "dim"}
CALLS_SHOWN = 12
ROWS_SHOWN = 20  #: of runs, trunks, end points, queues, unless all are asked for
NAMES_SHOWN = 30  #: agents of one state, callers
WIDE = 200  #: columns of what is no terminal: there nothing is cut off or broken into lines


def terminal(*, markup: bool = True) -> Console:
    """Standard output. In a pipe or a file a row of a table is one line, unless COLUMNS says how wide it may be."""
    console = Console(markup=markup, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDE
    return console


def run_screen(snapshot: dict[str, Any], run: dict[str, Any]) -> RenderableType:
    """A run: bar, figures, live calls."""
    return Group(_bar(run), _figures(snapshot, run), _calls(snapshot, run["campaign"]), _notes(snapshot, run))


def status_screen(snapshot: dict[str, Any], *, everything: bool = False) -> RenderableType:
    """The dialer: PBXs, runs, trunks, end points, queues, receivers of notifications. Of what there is much of, the
    first are shown and the others counted, but for ``everything``.
    """
    head = Text.assemble(
        "dialer ", _state(snapshot["state"]), f", up {_time(snapshot['now'] - snapshot['up_since'])}, ",
        f"{snapshot['channels_in_use']} channels in use, {snapshot['placed']} calls placed",
    )  # fmt: skip
    trouble = snapshot["database_trouble"]
    note = [Text(f"database: {trouble}", "red")] if trouble else []
    most = None if everything else ROWS_SHOWN
    body = [*_runs(snapshot["runs"], most), *_lines(snapshot, most), *_queues(snapshot, most)]
    return Group(head, *note, _pbxs(snapshot), *body, *_outside(snapshot))


def run_figures(snapshot: dict[str, Any], run: dict[str, Any]) -> RenderableType:
    """Everything that is counted of a run, and how far each of its lists is."""
    due, done_in = run["next_retry_at"], run["completes_in_s"]
    rows = {
        "run": f"{run['id']}, {run['name']}",
        "state": _state(run["state"]),
        "why no call": run["why_not"],
        "priority, boost": f"{run['priority']}, {run['boost']:g}",
        "calls placed": f"{run['placed']:,}: {run['open_calls']:,} live, {run['attempts']:,} ended,"
                        f" {run['answered']:,} answered",
        "items in cache": f"{run['cached']:,}: {run['in_hopper']:,} in the hopper,"
                          f" {run['open_retries']:,} open retries",
        "next retry": f"in {_time(due - snapshot['now'])}" if due else "",
        "records closed": f"{run['closed']:,} of {run['taken'] + run['remaining']:,}",
        "termination rate": _share(run["termination_rate"]),
        "reschedule rate": _share(run["reschedule_rate"]),
        "estimated calls to come": f"{run['estimated_remaining']:,}",
        "running for": _time(run["running_for_s"]),
        "estimated completion": f"in {_time(done_in)}" if done_in is not None else "",
        "an hour": f"{run['attempts_per_hour']:.0f} attempts, {run['completions_per_hour']:.0f} completions",
    }  # fmt: skip
    figures = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        figures.add_row(Text(name, "dim"), *_plain(value or "–"))
    lists = _table("list", "taken", "up to record", "to go", "")
    for each in run["lists"]:
        counts = (f"{each['taken']:,}", str(each["high_water"] or "–"), f"{each['remaining']:,}")
        lists.add_row(*_plain(each["name"], *counts, "paused" if each["paused"] else ""))
    return Group(figures, lists)


def campaign_table(rows: Sequence[dict[str, Any]]) -> RenderableType:
    """One line for each campaign as configured."""
    table = _table("campaign", "status", "live run", "priority", "lists", "missing")
    for row in rows:
        missing = f"no {' and no '.join(row['missing'])}" if row["missing"] else ""
        state, lists = _state(row["run"]), ", ".join(row["lists"])
        table.add_row(*_plain(row["campaign"], row["status"], state, str(row["priority"]), lists, Text(missing, "red")))
    return table


def plain_line(run: dict[str, Any]) -> str:
    """One line for a log or a pipe."""
    done, total = run["closed"], run["taken"] + run["remaining"]
    return (
        f"{run['campaign']} {run['state']}: {done} of {total} records done, {run['attempts']} attempts,"
        f" {run['answered']} answered, {run['open_calls']} live, {run['open_retries']} to be retried"
    )


def _bar(run: dict[str, Any]) -> RenderableType:
    done, total = run["closed"], run["taken"] + run["remaining"]
    grid = Table.grid(padding=(0, 1))
    share = f"{done / total:4.0%}" if total else "   –"
    grid.add_row(
        Text(run["campaign"], style="bold"),
        _state(run["state"]),
        ProgressBar(total=max(total, 1), completed=done, width=40),
        share,
        f"{done}/{total} records",
        f"{_time(run['running_for_s'])} elapsed",
    )
    return grid


def _figures(snapshot: dict[str, Any], run: dict[str, Any]) -> RenderableType:
    rate = run["termination_rate"]
    parts = [
        f"{run['attempts']} attempts",
        f"{run['answered']} answered",
        f"{run['open_calls']} live",
        f"{run['open_retries']} to be retried",
        f"{run['in_hopper']} in the hopper",
        f"{rate:.0%} needed no retry" if rate is not None else "",
        f"{run['attempts_per_hour']:.0f} attempts an hour" if run["running_for_s"] > 10 else "",
    ]
    return Text(" · ".join(part for part in parts if part), style="dim")


def _calls(snapshot: dict[str, Any], campaign: str) -> RenderableType:
    calls = [call for call in snapshot["calls"] if call["campaign"] == campaign]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("number", "state", "try", "since", "trunk", "end point", "status"):
        table.add_column(title, justify="right" if title in ("try", "since") else "left")
    for call in sorted(calls, key=lambda call: call["originated_at"] or 0)[:CALLS_SHOWN]:
        since = call["answered_at"] or call["originated_at"]
        age = f"{snapshot['now'] - since:.0f} s" if since else ""
        table.add_row(*_plain(
            call["number"], _state(call["state"]), str(call["retry"] + 1), age, call["trunk"], call["end_point"],
            call["extended_status"],
        ))  # fmt: skip
    for _ in range(CALLS_SHOWN - len(calls)):
        table.add_row("")  # the same height always: the screen does not jump
    return table


def _notes(snapshot: dict[str, Any], run: dict[str, Any]) -> RenderableType:
    down = [f"PBX {pbx['name']}: {pbx['error']}" for pbx in snapshot["pbxs"] if not pbx["connected"] and pbx["error"]]
    if snapshot["database_trouble"]:
        down.append(f"database: {snapshot['database_trouble']}")
    if down:
        return Text("\n".join(down), style="red")
    due = run["next_retry_at"]
    if due and not run["open_calls"] and not run["in_hopper"]:
        return Text(f"next retry in {max(0, due - snapshot['now']):.0f} s", style="dim")
    return Text(run["why_not"], style="dim")


def _pbxs(snapshot: dict[str, Any]) -> RenderableType:
    table = _table("PBX", "link", "for", "Asterisk", "what is wrong")
    for pbx in snapshot["pbxs"]:
        link = Text("connected", "green") if pbx["connected"] else Text("down", "red")
        slowed = f"slowed down: at most {pbx['slowed_to']} calls wait for a channel" if pbx["slowed_to"] else ""
        ari = pbx.get("ari")
        away = f"ARI: {ari['error'] or 'not connected'}" if ari and not ari["connected"] else ""
        wrong = "; ".join(filter(None, (pbx["error"], slowed, away)))
        table.add_row(*_plain(pbx["name"], link, _time(snapshot["now"] - pbx["since"]), pbx["version"], wrong))
    return table


def _runs(runs: Sequence[dict[str, Any]], most: int | None) -> list[RenderableType]:
    """The most urgent first."""
    table = _table("run", "state", "attempts", "live", "retries", "closed", "remaining", "why no call")
    runs = sorted(runs, key=lambda run: run["priority"])
    for run in runs[:most]:
        figures = (
            run["attempts"],
            run["open_calls"],
            run["open_retries"],
            run["closed"],
            run["remaining"] + run["taken"] - run["closed"],
        )
        table.add_row(*_plain(run["campaign"], _state(run["state"]), *map(str, figures), run["why_not"]))
    more = Counter(run["state"] for run in runs[len(runs) if most is None else most :])
    states = ", ".join(f"{count} {state}" for state, count in sorted(more.items()))
    return [table, *_more(more.total(), f"runs ({states})")]


def _lines(snapshot: dict[str, Any], most: int | None) -> list[RenderableType]:
    """Trunks and end points, those in use first where not all are shown. Queues have more to tell: ``_queues``."""
    table = _table("trunk or end point", "server", "used", "of")
    lines = [*snapshot["trunks"], *(line for line in snapshot["end_points"] if not line["queue"])]
    shown = lines if most is None or len(lines) <= most else sorted(lines, key=lambda line: -line["used"])[:most]
    for line in shown:
        table.add_row(*_plain(line["name"], line["server"], str(line["used"]), str(line["capacity"])))
    return [table, *_more(len(lines) - len(shown), "trunks and end points")]


def _queues(snapshot: dict[str, Any], most: int | None) -> list[RenderableType]:
    queues = [line for line in snapshot["end_points"] if line["queue"]]
    shown = queues[:most]
    return [*(_queue(line, snapshot["now"]) for line in shown), *_more(len(queues) - len(shown), "queues")]


def _queue(line: dict[str, Any], now: float) -> Text:
    """An end point of type QUEUE, by the words of docs/queues.md."""
    queue = line["queue"]
    head = Text.assemble(("queue ", "dim"), (line["name"], "bold"), f" on {line['server']}: ")
    if not queue["known"]:
        why = "Asterisk has no queue of this name" if queue["listed"] else "the PBX has not told its queues yet"
        return head.append(f"{why}, nothing is placed", "red")
    head.append(
        f"free {line['free']} of {line['capacity']}, idle {queue['idle']} of {queue['agents_total']},"
        f" O.D. {queue['overdialled']}, W {queue['waiting']}, U {line['used']}"
    )
    if queue["blocked"]:
        head.append(" BK W", "red")
    if queue["reported"]:
        head.append("\n  AS " + ", ".join(f"{state} {count}" for state, count in sorted(queue["reported"].items())))
    for state, count in sorted(queue["computed"].items()):
        names = [agent["name"] for agent in queue["agents"] if agent["state"] == state]
        head.append(f"\n  {count} ").append(state, AGENT_STYLE.get(state, "")).append(f": {_some(names)}")
    callers = [
        f"{caller['number'] or 'unknown'}{' (ours)' if caller['call'] else ''} {_time(now - caller['since'])}"
        for caller in queue["callers"]
    ]
    return head.append(f"\n  callers: {_some(callers)}") if callers else head


def _some(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _more(count: int, what: str) -> list[RenderableType]:
    return [Text(f"and {count} more {what}: --all shows them", "dim")] if count > 0 else []


def _outside(snapshot: dict[str, Any]) -> list[RenderableType]:
    """Who is told by HTTP and e-mail, when there is anybody."""
    receivers = snapshot["outbox"]["receivers"]
    if not receivers:
        return []
    table = _table("receiver", "is", "for", "waiting", "parked", "what went wrong last")
    for one in receivers:
        since = one["failing_since"] or one["ok_since"]
        state = Text("failing", "red") if one["failing_since"] else Text("well" if since else "", "green")
        age = _time(snapshot["now"] - since) if since else ""
        table.add_row(*_plain(one["name"], state, age, f"{one['waiting']:,}", f"{one['parked']:,}", one["error"]))
    return [table]


def _table(*titles: str) -> Table:
    return Table(*titles, box=None, pad_edge=False, header_style="dim")


def _share(rate: float | None) -> str:
    return f"{rate:.0%}" if rate is not None else ""


def _plain(*cells: str | Text) -> list[Text]:
    """Cells as they are: in a name or a PBX's words brackets are no markup."""
    return [Text(cell) if isinstance(cell, str) else cell for cell in cells]


def _state(state: str) -> Text:
    return Text(state, style=STATE_STYLE.get(state, ""))


def _time(seconds: float) -> str:
    return str(timedelta(seconds=int(max(0, seconds))))
