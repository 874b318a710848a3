"""What the terminal shows: the progress of a run, the state of the dialer. Rich draws; nothing is asked here."""

from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

STATE_STYLE = {
    "READY": "green", "RUNNING": "green", "IDLE": "yellow", "PAUSED": "cyan", "WRONG_TIME": "cyan", "DOWN": "red",
    "REQUESTED": "dim", "DIALLING": "yellow", "CONNECTED": "green", "SCHEDULED": "dim",
}  # fmt: skip
CALLS_SHOWN = 12


def run_screen(snapshot: dict[str, Any], run: dict[str, Any]) -> RenderableType:
    """A run: bar, figures, live calls."""
    return Group(_bar(run), _figures(snapshot, run), _calls(snapshot, run["campaign"]), _notes(snapshot, run))


def status_screen(snapshot: dict[str, Any]) -> RenderableType:
    """The dialer: PBXs, runs, trunks, end points, receivers of notifications."""
    head = Text.assemble(
        "dialer ", _state(snapshot["state"]), f", up {_time(snapshot['now'] - snapshot['up_since'])}, ",
        f"{snapshot['channels_in_use']} channels in use, {snapshot['placed']} calls placed",
    )  # fmt: skip
    trouble = snapshot["database_trouble"]
    note = [Text(f"database: {trouble}", "red")] if trouble else []
    return Group(head, *note, _pbxs(snapshot), _runs(snapshot), _lines(snapshot), *_outside(snapshot))


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
    table = Table("PBX", "link", "for", "Asterisk", "what is wrong", box=None, pad_edge=False, header_style="dim")
    for pbx in snapshot["pbxs"]:
        link = Text("connected", "green") if pbx["connected"] else Text("down", "red")
        table.add_row(*_plain(pbx["name"], link, _time(snapshot["now"] - pbx["since"]), pbx["version"], pbx["error"]))
    return table


def _runs(snapshot: dict[str, Any]) -> RenderableType:
    table = Table("run", "state", "attempts", "live", "retries", "closed", "remaining", "why no call", box=None,
                  pad_edge=False, header_style="dim")  # fmt: skip
    for run in snapshot["runs"]:
        figures = (
            run["attempts"],
            run["open_calls"],
            run["open_retries"],
            run["closed"],
            run["remaining"] + run["taken"] - run["closed"],
        )
        table.add_row(*_plain(run["campaign"], _state(run["state"]), *map(str, figures), run["why_not"]))
    return table


def _lines(snapshot: dict[str, Any]) -> RenderableType:
    table = Table("trunk or end point", "server", "used", "of", box=None, pad_edge=False, header_style="dim")
    for line in [*snapshot["trunks"], *snapshot["end_points"]]:
        table.add_row(*_plain(line["name"], line["server"], str(line["used"]), str(line["capacity"])))
    return table


def _outside(snapshot: dict[str, Any]) -> list[RenderableType]:
    """Who is told by HTTP and e-mail, when there is anybody."""
    receivers = snapshot["outbox"]["receivers"]
    if not receivers:
        return []
    table = Table("receiver", "is", "for", "waiting", "parked", "what went wrong last", box=None, pad_edge=False,
                  header_style="dim")  # fmt: skip
    for one in receivers:
        since = one["failing_since"] or one["ok_since"]
        state = Text("failing", "red") if one["failing_since"] else Text("well" if since else "", "green")
        age = _time(snapshot["now"] - since) if since else ""
        table.add_row(*_plain(one["name"], state, age, f"{one['waiting']:,}", f"{one['parked']:,}", one["error"]))
    return [table]


def _plain(*cells: str | Text) -> list[Text]:
    """Cells as they are: in a name or a PBX's words brackets are no markup."""
    return [Text(cell) if isinstance(cell, str) else cell for cell in cells]


def _state(state: str) -> Text:
    return Text(state, style=STATE_STYLE.get(state, ""))


def _time(seconds: float) -> str:
    return str(timedelta(seconds=int(max(0, seconds))))
