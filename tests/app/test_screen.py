"""What the terminal shows, drawn at several widths: nothing fails, nothing is wider than the terminal, all is there."""

import io
from typing import Any

import pytest
from rich.console import Console

from wombat_ari.app.screen import (
    CALLS_SHOWN,
    NAMES_SHOWN,
    ROWS_SHOWN,
    campaign_table,
    plain_line,
    run_figures,
    run_screen,
    status_screen,
)

WIDTHS = (40, 60, 80, 120)


def _call(n: int, **changes: Any) -> dict[str, Any]:
    call = {
        "id": n, "number": f"0039055512{n:04}", "campaign": "Sales", "list": "People", "state": "DIALLING", "retry": 1,
        "originated_at": 990.0 + n, "answered_at": None, "trunk": "Trunk", "end_point": "Message",
        "extended_status": "", "agent": "", "unseen": False,
    }  # fmt: skip
    return {**call, **changes}


def _run(**changes: Any) -> dict[str, Any]:
    run = {
        "id": 1, "campaign": "Sales", "state": "RUNNING", "priority": 10, "started_at": 900.0, "taken": 60,
        "closed": 30, "placed": 50, "attempts": 45, "answered": 20, "open_retries": 5, "in_hopper": 20, "open_calls": 5,
        "cached": 30, "remaining": 40, "next_retry_at": 1010.0, "why_not": "all lines of its trunks are in use",
        "termination_rate": 0.6667, "reschedule_rate": 0.3333, "estimated_remaining": 105, "running_for_s": 3725.0,
        "completes_in_s": 400.0, "attempts_per_hour": 1620.0, "completions_per_hour": 1080.0, "boost": 1.5,
        "name": "Sales 2026-11-24 10:00:00",
        "lists": [{"name": "People", "paused": True, "taken": 60, "remaining": 40, "high_water": 4711}],
    }  # fmt: skip
    return {**run, **changes}


def _snapshot(**changes: Any) -> dict[str, Any]:
    snapshot = {
        "version": "0.1.0", "state": "READY", "now": 1000.0, "up_since": 100.0, "channels_in_use": 5, "placed": 45,
        "journal": {"waiting": 0, "written": 10, "refused": 0}, "database_trouble": "", "odd_events": 0,
        "outbox": {"in_flight": 0, "trouble": "", "receivers": []},
        "pbxs": [{
            "id": 1, "name": "pbx", "connected": True, "version": "22.10.1", "since": 100.0, "error": "",
            "waiting_for_channel": 0, "orders_waiting": 0, "slowed_to": None,
        }],
        "runs": [_run()],
        "trunks": [{"id": 1, "name": "Trunk", "server": "pbx", "up": True, "capacity": 10, "used": 5}],
        "end_points": [{
            "id": 1, "name": "Message", "type": "PHONE", "server": "pbx", "up": True, "capacity": 10, "used": 5,
            "queue": None,
        }],
        "calls": [_call(n) for n in range(5)],
    }  # fmt: skip
    return {**snapshot, **changes}


def _queue(name: str = "999", **changes: Any) -> dict[str, Any]:
    agents = [("Ann", "IDLE"), ("Bo", "TALKING"), ("Cy", "TALKING"), ("Di", "PAUSED")]
    queue = {
        "listed": True, "known": True, "agents_total": 4, "idle": 1, "overdialled": 7, "on_the_way": 8, "joined": 2,
        "waiting": 3, "blocked": True, "reported": {"INUSE": 2, "NOT_INUSE": 2},
        "computed": {"IDLE": 1, "TALKING": 2, "PAUSED": 1},
        "callers": [
            {"number": "5551234", "call": None, "since": 938.5}, {"number": "", "call": 7, "since": 999.0},
        ],
        "agents": [{"name": who, "interface": f"PJSIP/{who}", "state": state} for who, state in agents],
    }  # fmt: skip
    point = {"id": 9, "name": name, "type": "QUEUE", "server": "pbx", "up": True, "capacity": 20, "used": 10, "free": 6}
    return {**point, "queue": {**queue, **changes}}


UP = {"id": 1, "name": "pbx", "connected": True, "version": "22.10.1", "since": 100.0, "error": "",
      "waiting_for_channel": 0, "orders_waiting": 0, "slowed_to": None}  # fmt: skip
DOWN = {"id": 1, "name": "pbx", "connected": False, "version": "", "since": 935.0, "waiting_for_channel": 0,
        "orders_waiting": 0, "slowed_to": None, "error": "connection refused at 127.0.0.1:5038"}  # fmt: skip

