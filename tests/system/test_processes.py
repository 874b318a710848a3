"""``wombat-ari serve`` and its dialer as processes: start, stop, watchdog, exclusion, refusals in words."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.system.conftest import NewSite
from tests.system.site import Site, Tables, server_of, until
from tests.system.witness import Witness
from tools.provision.ports import HOST, free_port
from tools.provision.process import wait_until


def tables_of(witness: Witness, **server: object) -> Tables:
    """One of each, for the witness's network."""
    return {
        "server": [server_of(witness.pbx, **server)],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": 10}],
        "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": 10}],
        "list": [{"name": "people"}],
        "campaign": [
            {"name": "Sales", "trunks": ["network"], "end_points": ["waits"], "lists": ["people"]},
            {"name": "Idle", "trunks": ["network"], "end_points": ["waits"], "idles_on_termination": True},
        ],
    }


@pytest.fixture
def site(new_site: NewSite) -> Site:
    return new_site()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _members(group: int) -> list[int]:
    """Living processes of a process group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, process_group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if int(process_group) == group and state != "Z":
            found.append(int(stat.parent.name))
    return found


# Start and stop


def test_serve_starts_answers_and_stops(site: Site) -> None:
    site.serve()
    assert _listens(site.agi_port)
    for path, said in (("/", "Log on"), ("/healthz", "READY")):
        status, text = site.get(path)
        assert status == 200, path
        assert said in text, path
    group = site.supervisor_pid
    assert len(_members(group)) == 2
    assert site.stop(limit=10) == 0
    assert _members(group) == []
    assert not _listens(site.console_port)
    assert not _listens(site.agi_port)
    assert "Traceback" not in site.log()
    assert [action for action, *_ in site.system_log()] == ["dialer started", "dialer stopped"]


def test_live_calls_outlive_a_stop_and_are_taken_up(site: Site, witness: Witness) -> None:
    site.apply(tables_of(witness))
    site.fill("people", [f"55510100{serial}" for serial in range(4)])
    site.serve()
    site.await_pbx()
    site.run("Sales")
    until(lambda: [call["state"] for call in site.snapshot()["calls"]].count("CONNECTED") == 4, 20, "four calls are up")
    live = {call["id"] for call in site.snapshot()["calls"]}
    assert site.stop(limit=10) == 0
    site.serve()
    site.await_pbx()
    taken_up = {call["id"] for call in site.snapshot()["calls"]}
    assert taken_up == live
    for wombatid in live:
        site.hang_up(wombatid)
    site.finish()
    assert site.outcomes() == {f"55510100{serial}": ["TERMINATED"] for serial in range(4)}
    seen = witness.seen()
    for row in site.attempts():
        really = seen[row["wombatid"]]
        assert really.answered is not None
        assert abs(row["talk_ms"] / 1000 - (really.ended[0] - really.answered)) < 0.3, row
    site.check_ledger()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_of_them_as_by_ctrl_c(site: Site, number: signal.Signals) -> None:
    site.serve()
    os.killpg(site.supervisor_pid, number)
    assert wait_until(lambda: not site.serving, timeout=10)
    assert site.status == 0
    assert "Traceback" not in site.log()
    assert "CRITICAL" not in site.log()


def test_a_dialer_that_crashes_is_started_again_and_it_is_logged(site: Site) -> None:
    site.serve()
    first = site.dialer_pid()
    assert first is not None
    os.kill(first, signal.SIGSEGV)
    until(lambda: site.dialer_pid() not in (None, first), 20, "another dialer")
    site.await_ready()
    crashed = [(thing, detail) for action, thing, detail in site.system_log() if action == "dialer crashed"]
    assert crashed == [("dialer", "killed by SIGSEGV, restarted in 1 s")]
    assert site.get("/healthz")[0] == 200
    assert site.stop(limit=10) == 0


def test_a_stop_while_the_dialer_is_down_starts_no_other(site: Site) -> None:
    site.serve()
    first = site.dialer_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: "again in" in site.log(), 10, "the watchdog has noticed")
    assert site.stop(limit=10) == 0


def test_a_dirty_state_folder_is_no_hindrance(site: Site) -> None:
    """After a power cut: a socket nobody listens at, a lease of a process that is gone."""
    site.serve()
    os.killpg(site.supervisor_pid, signal.SIGKILL)
    assert wait_until(lambda: not site.serving, timeout=10)
    assert (site.state / "control.sock").exists()
    assert site.rows("SELECT COUNT(*) FROM dialer_lease") == [(1,)]
    site.serve(ready=False)
    site.await_ready(limit=7)  # not when the lease is over, after 15 s
    assert "which has died" in site.log()
    assert site.stop(limit=10) == 0


def test_a_killed_supervisor_takes_its_dialer_along(site: Site) -> None:
    """It would go on dialling, watched by nobody. It stops in order: its lease is given back."""
    site.serve()
    group = site.supervisor_pid
    os.kill(group, signal.SIGKILL)
    assert wait_until(lambda: not _members(group) and not site.serving, timeout=15)
    assert site.rows("SELECT COUNT(*) FROM dialer_lease") == [(0,)]
    site.serve()
    assert site.state_of_dialer() == "READY"


# Two of them


def test_two_dialers_on_one_database_exclude_each_other(new_site: NewSite, url: str) -> None:
    first = new_site(url=url)
    first.serve()
    url = url or f"sqlite:///{first.state / 'wombat.db'}"
    second = new_site(url=url, settings={"WOMBAT_ARI_DIALER_NODE": "elsewhere"})
    second.serve(ready=False)
    pid = first.dialer_pid()
    until(lambda: f"another dialer works on this database: process {pid}" in second.log(), 20, "the second is refused")
    assert first.state_of_dialer() == "READY"
    assert second.state_of_dialer() == "DOWN"
    status, text = second.get("/healthz")
    assert status == 503
    assert "the dialer is not running" in text
    assert first.stop(limit=10) == 0
    second.await_ready(limit=40)
    assert second.stop(limit=10) == 0


def test_a_second_serve_on_the_same_folder_does_no_harm(new_site: NewSite, site: Site) -> None:
    site.serve()
    other = new_site(settings={"WOMBAT_ARI_STATE_FOLDER": str(site.state)})
    other.serve(ready=False)
    until(lambda: "another dialer works on this database" in other.log(), 20, "the second is refused")
    assert site.state_of_dialer() == "READY"
    other.stop(limit=10)
    assert site.state_of_dialer() == "READY"
    assert site.stop(limit=10) == 0


@pytest.mark.parametrize("how", ["file", "setting"])
def test_a_dialer_that_is_not_to_start_by_itself(new_site: NewSite, how: str) -> None:
    site = new_site(settings={"WOMBAT_ARI_DIALER_AUTOSTART": "no"} if how == "setting" else None)
    if how == "file":
        site.state.mkdir(mode=0o700)
        (site.state / "donotstart").touch()
    site.serve(ready=False)
    until(lambda: _listens(site.console_port), 20, "the console listens")
    status, text = site.get("/healthz")
    assert (status, "the dialer is not running" in text) == (503, True)
    assert site.dialer_pid() is None
    assert "is not running" in site.wombat("status", status=2).stderr
    assert site.stop(limit=10) == 0


# Taken ports


@pytest.mark.parametrize("what", ["console", "fastagi"])
def test_a_taken_port_is_named(site: Site, what: str) -> None:
    port = site.console_port if what == "console" else site.agi_port
    with socket.create_server((HOST, port)):
        site.serve(ready=False)
        said = until(lambda: f"{HOST}:{port}: Address already in use" in site.log(), 20, "it is said")
        assert said
        assert f"set {what}.port" in site.log().replace("or set\n", "or set ")
        if what == "console":
            assert wait_until(lambda: not site.serving, timeout=10)
            assert site.status == 2
        else:
            until(lambda: "refuses to start" in site.log(), 10, "the dialer is not tried again and again")
            assert site.get("/healthz")[0] == 503
    assert "Traceback" not in site.log()


# Asterisk


def test_a_wrong_secret_is_said_and_a_right_one_is_taken_into_use(site: Site, witness: Witness) -> None:
    site.apply(tables_of(witness, password="wrong"))
    site.fill("people", ["5551010301"])
    site.serve()
    error = until(lambda: site.snapshot()["pbxs"][0]["error"].startswith(HOST) and site.snapshot()["pbxs"][0], 20)
    assert error["connected"] is False
    assert "refused the login 'wombat' or its secret" in error["error"]
    assert "refused the login" in site.wombat("status").stdout
    site.apply(tables_of(witness))
    site.run("Sales")
    site.finish()
    assert site.outcomes() == {"5551010301": ["TERMINATED"]}
    assert witness.pbx.ami_secret not in site.log()


def test_a_pbx_that_does_not_answer_is_said_and_the_dialer_lives(site: Site, witness: Witness) -> None:
    site.apply(tables_of(witness, port=free_port()))
    site.fill("people", ["5551010301"])
    site.serve()
    until(lambda: "connection refused at" in site.snapshot()["pbxs"][0]["error"], 20, "it is said")
    site.run("Sales")
    why = "no PBX of this campaign is connected"
    until(lambda: [run["why_not"] for run in site.snapshot()["runs"]] == [why], 20, why)
    assert site.get("/healthz")[0] == 200
    assert site.attempts() == []


def test_a_call_is_hung_up_on_demand(site: Site, witness: Witness) -> None:
    site.apply(tables_of(witness))
    site.fill("people", ["5551010001"])
    site.serve()
    site.await_pbx()
    site.run("Sales")
    (call,) = until(lambda: [call for call in site.snapshot()["calls"] if call["state"] == "CONNECTED"], 20)
    site.hang_up(call["id"])
    site.finish()
    (row,) = site.attempts()
    assert (row["wombatid"], row["outcome"], row["cause"]) == (call["id"], "TERMINATED", 16)
