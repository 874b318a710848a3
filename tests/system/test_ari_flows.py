"""FLOW end points on a server with ARI, by real processes on a real Asterisk: the flow's caller comes by Stasis,
by FastAGI where ARI is away; a call that the dialer left goes on in the dialplan.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.system.agency import ari_of
from tests.system.site import Site, server_of, until
from tools.provision.asterisk import AsteriskInstance

FLOWS = """
import asyncio

async def survey(call):
    await call.status("0")
    digits = await call.digits(3, prompt="silence/9", timeout=5)
    await call.attribute("PRESSED", digits)
    await call.attribute("NOTE", call.attributes["NOTE"])
    await call.attribute("SAME", await call.get_variable("NOTE") == call.attributes["NOTE"])
    await call.say_number(7)
    recording = await call.record(f"said-{call.wombatid}", limit=1, beep=False)
    await call.attribute("SAID", recording.sound)
    await call.status("1")

async def waits(call):
    await call.play("silence/9")
"""
NOTE = 'one, "two" (three Zoë' + " 日本 🐨" * 150  #: 2,421 bytes


class Stage:
    def __init__(self, pbx: AsteriskInstance, site: Site) -> None:
        self.pbx, self.site = pbx, site

    def configure(self, password: str = "") -> None:
        self.site.apply(_plan(self.pbx, password))

    def ari(self) -> dict[str, Any]:
        return dict(self.site.snapshot()["pbxs"][0]["ari"])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("ari-flows")
    with ExitStack() as stack:
        pbx = stack.enter_context(AsteriskInstance(folder / "pbx"))
        site = Site(folder / "site")
        stack.callback(site.close)
        flows = Path(site.state) / "flows"
        flows.mkdir(parents=True)
        (flows / "test_site.py").write_text(FLOWS)
        stage = Stage(pbx, site)
        stage.configure()
        pbx.cli(f"dialplan set global WOMBAT_AGI_PORT {site.agi_port}")
        site.serve()
        site.await_pbx()
        until(lambda: stage.ari()["connected"], 10, "ARI is connected")
        yield stage


def _plan(pbx: AsteriskInstance, password: str) -> dict[str, list[dict[str, Any]]]:
    return {
        "server": [server_of(pbx, **ari_of(pbx, password))],
        "trunk": [{"name": "network", "dial_string": "Local/${num}@simulated-network/n", "capacity": 50}],
        "end_point": [
            {"name": name, "type": "FLOW", "extension": name, "context": "", "max_channels": 50}
            for name in ("survey", "waits")
        ],
        "list": [{"name": name} for name in CAMPAIGNS],
        "campaign": [
            {
                "name": name, "trunks": ["network"], "end_points": [flow], "lists": [name],
                "variables": "WOMBAT_RECORD:yes" if name == "by ARI" else "",
            }
            for name, flow in CAMPAIGNS.items()
        ],
    }  # fmt: skip


CAMPAIGNS = {"by ARI": "survey", "by FastAGI": "survey", "left alone": "waits"}


def _told(row: dict[str, Any]) -> dict[str, str]:
    return {**row["output_attributes"], "outcome": row["outcome"], "status": row["extended_status"]}


def test_a_flow_runs_in_stasis(stage: Stage) -> None:
    site, most = stage.site, 0
    site.fill("by ARI", [f"55500002123,{_attribute()}", f"55500002456,{_attribute()}"])
    site.run("by ARI")
    while site.snapshot()["runs"]:
        most = max(most, stage.ari()["calls"])
    site.finish()
    assert most == 2
    rows = site.attempts("by ARI")
    for row, pressed in zip(sorted(rows, key=lambda row: row["number"]), ("123", "456"), strict=True):
        wombatid = row["wombatid"]
        assert _told(row) == {
            "PRESSED": pressed, "NOTE": NOTE, "SAME": "True", "SAID": f"/mnt/spool/recording/said-{wombatid}",
            "RECORDING": f"wombat-{wombatid}", "outcome": "TERMINATED", "status": "1",
        }  # fmt: skip
        for name in (f"said-{wombatid}", f"wombat-{wombatid}"):
            assert (stage.pbx.directory / "spool" / "recording" / f"{name}.wav").exists()


def test_a_call_that_the_dialer_left_goes_on_in_the_dialplan(stage: Stage) -> None:
    """It waits in Stasis as long as nobody is there; the next dialer sends it on, and the dialplan ends it."""
    site = stage.site
    site.fill("left alone", ["55510000"])
    site.run("left alone")
    until(lambda: stage.ari()["calls"], 10, "the call is in its flow")
    dialer = site.dialer_pid()
    assert dialer is not None
    os.kill(dialer, signal.SIGKILL)
    site.await_ready()
    site.finish()
    (row,) = site.attempts("left alone")
    assert row["outcome"] == "TERMINATED"
    until(lambda: "0 active channels" in stage.pbx.cli("core show channels count"), 10, "no channel is left")
    assert "was left in application wombat-" in site.log()


def test_a_wrong_password_is_said_and_the_dialer_dials_on(stage: Stage) -> None:
    """A changed server is taken with the next run; its flows go by FastAGI."""
    site = stage.site
    stage.configure("wrong")
    site.fill("by FastAGI", [f"55500002789,{_attribute()}"])
    site.run("by FastAGI")
    until(lambda: "refused the ARI user 'wombat'" in stage.ari()["error"], 10, "what is wrong is said")
    site.finish()
    (row,) = site.attempts("by FastAGI")
    assert (row["output_attributes"]["PRESSED"], row["outcome"]) == ("789", "TERMINATED")
    assert "ARI: http" in site.wombat("status").stdout
    assert "wrong" not in site.log()


def test_nothing_odd_happened(stage: Stage) -> None:
    assert stage.site.snapshot()["odd_events"] == 0
    assert all(run.taken == run.closed and not run.open_attempts for run in stage.site.check_ledger())
    assert "mistake of ours" not in stage.site.log()
    assert "Traceback" not in stage.site.log()


def _attribute() -> str:
    return "NOTE:" + NOTE.replace(",", "\\,")