#: What may be on the screen: the snapshot, the run that is watched.
SCENES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "in full swing": (_snapshot(), _run()),
    "just begun": (
        _snapshot(calls=[], placed=0),
        _run(taken=0, closed=0, attempts=0, answered=0, open_retries=0, in_hopper=0, open_calls=0, cached=0,
             remaining=0, next_retry_at=None, termination_rate=None, reschedule_rate=None, running_for_s=0.0,
             completes_in_s=None, attempts_per_hour=0.0),
    ),
    "waiting for a retry": (_snapshot(calls=[]), _run(open_calls=0, in_hopper=0)),
    "a retry that is overdue": (_snapshot(calls=[]), _run(open_calls=0, in_hopper=0, next_retry_at=1.0)),
    "ARI away": (
        _snapshot(pbxs=[{
            **UP, "ari": {"connected": False, "error": "[b]refused[/b]", "application": "w", "calls": 0},
        }]),
        _run(),
    ),
    "PBX down": (_snapshot(pbxs=[DOWN]), _run(why_not="no PBX of this campaign is connected")),
    "database away": (_snapshot(database_trouble="database x: no answer; see its log"), _run()),
    "more calls than fit": (_snapshot(calls=[_call(n, state="CONNECTED", answered_at=9.0) for n in range(40)]), _run()),
    "calls of every kind": (
        _snapshot(calls=[
            _call(1, state="SCHEDULED", originated_at=None), _call(2, state="REQUESTED", trunk=""),
            _call(3, campaign="Other"), _call(4, extended_status="A [bold]code[/bold]"),
        ]),
        _run(),
    ),
    "hostile names": (
        _snapshot(
            calls=[_call(1, campaign="[bold]Sales", number="[red]1[/red]", trunk="[/]")],
            pbxs=[{**DOWN, "name": "[b]", "error": "[/b]"}],
            trunks=[{"id": 1, "name": "[link=x]", "server": "[/]", "up": True, "capacity": 1, "used": 0}],
            runs=[_run(campaign="[bold]", why_not="[/]")],
        ),
        _run(campaign="[bold]Sales", why_not="[/]"),
    ),
    "queues": (
        _snapshot(end_points=[
            _queue(), _queue("[b]gone[/b]", known=False), _queue("new", known=False, listed=False),
            _queue("empty", agents_total=0, agents=[], callers=[], computed={}, reported={}, blocked=False),
        ]),
        _run(),
    ),
    "much of everything": (
        _snapshot(
            runs=[_run(campaign=f"C{n}", state="WRONG_TIME" if n % 2 else "RUNNING", priority=n) for n in range(50)],
            trunks=[{"id": n, "name": f"T{n}", "server": "pbx", "up": True, "capacity": 9, "used": n}
                    for n in range(50)],
            end_points=[_queue(f"Q{n}") for n in range(25)],
        ),
        _run(),
    ),
    "nothing configured": (_snapshot(pbxs=[], runs=[], trunks=[], end_points=[], calls=[]), _run()),
}  # fmt: skip


def _drawn(screen: Any, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None, legacy_windows=False)
    console.print(screen)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(len(line) <= width for line in text.splitlines())
    return text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_run_at_every_width(scene: str, width: int) -> None:
    snapshot, run = SCENES[scene]
    text = _drawn(run_screen(snapshot, run), width)
    assert "attempts" in text


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scene", SCENES)
def test_the_dialer_at_every_width(scene: str, width: int) -> None:
    text = _drawn(status_screen(SCENES[scene][0]), width)
    assert "READY" in text


def test_what_a_person_looks_for_is_there() -> None:
    text = _drawn(run_screen(*SCENES["in full swing"]), 120)
    for word in ("Sales", "RUNNING", "30%", "30/100 records", "1:02:05", "45 attempts", "20 answered", "67%"):
        assert word in text, word
    for word in ("00390555120004", "DIALLING", "Trunk", "Message", "all lines of its trunks are in use"):
        assert word in text, word


def test_trouble_is_on_the_screen() -> None:
    assert "connection refused at 127.0.0.1:5038" in _drawn(run_screen(*SCENES["PBX down"]), 120)
    assert "ARI: [b]refused[/b]" in _drawn(status_screen(SCENES["ARI away"][0]), 120)
    assert "database x: no answer" in _drawn(run_screen(*SCENES["database away"]), 120)
    assert "next retry in 10 s" in _drawn(run_screen(*SCENES["waiting for a retry"]), 120)
    assert "next retry in 0 s" in _drawn(run_screen(*SCENES["a retry that is overdue"]), 120)
    status = _drawn(status_screen(SCENES["PBX down"][0]), 120)
    assert "down" in status
    assert "connection refused" in status


def test_the_state_of_the_database_is_in_the_status_too() -> None:
    assert "database x: no answer" in _drawn(status_screen(SCENES["database away"][0]), 120)


