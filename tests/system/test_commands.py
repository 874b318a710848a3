"""The command line beside a running dialer: what it says, its exit status; mistakes are one line, never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from tools.provision.process import wait_until

CONFIG_MISTAKES = {
    "unknown key": ("[console]\nprot = 8081\n", ["unknown key console.prot", "did you mean console.port?"]),
    "wrong type": ('[console]\nport = "8081"\n', ["console.port is '8081'", "allowed is a whole number"]),
    "wrong value": ('[log]\nlevel = "loud"\n', ["log.level is 'loud'", "one of debug, info, warn, error"]),
    "no TOML": ("[console\n", ["is not valid TOML"]),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Site]:
    """A dialer that runs, with some campaigns; each test has its own."""
    site = Site(tmp_path_factory.mktemp("commands"))
    names = ("Short", "Long", "Idle", "Empty")
    common = {"trunks": ["network"], "end_points": ["waits"]}
    site.apply({
        "server": [server_of(witness.pbx)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 10}],
        "list": [{"name": name} for name in names],
        "campaign": [
            *({"name": name, "lists": [name], "idles_on_termination": name == "Idle", **common} for name in names),
            {"name": "No trunk", "end_points": ["waits"]},
            {"name": "Closed", "status": "CLOSED", **common},
            {"name": "Hidden", "status": "HIDDEN", **common},
        ],
    })  # fmt: skip
    site.fill("Short", ["55510103001", "55520100001"])
    site.fill("Long", [f"55510100{serial:03}" for serial in range(30)])
    site.fill("Idle", ["55520100001"])
    try:
        site.serve()
        site.await_pbx()
        yield site
    finally:
        site.close()


def _state(site: Site, campaign: str) -> str:
    return next((run["state"] for run in site.snapshot()["runs"] if run["campaign"] == campaign), "")


def test_run_watches_to_the_end(site: Site) -> None:
    said = site.wombat("run", "Short").stdout
    assert "of Short started" in said
    assert "Short is COMPLETED" in said
    assert site.outcomes("Short") == {"55510103001": ["TERMINATED"], "55520100001": ["RS_BUSY"]}


def test_run_ends_when_the_campaign_idles(site: Site) -> None:
    assert "Idle is IDLE" in site.wombat("run", "Idle").stdout
    assert _state(site, "Idle") == "IDLE"
    site.fill("Idle", ["55510102001"])
    until(lambda: "55510102001" in site.outcomes("Idle"), 20, "the new number is called")
    until(lambda: _state(site, "Idle") == "IDLE", 20, "it idles again")
    assert "is REMOVED" in site.wombat("remove", "Idle").stdout
    assert _state(site, "Idle") == ""


def test_an_empty_campaign_completes_at_once(site: Site) -> None:
    assert "Empty is COMPLETED" in site.wombat("run", "Empty").stdout


def test_pause_resume_remove(site: Site) -> None:
    site.wombat("run", "Long", "--no-watch")
    until(lambda: len(site.snapshot()["calls"]) == 10, 20, "all lines are busy")
    assert "Long is PAUSED" in site.wombat("pause", "Long").stdout
    for call in site.snapshot()["calls"]:
        site.hang_up(call["id"])
    until(lambda: not site.snapshot()["calls"], 20, "no call is left, and none is placed")
    placed = site.snapshot()["placed"]
    assert "is PAUSED and cannot be paused" in site.wombat("pause", "Long", status=2).stderr
    assert "Long is RUNNING" in site.wombat("resume", "Long").stdout
    until(lambda: site.snapshot()["placed"] >= placed + 10, 20, "it goes on")
    assert "cannot be removed" in site.wombat("remove", "Long", status=2).stderr
    site.wombat("pause", "Long")
    assert "is REMOVED" in site.wombat("remove", "Long").stdout
    for call in site.snapshot()["calls"]:
        site.hang_up(call["id"])
    until(lambda: not site.rows("SELECT 1 FROM attempt LIMIT 1"), 20, "its calls are settled")
    site.check_ledger()
    assert site.rows("SELECT state FROM run WHERE campaign_name = 'Long'") == [("REMOVED",)]


def test_campaigns_are_listed_the_hidden_ones_when_asked_for(site: Site) -> None:
    said = site.wombat("campaigns")
    assert "No trunk" in said.stdout
    assert "Hidden" not in said.stdout
    assert "and 1 hidden" in said.stderr
    assert "Hidden" in site.wombat("campaigns", "--hidden").stdout
    shown = {row["campaign"]: row for row in json.loads(site.wombat("campaigns", "--json").stdout)}
    assert "Hidden" not in shown
    assert (shown["Closed"]["status"], shown["Long"]["lists"]) == ("CLOSED", ["Long"])
    assert (shown["No trunk"]["missing"], shown["Long"]["missing"]) == (["trunk"], [])
    assert "HIDDEN" in site.wombat("run", "Hidden", status=2).stderr


def test_a_live_run_is_steered(site: Site) -> None:
    """Paused, so that its figures stand still."""
    site.fill("one, two", ["55510100900"])
    site.wombat("run", "Long", "--no-watch")
    site.wombat("pause", "Long")
    assert "one, two: 0 taken, 1 to go" in site.wombat("run-lists", "Long", "--add", "one, two").stdout
    refused = site.wombat("run-lists", "Long", "--order", "Long", status=2).stderr
    assert "the order must name each list of the run once: 'Long', 'one, two'" in refused
    assert "'Long', 'one, two'" in site.wombat("run-lists", "Long", "--pause", "Short", status=2).stderr
    ordered = site.wombat("run-lists", "Long", "--order", "one, two", "--order", "Long").stdout.splitlines()
    assert [line.partition(":")[0] for line in ordered] == ["one, two", "Long"]
    assert "to go, paused" in site.wombat("run-lists", "Long", "--pause", "one, two").stdout
    assert "paused" not in site.wombat("run-lists", "Long", "--resume", "one, two").stdout
    assert "boost factor 1.5" in site.wombat("boost", "Long", "1.5").stdout
    assert "boost -1: it must be above 0" in site.wombat("boost", "Long", "-1", status=2).stderr
    shown = site.wombat("status", "Long").stdout
    for word in ("PAUSED", "10, 1.5", "one, two", "estimated completion"):
        assert word in shown, shown
    site.apply({"campaign": [{"name": "Long", "priority": 7}]})
    assert "as it is now" in site.wombat("reload", "Long").stdout
    assert "7, 1.5" in site.wombat("status", "Long").stdout
    assert "no live run" in site.wombat("status", "Short", status=2).stderr
    site.wombat("remove", "Long")


def test_the_system_log_says_who_did_what(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "maria")
    site.fill("Fresh", ["5551", "5552"])
    site.wombat("export", "Fresh")
    site.apply({"campaign": [{"name": "Empty", "priority": 3}]})
    site.wombat("run", "Empty")
    site.fill("Long", ["55510109999"])
    site.wombat("run", "Long", "--no-watch")
    site.wombat("boost", "Long", "1.5")
    site.wombat("pause", "Long")
    site.wombat("remove", "Long")
    said = site.rows("SELECT action, object FROM system_log WHERE login = 'maria' ORDER BY id")
    by_services = [line for line in said if not line[1].startswith("campaign ")]  # the dialer has lines of its own
    assert by_services == [
        ("numbers added", "Fresh"),
        ("list exported", "Fresh"),
        ("campaign changed", "Empty"),
        ("start run", "Empty"),
        ("numbers added", "Long"),
        ("start run", "Long"),
        ("boost run to 1.5", "Long"),
        ("pause run", "Long"),
        ("remove run", "Long"),
    ]
    for call in site.snapshot()["calls"]:
        site.hang_up(call["id"])
    until(lambda: not site.snapshot()["calls"], 20, "no call is left")


def test_a_removal_ends_the_watching(site: Site) -> None:
    site.wombat("run", "Long", "--no-watch")
    watching = subprocess.Popen(
        [sys.executable, "-m", "wombat_ari", "run", "Long", "--attach"],
        env={**os.environ, **site.environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until(lambda: len(site.snapshot()["calls"]) == 10, 20, "all lines are busy")
        assert watching.poll() is None
        site.wombat("pause", "Long")
        site.wombat("remove", "Long")
        _, said = watching.communicate(timeout=20)
    finally:
        watching.kill()
        watching.wait()
    assert watching.returncode == 3
    assert "Long was removed" in said
    for call in site.snapshot()["calls"]:
        site.hang_up(call["id"])


def test_ctrl_c_ends_the_watching_and_not_the_run(site: Site) -> None:
    site.wombat("run", "Long", "--no-watch")
    watching = subprocess.Popen(
        [sys.executable, "-m", "wombat_ari", "run", "Long", "--attach"],
        env={**os.environ, **site.environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert watching.stdout is not None
        assert "RUNNING" in watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert wait_until(lambda: watching.poll() is not None, timeout=30)
        said = watching.stdout.read()
        assert "Traceback" not in said
        assert "the run of Long goes on; to watch it again: wombat-ari run Long --attach" in said
        assert watching.returncode == 130
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()
    assert _state(site, "Long") == "RUNNING"
    site.wombat("pause", "Long")
    site.wombat("remove", "Long")
    for call in site.snapshot()["calls"]:
        site.hang_up(call["id"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "Nobody"], "there is no campaign Nobody"),
        (["run", "No trunk"], "campaign No trunk cannot start: it has no trunk"),
        (["run", "Closed"], "campaign Closed is CLOSED; only a RUNNABLE one can be started"),
        (["pause", "Empty"], "campaign 'Empty' has no live run"),
        (["resume", "Nobody"], "campaign 'Nobody' has no live run"),
        (["remove", "Empty"], "campaign 'Empty' has no live run"),
        (["run", "Empty", "--attach"], "campaign 'Empty' has no live run"),
        (["export", "Nobody"], "there is no list Nobody"),
        (["apply", "/nowhere/plan.toml"], "cannot read the plan /nowhere/plan.toml: No such file or directory"),
        (["import", "Short", "/nowhere/list.txt"], "cannot read /nowhere/list.txt: No such file or directory"),
    ],
)
def test_refusals_are_one_line(site: Site, arguments: list[str], said: str) -> None:
    done = site.wombat(*arguments, status=2)
    assert done.stderr == f"wombat-ari: {said}\n"


def test_status_for_people_and_for_machines(site: Site) -> None:
    text = site.wombat("status").stdout
    assert "dialer READY" in text
    assert "connected" in text
    picture = json.loads(site.wombat("status", "--json").stdout)
    assert picture["state"] == "READY"
    assert [pbx["connected"] for pbx in picture["pbxs"]] == [True]


def test_bad_lines_of_an_import_are_told_and_stop_nothing(site: Site) -> None:
    done = site.wombat("import", "New", "-", text="100,A:1\n\n!!!\n101,A\n102\n", status=1)
    assert "3 added" in done.stdout or "2 added" in done.stdout
    assert "line 3" in done.stderr
    assert "line 4" in done.stderr
    assert site.wombat("export", "New").stdout.splitlines() == ["100,A:1", "102"]


@pytest.mark.parametrize("command", ["serve", "dialer", "web", "status"])
@pytest.mark.parametrize(("text", "said"), CONFIG_MISTAKES.values(), ids=CONFIG_MISTAKES.keys())
def test_a_mistake_in_the_configuration(tmp_path: Path, command: str, text: str, said: list[str]) -> None:
    site = Site(tmp_path)
    file = tmp_path / "wombat.toml"
    file.write_text(text)
    done = site.wombat("--config", str(file), command, status=2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"wombat-ari: {file}")
    assert done.stderr.count("\n") == 1
    for part in said:
        assert part in done.stderr
    assert not site.state.exists()


def test_commands_without_a_dialer(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for arguments in (["status"], ["run", "Sales"], ["pause", "Sales"]):
        assert "the dialer is not running (nothing answers at" in site.wombat(*arguments, status=2).stderr


@pytest.mark.parametrize(
    ("url", "said", "passing"),
    [
        ("sqlite:////nowhere/at/all/w.db", "there is no folder /nowhere/at/all", True),
        ("mysql://u:hunter2@127.0.0.1:1/x", "check that the database server runs", True),
        ("mysql://u:hunter2@127.0.0.1:1", "needs a host and the name of a database", False),
    ],
)
@pytest.mark.parametrize("command", ["serve", "dialer", "apply"])
def test_a_database_that_cannot_be_opened(tmp_path: Path, command: str, url: str, said: str, passing: bool) -> None:
    """A service that may be started again, as it may come back, ends with 1; a mistake of the user with 2."""
    site = Site(tmp_path, url=url)
    plan = tmp_path / "plan.toml"
    plan.write_text('[[list]]\nname = "x"\n')
    command_line = [command, *([str(plan)] if command == "apply" else [])]
    status = 1 if command != "apply" and passing else 2
    done = site.wombat(*command_line, status=status)
    assert said in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["Empty", "5551"], "campaign 'Empty' has no live run"),
        (["Nosuch", "5551"], "campaign 'Nosuch' has no live run"),
        (["Nosuch", "5551", "--at", "2099-01-01 00:00"], "there is no campaign Nosuch"),
        (["Empty", "5551", "--attr", "NAME"], "it must be NAME=VALUE"),
        (["Empty", "5551", "--at", "tomorrow"], "YYYY-MM-DD HH:MM:SS"),
        (["Empty", "5551", "--at", "60"], "for seconds from now there is --in"),
        (["Empty", "5551", "--in", "soon"], "a whole number of seconds"),
        (["Empty", "5551", "--in", "5", "--at", "2099-01-01 00:00"], "exclude each other"),
    ],
)
def test_calls_that_cannot_be_added(site: Site, arguments: list[str], said: str) -> None:
    assert said in site.wombat("addcall", *arguments, status=2).stderr
