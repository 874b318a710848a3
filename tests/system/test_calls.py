"""Calls from outside on real processes and a real Asterisk: answered when durable, placed in moments, each once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.system.control import Control
from tests.system.site import Site, server_of, until
from tests.system.witness import Witness
from tools.provision.mariadb import MariaDBInstance

LINES = 100
MANY = {"sqlite": 300, "mysql": 1000}
MOMENTS_S = 3.0  #: on a machine that other tests share


@pytest.fixture(scope="module", params=["sqlite", "mysql"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, witness: Witness) -> Iterator[Site]:
    """A dialer with a run that is IDLE."""
    with ExitStack() as stack:
        url = ""
        if request.param == "mysql":
            server: MariaDBInstance = request.getfixturevalue("mariadb")
            server.create_database("calls")
            stack.callback(server.drop_database, "calls")
            url = server.url("calls")
        site = Site(tmp_path_factory.mktemp("calls"), url=url)
        stack.callback(site.close)
        common = {"trunks": ["network"], "end_points": ["waits"], "idles_on_termination": True}
        site.apply({
            "server": [server_of(witness.pbx, max_messages_per_unit=20)],
            "trunk": [{"name": "network", "dial_string": "Local/${num}@watched/n", "capacity": LINES}],
            "end_point": [{"name": "waits", "extension": "101", "context": "watched-ends", "max_channels": LINES}],
            "list": [{"name": "numbers"}],
            "campaign": [
                {"name": "Calls", "lists": ["numbers"], "time_zone": "Asia/Tokyo",
                 "rule": [{"status": "RS_NUMBER", "max_attempts": 1, "retry_after_s": 1}], **common},
            ],
        })  # fmt: skip
        site.serve()
        site.await_pbx()
        site.run("Calls")
        until(lambda: _is_idle(site), 10)
        yield site
        assert "mistake of ours" not in site.log()


def _is_idle(site: Site) -> bool:
    return site.state_of_dialer() == "READY" and [run["state"] for run in site.snapshot()["runs"]] == ["IDLE"]


def _add(site: Site, number: str, **values: str) -> int:
    with Control(site.state / "control.sock") as control:
        answer = control.ask("AddCall", campaign="Calls", number=number, attributes="{}", **values)
    return int(answer[b"wombatid"])


def _kill_dialer(site: Site) -> None:
    pid = site.dialer_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: site.dialer_pid() not in (None, pid), 10, "another dialer")
    site.await_ready()


def _attempt(site: Site, wombatid: int, limit: float = 20) -> dict[str, object]:
    rows = until(lambda: [row for row in site.attempts() if row["wombatid"] == wombatid], limit, f"{wombatid} ended")
    (row,) = rows
    return dict(row)


def test_an_idle_run_places_it_within_moments(site: Site) -> None:
    said = site.wombat("addcall", "Calls", "(5551) 00-0101", "--attr", "NAME=Zoë=1, \\", "--attr", "EMPTY=").stdout
    asked = time.time()  # and not before: a busy machine takes seconds to start a command
    row = _attempt(site, int(said))
    assert (row["number"], row["outcome"]) == ("5551000101", "TERMINATED")
    assert row["input_attributes"] == {"NAME": "Zoë=1, \\", "EMPTY": ""}
    assert isinstance(row["attempted_at"], float)
    assert row["attempted_at"] - asked < MOMENTS_S


def test_a_scheduled_one_is_placed_when_it_is_due_also_by_another_dialer(site: Site) -> None:
    until(lambda: _is_idle(site), 20)
    due = time.time() + 7
    added = _add(site, "5552000102", due=repr(due))
    _kill_dialer(site)
    row = _attempt(site, added, 30)
    assert isinstance(row["attempted_at"], float)
    assert 0 <= row["attempted_at"] - due < MOMENTS_S
    site.check_ledger()


def test_what_was_answered_is_placed_after_a_kill(site: Site) -> None:
    until(lambda: _is_idle(site), 20)
    added = [_add(site, f"555200020{n}") for n in range(3)]
    _kill_dialer(site)
    for wombatid in added:
        row = _attempt(site, wombatid, 30)
        # One that was on its way to Asterisk may have been placed, or not: it is never placed twice.
        assert row["outcome"] in ("RS_BUSY", "RS_LOST", "RS_ERROR")
    site.check_ledger()


def test_many_at_once_are_all_placed_once(site: Site, witness: Witness, capsys: pytest.CaptureFixture[str]) -> None:
    until(lambda: _is_idle(site), 20)
    many = MANY["mysql" if site.environment["WOMBAT_ARI_DATABASE_URL"] else "sqlite"]
    calls = [{"campaign": "Calls", "number": f"55520000{n:04}", "attributes": '{"NAME":"x"}'} for n in range(many)]
    began = time.monotonic()
    with Control(site.state / "control.sock") as control:
        answers = control.ask_at_once("AddCall", calls)
    took = time.monotonic() - began
    promised = [int(answer[b"wombatid"]) for answer in answers]
    assert len(set(promised)) == many
    question = f"SELECT COUNT(*) FROM call_log WHERE wombatid >= {min(promised)}"
    until(lambda: site.rows(question)[0][0] >= many, 120, "all have ended")
    rows = {row["wombatid"]: row["number"] for row in site.attempts() if row["number"].startswith("55520000")}
    assert rows == {wombatid: call["number"] for wombatid, call in zip(promised, calls, strict=True)}
    seen = witness.seen()
    assert {wombatid for wombatid in promised if len(seen[wombatid].began) != 1} == set()
    site.check_ledger()
    with capsys.disabled():
        print(f"\n{many} calls added at once in {took:.2f} s: {many / took:.0f} a second")


def test_the_next_number_of_a_record(site: Site) -> None:
    until(lambda: _is_idle(site), 20)
    said = site.wombat("addcall", "Calls", "5554000001", "--attr", "MULTINUM1=5552000103").stdout
    assert _attempt(site, int(said))["outcome"] == "RS_NUMBER"
    row = until(lambda: [row for row in site.attempts() if row["number"] == "5552000103"], 10)[0]
    assert (row["attempt"], row["outcome"], row["channel"].startswith("Local/5552000103@")) == (2, "RS_BUSY", True)


def test_times_are_by_the_clock_of_the_campaign(site: Site) -> None:
    year = time.localtime().tm_year
    said = site.wombat("addcall", "Calls", "5552000104", "--at", f"{year}-12-31.23:59:59").stdout
    ((due,),) = site.rows("SELECT due_at FROM open_retry WHERE wombatid = %s", (int(said),))
    assert time.strftime("%m-%d %H:%M:%S", time.gmtime(due)) == "12-31 14:59:59"
    later = site.wombat("addcall", "Calls", "5552000105", "--in", "3600").stdout
    ((due,),) = site.rows("SELECT due_at FROM open_retry WHERE wombatid = %s", (int(later),))
    assert 3500 < due - time.time() < 3600