def test_every_number_of_a_queue_is_in_the_status() -> None:
    text = _drawn(status_screen(SCENES["queues"][0]), 120)
    for word in ("free 6 of 20", "idle 1 of 4", "O.D. 7", "W 3", "U 10", "BK W", "AS INUSE 2, NOT_INUSE 2"):
        assert word in text, word
    for word in ("1 IDLE: Ann", "2 TALKING: Bo, Cy", "1 PAUSED: Di", "5551234 0:01:01, unknown (ours) 0:00:01"):
        assert word in text, word
    assert "queue [b]gone[/b] on pbx: Asterisk has no queue of this name" in text
    assert "queue new on pbx: the PBX has not told its queues yet" in text
    assert "BK W" not in text.partition("queue empty")[2]


def test_a_queue_of_hundreds_names_the_first() -> None:
    agents = [{"name": f"A{n}", "interface": f"PJSIP/{n}", "state": "IDLE"} for n in range(200)]
    text = _drawn(status_screen(_snapshot(end_points=[_queue(agents=agents, computed={"IDLE": 200})])), 120)
    assert "200 IDLE: A0," in text
    assert f"and {200 - NAMES_SHOWN} more" in text


def test_of_many_the_first_are_shown_and_the_others_counted() -> None:
    snapshot = SCENES["much of everything"][0]
    text = _drawn(status_screen(snapshot), 120)
    assert "C0 " in text
    assert f"C{ROWS_SHOWN}" not in text
    assert "and 30 more runs (15 RUNNING, 15 WRONG_TIME): --all shows them" in text
    assert "T49" in text, "what is in use goes first"
    assert "and 30 more trunks and end points" in text
    assert "and 5 more queues" in text
    everything = _drawn(status_screen(snapshot, everything=True), 120)
    assert all(word in everything for word in ("C49", "T0 ", "queue Q24"))
    assert "--all" not in everything


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scene", SCENES)
def test_the_figures_of_a_run_at_every_width(scene: str, width: int) -> None:
    assert "termination" in _drawn(run_figures(*SCENES[scene]), width)


def test_every_figure_of_a_run_is_shown() -> None:
    text = _drawn(run_figures(_snapshot(), _run()), 120)
    shown = {line.partition("  ")[0].strip(): line.partition("  ")[2].strip() for line in text.splitlines()}
    assert shown["run"] == "1, Sales 2026-11-24 10:00:00"
    assert shown["priority, boost"] == "10, 1.5"
    assert shown["calls placed"] == "50: 5 live, 45 ended, 20 answered"
    assert shown["items in cache"] == "30: 20 in the hopper, 5 open retries"
    assert shown["next retry"] == "in 0:00:10"
    assert shown["records closed"] == "30 of 100"
    assert (shown["termination rate"], shown["reschedule rate"]) == ("67%", "33%")
    assert shown["estimated calls to come"] == "105"
    assert (shown["running for"], shown["estimated completion"]) == ("1:02:05", "in 0:06:40")
    assert shown["an hour"] == "1620 attempts, 1080 completions"
    assert shown["People"].split() == ["60", "4711", "40", "paused"]


@pytest.mark.parametrize("width", WIDTHS)
def test_campaigns_at_every_width(width: int) -> None:
    row = {"campaign": "[b]Spring", "status": "RUNNABLE", "run": "RUNNING", "priority": 10, "trunks": 0,
           "end_points": 0, "lists": ["People", "[/]"], "missing": ["trunk", "end point"]}  # fmt: skip
    text = _drawn(campaign_table([row]), width)
    assert width < 120 or all(word in text for word in ("[b]Spring", "People, [/]", "no trunk and no end point"))


def test_the_height_does_not_jump() -> None:
    heights = {len(_drawn(run_screen(*SCENES[name]), 120).splitlines()) for name in SCENES if name != "PBX down"}
    assert len(heights) == 1
    assert heights.pop() >= CALLS_SHOWN


def test_text_with_brackets_is_shown_as_it_is() -> None:
    text = _drawn(run_screen(*SCENES["hostile names"]), 120)
    assert "[red]1[/red]" in text
    assert "[bold]Sales" in text
    assert "[link=x]" in _drawn(status_screen(SCENES["hostile names"][0]), 120)
    assert "A [bold]code[/bold]" in _drawn(run_screen(*SCENES["calls of every kind"]), 120)


def test_one_line_for_a_pipe() -> None:
    assert plain_line(_run()) == (
        "Sales RUNNING: 30 of 100 records done, 45 attempts, 20 answered, 5 live, 5 to be retried"
    )


def test_receivers_of_notifications_and_how_they_are() -> None:
    receivers = [
        {"name": "crm.example", "waiting": 0, "parked": 0, "ok_since": 940.0, "failing_since": None, "error": ""},
        {"name": "old.example", "waiting": 1234, "parked": 5, "ok_since": None, "failing_since": -2600.0,
         "error": "connection refused"},
    ]  # fmt: skip
    shown = _drawn(status_screen(_snapshot(outbox={"in_flight": 1, "trouble": "", "receivers": receivers})), 120)
    assert "crm.example  well     0:01:00  0        0" in shown
    assert "old.example  failing  1:00:00  1,234    5       connection refused" in shown
